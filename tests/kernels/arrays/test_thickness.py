"""Local thickness by array operations against the painted balls."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from bigrock.errors import ParameterError
from bigrock.kernels import local_thickness


@pytest.mark.parametrize("shape", [(13, 15, 19), (24, 30)])
@pytest.mark.parametrize("voxel_size", [None, "anisotropic"])
def test_any_array_module_gives_the_classes_of_the_painted_balls(shape, voxel_size):
    mask = np.random.default_rng(3).random(shape) < 0.97
    if voxel_size == "anisotropic":
        voxel_size = (2.0, 1.5, 1.0)[: len(shape)]
    expected, diameters = local_thickness(mask, voxel_size=voxel_size)
    found, same = local_thickness(array_api_strict.asarray(mask), voxel_size=voxel_size)
    assert found.dtype == array_api_strict.uint16
    np.testing.assert_array_equal(np.asarray(found), expected)
    np.testing.assert_array_equal(same, diameters)


def test_a_mask_without_background_is_refused_there_too():
    with pytest.raises(ParameterError, match="no background"):
        local_thickness(array_api_strict.ones((3, 4, 5), dtype=array_api_strict.bool))
