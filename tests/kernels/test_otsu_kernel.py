"""Local Otsu as a kernel: any blocks give the mask of the whole, the guard, fits, and masks of real scans."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from otsu_images import reference, textured
from skimage.filters import threshold_otsu

from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import BlockGrid, Region
from bigrock.kernels.field_of_view import Cylinder
from bigrock.kernels.histogram import grey_histogram
from bigrock.kernels.otsu import LocalOtsu
from bigrock.kernels.otsu_windows import window_thresholds
from bigrock.volumes import ArraySource
from bigrock.volumes.source import Facts


def blockwise(kernel, image, block):
    grid = BlockGrid(image.shape, block, halo=kernel.halo)
    out = np.zeros(image.shape, kernel.output_dtype(image.dtype))
    for one in grid:
        out[one.core.slices] = kernel(image[one.read.slices], one)
    return out


def fitted(kernel, image):
    return kernel.fitted(grey_histogram(image))


@pytest.mark.parametrize("block", [(1, 16, 16), (4, 13, 50), (64, 7, 9), (3, 64, 64)])
@pytest.mark.parametrize(
    "kernel",
    [
        LocalOtsu(radius=5),
        LocalOtsu(radius=3, ndim=3),
        LocalOtsu(radius=20, pore="bright"),
        LocalOtsu(radius=4, min_contrast=0.5, min_pore_fraction=0.05),
        LocalOtsu(radius=2, ndim=3, min_contrast=0.5),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_blocks_of_any_size_give_the_mask_of_the_whole(kernel, block, dtype):
    image = (textured((9, 37, 41), 6) * (1 if dtype == np.uint8 else 150)).astype(dtype)
    kernel = fitted(kernel, image)
    np.testing.assert_array_equal(blockwise(kernel, image, block), blockwise(kernel, image, image.shape))


@pytest.mark.parametrize("ndim", [2, 3])
def test_dark_pores_are_at_most_the_threshold_and_bright_ones_above(ndim):
    image = textured((6, 30, 31), 7)
    threshold = reference(image, 3, ndim)
    dark = blockwise(LocalOtsu(radius=3, ndim=ndim), image, image.shape)
    bright = blockwise(LocalOtsu(radius=3, ndim=ndim, pore="bright"), image, image.shape)
    np.testing.assert_array_equal(dark, image <= threshold)
    np.testing.assert_array_equal(bright, image > threshold)


def test_sixteen_bits_are_quantised_by_the_stated_rule():
    rng = np.random.default_rng(8)
    image = rng.normal(30000, 6000, (3, 40, 50)).astype(np.uint16)
    kernel = fitted(LocalOtsu(radius=4, clip=0.02), image)
    low, high = np.quantile(image, [0.01, 0.99], method="inverted_cdf")
    assert (kernel.low, kernel.high) == (low, high)
    levels = np.clip(np.floor((image.astype(float) - low) / (high - low) * 256), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(blockwise(kernel, image, image.shape), levels <= reference(levels, 4))


def test_a_kernel_without_the_fit_it_needs_says_so():
    block = BlockGrid((2, 8, 8), (2, 8, 8))[0]
    with pytest.raises(NotFittedError, match=r"grey range.*fit"):
        LocalOtsu(radius=1)(np.zeros((2, 8, 8), np.uint16), block)
    with pytest.raises(NotFittedError, match=r"global threshold.*fit"):
        LocalOtsu(radius=1, min_contrast=0.2)(np.zeros((2, 8, 8), np.uint8), block)


def test_a_fit_is_asked_for_only_where_it_is_needed():
    grey8, grey16 = (Facts((2, 8, 8), np.dtype(t)) for t in (np.uint8, np.uint16))
    assert LocalOtsu(radius=1).fitting(grey8) is None
    assert LocalOtsu(radius=1).fitting(grey16) is not None
    assert LocalOtsu(radius=1, min_pore_fraction=0.01).fitting(grey8) is not None
    assert fitted(LocalOtsu(radius=1), textured((2, 8, 8), 1)).fitting(grey16) is None


def test_a_constant_volume_cannot_be_fitted():
    with pytest.raises(ParameterError, match="7"):
        fitted(LocalOtsu(radius=1), np.full((2, 3, 4), 7, np.uint16))


def test_a_range_of_quantiles_that_are_equal_becomes_minimum_and_maximum():
    image = np.zeros((2, 30, 30), np.uint16)
    image[0, 3, 4] = 900
    kernel = fitted(LocalOtsu(radius=1, clip=0.01), image)
    assert (kernel.low, kernel.high) == (0, 900)


@pytest.mark.parametrize(
    "settings",
    [{"pore": "grey"}, {"min_contrast": -1}, {"min_pore_fraction": 0.6}, {"clip": 1.0}, {"radius": 0}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ParameterError):
        LocalOtsu(**{"radius": 3, **settings})


def test_the_guard_leaves_flat_windows_to_the_global_threshold():
    rng = np.random.default_rng(9)
    image = np.clip(rng.normal(150, 6, (1, 80, 160)), 0, 255)
    image[:, 20:60, 20:60] = np.clip(rng.normal(60, 6, (1, 40, 40)), 0, 255)
    image = image.astype(np.uint8)
    truth = np.zeros(image.shape, bool)
    truth[:, 20:60, 20:60] = True
    plain = blockwise(LocalOtsu(radius=7), image, image.shape)
    guarded = blockwise(fitted(LocalOtsu(radius=7, min_contrast=0.4), image), image, image.shape)
    assert (plain != truth).mean() > 0.3
    np.testing.assert_array_equal(guarded, image <= threshold_otsu(image))
    assert (guarded != truth).sum() == 0


def test_the_guard_compares_with_the_global_threshold_as_real_numbers_do():
    image = np.full((1, 5, 5), 0.1, np.float32)
    assert float(image[0, 0, 0]) > 0.1
    known = {"low": 0.0, "high": 1.0, "global_contrast": 0.5}
    for threshold, dark in ((0.1, False), (float(np.float32(0.1)), True)):
        kernel = LocalOtsu(radius=1, min_contrast=0.5, global_threshold=threshold, **known)
        assert (blockwise(kernel, image, image.shape) == dark).all()


def test_the_guard_uses_contrast_and_smaller_class_of_the_window_at_the_voxel():
    image = textured((1, 31, 33), 10)
    radius, (y, x) = 4, (15, 16)
    window = image[0, y - radius : y + radius + 1, x - radius : x + radius + 1]
    t = threshold_otsu(window)
    dark = window <= t
    contrast, fraction = window[~dark].mean() - window[dark].mean(), min(dark.mean(), 1 - dark.mean())
    core = (slice(0, 1), slice(y, y + 1), slice(x, x + 1))
    for guard, flat in [
        ((contrast * 0.999, 0.0), False),
        ((contrast * 1.001, 0.0), True),
        ((0.0, fraction * 0.999), False),
        ((0.0, fraction * 1.001), True),
    ]:
        assert window_thresholds(image, core, radius, 2, guard)[1].item() is flat


def test_a_window_without_a_split_is_flat_for_the_guard():
    image = np.full((1, 9, 9), 70, np.uint8)
    core = (slice(0, 1), slice(0, 9), slice(0, 9))
    threshold, flat = window_thresholds(image, core, 2, 2, (0.0, 0.01))
    assert (threshold == 0).all()
    assert flat.all()


def grey_volume(name):
    root = Path(os.environ.get("BIGROCK_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    path = root / name
    if not path.exists():
        pytest.skip(f"no test volume at {path}; set BIGROCK_TEST_DATA to the folder that holds {name}")
    import tifffile

    return tifffile.imread(path)


@pytest.mark.parametrize(
    ("name", "crop"),
    [
        ("qim3d_cement_128/cement_128x128x128.tif", np.s_[60:63]),
        ("fibsem_flyem/grey_140x400x400_u8.tif", np.s_[70:72, :200, :260]),
        ("qim3d_shell_fibers_128/shell_225x128x128.tif", np.s_[110:113]),
    ],
)
@pytest.mark.parametrize("radius", [5, 31])
def test_masks_of_real_scans_equal_those_of_skimage(name, crop, radius):
    image = grey_volume(name)[crop]
    mask = blockwise(LocalOtsu(radius=radius), image, (2, 64, 100))
    np.testing.assert_array_equal(mask, image <= reference(image, radius))


def test_the_cube_mask_of_a_real_scan_equals_that_of_skimage():
    image = grey_volume("qim3d_cement_128/cement_128x128x128.tif")[50:62, 30:80, 40:90]
    mask = blockwise(LocalOtsu(radius=4, ndim=3), image, (8, 20, 50))
    np.testing.assert_array_equal(mask, image <= reference(image, 4, ndim=3))


def test_the_fit_looks_inside_the_field_of_view() -> None:
    field = Cylinder(15.5, 15.5, 12)
    image = np.random.default_rng(5).integers(20000, 40000, (4, 32, 32)).astype(np.uint16)
    inside = np.broadcast_to(field.inside(Region.whole(image.shape)), image.shape)
    padded = np.where(inside, image, 0).astype(np.uint16)
    kernel = LocalOtsu(radius=3, clip=0, min_contrast=0.2, field_of_view=field).fit(ArraySource(padded))
    assert (kernel.low, kernel.high) == (image[inside].min(), image[inside].max())
    assert (
        kernel.global_threshold
        == LocalOtsu(radius=3, clip=0, min_contrast=0.2)
        .fit(ArraySource(image[inside].reshape(1, 1, -1)))
        .global_threshold
    )
