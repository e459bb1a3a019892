"""Networks are MONAI's, of the size that is asked for, and never of a kind that leaves seams."""

from __future__ import annotations

import pytest
import torch

from bigrock.errors import ParameterError
from bigrock.models import GPU_FEATURES, SegmentationConfig, build_segmentation_net, network_definition

CLASSES = {"matrix": 0, "pore": 1}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "DynUNet"),
        ({"features": (4, 8, 8), "neighbours": 2}, "DynUNet"),
        ({"features": (4,) * 7}, "DynUNet"),
        ({"architecture": "basicunet"}, "BasicUNet"),
        ({"architecture": "basicunet", "norm": "none"}, "BasicUNet"),
    ],
)
def test_the_network_gives_one_logit_per_class_and_voxel(options, name):
    config = SegmentationConfig(CLASSES, **options)
    net = build_segmentation_net(config).eval()
    side = 2 * config.stride
    assert type(net).__name__ == name
    assert net(torch.zeros(2, config.channels, side, side)).shape == (2, 2, side, side)


def test_the_network_of_a_gpu_is_larger():
    def size(features):
        net = build_segmentation_net(SegmentationConfig(CLASSES, features=features))
        return sum(p.numel() for p in net.parameters())

    assert size(GPU_FEATURES) > 7e6 > 3e5 > size(SegmentationConfig(CLASSES).features)


def test_the_same_seed_gives_the_same_network():
    config = SegmentationConfig(CLASSES, features=(2, 2, 2))
    nets = []
    for _ in range(2):
        torch.manual_seed(3)
        nets.append(build_segmentation_net(config))
    assert all(torch.equal(a, b) for a, b in zip(*(n.state_dict().values() for n in nets), strict=True))


@pytest.mark.parametrize("norm", ["instance", "group", "layer"])
def test_a_norm_that_sees_the_whole_tile_is_refused_with_the_reason(norm):
    with pytest.raises(ParameterError, match="another label in another tile"):
        SegmentationConfig(CLASSES, norm=norm)


@pytest.mark.parametrize(
    ("classes", "options", "message"),
    [
        ({"pore": 0}, {}, "two classes or more"),
        ({"matrix": 1, "pore": 2}, {}, "Number them anew"),
        ({"matrix": 0, "pore": 2}, {}, "as 0, 1, 2"),
        (CLASSES, {"neighbours": -1}, "negative"),
        (CLASSES, {"features": (4, 8)}, "no U-Net"),
        (CLASSES, {"features": (4, 0, 8)}, "no U-Net"),
        (CLASSES, {"architecture": "basicunet", "features": (4, 4, 4)}, "5 levels"),
        (CLASSES, {"architecture": "transformer"}, "'dynunet' or 'basicunet'"),
        (CLASSES, {"norm": "none"}, "architecture='basicunet'"),
        (CLASSES, {"norm": "best"}, "'batch' or 'none'"),
        (CLASSES, {"standardize": "row"}, "'slice', 'volume' or 'none'"),
    ],
)
def test_settings_that_make_no_network_are_refused(classes, options, message):
    with pytest.raises(ParameterError, match=message):
        SegmentationConfig(classes, **options)


def test_a_configuration_is_a_value():
    one, other = (SegmentationConfig(dict(CLASSES), features=[4, 8, 8]) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert network_definition(one)["filters"] == [4, 8, 8]
