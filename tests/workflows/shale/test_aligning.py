"""Shifted stacks stand still again, and grey values are those that were measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bigrock
from bigrock import ArraySource
from bigrock.datasets import Shale
from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid, Region
from bigrock.workflows.shale import align_stack, stack_quality
from bigrock.workflows.shale.aligning import Aligned

SHIFTS = np.array([(0, 0), (2, -1), (2, -1), (-3, 4), (0, 0), (5, 5), (1, 0), (1, 0), (0, -2), (0, 0)])


def moved(volume: np.ndarray, shifts=SHIFTS, margin: int = 8) -> np.ndarray:
    """Slices in which the picture lies off by the shifts."""
    y, x = (n - 2 * margin for n in volume.shape[1:])
    at = [(margin - dy, margin - dx) for dy, dx in shifts]
    return np.stack([plane[a : a + y, b : b + x] for plane, (a, b) in zip(volume, at, strict=True)])


@pytest.fixture(scope="module")
def rock() -> np.ndarray:
    source = Shale((10, 136, 120), level="easy", seed=2)
    return source.read(Region.whole(source.shape))


def test_the_picture_stands_still_in_what_all_slices_have(rock):
    aligned = Aligned(ArraySource(moved(rock)), tuple(map(tuple, SHIFTS.tolist())))
    assert aligned.shape == (10, 120 - 8, 104 - 7)
    (y, x), (_, rows, columns) = 8 - SHIFTS.min(axis=0), aligned.shape
    got = aligned.read(Region.whole(aligned.shape))
    np.testing.assert_array_equal(got, rock[:, y : y + rows, x : x + columns])


@pytest.mark.parametrize("outside", ["crop", "edge"])
@pytest.mark.parametrize("block", [(1, 7, 9), (3, 50, 64), (10, 112, 5)])
def test_regions_are_those_of_the_whole(rock, outside, block):
    aligned = Aligned(ArraySource(moved(rock)), tuple(map(tuple, SHIFTS.tolist())), outside)
    whole = aligned.read(Region.whole(aligned.shape))
    for part in BlockGrid(aligned.shape, block):
        np.testing.assert_array_equal(aligned.read(part.core), whole[part.core.slices])


def test_edges_repeat_the_outermost_pixels():
    stack = ArraySource(np.arange(8, dtype=np.uint8).reshape(2, 1, 4))
    aligned = Aligned(stack, ((0, 0), (0, 2)), "edge")
    assert aligned.read(Region.whole((2, 1, 4))).tolist() == [[[0, 1, 2, 3]], [[6, 7, 7, 7]]]


def test_only_what_is_needed_is_read(rock):
    class Watched(ArraySource):
        def read(self, region):
            shapes.append(region.shape)
            return super().read(region)

    shapes: list[tuple[int, int, int]] = []
    far = np.array([(0, 0)] * 5 + [(40, 0)] * 5)
    aligned = Aligned(Watched(rock), tuple(map(tuple, far.tolist())))
    aligned.read(Region((6, 0, 0), (8, 20, 20)))
    assert shapes == [(2, 20, 20)]


def test_found_steps_are_taken_out_and_the_rest_is_left(tmp_path: Path):
    source = Shale((40, 216, 216), level="easy", seed=3)
    rock = source.read(Region.whole(source.shape))
    rng = np.random.default_rng(5)
    steps = np.where(rng.random((40, 2)) < 0.15, rng.choice([-5, -4, -3, 3, 4, 5], (40, 2)), 0)
    steps[0] = 0
    shifts = np.cumsum(steps, axis=0)
    margin = int(np.abs(shifts).max())
    bad = ArraySource(moved(rock, shifts, margin), voxel_size=source.voxel_size)
    found = stack_quality(bad, progress=False)
    assert found.table["shifted"].to_pylist().count(True) == (steps != 0).any(axis=1).sum()
    # The rock itself moves a little from slice to slice: by half a pixel at some of the planted steps.
    assert np.abs(np.diff(found.correction(), axis=0) - steps[1:]).max() <= 1
    good = align_stack(bad, tmp_path / "good.zarr", shifts=found, progress=False)
    assert not any(stack_quality(good, progress=False).table["shifted"].to_pylist())
    assert good.voxel_size == source.voxel_size
    assert "aligned" in str(good.history)


def test_a_stored_stack_is_aligned_over_blocks_in_parallel(rock, tmp_path: Path):
    path = tmp_path / "stack.zarr"
    bigrock.import_volume(ArraySource(moved(rock)), path, progress=False)
    whole = Aligned(ArraySource(moved(rock)), tuple(map(tuple, SHIFTS.tolist())))
    done = align_stack(path, tmp_path / "out.zarr", shifts=SHIFTS, executor=2, progress=False)
    np.testing.assert_array_equal(done[:], whole.read(Region.whole(whole.shape)))


@pytest.mark.parametrize(
    ("shifts", "told"),
    [
        (np.zeros((9, 2), int), "9 shifts"),
        (np.full((10, 2), 0.5), "not whole pixels"),
        (np.zeros(10, int), "not whole pixels"),
        (np.array([(0, 0)] * 9 + [(500, 0)]), "leave nothing"),
    ],
)
def test_shifts_that_make_no_sense_are_refused(rock, shifts, told):
    with pytest.raises(ParameterError, match=told):
        align_stack(ArraySource(rock), "memory://never.zarr", shifts=shifts, progress=False)
