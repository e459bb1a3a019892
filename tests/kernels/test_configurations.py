"""Configurations of 2×2×2 voxels against plain numpy, and over blocks against the whole."""

from __future__ import annotations

import pickle
from functools import reduce
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.configurations import ConfigurationCounts, Configurations, configuration_counts
from bigrock.volumes.source import Facts

SHAPES = [(1, 1, 1), (1, 1, 9), (2, 3, 4), (7, 5, 9), (4, 4, 63), (3, 4, 64), (3, 4, 65), (3, 3, 129)]


def noise(shape: tuple[int, ...], fraction: float = 0.4) -> np.ndarray:
    return np.random.default_rng(sum(shape)).random(shape) < fraction


def plain(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    framed = np.pad(mask, 1).astype(int)
    depth, height, width = (n + 1 for n in mask.shape)
    codes = sum(
        framed[z : z + depth, y : y + height, x : x + width] << (z + 2 * y + 4 * x)
        for z, y, x in product((0, 1), repeat=3)
    )
    inside = np.bincount(codes[1:-1, 1:-1, 1:-1].ravel(), minlength=256)
    return inside, np.bincount(codes.ravel(), minlength=256) - inside


def over_blocks(mask: np.ndarray, block: tuple[int, int, int], halo=(0, 0, 0)) -> ConfigurationCounts:
    grid, counting = BlockGrid(mask.shape, block, halo), Configurations()
    states = [pickle.loads(pickle.dumps(counting.block(mask[b.read.slices], b))) for b in grid]
    np.random.default_rng(1).shuffle(states)
    while len(states) > 1:
        states = [reduce(counting.combine, states[i : i + 3]) for i in range(0, len(states), 3)]
    assert states[0].seams.waiting == {}
    return counting.finish(states[0], Facts(mask.shape, mask.dtype))


def assert_same(found: ConfigurationCounts, expected: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(found.inside, expected[0])
    np.testing.assert_array_equal(found.border, expected[1])


@pytest.mark.parametrize("fraction", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_cell_is_counted_under_its_configuration(shape, fraction):
    mask = noise(shape, fraction)
    found = configuration_counts(mask)
    assert_same(found, plain(mask))
    assert found.voxels == np.count_nonzero(mask)
    assert found.all.sum() == np.prod([n + 1 for n in shape])


def test_an_image_is_one_slice_and_a_view_is_counted_as_it_is_seen():
    mask = noise((6, 9, 70))
    assert_same(configuration_counts(mask[2]), plain(mask[2][None]))
    for view in (mask[:, ::2, ::-3], mask.transpose(2, 0, 1), mask[1:5, 2:8, 3:60]):
        assert_same(configuration_counts(view), plain(view))


@pytest.mark.parametrize("block", [(7, 5, 9), (16, 8, 70), (1, 1, 1), (20, 2, 3), (5, 17, 64)])
def test_blocks_give_bitwise_what_the_whole_gives(block):
    mask = noise((16, 17, 70) if min(block) > 1 else (3, 4, 5))
    assert_same(over_blocks(mask, block), plain(mask))
    assert_same(over_blocks(mask, block, halo=(1, 2, 1)), plain(mask))


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 6)] * 3),
)
@settings(max_examples=60)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block):
    mask = noise(shape)
    assert_same(over_blocks(mask, block), plain(mask))


@pytest.mark.parametrize("bad", [np.ones((3, 3, 3), np.uint8), np.zeros((0, 3, 3), bool), np.ones(4, bool)])
def test_what_is_no_mask_is_refused(bad):
    with pytest.raises(ParameterError, match=r"Give (a mask|\(z, y, x\))"):
        configuration_counts(bad)
