"""Organic and inorganic pores against the rule taken literally."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from bigrock.datasets import Shale
from bigrock.errors import ParameterError
from bigrock.geometry import Region
from bigrock.kernels import split_pores


def literally(mask: np.ndarray, om: np.ndarray, shell: int) -> np.ndarray:
    """One pore after the other, dilated on its own."""
    organic = np.zeros(mask.shape, bool)
    labels, count = ndimage.label(mask, np.ones((3,) * mask.ndim))
    for i in range(1, count + 1):
        pore = labels == i
        around = ndimage.binary_dilation(pore, np.ones((2 * shell + 1,) * mask.ndim)) & ~mask
        if om[around].sum() * 2 > around.sum():
            organic |= pore
    return organic


@given(
    shape=st.one_of(st.tuples(*[st.integers(1, 12)] * 2), st.tuples(*[st.integers(1, 8)] * 3)),
    share=st.sampled_from([0.05, 0.2, 0.5, 1.0]),
    shell=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_pores_are_split_as_one_by_one(shape, share, shell, seed):
    rng = np.random.default_rng(seed)
    mask, om = rng.random(shape) < share, rng.random(shape) < 0.5
    np.testing.assert_array_equal(split_pores(mask, om, shell=shell), literally(mask, om, shell))


def test_many_shells_are_gathered_in_parts(monkeypatch):
    monkeypatch.setattr("bigrock.kernels.pore_hosts._AT_ONCE", 100)
    rng = np.random.default_rng(1)
    mask, om = rng.random((9, 20, 21)) < 0.05, ndimage.gaussian_filter(rng.random((9, 20, 21)), 3) > 0.5
    found = split_pores(mask, om)
    assert 0 < found.sum() < mask.sum()
    np.testing.assert_array_equal(found, literally(mask, om, 2))


def test_a_pore_with_exactly_half_of_its_shell_on_organic_matter_is_inorganic():
    mask = np.array([[0, 1, 0]], bool)
    assert not split_pores(mask, np.array([[1, 0, 0]], bool), shell=1).any()
    assert split_pores(mask, np.array([[1, 0, 1]], bool), shell=1).sum() == 1


def test_what_is_said_of_pore_voxels_does_not_matter():
    mask = np.array([[0, 1, 1, 0]], bool)
    assert not split_pores(mask, mask, shell=1).any()


def test_a_pore_that_fills_the_image_is_inorganic():
    assert not split_pores(np.ones((3, 4), bool), np.ones((3, 4), bool)).any()


def test_the_rule_finds_the_organic_pores_of_a_shale():
    shale = Shale((24, 96, 96), level="middle", seed=1)
    truth = shale.truth.read(Region.whole(shale.shape))
    found = split_pores(truth >= 2, truth == 1)
    assert (found[truth == 2].mean() > 0.95, found[truth == 3].mean() < 0.05) == (True, True)


def test_arrays_of_other_modules_come_back_as_such():
    mask = np.array([[0, 1, 0]], bool)
    strict = array_api_strict.asarray(mask)
    assert type(split_pores(strict, ~strict)) is type(strict)
    np.testing.assert_array_equal(np.asarray(split_pores(strict, ~strict)), mask)


@pytest.mark.parametrize(
    ("mask", "om", "shell", "told"),
    [
        (np.ones((3, 3)), np.ones((3, 3), bool), 2, "mask of type float64"),
        (np.ones((3, 3), bool), np.ones((3, 3), np.uint8), 2, "om of type uint8"),
        (np.ones(3, bool), np.ones(3, bool), 2, "is no mask of a slice"),
        (np.ones((3, 3), bool), np.ones((3, 4), bool), 2, "not of one image"),
        (np.ones((3, 3), bool), np.ones((3, 3), bool), 4, "shell=4"),
    ],
)
def test_what_is_no_mask_is_refused(mask, om, shell, told):
    with pytest.raises(ParameterError, match=told):
        split_pores(mask, om, shell=shell)
