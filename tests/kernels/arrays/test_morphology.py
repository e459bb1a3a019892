"""Morphology by array operations against the compiled loops."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from bigrock.kernels.morphology import binary_closing, binary_dilation, binary_erosion, binary_opening


@pytest.mark.parametrize("function", [binary_erosion, binary_dilation, binary_opening, binary_closing])
@pytest.mark.parametrize("shape", ["ball", "cube", "cross"])
@pytest.mark.parametrize("size", [(7, 5, 9), (1, 12, 3), (12, 13)])
def test_any_array_module_gives_the_masks_of_the_compiled_loops(function, shape, size):
    mask = np.random.default_rng(0).random(size) < 0.8
    for radius in (1, 3):
        expected = function(mask, radius=radius, shape=shape)
        found = function(array_api_strict.asarray(mask), radius=radius, shape=shape)
        assert type(found).__module__.startswith("array_api_strict")
        np.testing.assert_array_equal(np.asarray(found), expected)
