"""The majority along z by array operations against the compiled loops."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from bigrock.kernels.majority import majority_along_z


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32])
@pytest.mark.parametrize("radius", [1, 2, 5])
def test_any_array_module_gives_the_labels_of_the_compiled_loops(dtype, radius):
    labels = np.random.default_rng(radius).integers(0, 2 if dtype is bool else 5, (8, 5, 6)).astype(dtype)
    found = majority_along_z(array_api_strict.asarray(labels), radius=radius)
    assert type(found).__module__.startswith("array_api_strict")
    np.testing.assert_array_equal(np.asarray(found), majority_along_z(labels, radius=radius))
