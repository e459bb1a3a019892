"""Specks removed and holes filled as scikit-image and scipy do, over any blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import remove_small_objects

import bigrock
from bigrock.errors import NotFittedError, ParameterError, PhaseError
from bigrock.geometry import BlockGrid
from bigrock.kernels import FillHoles, RemoveSmall, Threshold, fill_holes, label, remove_small_components

STEPS = {6: 1, 18: 2, 26: 3}
SHAPES = [((9, 10, 11), (4, 5, 3)), ((7, 5, 9), (1, 2, 3)), ((1, 16, 17), (1, 8, 5))]


def noise(shape, fraction=0.5, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < fraction


def stored(kernel, mask, block, **options):
    dest = "memory://clean-up.zarr"
    source = bigrock.ArraySource(mask)
    return bigrock.run(kernel, source, dest, overwrite=True, block=block, progress=False, **options)[:]


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_small_components_are_those_that_scikit_image_removes(size, connectivity):
    for shape, block in SHAPES:
        for fraction in (0.1, 0.3, 0.6):
            mask = noise(shape, fraction)
            expected = remove_small_objects(mask, max_size=size - 1, connectivity=STEPS[connectivity])
            found = remove_small_components(mask, min_voxels=size, connectivity=connectivity)
            np.testing.assert_array_equal(found, expected)
            if size == 7:
                np.testing.assert_array_equal(stored(RemoveSmall(size, connectivity), mask, block), expected)


@pytest.mark.parametrize("connectivity", [6, 26])
def test_holes_are_those_that_scipy_fills(connectivity):
    dual = 26 if connectivity == 6 else 6
    for shape, block in SHAPES:
        for fraction in (0.5, 0.8):
            mask = noise(shape, fraction)
            image = mask[0] if shape[0] == 1 else mask
            steps = STEPS[dual] if image.ndim == 3 else {6: 1, 26: 2}[dual]
            structure = ndimage.generate_binary_structure(image.ndim, steps)
            expected = ndimage.binary_fill_holes(image, structure).reshape(shape)
            np.testing.assert_array_equal(fill_holes(mask, connectivity=connectivity), expected)
            np.testing.assert_array_equal(stored(FillHoles(connectivity=connectivity), mask, block), expected)


def test_only_holes_up_to_a_size_are_filled():
    mask = noise((12, 13, 14), 0.75)
    filled = fill_holes(mask, max_voxels=2)
    holes, _ = label(~mask, connectivity=6)
    sizes = np.bincount(holes.ravel())
    added = np.unique(holes[filled & ~mask])
    assert len(added) > 5
    assert sizes[added].max() == 2
    assert sizes[np.unique(holes[fill_holes(mask) & ~mask])].max() > 2
    np.testing.assert_array_equal(stored(FillHoles(2), mask, (5, 6, 4)), filled)


@given(
    shape=st.tuples(*[st.integers(1, 8)] * 3),
    block=st.tuples(*[st.integers(1, 8)] * 3),
    fraction=st.sampled_from([0.2, 0.5, 0.8]),
)
@settings(max_examples=12)
def test_blocks_of_any_shape_give_bitwise_what_the_whole_gives(shape, block, fraction):
    mask = noise(shape, fraction)
    np.testing.assert_array_equal(
        stored(RemoveSmall(4, 6), mask, block), remove_small_components(mask, min_voxels=4, connectivity=6)
    )
    np.testing.assert_array_equal(stored(FillHoles(), mask, block), fill_holes(mask))


def test_both_are_stages_of_one_pass_whatever_the_halo_of_the_others():
    grey = np.random.default_rng(0).integers(0, 100, (16, 17, 18)).astype(np.uint8)
    once = stored(Threshold(45) | RemoveSmall(5, 6) | FillHoles(), grey, (8, 8, 8))
    expected = fill_holes(remove_small_components(grey <= 45, min_voxels=5, connectivity=6))
    np.testing.assert_array_equal(once, expected)
    for block in BlockGrid(grey.shape, (5, 6, 7), halo=(2, 1, 3)):
        fitted = RemoveSmall(5, 6).fit(bigrock.ArraySource(grey <= 45), block=(3, 17, 4), progress=False)
        part = fitted((grey <= 45)[block.read.slices], block)
        whole = remove_small_components(grey <= 45, min_voxels=5, connectivity=6)
        np.testing.assert_array_equal(part, whole[block.core.slices])


def test_a_slice_is_cleaned_up_as_an_image():
    plane = noise((30, 31), 0.6)
    np.testing.assert_array_equal(fill_holes(plane, connectivity=8), ndimage.binary_fill_holes(plane))
    expected = remove_small_objects(plane, max_size=4, connectivity=1)
    np.testing.assert_array_equal(remove_small_components(plane, min_voxels=5, connectivity=4), expected)


def test_the_input_stays_as_it_is():
    mask = noise((6, 7, 8))
    before = mask.copy()
    fill_holes(mask)
    remove_small_components(mask, min_voxels=50)
    np.testing.assert_array_equal(mask, before)


def test_what_is_no_mask_and_what_is_no_size_are_refused():
    with pytest.raises(ParameterError, match="no mask"):
        fill_holes(np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(ParameterError, match="min_voxels=0"):
        RemoveSmall(0)
    with pytest.raises(ParameterError, match="max_voxels=-1"):
        FillHoles(-1)
    with pytest.raises(PhaseError, match="takes masks"):
        bigrock.run(RemoveSmall(3), bigrock.ArraySource(np.zeros((3, 3, 3), np.uint8)), "memory://no.zarr")
    with pytest.raises(NotFittedError, match="does not know the sizes"):
        RemoveSmall(3)(np.ones((2, 2, 2), bool), BlockGrid((2, 2, 2), (2, 2, 2))[0])
