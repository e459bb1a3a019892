"""Local Otsu with a stride: exact at the nodes, linear between them, the same for any blocks."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import floor, prod

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels import LocalOtsu, grey_histogram, local_otsu
from bigrock.kernels.otsu_windows import window_thresholds


def rock(shape, seed=1, noise=18):
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 4)
    grey = ndimage.gaussian_filter(np.where(field > np.quantile(field, 0.75), 90.0, 150.0), 1)
    return np.clip(grey + rng.normal(0, noise, shape), 0, 255).astype(np.uint8)


def nodes_along(length, stride):
    return sorted({*range(0, length, stride), length - 1})


def between(nodes, v):
    """Return pairs of node index and weight that make up voxel v."""
    after = next(i for i, n in enumerate(nodes) if n >= v)
    if nodes[after] == v:
        return [(after, Fraction(1))]
    weight = Fraction(v - nodes[after - 1], nodes[after] - nodes[after - 1])
    return [(after - 1, 1 - weight), (after, weight)]


def expected(image, radius, ndim, stride):
    """Interpolate exact thresholds with fractions."""
    exact = local_otsu(image, radius=radius, ndim=ndim)
    axes = [
        nodes_along(n, s)
        for n, s in zip(image.shape, (stride if ndim == 3 else 1, stride, stride), strict=True)
    ]
    values = exact[np.ix_(*axes)]
    out = np.empty(image.shape, np.uint8)
    for index in np.ndindex(image.shape):
        corners = product(*(between(nodes, v) for nodes, v in zip(axes, index, strict=True)))
        out[index] = floor(sum(int(values[tuple(i for i, _ in c)]) * prod(w for _, w in c) for c in corners))
    return out


@pytest.mark.parametrize(
    ("shape", "radius", "ndim", "stride"),
    [
        ((2, 23, 30), 7, 2, 4),
        ((1, 9, 17), 8, 2, 8),
        ((9, 10, 11), 3, 3, 3),
        ((5, 4, 1), 6, 3, 6),
        ((1, 1, 1), 5, 2, 5),
    ],
)
def test_thresholds_are_exact_at_the_nodes_and_linear_between_them(shape, radius, ndim, stride):
    image = rock(shape)
    found = local_otsu(image, radius=radius, ndim=ndim, stride=stride)
    np.testing.assert_array_equal(found, expected(image, radius, ndim, stride))


@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 9)),
    radius=st.integers(1, 6),
    ndim=st.sampled_from([2, 3]),
    data=st.data(),
)
def test_thresholds_of_any_small_image_are_interpolated_exactly(shape, radius, ndim, data):
    stride = data.draw(st.integers(1, radius))
    values = data.draw(st.sampled_from([(0, 256), (0, 2), (100, 101), (0, 17)]))
    image = np.random.default_rng(data.draw(st.integers(0, 99))).integers(*values, shape).astype(np.uint8)
    found = local_otsu(image, radius=radius, ndim=ndim, stride=stride)
    np.testing.assert_array_equal(found, expected(image, radius, ndim, stride))


def blockwise(kernel, image, block, halo=None, xp=np):
    grid = BlockGrid(image.shape, block, halo=halo or kernel.halo)
    out = np.zeros(image.shape, kernel.output_dtype(image.dtype))
    for one in grid:
        out[one.core.slices] = np.asarray(kernel(xp.asarray(image[one.read.slices]), one))
    return out


KERNELS = [
    LocalOtsu(radius=6, stride=5),
    LocalOtsu(radius=4, ndim=3, stride=3, pore="bright"),
    LocalOtsu(radius=7, stride=4, min_contrast=0.6, min_pore_fraction=0.05),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("block", [(7, 5, 9), (1, 16, 16), (64, 13, 50)], ids=str)
def test_blocks_of_any_size_give_the_mask_of_the_whole(kernel, dtype, block):
    image = (rock((9, 37, 41)) * (1 if dtype == "uint8" else 150)).astype(dtype)
    kernel = kernel.fitted(grey_histogram(image))
    whole = blockwise(kernel, image, image.shape)
    np.testing.assert_array_equal(blockwise(kernel, image, block), whole)
    wide = tuple(h + 3 for h in kernel.halo)
    np.testing.assert_array_equal(blockwise(kernel, image, block, wide), whole)
    assert 0 < whole.mean() < 1


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_any_array_module_gives_the_mask_of_compiled_code(kernel, dtype):
    image = (rock((6, 19, 31)) * (1 if dtype == "uint8" else 150)).astype(dtype)
    kernel = kernel.fitted(grey_histogram(image))
    block = (6, 13, 20)
    np.testing.assert_array_equal(blockwise(kernel, image, block, xp=strict), blockwise(kernel, image, block))


def test_thresholds_of_any_array_module_are_those_of_compiled_code():
    image = rock((3, 20, 27))
    for settings in ({"radius": 7, "stride": 3}, {"radius": 3, "stride": 2, "ndim": 3}):
        found = np.asarray(local_otsu(strict.asarray(image), **settings))
        np.testing.assert_array_equal(found, local_otsu(image, **settings))


@pytest.mark.parametrize("noise", [5, 18])
def test_a_quarter_of_the_radius_moves_at_most_one_in_a_hundred_voxels(noise):
    image = rock((300, 300), noise=noise)
    exact = image <= local_otsu(image, radius=31)
    coarse = image <= local_otsu(image, radius=31, stride=8)
    assert 0 < (exact != coarse).mean() < 0.01


def test_flat_windows_take_the_global_threshold_with_a_stride_too():
    rng = np.random.default_rng(9)
    image = np.clip(rng.normal(150, 6, (1, 80, 160)), 0, 255)
    image[:, 20:60, 20:60] = np.clip(rng.normal(60, 6, (1, 40, 40)), 0, 255)
    for dtype, factor in (("uint8", 1), ("uint16", 200)):
        scan = (image * factor).astype(dtype)
        plain = LocalOtsu(radius=7, stride=4).fitted(grey_histogram(scan))
        guarded = LocalOtsu(radius=7, stride=4, min_contrast=0.4).fitted(grey_histogram(scan))
        truth = np.zeros(image.shape, bool)
        truth[:, 20:60, 20:60] = True
        assert (blockwise(plain, scan, scan.shape) != truth).mean() > 0.3
        assert (blockwise(guarded, scan, scan.shape) != truth).sum() == 0


def test_nodes_that_the_guard_calls_flat_are_those_of_every_voxel():
    from bigrock.kernels.otsu_grid import threshold_nodes

    image = rock((3, 30, 33))
    core = (slice(0, 3), slice(0, 30), slice(0, 33))
    guard = (45.0, 0.12)
    threshold, flat = window_thresholds(image, core, 5, 2, guard)
    axes = (np.arange(3), np.arange(0, 30, 4), np.arange(0, 33, 4))
    found, found_flat = threshold_nodes(image, axes, (0, 5, 5), guard)
    assert 0 < found_flat.mean() < 1
    np.testing.assert_array_equal(found, threshold[np.ix_(*axes)])
    np.testing.assert_array_equal(found_flat, flat[np.ix_(*axes)])


@pytest.mark.parametrize("stride", [0, -1, 1.5, 8])
def test_a_stride_beyond_the_radius_is_refused(stride):
    with pytest.raises(ParameterError, match=f"stride={stride} is not 1 to 7"):
        LocalOtsu(radius=7, stride=stride)
    with pytest.raises(ParameterError, match=f"stride={stride} is not 1 to 7"):
        local_otsu(np.zeros((4, 4), np.uint8), radius=7, stride=stride)


def test_the_halo_reaches_the_windows_of_the_next_nodes():
    assert LocalOtsu(radius=7, stride=4).halo == (0, 10, 10)
    assert LocalOtsu(radius=7, stride=4, ndim=3).halo == (10, 10, 10)
    assert LocalOtsu(radius=7).halo == (0, 7, 7)
