"""Distances by array operations against the compiled loops."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from bigrock.kernels import distance


@pytest.mark.parametrize("shape", [(7, 5, 9), (1, 20, 11), (12, 13), (4, 4, 4)])
@pytest.mark.parametrize("voxel_size", [None, 2.5, "anisotropic"])
def test_any_array_module_gives_the_numbers_of_the_compiled_loops(shape, voxel_size):
    mask = np.random.default_rng(3).random(shape) < 0.9
    if voxel_size == "anisotropic":
        voxel_size = (10.0, 4.7, 5.0)[: len(shape)]
    expected = distance(mask, voxel_size=voxel_size)
    found = distance(array_api_strict.asarray(mask), voxel_size=voxel_size)
    assert found.dtype == array_api_strict.float32
    np.testing.assert_array_equal(np.asarray(found), expected)


def test_without_background_every_distance_is_infinite_there_too():
    found = distance(array_api_strict.ones((3, 4, 5), dtype=array_api_strict.bool))
    assert np.isinf(np.asarray(found)).all()
