"""Basic indexing of a volume is numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigrock.errors import ParameterError
from bigrock.volumes.indexing import region_of

ARRAY = np.arange(5 * 6 * 7).reshape(5, 6, 7)
STEPS = st.builds(slice, *[st.none() | st.integers(-8, 8)] * 2, st.none() | st.integers(1, 4))
NUMBERS = st.integers(-5, 4)


@given(key=st.lists(NUMBERS | STEPS, max_size=3).map(tuple) | STEPS | NUMBERS)
def test_what_is_picked_from_the_region_is_what_numpy_picks(key):
    region, pick = region_of(key, ARRAY.shape)
    np.testing.assert_array_equal(ARRAY[region.slices][pick], ARRAY[key])


def test_an_ellipsis_stands_for_the_axes_that_are_not_named():
    for key in ((..., 3), (2, ...), (..., 1, slice(2, 5)), (1, ..., 2)):
        region, pick = region_of(key, ARRAY.shape)
        np.testing.assert_array_equal(ARRAY[region.slices][pick], ARRAY[key])


@pytest.mark.parametrize(
    ("key", "error", "said"),
    [
        (5, IndexError, "index 5 along z is outside a volume of 5 voxels"),
        ((0, 0, -8), IndexError, "index -8 along x"),
        ((0, 0, 0, 0), IndexError, "4 indices for a volume"),
        (slice(None, None, -1), ParameterError, "step -1 along z is negative"),
        (([1, 2],), ParameterError, "is no number or slice"),
    ],
)
def test_what_cannot_be_indexed_says_why(key, error, said):
    with pytest.raises(error, match=said):
        region_of(key, ARRAY.shape)
