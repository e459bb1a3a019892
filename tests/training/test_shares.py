"""Shares of classes put right by the bias of the last layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bigrock.models import SegmentationConfig, build_segmentation_net, whole_forward
from bigrock.training import TrainingSlice
from bigrock.training.shares import match_shares, share_offsets


@pytest.mark.parametrize("seed", range(4))
def test_offsets_bring_every_class_to_its_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=20_000, p=[0.7, 0.2, 0.06, 0.04]).astype(np.uint8)
    logits = 2 * np.eye(4)[labels] + rng.normal(size=(labels.size, 4)) + rng.normal(size=4)
    found = np.argmax(logits + share_offsets(logits, labels), axis=1)
    np.testing.assert_allclose(np.bincount(found), np.bincount(labels), rtol=0.02)


def test_a_class_that_is_not_there_moves_nothing() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 3))
    assert share_offsets(logits, np.zeros(50, np.uint8)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("architecture", "features"), [("dynunet", (4, 4, 8)), ("basicunet", (4, 4, 4, 4, 4))]
)
def test_the_last_layer_takes_the_offsets_and_unannotated_pixels_do_not_count(architecture, features) -> None:
    config = SegmentationConfig({"a": 0, "b": 1, "c": 2}, architecture=architecture, features=features)
    rng = np.random.default_rng(2)
    image = rng.normal(size=(1, 48, 48)).astype(np.float32)
    for seed in range(50):
        torch.manual_seed(seed)
        net = build_segmentation_net(config).eval()
        if architecture == "basicunet":  # finds one class only with its first weights
            torch.nn.init.normal_(net.final_conv.weight, std=2.0)
        before = whole_forward(net, image[None], config.stride)[0]
        if np.bincount(before.argmax(0).ravel(), minlength=3).all():
            break
    # The class that the network finds most is a tenth of the labels.
    order = np.argsort(-np.bincount(before.argmax(0).ravel(), minlength=3))
    label = rng.choice(order.astype(np.uint8), size=(48, 48), p=[0.2, 0.5, 0.3])
    label[:, 40:] = 255
    offsets = match_shares(net, [TrainingSlice(image, label)], 3)
    after = whole_forward(net, image[None], config.stride)[0]
    np.testing.assert_allclose(
        after - before, np.broadcast_to(np.array(offsets)[:, None, None], after.shape), rtol=1e-3, atol=1e-3
    )
    known = label != 255
    error = np.abs(np.bincount(after.argmax(0)[known], minlength=3) - np.bincount(label[known])).max()
    plain = np.abs(np.bincount(before.argmax(0)[known], minlength=3) - np.bincount(label[known])).max()
    assert error < plain / 2
