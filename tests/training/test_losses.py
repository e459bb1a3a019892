"""The loss is MONAI's where everything is annotated, and blind where nothing is."""

from __future__ import annotations

import pytest
import torch
from monai.losses.dice import DiceCELoss

from bigrock.training import TrainingConfig
from bigrock.training.losses import SegmentationLoss


def example(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((2, 3, 9, 8), generator=generator, requires_grad=True)
    return logits, torch.randint(3, (2, 1, 9, 8), generator=generator).to(torch.uint8)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 3.0]])
def test_with_every_pixel_annotated_it_is_that_of_monai(weights: list[float] | None) -> None:
    logits, label = example()
    plain = DiceCELoss(to_onehot_y=True, softmax=True, batch=True, lambda_ce=0.0)(logits, label.long())
    entropy = torch.nn.functional.cross_entropy(
        logits, label[:, 0].long(), None if weights is None else torch.tensor(weights)
    )
    found = SegmentationLoss(weights, dice_weight=0.5, cross_entropy_weight=2.0)(logits, label)
    assert found.item() == pytest.approx((0.5 * plain + 2 * entropy).item(), rel=1e-5)


def test_weights_go_by_the_values_of_the_classes_and_not_by_their_order_in_the_table() -> None:
    training = TrainingConfig(class_weights={"pore": 5.0}, dice_weight=0.0)
    assert SegmentationLoss.of({"pore": 1, "solid": 0}, training).class_weights == [1.0, 5.0]
    assert SegmentationLoss.of({"pore": 1, "solid": 0}, TrainingConfig()).class_weights is None


def test_pixels_that_nobody_annotated_have_no_gradient() -> None:
    logits, label = example(1)
    label[:, :, :4] = 255
    SegmentationLoss([1.0, 2.0, 3.0])(logits, label).backward()
    assert logits.grad is not None
    assert (logits.grad[:, :, :4] == 0).all()
    assert (logits.grad[:, :, 4:] != 0).any()


def test_it_is_that_of_the_annotated_pixels_alone() -> None:
    logits, label = example(2)
    known = torch.rand((9, 8), generator=torch.Generator().manual_seed(3)) < 0.5
    masked = torch.where(known, label, torch.tensor(255, dtype=torch.uint8))
    alone = SegmentationLoss([1.0, 2.0, 3.0])(logits[..., known][..., None], label[..., known][..., None])
    found = SegmentationLoss([1.0, 2.0, 3.0])(logits, masked)
    assert found.item() == pytest.approx(alone.item(), rel=1e-5)


def test_what_the_network_says_of_unannotated_pixels_does_not_matter() -> None:
    logits, label = example(4)
    label[..., 5:] = 255
    other = logits.detach().clone()
    other[..., 5:] = 100 * torch.randn(other[..., 5:].shape)
    assert SegmentationLoss()(other, label).item() == SegmentationLoss()(logits, label).item()


def test_a_batch_without_annotated_pixels_costs_nothing_and_teaches_nothing() -> None:
    logits, label = example(5)
    loss = SegmentationLoss()(logits, torch.full_like(label, 255))
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_half_precision_logits_give_a_float32_loss() -> None:
    logits, label = example(6)
    assert SegmentationLoss()(logits.half(), label).dtype == torch.float32
