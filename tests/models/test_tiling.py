"""Tiles meet: whatever the blocks, windows and dimensions, the result is that of the whole image."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bigrock.errors import ParameterError
from bigrock.models import Tiling, receptive_field, whole_forward
from bigrock.models.threads import one_thread


def network_of(net):
    """Return what gives the part of an image that is asked for, enlarged; all of it unless asked."""

    def network(window, part=None):
        assert window.flags.c_contiguous
        with torch.inference_mode(), one_thread():
            made = net(torch.from_numpy(window)).numpy()
        scale = made.shape[-1] // window.shape[-1]
        return made if part is None else made[(..., *(slice(scale * p.start, scale * p.stop) for p in part))]

    return network


def in_blocks(net, images, block, window_voxels=2**21):
    """Return what the blocks of a grid give together, each holding no more than its halo."""
    halo, stride, scale = receptive_field(net)
    shape = images.shape[2:]
    tiling = Tiling(shape, halo, stride, scale, window_voxels)
    result = None
    for corner in itertools.product(*(range(0, n, b) for n, b in zip(shape, block, strict=True))):
        core = [(c, min(n, c + b)) for c, n, b in zip(corner, shape, block, strict=True)]
        held = [(max(0, a - halo), min(n, b + halo)) for (a, b), n in zip(core, shape, strict=True)]
        part = images[(..., *(slice(*span) for span in held))]
        made = tiling.run(network_of(net), part, held, core)
        if result is None:
            result = np.full((*made.shape[:2], *(scale * n for n in shape)), np.nan, made.dtype)
        result[(..., *(slice(scale * a, scale * b) for a, b in core))] = made
    return result


@pytest.fixture(scope="module")
def net(bundle):
    return bundle.network()


@pytest.mark.parametrize("shape", [(48, 48), (45, 51), (7, 5), (1, 90), (120, 33)])
@pytest.mark.parametrize("block", [(16, 16), (13, 29), (200, 10), (200, 200)])
def test_blocks_of_any_shape_give_the_logits_of_the_whole_slice(net, bundle, shape, block):
    images = np.random.default_rng(0).standard_normal((2, 1, *shape)).astype(np.float32)
    with one_thread():
        whole = whole_forward(net, images, bundle.stride)
    parts = in_blocks(net, images, block)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=2e-6)
    np.testing.assert_array_equal(parts.argmax(1), whole.argmax(1))


@settings(max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    block=st.tuples(st.integers(5, 80), st.integers(5, 80)),
    window=st.integers(1, 9000),
    seed=st.integers(0, 9),
)
def test_any_window_gives_the_labels_of_the_whole_slice(net, bundle, shape, block, window, seed):
    images = np.random.default_rng(seed).standard_normal((1, 1, *shape)).astype(np.float32)
    with one_thread():
        whole = whole_forward(net, images, bundle.stride)
    np.testing.assert_array_equal(in_blocks(net, images, block, window).argmax(1), whole.argmax(1))


def test_three_dimensions_and_enlargement_go_by_the_same_rules():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv3d(4, 2, 3, padding=1)
    ).eval()
    images = np.random.default_rng(0).random((1, 1, 13, 9, 11)).astype(np.float32)
    whole = network_of(net)(images)
    assert receptive_field(net).scale == 2
    for block, window in (((5, 4, 11), 2**20), ((20, 20, 20), 300), ((4, 7, 3), 1)):
        np.testing.assert_allclose(in_blocks(net, images, block, window), whole, rtol=0, atol=1e-6)


def test_a_volumetric_network_with_a_stride_is_tiled_along_all_axes():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv3d(1, 3, 3, padding=1),
        nn.MaxPool3d(4),
        nn.Conv3d(3, 3, 3, padding=1),
        nn.Upsample(scale_factor=4),
    ).eval()
    images = np.random.default_rng(0).random((1, 1, 24, 20, 28)).astype(np.float32)
    whole = network_of(net)(images)
    for block in ((8, 8, 8), (7, 9, 30)):
        np.testing.assert_allclose(in_blocks(net, images, block, 12**3), whole, rtol=0, atol=1e-6)


@settings(max_examples=200)
@given(
    shape=st.lists(st.integers(1, 3000), min_size=1, max_size=3),
    halo=st.integers(0, 120),
    power=st.integers(0, 5),
    window=st.integers(1, 2**22),
)
def test_tiles_lie_on_the_lattice_and_windows_are_not_much_larger_than_asked(shape, halo, power, window):
    stride = 2**power
    tiling = Tiling(tuple(shape), halo, stride, window_voxels=window)
    least = (4 * -(-halo // stride) + 1) * stride
    for extent, tile in zip(shape, tiling.tile, strict=True):
        assert tile % stride == 0
        assert tile < extent + stride
    sides = [min(extent + stride, tile + 2 * halo) for extent, tile in zip(shape, tiling.tile, strict=True)]
    assert tiling.largest_window <= window or min(sides) <= least


def test_a_slice_that_fits_is_one_window_and_a_larger_one_is_cut():
    assert Tiling((1448, 1440), 92, 16).tile == (1456, 1440)
    assert Tiling((4000, 4000), 92, 16).tile == (1248, 1248)
    # Tiles of at least four halos at the default window: the halos add no more than 1.35.
    tiling = Tiling((4000, 4000), 92, 16)
    assert tiling.largest_window <= 2**21
    assert tiling.largest_window / 1248**2 < 1.35


@pytest.mark.parametrize("options", [{"halo": -1}, {"stride": 0}, {"scale": 0}, {"window_voxels": 0}])
def test_numbers_that_make_no_tiles_are_refused(options):
    with pytest.raises(ParameterError, match="make no tiles"):
        Tiling((10, 10), **{"halo": 1, "stride": 1, **options})


def test_torch_is_given_back_its_threads():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
        with one_thread():
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
