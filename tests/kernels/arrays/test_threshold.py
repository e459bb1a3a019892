"""Comparisons by the array standard, on its strictest implementation, against exact real numbers."""

from __future__ import annotations

from fractions import Fraction

import array_api_strict as strict
import numpy as np
import pytest

from bigrock.geometry import BlockGrid
from bigrock.kernels import GlobalOtsu, SelectClass, Threshold
from bigrock.kernels.arrays.threshold import above, at_most, equal_to

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint64", "float32", "float64"]
VALUES = [
    -1e300,
    -300,
    -1,
    -0.5,
    0,
    0.5,
    1,
    100,
    100.5,
    127,
    255,
    256,
    70000.7,
    2**24 + 1,
    0.1,
    2.0**64,
    1e300,
]


def numbers(dtype) -> np.ndarray:
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        near = np.array([0, 1, 0.1, 100, 100.5, 127, -128, 255, 65535, 2**24, *rng.normal(90, 60, 20)])
        return near.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", VALUES)
def test_any_array_module_compares_as_real_numbers_do(dtype, value):
    image = numbers(dtype)
    exact = [Fraction(v.item()) for v in image]
    for xp in (np, strict):
        array = xp.asarray(image)
        assert np.asarray(at_most(array, value)).tolist() == [v <= Fraction(value) for v in exact]
        assert np.asarray(above(array, value)).tolist() == [v > Fraction(value) for v in exact]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [-1, 0, 1, 127, 255, 256, 2**24 + 1, 2**64])
def test_any_array_module_selects_a_value_even_out_of_the_range_of_its_type(dtype, value):
    image = numbers(dtype)
    expected = [Fraction(v.item()) == value for v in image]
    for xp in (np, strict):
        assert np.asarray(equal_to(xp.asarray(image), value)).tolist() == expected


def test_what_is_no_number_is_neither_dark_nor_bright():
    for xp in (np, strict):
        array = xp.asarray(np.array([np.nan, np.inf, -np.inf], np.float32))
        assert np.asarray(at_most(array, 1e300)).tolist() == [False, False, True]
        assert np.asarray(above(array, 1e300)).tolist() == [False, True, False]


@pytest.mark.parametrize("kernel", [Threshold(99.5), GlobalOtsu("bright", 80.0), SelectClass(120)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_kernels_give_the_same_for_any_array_module(kernel, dtype):
    image = np.random.default_rng(1).integers(60, 160, (5, 6, 7)).astype(dtype)
    block = BlockGrid(image.shape, (4, 4, 4), (1, 1, 1))[0]
    part = image[block.read.slices]
    found = kernel(strict.asarray(part), block)
    assert found.dtype == strict.bool
    np.testing.assert_array_equal(np.asarray(found), kernel(part, block))
