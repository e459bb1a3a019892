"""Pores of a fine image that agree with the coarse one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import downscale_local_mean

from bigrock.errors import ParameterError
from bigrock.kernels import low_resolution, pores_of_fractions


@given(st.integers(1, 4), st.tuples(*[st.integers(1, 5)] * 3), st.integers(0, 2**16))
def test_every_coarse_voxel_keeps_its_pore_fraction(
    factor: int, shape: tuple[int, int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    fractions = rng.random(shape)
    image = rng.random([factor * n for n in shape]).round(1)
    pores = pores_of_fractions(image, fractions)
    counts = downscale_local_mean(pores.astype(float), (factor,) * 3) * factor**3
    np.testing.assert_allclose(counts, np.rint(fractions * factor**3), atol=1e-9)


def test_the_brightest_voxels_are_the_pores() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((6, 6, 6))
    fractions = rng.random((2, 2, 2))
    pores = pores_of_fractions(image, fractions)
    for z, y, x in np.ndindex(2, 2, 2):
        block = (slice(3 * z, 3 * z + 3), slice(3 * y, 3 * y + 3), slice(3 * x, 3 * x + 3))
        inside, outside = image[block][pores[block]], image[block][~pores[block]]
        assert inside.min(initial=1) >= outside.max(initial=0)


def test_the_true_image_comes_back_from_itself() -> None:
    truth = np.random.default_rng(1).random((8, 8, 12)) < 0.3
    assert (pores_of_fractions(truth.astype(np.float32), low_resolution(truth, factor=4)) == truth).all()


def test_blocks_are_the_same_as_the_whole() -> None:
    rng = np.random.default_rng(2)
    image, fractions = rng.random((8, 8, 8)).round(1), rng.random((4, 4, 4))
    part = pores_of_fractions(image[2:6, :4, 4:], fractions[1:3, :2, 2:])
    assert (part == pores_of_fractions(image, fractions)[2:6, :4, 4:]).all()


def test_fractions_beyond_0_and_1_are_cut_off() -> None:
    fractions = np.array([[[-0.3, 1.4]]])
    assert pores_of_fractions(np.zeros((2, 2, 4)), fractions).mean((0, 1)).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("shape", [(4, 4, 6), (5, 4, 4), (4, 4)])
def test_an_image_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="whole number of times finer"):
        pores_of_fractions(np.zeros(shape), np.zeros((2, 2, 2)))
