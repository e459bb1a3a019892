"""Filters by array operations against the compiled loops."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from bigrock.kernels.denoise import gaussian, median
from bigrock.kernels.denoise_patches import non_local_means

FILTERS = {
    "median": lambda image, ndim: median(image, radius=1, ndim=ndim),
    "wide median": lambda image, ndim: median(image, radius=2, ndim=ndim),
    "gaussian": lambda image, ndim: gaussian(image, sigma=1.2, ndim=ndim),
    "non-local means": lambda image, ndim: non_local_means(
        image, patch_radius=1, search_radius=2, sigma=20.0, ndim=ndim
    ),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int32", "float32"])
def test_any_array_module_gives_the_numbers_of_the_compiled_loops(name, ndim, dtype):
    image = np.random.default_rng(0).normal(90, 40, (4, 7, 9)).clip(0, 250)
    image = image > 90 if dtype == "bool" else image.astype(dtype)
    expected = FILTERS[name](image, ndim)
    found = FILTERS[name](array_api_strict.asarray(image), ndim)
    assert type(found).__module__.startswith("array_api_strict")
    assert np.asarray(found).dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(found), expected)
