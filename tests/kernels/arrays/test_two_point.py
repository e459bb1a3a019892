"""Two-point correlation by array operations against the compiled loops."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from bigrock.kernels.two_point import two_point_correlation


@pytest.mark.parametrize("directions", ["axes", "radial"])
@pytest.mark.parametrize("shape", [(7, 5, 9), (1, 20, 11), (12, 13), (6, 8, 70)])
def test_any_array_module_gives_the_numbers_of_the_compiled_loops(shape, directions):
    mask = np.random.default_rng(3).random(shape) < 0.4
    expected = two_point_correlation(mask, max_lag=6, directions=directions)
    found = two_point_correlation(array_api_strict.asarray(mask), max_lag=6, directions=directions)
    assert found.keys() == expected.keys()
    for name, curve in expected.items():
        np.testing.assert_array_equal(found[name].probability, curve.probability)
        np.testing.assert_array_equal(found[name].pairs, curve.pairs)
