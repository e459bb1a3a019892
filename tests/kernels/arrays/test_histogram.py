"""Counts by the array standard, on its strictest implementation, against the compiled loops."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest

from bigrock.errors import NonFiniteError
from bigrock.geometry import BlockGrid
from bigrock.kernels import GreyHistogram, grey_histogram
from bigrock.kernels.arrays.histogram import count_levels
from bigrock.volumes.source import Facts

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "float32", "float64"]


def image_of(dtype) -> np.ndarray:
    return np.random.default_rng(3).normal(40, 30, (5, 9, 11)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_histograms_are_the_same_for_any_array_module(dtype):
    image = image_of(dtype)
    found, expected = grey_histogram(strict.asarray(image)), grey_histogram(image)
    np.testing.assert_array_equal(found.counts, expected.counts)
    assert (found.mean, found.std, found.otsu()) == (expected.mean, expected.std, expected.otsu())


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float32"])
def test_states_of_any_array_module_combine_with_those_of_numpy(dtype):
    image, counting = image_of(dtype), GreyHistogram()
    first, second = BlockGrid(image.shape, (3, 9, 11))
    part = strict.asarray(image[first.read.slices])
    state = counting.combine(counting.block(part, first), counting.block(image[second.read.slices], second))
    found = counting.finish(state, Facts(image.shape, image.dtype))
    assert found.to_dict() == grey_histogram(image).to_dict()


def test_a_mask_chooses_the_voxels_of_any_array_module():
    image = image_of("uint8")
    mask = image > 30
    found = grey_histogram(strict.asarray(image), mask=strict.asarray(mask))
    assert found.to_dict() == grey_histogram(image, mask=mask).to_dict()


def test_every_value_of_a_type_has_its_place():
    for dtype in ("uint8", "int8"):
        span = np.iinfo(dtype)
        values = np.array([span.min, span.max, span.max], dtype)
        counts = count_levels(strict.asarray(values))
        assert (counts[0], counts[-1], counts.sum()) == (1, 2, 3)


def test_nan_of_any_array_module_is_an_error():
    with pytest.raises(NonFiniteError):
        grey_histogram(strict.asarray(np.array([1.0, np.nan])))
