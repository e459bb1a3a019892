"""Annotated slices become a bundle that segments, with its origin; the same bits each time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from bigrock.errors import ParameterError, PhaseError
from bigrock.models import SegmentationConfig, load_bundle
from bigrock.training import TrainingConfig, TrainingProgress, TrainingSlice, scores, train_segmentation
from bigrock.training.losses import SegmentationLoss
from bigrock.training.validation import evaluate

CLASSES = {"matrix": 0, "organic": 1, "pore": 2}
NET = SegmentationConfig(CLASSES, features=(4, 8, 8))
SHORT = TrainingConfig(
    max_epochs=2, steps_per_epoch=4, batch=2, patch=32, learning_rate=0.02, device="cpu", threads=1
)


def ground(seed: int, channels: int = 1) -> TrainingSlice:
    """Blobs of three grey levels with noise."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal((50, 61)), 4)
    label = np.digitize(field, np.quantile(field, [0.5, 0.8])).astype(np.uint8)
    image = np.stack([label - 1 + 0.3 * rng.standard_normal(label.shape) for _ in range(channels)])
    return TrainingSlice(image, label, str(seed))


def weights(folder: Path) -> bytes:
    return (folder / "models" / "model.safetensors").read_bytes()


def test_a_training_learns_and_its_bundle_scores_as_it_says(tmp_path: Path) -> None:
    config = dataclasses.replace(SHORT, max_epochs=6, steps_per_epoch=10, match_shares=False)
    made = train_segmentation([ground(0), ground(1)], [ground(2)], NET, config, folder=tmp_path)
    assert made.validation["mean_iou"] > 0.65
    bundle = load_bundle(tmp_path)
    again = evaluate(bundle.network(), [ground(2)], 3, SegmentationLoss())
    assert scores(again.confusion[0], CLASSES) == made.validation
    assert bundle.training["epochs"] == made.epochs
    assert bundle.training["settings"]["patch"] == 32
    assert bundle.training["threads"] == 1
    assert bundle.training["slices"] == ["0", "1"]
    assert made.validation["mean_iou"] == pytest.approx(max(made.history.column("score")))
    assert {"loss", "validation loss", "iou pore", "score"} <= made.history.epochs[0].keys()


def test_the_same_settings_give_the_same_bits_also_after_an_interruption(tmp_path: Path) -> None:
    whole = train_segmentation([ground(0)], [ground(2)], NET, SHORT, folder=tmp_path / "whole")
    train_segmentation([ground(0)], [ground(2)], NET, SHORT, folder=tmp_path / "again")

    def stop(event: TrainingProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_segmentation([ground(0)], [ground(2)], NET, SHORT, folder=tmp_path / "cut", progress=stop)
    cut = train_segmentation([ground(0)], [ground(2)], NET, SHORT, folder=tmp_path / "cut")
    assert weights(tmp_path / "whole") == weights(tmp_path / "again") == weights(tmp_path / "cut")
    assert whole.bundle.digest == cut.bundle.digest


def test_neighbouring_slices_are_channels(tmp_path: Path) -> None:
    net = dataclasses.replace(NET, neighbours=1)
    config = dataclasses.replace(SHORT, max_epochs=1)
    made = train_segmentation([ground(0, 3)], [ground(1, 3)], net, config, folder=tmp_path)
    assert made.bundle.config.channels == 3


def test_the_rule_of_the_paper_looks_at_the_test_slices_and_needs_them(tmp_path: Path) -> None:
    config = dataclasses.replace(SHORT, stop_on="paper")
    with pytest.raises(ParameterError, match="there are no test slices"):
        train_segmentation([ground(0)], [ground(1)], NET, config, folder=tmp_path)
    made = train_segmentation([ground(0)], [ground(1)], NET, config, folder=tmp_path, test=[ground(3)])
    for epoch in made.history.epochs:
        assert epoch["score"] == pytest.approx(-(epoch["loss"] + epoch["test loss"]))


def test_what_cannot_be_trained_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    good, folder = ground(0), tmp_path / "bundle"
    empty = TrainingSlice(good.image, np.full_like(good.label, 255))
    without = TrainingSlice(good.image, np.minimum(good.label, 1))
    odd = dataclasses.replace(SHORT, patch=30)
    named = dataclasses.replace(SHORT, class_weights={"vug": 2.0})
    for slices, validation, config, error, said in (
        ([], [good], SHORT, ParameterError, "no training slices"),
        ([good], [], SHORT, ParameterError, "no validation slices"),
        ([good, empty], [good], SHORT, ParameterError, "training slice 1 holds no annotated pixel"),
        ([without], [good], SHORT, PhaseError, "annotated as pore"),
        ([good], [good], odd, ParameterError, "Use 32"),
        ([good], [good], named, PhaseError, "names vug"),
    ):
        with pytest.raises(error, match=said):
            train_segmentation(slices, validation, NET, config, folder=folder)
    assert not folder.exists()


def test_a_slice_is_scored_in_windows_as_in_one_piece() -> None:
    from bigrock.models import build_segmentation_net
    from bigrock.models.tiling import whole_forward

    torch.manual_seed(0)
    net = build_segmentation_net(NET).eval()
    item = ground(5)
    found = evaluate(net, [item], 3, SegmentationLoss())
    logits = whole_forward(net, item.image[None], NET.stride)
    predicted = logits.argmax(1)[0]
    wanted = np.array([[((item.label == t) & (predicted == p)).sum() for p in range(3)] for t in range(3)])
    assert (found.confusion[0] == wanted).all()
    loss = SegmentationLoss()(torch.from_numpy(logits), torch.from_numpy(item.label[None, None]))
    assert found.losses[0] == pytest.approx(loss.item(), rel=1e-5)
