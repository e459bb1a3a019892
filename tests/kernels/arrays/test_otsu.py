"""Local Otsu by the array standard, on its strictest implementation, against compiled code and skimage."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest
from skimage.filters import rank

from bigrock.geometry import BlockGrid
from bigrock.kernels import LocalOtsu, grey_histogram, local_otsu
from bigrock.kernels.arrays import otsu as arrays
from bigrock.kernels.otsu_windows import window_thresholds

SHAPE = (6, 17, 40)


def images():
    rng = np.random.default_rng(5)
    two = rng.random(SHAPE) < 0.5
    dark = np.zeros(SHAPE, bool)
    dark[:, 4:12, 10:25] = True
    return {
        "two phases": np.where(dark, rng.normal(90, 15, SHAPE), rng.normal(150, 15, SHAPE)).astype(np.uint8),
        "noise": rng.integers(0, 256, SHAPE).astype(np.uint8),
        "constant": np.full(SHAPE, 100, np.uint8),
        "zero": np.zeros(SHAPE, np.uint8),
        "zero and one": two.astype(np.uint8),
        "black and white": two.astype(np.uint8) * 255,
        "mostly zero": np.where(rng.random(SHAPE) < 0.9, 0, rng.integers(0, 256, SHAPE)).astype(np.uint8),
        "ties": rng.choice(np.array([50, 100, 150], np.uint8), SHAPE, p=[0.25, 0.5, 0.25]),
        "ramp": np.linspace(0, 255, SHAPE[2]).astype(np.uint8)[None, None].repeat(17, 1).repeat(6, 0),
    }


@pytest.mark.parametrize("name", images())
@pytest.mark.parametrize(("ndim", "radius"), [(2, 1), (2, 30), (3, 2)])
def test_thresholds_of_any_array_module_are_those_of_compiled_code_and_of_skimage(name, ndim, radius):
    image = images()[name]
    found = np.asarray(local_otsu(strict.asarray(image), radius=radius, ndim=ndim))
    np.testing.assert_array_equal(found, local_otsu(image, radius=radius, ndim=ndim))
    footprint = np.ones((2 * radius + 1,) * ndim, np.uint8)
    expected = rank.otsu(image, footprint) if ndim == 3 else rank.otsu(image[3], footprint)
    np.testing.assert_array_equal(found if ndim == 3 else found[3], expected)


@pytest.mark.parametrize("name", images())
@pytest.mark.parametrize("ndim", [2, 3])
def test_flat_windows_of_any_array_module_are_those_of_compiled_code(name, ndim, monkeypatch):
    monkeypatch.setattr(arrays, "_PART_VOXELS", 2000)
    image, core, guard = images()[name], (slice(1, 5), slice(2, 16), slice(0, 40)), (20.0, 0.1)
    expected, flat = window_thresholds(image, core, 3, ndim, guard)
    for xp in (np, strict):
        found, found_flat = arrays.threshold_windows(xp.asarray(image), core, 3, ndim, guard)
        np.testing.assert_array_equal(np.asarray(found), expected)
        np.testing.assert_array_equal(np.asarray(found_flat), flat)


def test_a_slice_of_any_array_module_has_the_thresholds_of_compiled_code():
    image = images()["two phases"][0]
    found = np.asarray(local_otsu(strict.asarray(image), radius=4))
    np.testing.assert_array_equal(found, local_otsu(image, radius=4))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("settings", [{}, {"min_contrast": 0.5, "pore": "bright"}, {"ndim": 3}], ids=str)
def test_blocks_of_any_array_module_give_the_mask_of_compiled_code(dtype, settings):
    image = (images()["two phases"] * (1 if dtype == "uint8" else 150)).astype(dtype)
    kernel = LocalOtsu(radius=3, **settings).fitted(grey_histogram(image))
    for block in BlockGrid(image.shape, (4, 9, 40), kernel.halo):
        part = image[block.read.slices]
        found = kernel(strict.asarray(part), block)
        assert found.dtype == strict.bool
        np.testing.assert_array_equal(np.asarray(found), kernel(part, block))


@pytest.mark.parametrize("at_once", [1, 50, 700, 2**20])
def test_levels_do_not_depend_on_how_much_is_quantised_at_once(at_once):
    image = np.random.default_rng(1).normal(500, 90, SHAPE).astype(np.float32)
    whole = np.clip(np.floor((image.astype(float) - 300) / 400 * 256), 0, 255).astype(np.uint8)
    for xp in (np, strict):
        found = arrays.quantised(xp.asarray(image), 300.0, 700.0, at_once=at_once)
        np.testing.assert_array_equal(np.asarray(found), whole)
