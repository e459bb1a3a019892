"""Blocks: cores partition, halos are clipped, misalignment is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigrock.errors import AlignmentError, ParameterError
from bigrock.geometry import BlockGrid, Region, check_alignment

SHAPES = st.tuples(*[st.integers(1, 13)] * 3)
BLOCKS = st.tuples(*[st.integers(1, 16)] * 3)
HALOS = st.tuples(*[st.integers(0, 5)] * 3)


@given(SHAPES, BLOCKS, HALOS)
def test_cores_partition_the_volume(shape, block, halo):
    owners = np.zeros(shape, int)
    grid = BlockGrid(shape, block, halo)
    for b in grid:
        owners[b.core.slices] += 1
        assert b.core.voxels == np.prod(b.core.shape) > 0
    assert (owners == 1).all()
    assert len(list(grid)) == len(grid) == np.prod(grid.counts)


@given(SHAPES, BLOCKS, HALOS)
def test_reads_are_the_core_and_its_halo_clipped_to_the_volume(shape, block, halo):
    marks = np.arange(np.prod(shape)).reshape(shape)
    grid = BlockGrid(shape, block, halo)
    for b in grid:
        for axis in range(3):
            assert b.read.start[axis] == max(0, b.core.start[axis] - halo[axis])
            assert b.read.stop[axis] == min(shape[axis], b.core.stop[axis] + halo[axis])
        np.testing.assert_array_equal(marks[b.read.slices][b.trim], marks[b.core.slices])


@given(SHAPES, BLOCKS, HALOS)
def test_no_block_reads_more_than_the_largest_read(shape, block, halo):
    grid = BlockGrid(shape, block, halo)
    assert all(n <= most for b in grid for n, most in zip(b.read.shape, grid.largest_read, strict=True))


@given(SHAPES, BLOCKS)
def test_ids_count_in_c_order(shape, block):
    grid = BlockGrid(shape, block)
    starts = [b.core.start for b in grid]
    assert starts == sorted(starts)
    assert [b.id for b in grid] == list(range(len(grid)))


def test_a_grid_of_a_million_blocks_is_made_on_demand():
    grid = BlockGrid((100 * 64,) * 3, (64, 64, 64), (3, 3, 3))
    assert len(grid) == 10**6
    assert grid[10**6 - 1].core.stop == (6400, 6400, 6400)
    with pytest.raises(IndexError, match="outside a grid of 1000000 blocks"):
        grid[10**6]
    with pytest.raises(IndexError):
        grid[-1]


@pytest.mark.parametrize(
    ("shape", "block", "halo", "message"),
    [
        ((0, 5, 5), (1, 1, 1), (0, 0, 0), "must be positive"),
        ((5, 5, 5), (1, 0, 1), (0, 0, 0), "must be positive"),
        ((5, 5, 5), (1, 1, 1), (0, -1, 0), "is negative"),
    ],
)
def test_impossible_grids_are_refused(shape, block, halo, message):
    with pytest.raises(ParameterError, match=message):
        BlockGrid(shape, block, halo)


@given(SHAPES, BLOCKS, st.tuples(*[st.integers(1, 8)] * 3))
def test_blocks_that_pass_the_alignment_check_never_share_a_write_unit(shape, block, unit):
    owners: dict[tuple[int, ...], set[int]] = {}
    for b in BlockGrid(shape, block):
        first = [a // u for a, u in zip(b.core.start, unit, strict=True)]
        last = [-(-a // u) for a, u in zip(b.core.stop, unit, strict=True)]
        for index in np.ndindex(*[hi - lo for lo, hi in zip(first, last, strict=True)]):
            key = tuple(lo + i for lo, i in zip(first, index, strict=True))
            owners.setdefault(key, set()).add(b.id)
    shared = any(len(ids) > 1 for ids in owners.values())
    try:
        check_alignment(block, unit, shape)
    except AlignmentError:
        return
    assert not shared


def test_misaligned_blocks_are_refused_with_both_shapes_and_the_remedy():
    with pytest.raises(AlignmentError) as refused:
        check_alignment((100, 256, 256), (64, 64, 64), (500, 500, 500))
    assert str(refused.value) == (
        "block (100, 256, 256) is not a multiple of the output's write unit (64, 64, 64): two blocks would rewrite "
        "one shard and one of them would be lost. Use a multiple of (64, 64, 64)."
    )
    assert isinstance(refused.value, ValueError)


@given(SHAPES, st.integers(1, 4))
def test_scaled_regions_cover_the_same_part_of_a_finer_volume(shape, scale):
    region = Region((0, 0, 0), shape)
    assert region.scaled(scale).voxels == region.voxels * scale**3
    assert Region.whole(shape) == region
