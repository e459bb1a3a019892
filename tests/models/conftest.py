"""Tiny networks, and what is known of them."""

from __future__ import annotations

import pytest
import torch

from bigrock.models import SegmentationConfig, build_segmentation_net, save_bundle

CLASSES = {"matrix": 0, "organic matter": 1, "pore": 2}


def train(config, seed=0):
    """A network whose batch norms have seen data, so that its labels vary from voxel to voxel."""
    torch.manual_seed(seed)
    net = build_segmentation_net(config)
    with torch.no_grad():
        for _ in range(3):
            net(2 * torch.randn(2, config.channels, 64, 64))
        net.eval()
        # Classes of equal frequency: biases that take out the mean of each logit.
        logits = net(torch.randn(1, config.channels, 64, 64))
        last = [
            m
            for m in net.modules()
            if isinstance(m, torch.nn.Conv2d) and m.out_channels == len(config.classes)
        ]
        last[-1].bias -= logits.mean(dim=(0, 2, 3))
    return net


@pytest.fixture(scope="session")
def trained():
    """The function that makes such a network."""
    return train


@pytest.fixture(scope="session")
def small():
    return SegmentationConfig(CLASSES, features=(4, 6, 8))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, small):
    return save_bundle(tmp_path_factory.mktemp("bundle"), train(small), small, voxel_size=(1e-8, 5e-9, 5e-9))


@pytest.fixture(scope="session")
def thick_bundle(tmp_path_factory):
    """2.5-D: one slice on each side."""
    config = SegmentationConfig(CLASSES, neighbours=1, features=(4, 6, 8))
    return save_bundle(tmp_path_factory.mktemp("thick"), train(config, 1), config)
