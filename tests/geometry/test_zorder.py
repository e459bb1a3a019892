"""Z-order: every block once, neighbours near each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bigrock.geometry import z_order


@given(st.tuples(*[st.integers(1, 12)] * 3))
def test_z_order_is_a_permutation(counts):
    order = z_order(counts)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(int(np.prod(counts))))


def distances_to_face_neighbours(order, counts):
    place = np.empty(order.size, int)
    place[order] = np.arange(order.size)
    place = place.reshape(counts)
    return np.concatenate([np.abs(np.diff(place, axis=axis)).ravel() for axis in range(3)])


def test_each_eighth_of_a_cube_is_finished_before_the_next_is_begun():
    order = z_order((8, 8, 8))
    octants = {tuple(part // 4 for part in np.unravel_index(i, (8, 8, 8))) for i in order[:64]}
    assert octants == {(0, 0, 0)}


def test_neighbours_are_visited_nearer_to_each_other_than_row_by_row():
    counts = (16, 16, 16)
    z = distances_to_face_neighbours(z_order(counts), counts)
    rows = distances_to_face_neighbours(np.arange(16**3), counts)
    assert np.median(z) <= 8 < np.median(rows) == 16
    # What matters for caches: how many neighbours come within the last 64 blocks.
    assert (z < 64).mean() > 0.8 > 0.7 > (rows < 64).mean()


def test_a_million_blocks_are_ordered_at_once():
    order = z_order((100, 100, 100))
    assert order.nbytes == 8 * 10**6
    assert np.bincount(order).max() == 1
