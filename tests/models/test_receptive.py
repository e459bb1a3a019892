"""How far a network looks is what its layers add up to, and what its tiles show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bigrock.errors import ParameterError
from bigrock.models import SegmentationConfig, build_segmentation_net, receptive_field
from bigrock.models.receptive import _positive
from bigrock.models.tiling import Tiling

CLASSES = {"matrix": 0, "pore": 1}


def conv(size, stride=1, dilation=1, ndim=2):
    make = nn.Conv2d if ndim == 2 else nn.Conv3d
    return make(1, 1, size, stride, padding=dilation * (size // 2), dilation=dilation)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([conv(1)], (0, 1, 1)),
        ([conv(3), conv(5)], (3, 1, 1)),
        ([conv(3, dilation=4), conv(3)], (5, 1, 1)),
        # A cell of two voxels sees both neighbouring cells: from either voxel at most three away.
        ([nn.MaxPool2d(2), conv(3), nn.Upsample(scale_factor=2)], (3, 2, 1)),
        ([conv(1), nn.AvgPool2d(4), nn.Upsample(scale_factor=4)], (3, 4, 1)),
        ([conv(3), nn.Upsample(scale_factor=4), conv(3)], (2, 1, 4)),
        ([nn.Conv2d(1, 16, 3, padding=1), nn.PixelShuffle(4)], (1, 1, 4)),
        ([conv(3, ndim=3), conv(3, ndim=3)], (2, 1, 1)),
        ([conv(3), nn.BatchNorm2d(1), nn.LeakyReLU(inplace=True), nn.Dropout(0.5), conv(3)], (2, 1, 1)),
    ],
)
def test_simple_networks_look_as_far_as_one_counts(layers, expected):
    assert receptive_field(nn.Sequential(*layers)) == expected


def unet_halo(levels):
    """Return the halo of DynUNet by intervals: which voxels each cell of each level has seen."""
    seen = {0: lambda cell: (cell, cell)}

    def convolved(before, radius):
        return lambda cell: (before(cell - radius)[0], before(cell + radius)[1])

    def halved(before):
        return lambda cell: (before(2 * cell - 1)[0], before(2 * cell + 1)[1])

    def joined(a, b):
        return lambda cell: (min(a(cell)[0], b(cell // 2)[0]), max(a(cell)[1], b(cell // 2)[1]))

    at = convolved(seen[0], 2)
    skips = []
    for _ in range(levels - 1):
        skips.append(at)
        at = convolved(halved(at), 1)
    for skip in reversed(skips):
        at = convolved(joined(skip, at), 2)
    stride = 2 ** (levels - 1)
    base = 64 * stride
    return max(max(v - at(v)[0], at(v)[1] - v) for v in range(base, base + stride))


@pytest.mark.parametrize("levels", [3, 4, 5])
def test_a_unet_looks_as_far_as_its_layers_add_up_to(levels):
    net = build_segmentation_net(SegmentationConfig(CLASSES, features=(2,) * levels))
    assert receptive_field(net) == (unet_halo(levels), 2 ** (levels - 1), 1)


@pytest.mark.parametrize("architecture", ["dynunet", "basicunet"])
def test_tiles_meet_with_that_halo_and_not_with_one_voxel_less(architecture):
    features = (2, 2, 2) if architecture == "dynunet" else (2,) * 5
    net = build_segmentation_net(SegmentationConfig(CLASSES, features=features, architecture=architecture))
    halo, stride, _ = receptive_field(net)
    # Double precision, and weights that do not let the far voxels vanish in the rounding.
    probe = _positive(net).double()
    extent = -(-(2 * halo + 40) // stride) * stride
    image = torch.rand(
        (1, 1, extent, stride), dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    with torch.inference_mode():
        dark = torch.zeros_like(image)
        whole = probe(image)
        core = (halo + 3, extent - halo - 3)

        def difference(reach):
            seen = dark.clone()
            kept = slice(core[0] - reach, core[1] + reach)
            seen[:, :, kept] = image[:, :, kept]
            return (probe(seen) - whole)[:, :, core[0] : core[1]].abs().max().item()

        assert difference(halo) == 0
        assert difference(halo - stride) > 0


def test_a_network_is_measured_once(monkeypatch):
    import bigrock.models.receptive as receptive

    net = nn.Sequential(conv(7), conv(9))
    assert receptive_field(net) == (7, 1, 1)
    monkeypatch.setattr(receptive, "_along", None)
    assert receptive_field(nn.Sequential(conv(7), conv(9))) == (7, 1, 1)


@pytest.mark.parametrize(
    "part", [nn.InstanceNorm2d(1), nn.GroupNorm(1, 1), nn.BatchNorm2d(1, track_running_stats=False)]
)
def test_a_part_that_sees_the_whole_tile_is_refused(part):
    with pytest.raises(ParameterError, match="another result in another tile"):
        receptive_field(nn.Sequential(conv(3), part))


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = conv(3)

    def forward(self, image):
        return self.conv(image) + image.mean(dim=(2, 3), keepdim=True)


def test_a_network_that_looks_everywhere_is_refused():
    with pytest.raises(ParameterError, match="no halo is enough"):
        receptive_field(Pooled())


def test_a_network_that_shrinks_its_image_is_refused():
    with pytest.raises(ParameterError, match="keep the extent"):
        receptive_field(nn.Conv2d(1, 1, 3))
    with pytest.raises(ParameterError, match="no convolution"):
        receptive_field(nn.Linear(3, 3))


def test_tilings_with_less_than_the_halo_show_seams():
    torch.manual_seed(0)
    net = nn.Sequential(*(conv(3) for _ in range(4)))
    image = np.random.default_rng(0).random((1, 1, 40, 40)).astype(np.float32)

    def run(halo):
        def network(window, part):
            with torch.inference_mode():
                return net(torch.from_numpy(window)).numpy()[(..., *part)]

        tiling = Tiling((40, 40), halo, 1, window_voxels=20**2)
        return tiling.run(network, image, [(0, 40)] * 2, [(0, 40)] * 2)

    whole = net(torch.from_numpy(image)).detach().numpy()
    assert receptive_field(net).halo == 4
    assert np.abs(run(4) - whole).max() < 1e-6
    assert np.abs(run(3) - whole).max() > 1e-5
