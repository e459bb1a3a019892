"""Median, Gaussian and non-local means against scipy, the formula, and over blocks against the whole."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio
from skimage.restoration import denoise_nl_means

from bigrock.datasets import Sandstone
from bigrock.errors import NonFiniteError, NotFittedError, ParameterError
from bigrock.geometry import BlockGrid, Region
from bigrock.kernels.denoise import Gaussian, Median, gaussian, median
from bigrock.kernels.denoise_noise import NoiseLevel, noise_level
from bigrock.kernels.denoise_patches import NonLocalMeans, non_local_means
from bigrock.kernels.median_network import median_program
from bigrock.volumes.source import Facts

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "float32", "float64"]
SHAPE = (7, 11, 13)


def noise(dtype="uint8", shape=SHAPE, seed=0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, 40, shape)
    if dtype == "bool":
        return values > 0
    return (values if np.dtype(dtype).kind in "if" else np.abs(values)).clip(-120, 250).astype(dtype)


def over_blocks(kernel, volume, block) -> np.ndarray:
    out = np.empty(volume.shape, kernel.output_dtype(volume.dtype))
    for b in BlockGrid(volume.shape, block, kernel.halo):
        out[b.core.slices] = kernel(volume[b.read.slices], b)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("radius", "ndim"), [(1, 3), (2, 3), (1, 2), (4, 2)])
def test_the_median_is_that_of_scipy(dtype, radius, ndim):
    image = noise(dtype)
    size = (2 * radius + 1 if ndim == 3 else 1, 2 * radius + 1, 2 * radius + 1)
    expected = ndimage.median_filter(image, size=size, mode="nearest")
    found = median(image, radius=radius, ndim=ndim)
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (9, 1, 1), (2, 3, 400), (3, 300, 2)])
def test_the_median_of_thin_and_long_images_is_that_of_scipy(shape):
    image = noise("uint16", shape)
    np.testing.assert_array_equal(
        median(image, radius=2), ndimage.median_filter(image, size=5, mode="nearest")
    )


def test_a_large_window_is_sorted_too():
    image = noise("uint8", (1, 40, 45))
    expected = ndimage.median_filter(image[0], size=23, mode="nearest")
    np.testing.assert_array_equal(median(image[0], radius=11), expected)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (9, 3), (1, 7), (5, 5), (7, 1), (3, 11)])
def test_programs_sort_every_sequence_of_zeros_and_ones_to_its_median(rows, columns):
    # A network that is right for zeros and ones is right for all numbers (Knuth's 0-1 principle).
    rng = np.random.default_rng(0)
    for share in (0.4, 0.5, 0.6):
        image = (rng.random((1, rows + 30, columns + 200)) < share).astype(np.uint8)
        size = (1, rows, columns)
        expected = ndimage.median_filter(image, size=size, mode="nearest")
        from bigrock.kernels.arrays.denoise import medians

        core = tuple(slice(0, n) for n in image.shape)
        np.testing.assert_array_equal(medians(image, core, (0, rows // 2, columns // 2)), expected)
    assert median_program(rows, columns).registers <= 2 * rows * columns


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize(("sigma", "ndim"), [(0.4, 3), (1.0, 3), (2.7, 2)])
def test_the_gaussian_is_that_of_scipy(dtype, sigma, ndim):
    image = noise(dtype)
    sigmas = (sigma if ndim == 3 else 0, sigma, sigma)
    expected = ndimage.gaussian_filter(image.astype(float), sigmas, mode="nearest", truncate=4)
    found = gaussian(image, sigma=sigma, ndim=ndim)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=1e-6)


def test_a_flat_image_stays_flat():
    image = np.full((5, 6, 7), 137, np.uint8)
    np.testing.assert_array_equal(median(image, radius=1), image)
    np.testing.assert_allclose(gaussian(image, sigma=1.3), 137, rtol=1e-6)
    np.testing.assert_array_equal(non_local_means(image), image)


def test_a_slice_alone_is_filtered_as_in_its_plane():
    image = noise("uint8", (9, 12))
    np.testing.assert_array_equal(median(image, radius=1, ndim=2), median(image, radius=1, ndim=3))
    np.testing.assert_array_equal(median(image, radius=1), ndimage.median_filter(image, 3, mode="nearest"))


def test_edges_survive_the_median_and_specks_do_not():
    image = np.zeros((9, 9, 9), np.uint8)
    image[:, :, 5:] = 200
    speckled = image.copy()
    speckled[4, 4, 2] = speckled[2, 6, 7] = 99
    np.testing.assert_array_equal(median(speckled, radius=1), image)


def formula(image, patch, search, h, sigma) -> np.ndarray:
    """Non-local means as it is written, voxel by voxel, in double precision."""
    reach = [p + s for p, s in zip(patch, search, strict=True)]
    wide = np.pad(image.astype(float), [(r, r) for r in reach], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, [2 * p + 1 for p in patch])
    out = np.empty(image.shape)
    for index in np.ndindex(image.shape):
        part = tuple(slice(i, i + 2 * s + 1) for i, s in zip(index, search, strict=True))
        here = windows[tuple(i + s for i, s in zip(index, search, strict=True))]
        squares = ((windows[part] - here) ** 2).mean(axis=(3, 4, 5))
        far = np.maximum(squares - 2 * sigma**2, 0) / h**2
        weights = np.where(far <= 5, np.exp(-far), 0)
        centres = windows[part][(..., *patch)]
        out[index] = (weights * centres).sum() / weights.sum()
    return out


@pytest.mark.parametrize(("patch", "search", "ndim"), [(1, 2, 3), (0, 1, 3), (2, 3, 2)])
def test_non_local_means_is_its_formula(patch, search, ndim):
    image = noise("float32", (5, 9, 10)) + 100
    radii = [tuple(r if a or ndim == 3 else 0 for a in range(3)) for r in (patch, search)]
    found = non_local_means(
        image, patch_radius=patch, search_radius=search, strength=1.5, sigma=25, ndim=ndim
    )
    expected = formula(image, *radii, 1.5 * 25, 25)
    # A weight at the cut-off may fall on either side of it: a few voxels may differ a little more.
    assert np.quantile(np.abs(found - expected), 0.99) < 1e-3


def test_non_local_means_cleans_a_rock_as_well_as_scikit_image_does():
    rock = Sandstone((24, 48, 64), noise=0.0, rings=0.0, dtype="uint8")
    clean = rock.read(Region.whole(rock.shape)).astype(np.float32)
    dirty = clean + np.random.default_rng(0).normal(0, 12, clean.shape).astype(np.float32)
    ours = non_local_means(dirty, search_radius=3, strength=0.8, sigma=12)
    theirs = denoise_nl_means(
        dirty, patch_size=3, patch_distance=3, h=0.8 * 12, sigma=12, fast_mode=True, preserve_range=True
    )
    gain = [peak_signal_noise_ratio(clean, image, data_range=255) for image in (dirty, theirs, ours)]
    assert gain[2] > gain[0] + 5
    assert gain[2] > gain[1]


@pytest.mark.parametrize("sigma", [40.0, 400.0, 1500.0])
def test_the_noise_of_a_rock_is_found(sigma):
    rock = Sandstone((6, 96, 96), noise=0.0, rings=0.0, uneven=0.0, dtype="uint16")
    clean = ndimage.gaussian_filter(rock.read(Region.whole(rock.shape)).astype(float), 1.5)
    dirty = clean + np.random.default_rng(0).normal(0, sigma, clean.shape)
    assert noise_level(dirty.astype(np.float32)) == pytest.approx(sigma, rel=0.1)


def test_padding_around_a_round_core_does_not_hide_the_noise():
    image = np.random.default_rng(0).normal(1000, 20, (2, 100, 100)).round()
    alone = noise_level(image)
    image[:, :60] = 1
    assert noise_level(image.astype(np.uint16)) == pytest.approx(alone, rel=0.05)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("block", [(3, 4, 5), (7, 11, 2), (1, 1, 13), (7, 11, 13)])
def test_the_noise_level_does_not_depend_on_blocks(dtype, block):
    volume = noise(dtype)
    counting, facts = NoiseLevel(), Facts(volume.shape, volume.dtype)
    states = [counting.block(volume[b.read.slices], b) for b in BlockGrid(volume.shape, block, counting.halo)]
    np.random.default_rng(1).shuffle(states)
    assert counting.finish(reduce(counting.combine, states), facts) == noise_level(volume)


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 9)] * 3),
    kernel=st.sampled_from(
        [
            Median(1),
            Median(2, ndim=2),
            Gaussian(0.8),
            Gaussian(1.1, ndim=2),
            NonLocalMeans(1, 1, sigma=30.0),
            NonLocalMeans(1, 2, sigma=30.0, ndim=2),
        ]
    ),
    dtype=st.sampled_from(["uint8", "float32"]),
)
@settings(max_examples=80, deadline=None)
def test_blocks_of_any_shape_give_bitwise_what_the_whole_gives(shape, block, kernel, dtype):
    volume = noise(dtype, shape, seed=sum(shape))
    np.testing.assert_array_equal(over_blocks(kernel, volume, block), over_blocks(kernel, volume, shape))


def test_large_blocks_are_cut_into_bricks_and_tiles_without_a_trace():
    volume = noise("uint16", (10, 40, 300))
    for kernel in (Median(1), NonLocalMeans(1, 1, sigma=30.0), Gaussian(1)):
        whole = over_blocks(kernel, volume, volume.shape)
        np.testing.assert_array_equal(over_blocks(kernel, volume, (4, 17, 131)), whole)


def test_what_is_not_fitted_says_so_and_a_fit_gives_the_noise():
    volume = noise("uint8", (3, 20, 20))
    grid = BlockGrid(volume.shape, volume.shape)
    with pytest.raises(NotFittedError, match="noise of the volume"):
        NonLocalMeans()(volume, grid[0])
    kernel = NonLocalMeans(search_radius=1)
    assert isinstance(kernel.fitting(Facts(volume.shape, volume.dtype)), NoiseLevel)
    assert kernel.fitted(3.0).fitting(Facts(volume.shape, volume.dtype)) is None
    fitted = kernel.fitted(noise_level(volume))
    np.testing.assert_array_equal(
        over_blocks(fitted, volume, (2, 7, 9)), non_local_means(volume, search_radius=1)
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_voxel_that_is_no_number_is_refused_with_its_place(bad):
    volume = np.zeros((3, 4, 5), np.float32)
    volume[1, 2, 3] = bad
    for kernel in (Median(1), Gaussian(1), NonLocalMeans(sigma=1.0)):
        with pytest.raises(NonFiniteError, match=r"first at \(1, 2, 3\)"):
            over_blocks(kernel, volume, volume.shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Median(0), "radius=0"),
        (lambda: Median(1.5), "radius=1.5"),  # type: ignore[arg-type]
        (lambda: Median(8), "4913 voxels"),
        (lambda: Median(1, ndim=4), "ndim=4"),
        (lambda: Gaussian(0), "sigma=0"),
        (lambda: Gaussian(float("nan")), "sigma=nan"),
        (lambda: NonLocalMeans(patch_radius=-1), "patch_radius=-1"),
        (lambda: NonLocalMeans(search_radius=0), "search_radius=0"),
        (lambda: NonLocalMeans(strength=0), "strength=0"),
        (lambda: NonLocalMeans(sigma=-1.0), "sigma=-1"),
        (lambda: median(np.zeros(5), radius=1), "shape"),
        (lambda: gaussian(np.zeros((0, 3)), sigma=1), "at least one voxel"),
        (lambda: noise_level(np.zeros((2, 9), np.uint8)), "smaller|neighbours"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
