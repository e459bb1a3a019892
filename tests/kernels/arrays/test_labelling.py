"""Labels by ndimage for any array module: the numbers of the compiled loops."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest

from bigrock.kernels import fill_holes, label, remove_small_components


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("shape", [(9, 10, 11), (1, 1, 1), (1, 20, 21)])
def test_labels_are_numbered_as_by_the_compiled_loops(shape, connectivity):
    rng = np.random.default_rng(0)
    for image in (
        rng.random(shape) < 0.25,
        np.zeros(shape, bool),
        rng.integers(0, 4, shape).astype(np.uint8),
    ):
        expected, count = label(image, connectivity=connectivity)
        found, number = label(strict.asarray(image), connectivity=connectivity)
        assert number == count
        assert str(found.dtype).endswith(str(expected.dtype))
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_a_slice_is_labelled_with_four_or_eight_neighbours():
    plane = np.random.default_rng(0).random((30, 40)) < 0.45
    for connectivity in (4, 8):
        found, _ = label(strict.asarray(plane), connectivity=connectivity)
        np.testing.assert_array_equal(np.asarray(found), label(plane, connectivity=connectivity)[0])


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("shape", [(9, 10, 11), (1, 20, 21), (20, 21)])
def test_specks_and_holes_are_those_of_the_compiled_loops(shape, connectivity):
    if len(shape) == 2:
        connectivity = {6: 4, 26: 8}[connectivity]
    for fraction in (0.2, 0.7, 1.0):
        mask = np.random.default_rng(0).random(shape) < fraction
        given = strict.asarray(mask)
        kept = remove_small_components(given, min_voxels=4, connectivity=connectivity)
        expected = remove_small_components(mask, min_voxels=4, connectivity=connectivity)
        np.testing.assert_array_equal(np.asarray(kept), expected)
        for most in (None, 2):
            filled = fill_holes(given, max_voxels=most, connectivity=connectivity)
            expected = fill_holes(mask, max_voxels=most, connectivity=connectivity)
            np.testing.assert_array_equal(np.asarray(filled), expected)
