"""Pyramid levels against scikit-image and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mode
from skimage.transform import downscale_local_mean

from bigrock.volumes.downsample import halve


def corners(image):
    """The eight voxels under each coarse voxel; at odd far faces the last plane counts twice."""
    padded = np.pad(image, [(0, n % 2) for n in image.shape], mode="edge")
    z, y, x = (n // 2 for n in padded.shape)
    return padded.reshape(z, 2, y, 2, x, 2).transpose(0, 2, 4, 1, 3, 5).reshape(z, y, x, 8)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int8", "int16", "int32"])
def test_grey_levels_are_the_local_mean_rounded_half_up(dtype):
    info = np.iinfo(dtype)
    image = np.random.default_rng(1).integers(info.min, info.max, (20, 14, 18), dtype, endpoint=True)
    expected = np.floor(downscale_local_mean(image.astype(np.float64), (2, 2, 2)) + 0.5)
    np.testing.assert_array_equal(halve(image, "mean"), expected.astype(dtype))
    assert halve(image, "mean").dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float_grey_levels_are_the_local_mean(dtype):
    image = np.random.default_rng(2).normal(size=(12, 10, 8)).astype(dtype)
    expected = downscale_local_mean(image.astype(np.float64), (2, 2, 2))
    np.testing.assert_allclose(halve(image, "mean"), expected, rtol=1e-6)


@settings(max_examples=25)
@given(st.tuples(*[st.integers(1, 19)] * 3), st.sampled_from(["bool", "uint8", "int16", "uint64"]))
def test_labels_are_the_most_frequent_value_and_the_smallest_of_equals(shape, dtype):
    values = [0, 1] if dtype == "bool" else [0, 1, 2, 3]
    image = np.random.default_rng(3).choice(values, shape).astype(dtype)
    expected = mode(corners(image).astype(np.int64), axis=-1).mode
    result = halve(image, "mode")
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, expected.astype(dtype))


@settings(max_examples=25)
@given(st.tuples(*[st.integers(1, 19)] * 3))
def test_at_odd_far_faces_the_voxels_that_exist_decide(shape):
    image = np.random.default_rng(4).integers(0, 255, shape).astype(np.uint8)
    expected = np.floor(corners(image).astype(float).mean(axis=-1) + 0.5)
    np.testing.assert_array_equal(halve(image, "mean"), expected)


@pytest.mark.parametrize("method", ["mean", "mode"])
def test_extreme_values_do_not_overflow(method):
    for dtype in ("uint8", "uint16", "uint32", "int16"):
        for extreme in (np.iinfo(dtype).min, np.iinfo(dtype).max):
            image = np.full((3, 4, 5), extreme, dtype)
            assert (halve(image, method) == extreme).all()
