"""Standardising by the array standard, on its strictest implementation, against the compiled loops."""

from __future__ import annotations

from fractions import Fraction

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bigrock.errors import NonFiniteError
from bigrock.geometry import BlockGrid
from bigrock.kernels import Standardize, standardize
from bigrock.kernels.arrays import standardize as arrays
from bigrock.kernels.standardize import SliceMoments
from bigrock.volumes.source import Facts

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint64", "float32", "float64"]


def image_of(dtype) -> np.ndarray:
    return np.random.default_rng(3).normal(60, 25, (5, 9, 11)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("per", ["slice", "volume"])
def test_standardised_images_are_bitwise_the_same_for_any_array_module(dtype, per):
    image = image_of(dtype)
    for part in (image, image[0]):
        found = np.asarray(standardize(strict.asarray(part), per=per))
        expected = standardize(part, per=per)
        assert found.dtype == expected.dtype == np.float32
        np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


wide_floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(
    image=hnp.arrays(np.float32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=5), elements=wide_floats)
)
def test_sums_of_floats_of_any_size_are_exact(image):
    sums, bad = arrays.sum_floats(strict.asarray(image))
    assert bad == 0
    for plane, (count, total, squares) in zip(image, sums, strict=True):
        values = [Fraction(float(v)) for v in plane.ravel()]
        assert count == plane.size
        assert total == sum(values) * 2**149
        assert squares == sum(v * v for v in values) * 2**298


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_moments_of_blocks_of_any_array_module_are_those_of_the_whole(dtype):
    image, moments = image_of(dtype), SliceMoments()
    state: dict = {}
    for block in BlockGrid(image.shape, (2, 4, 5), (0, 1, 1)):
        state = moments.combine(state, moments.block(strict.asarray(image[block.read.slices]), block))
    found = moments.finish(state, Facts(image.shape, image.dtype))
    block = BlockGrid(image.shape, image.shape)[0]
    expected = moments.finish(moments.block(image, block), Facts(image.shape, image.dtype))
    np.testing.assert_array_equal(found.std, expected.std)
    assert found.volume_mean == expected.volume_mean


def test_large_images_are_summed_in_parts(monkeypatch):
    monkeypatch.setattr(arrays, "_PART_VOXELS", 100)
    image = image_of("float32")
    one_by_one = [arrays._sum_part(image[z : z + 1])[0][0] for z in range(len(image))]
    assert arrays.sum_floats(strict.asarray(image)) == (one_by_one, 0)


def test_a_fitted_kernel_scales_blocks_of_any_array_module():
    image = image_of("float64")
    kernel = Standardize(mean=np.arange(5.0), std=np.arange(5.0))
    for block in BlockGrid(image.shape, (2, 4, 5), (1, 1, 0)):
        part = image[block.read.slices]
        found = np.asarray(kernel(strict.asarray(part), block))
        np.testing.assert_array_equal(found, kernel(part, block))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_an_error_with_its_place(wrong):
    image = image_of("float32")
    image[3, 4, 5] = wrong
    with pytest.raises(NonFiniteError, match=r"\(3, 4, 5\)"):
        standardize(strict.asarray(image))
