"""Erosion, dilation, opening and closing against scipy, scikit-image and edt."""

from __future__ import annotations

import edt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import morphology

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.morphology import (
    Closing,
    Dilation,
    Erosion,
    Opening,
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_opening,
)

FOOTPRINTS = {
    "ball": morphology.ball,
    "cube": lambda r: np.ones((2 * r + 1,) * 3, bool),
    "cross": morphology.octahedron,
}
KERNELS = [Erosion, Dilation, Opening, Closing]


def blobs(shape=(14, 17, 19), share=0.5, seed=0) -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2)
    return field > np.quantile(field, 1 - share)


def by_scipy(mask, footprint) -> dict[str, np.ndarray]:
    """The border neither erodes nor dilates."""

    def erode(m):
        return ndimage.binary_erosion(m, footprint, border_value=1)

    def dilate(m):
        return ndimage.binary_dilation(m, footprint, border_value=0)

    return {
        "erosion": erode(mask),
        "dilation": dilate(mask),
        "opening": dilate(erode(mask)),
        "closing": erode(dilate(mask)),
    }


def ours(mask, **how) -> dict[str, np.ndarray]:
    return {
        "erosion": binary_erosion(mask, **how),
        "dilation": binary_dilation(mask, **how),
        "opening": binary_opening(mask, **how),
        "closing": binary_closing(mask, **how),
    }


def over_blocks(kernel, volume, block) -> np.ndarray:
    out = np.empty(volume.shape, kernel.output_dtype(volume.dtype))
    for b in BlockGrid(volume.shape, block, kernel.halo):
        out[b.core.slices] = kernel(volume[b.read.slices], b)
    return out


@pytest.mark.parametrize("shape", FOOTPRINTS)
@pytest.mark.parametrize("radius", [1, 2, 4])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_all_four_are_those_of_scipy(shape, radius, share):
    mask = blobs(share=share)
    expected = by_scipy(mask, FOOTPRINTS[shape](radius).astype(bool))
    for name, found in ours(mask, radius=radius, shape=shape).items():
        np.testing.assert_array_equal(found, expected[name], err_msg=name)


def test_erosion_and_dilation_are_those_of_scikit_image():
    mask, ball = blobs(), morphology.ball(2)
    np.testing.assert_array_equal(binary_erosion(mask, radius=2), morphology.erosion(mask, ball))
    np.testing.assert_array_equal(binary_dilation(mask, radius=2), morphology.dilation(mask, ball))


@pytest.mark.parametrize("radius", [1.5, 7, 12, 16.3])
def test_a_ball_is_a_threshold_of_the_distance(radius):
    mask = blobs((24, 30, 41), 0.97)
    distance = edt.edtsq(mask, black_border=False)
    np.testing.assert_array_equal(binary_erosion(mask, radius=radius), distance > radius**2)
    distance = edt.edtsq(~mask, black_border=False)
    np.testing.assert_array_equal(binary_dilation(mask, radius=radius), distance <= radius**2)


def test_a_slice_alone_is_eroded_by_a_disk():
    mask = blobs()[3]
    expected = ndimage.binary_erosion(mask, morphology.disk(2), border_value=1)
    np.testing.assert_array_equal(binary_erosion(mask, radius=2), expected)


@pytest.mark.parametrize("shape", FOOTPRINTS)
def test_opening_and_closing_are_idempotent_and_dual(shape):
    mask, how = blobs(), {"radius": 2, "shape": shape}
    opened, closed = binary_opening(mask, **how), binary_closing(mask, **how)
    assert not (opened & ~mask).any()
    assert not (mask & ~closed).any()
    np.testing.assert_array_equal(binary_opening(opened, **how), opened)
    np.testing.assert_array_equal(binary_closing(closed, **how), closed)
    np.testing.assert_array_equal(~binary_opening(~mask, **how), closed)


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_of_one_value_stays_as_it_is(value):
    mask = np.full((5, 6, 7), value)
    for name, found in ours(mask, radius=9).items():
        np.testing.assert_array_equal(found, mask, err_msg=name)


@given(
    shape=st.tuples(*[st.integers(1, 10)] * 3),
    block=st.tuples(*[st.integers(1, 10)] * 3),
    kind=st.sampled_from(KERNELS),
    radius=st.sampled_from([1, 2, 2.5, 3]),
    footprint=st.sampled_from(["ball", "cube", "cross"]),
)
@settings(max_examples=120, deadline=None)
def test_blocks_of_any_shape_give_bitwise_what_the_whole_gives(shape, block, kind, radius, footprint):
    kernel = kind(radius if footprint == "ball" else int(radius), footprint)
    mask = np.random.default_rng(sum(shape)).random(shape) < 0.7
    np.testing.assert_array_equal(over_blocks(kernel, mask, block), over_blocks(kernel, mask, shape))


def test_halos_are_once_and_twice_the_radius():
    assert Erosion(3).halo == Dilation(3.9).halo == (3, 3, 3)
    assert Opening(3).halo == Closing(3, "cube").halo == (6, 6, 6)


def test_only_masks_are_taken():
    assert [Erosion(1).accepts(kind) for kind in ("mask", "grey", "labels")] == [True, False, False]
    with pytest.raises(ParameterError, match="uint8 is no mask"):
        binary_opening(np.zeros((3, 3), np.uint8), radius=1)


@pytest.mark.parametrize(
    ("radius", "shape", "message"),
    [
        (0, "ball", "radius=0"),
        (float("nan"), "ball", "radius=nan"),
        (1.5, "cube", "no whole number"),
        (2.5, "cross", "no whole number"),
        (500, "ball", "larger than"),
        (1, "disc", "shape='disc'"),
    ],
)
def test_footprints_that_make_no_sense_are_refused(radius, shape, message):
    with pytest.raises(ParameterError, match=message):
        Opening(radius, shape)


def test_a_mask_without_voxels_is_refused():
    with pytest.raises(ParameterError, match="at least one voxel"):
        binary_erosion(np.zeros((0, 3), bool), radius=1)
