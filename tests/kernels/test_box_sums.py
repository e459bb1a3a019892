"""Sums over boxes against each box measured by itself, and over blocks against the whole."""

from __future__ import annotations

import pickle
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.box_sums import BoxGrid, BoxSums, box_grid
from bigrock.kernels.configurations import configuration_counts
from bigrock.kernels.configurations_tables import eighths_of_euler
from bigrock.kernels.minkowski import area_of, curvature_of
from bigrock.volumes.source import Facts


def noise(shape: tuple[int, ...], fraction: float = 0.4) -> np.ndarray:
    return np.random.default_rng(sum(shape)).random(shape) < fraction


def over_blocks(mask: np.ndarray, block: tuple[int, int, int], summing: BoxSums) -> BoxGrid:
    grid = BlockGrid(mask.shape, block)
    states = [pickle.loads(pickle.dumps(summing.block(mask[b.read.slices], b))) for b in grid]
    np.random.default_rng(2).shuffle(states)
    while len(states) > 1:
        states = [reduce(summing.combine, states[i : i + 3]) for i in range(0, len(states), 3)]
    assert states[0].seams.waiting == {}
    return summing.finish(states[0], Facts(mask.shape, mask.dtype))


@pytest.mark.parametrize("size", [3, 8, 16, 64])
@pytest.mark.parametrize("shape", [(20, 9, 70), (16, 16, 64)])
def test_every_box_holds_what_its_own_voxels_and_cells_add_up_to(shape, size):
    mask = noise(shape)
    grid = box_grid(mask, size=size, voxel_size=(1.0, 2.0, 1.5))
    assert grid.sums.shape[:3] == tuple(-(-n // size) for n in shape)
    for box in np.ndindex(*grid.sums.shape[:3]):
        start = [i * size for i in box]
        own = tuple(slice(a, a + size) for a in start)
        seen = tuple(slice(a, a + size + 1) for a in start)
        cells = configuration_counts(mask[seen]).inside
        voxels, euler, area, curvature, number = grid.sums[box]
        assert number == cells.sum()
        assert voxels == np.count_nonzero(mask[own])
        assert euler == cells @ eighths_of_euler(26)
        assert area / 2**20 == pytest.approx(area_of(cells, (1.0, 2.0, 1.5), "crofton"), rel=1e-6)
        assert curvature / 2**20 == pytest.approx(
            curvature_of(cells, (1.0, 2.0, 1.5), 26), rel=1e-4, abs=1e-3
        )


def test_larger_boxes_are_sums_of_smaller_ones_and_only_whole_ones_count():
    mask = noise((23, 16, 70))
    grid = box_grid(mask, size=4)
    for multiple in (1, 2, 3, 4):
        direct = box_grid(mask, size=4 * multiple)
        z, y, x = (n // (4 * multiple) for n in mask.shape)
        np.testing.assert_array_equal(grid.over(multiple), direct.sums[:z, :y, :x])
    assert grid.over(5).shape == (1, 0, 3, 5)
    assert grid.over(4)[..., 4].ravel().tolist() == [16 * 15 * 16] * 4


@pytest.mark.parametrize("size", [4, 5, 16])
@pytest.mark.parametrize("block", [(7, 5, 9), (8, 8, 8), (64, 64, 64), (3, 20, 33)])
def test_blocks_give_bitwise_what_the_whole_gives(block, size):
    mask = noise((15, 17, 70))
    found, expected = over_blocks(mask, block, BoxSums(size)), box_grid(mask, size=size)
    np.testing.assert_array_equal(found.sums, expected.sums)
    assert (found.size, found.shape) == (size, (15, 17, 70))


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 6)] * 3),
    size=st.integers(1, 9),
)
@settings(max_examples=50)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block, size):
    mask = noise(shape)
    np.testing.assert_array_equal(
        over_blocks(mask, block, BoxSums(size)).sums, box_grid(mask, size=size).sums
    )


def test_boxes_of_no_voxel_are_refused():
    with pytest.raises(ParameterError, match="boxes of 0 voxels"):
        BoxSums(0)
