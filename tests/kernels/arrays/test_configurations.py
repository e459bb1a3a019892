"""Configurations by array operations against the compiled loops."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from bigrock.kernels.configurations import configuration_counts
from bigrock.kernels.minkowski import euler_number, surface_area


@pytest.mark.parametrize("shape", [(7, 5, 9), (1, 1, 1), (2, 3, 70), (4, 9)])
def test_any_array_module_gives_the_numbers_of_the_compiled_loops(shape):
    mask = np.random.default_rng(3).random(shape) < 0.4
    elsewhere = array_api_strict.asarray(mask)
    expected, found = configuration_counts(mask), configuration_counts(elsewhere)
    np.testing.assert_array_equal(found.inside, expected.inside)
    np.testing.assert_array_equal(found.border, expected.border)
    assert euler_number(elsewhere) == euler_number(mask)
    if len(shape) == 3:
        assert surface_area(elsewhere) == surface_area(mask)
