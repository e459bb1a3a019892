"""Chord lengths against runs counted one by one and PoreSpy, and over blocks against the whole."""

from __future__ import annotations

import pickle
from functools import reduce
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.chords import ChordCounts, chord_lengths
from bigrock.volumes.source import Facts


def noise(shape: tuple[int, ...], fraction: float = 0.6) -> np.ndarray:
    return np.random.default_rng(sum(shape)).random(shape) < fraction


def one_by_one(mask: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whole and cut chords by length."""
    length = mask.shape[axis]
    whole, cut = np.zeros(length + 1, int), np.zeros(length + 1, int)
    for line in np.moveaxis(mask, axis, -1).reshape(-1, length):
        position = 0
        for value, run in groupby(line):
            n = len(list(run))
            if value:
                (cut if position == 0 or position + n == length else whole)[n] += 1
            position += n
    return whole, cut


def over_blocks(mask: np.ndarray, block: tuple[int, int, int], halo=(0, 0, 0)):
    grid, counting = BlockGrid(mask.shape, block, halo), ChordCounts()
    states = [pickle.loads(pickle.dumps(counting.block(mask[b.read.slices], b))) for b in grid]
    np.random.default_rng(2).shuffle(states)
    while len(states) > 1:
        states = [reduce(counting.combine, states[i : i + 3]) for i in range(0, len(states), 3)]
    assert all(axis.waiting == {} for axis in states[0].values())
    return counting.finish(states[0], Facts(mask.shape, mask.dtype))


def assert_one_by_one(found, mask: np.ndarray) -> None:
    for axis, name in enumerate("zyx"):
        whole, cut = one_by_one(mask, axis)
        np.testing.assert_array_equal(found[name].whole, whole)
        np.testing.assert_array_equal(found[name].cut, cut)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.6, 0.97, 1.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 9), (3, 64, 64), (4, 5, 65), (70, 2, 130)])
def test_every_run_is_one_chord(shape, fraction):
    mask = noise(shape, fraction)
    assert_one_by_one(chord_lengths(mask), mask)


@pytest.mark.parametrize("fraction", [0.6, 0.97, 1.0])
@pytest.mark.parametrize("block", [(7, 5, 9), (4, 11, 30), (20, 20, 64), (2, 2, 2)])
def test_blocks_give_bitwise_what_the_whole_gives(block, fraction):
    mask = noise((15, 17, 70) if min(block) > 2 else (5, 6, 7), fraction)
    assert_one_by_one(over_blocks(mask, block), mask)
    assert_one_by_one(over_blocks(mask, block, halo=(1, 0, 2)), mask)


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 5)] * 3),
    fraction=st.sampled_from([0.5, 0.9, 1.0]),
)
@settings(max_examples=60)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block, fraction):
    mask = noise(shape, fraction)
    assert_one_by_one(over_blocks(mask, block), mask)


def test_chords_are_those_of_porespy():
    porespy = pytest.importorskip("porespy", exc_type=ImportError)
    mask = noise((20, 21, 22))
    for axis, name in enumerate("zyx"):
        drawn = {"axis": axis, "spacing": 1, "trim_edges": False}
        lines = porespy.filters.apply_chords(np.ones_like(mask), **drawn)
        chords = porespy.filters.apply_chords(mask, **drawn)
        theirs = np.zeros(mask.shape[axis] + 1, int)
        for line in np.moveaxis(chords, axis, -1).reshape(-1, mask.shape[axis]):
            for value, run in groupby(line):
                theirs[len(list(run))] += bool(value)
        assert theirs.sum() > 100
        ours = chord_lengths(mask & lines)[name]
        np.testing.assert_array_equal(ours.whole + ours.cut, theirs)


def test_the_mean_is_free_of_the_bias_of_the_border():
    rng = np.random.default_rng(0)
    # Runs of geometric length with mean 20, seen through windows of 40 voxels.
    switches = rng.random((400, 2000)) < 0.05
    long = np.logical_xor.accumulate(switches, axis=1)
    narrow = long[:, 1000:1040]
    chords = chord_lengths(narrow)["x"]
    assert chords.mean == pytest.approx(20, rel=0.05)
    assert chords.mean_whole < 15


def test_an_image_has_chords_along_y_and_x_and_none_has_no_mean():
    found = chord_lengths(np.zeros((4, 5), bool))
    assert list(found) == ["y", "x"]
    assert (found["x"].mean, found["x"].mean_whole) == (None, None)
    with pytest.raises(ParameterError, match="not bool"):
        chord_lengths(np.zeros((4, 5)))
