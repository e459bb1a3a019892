"""Compiled loops over the runs of a mask given as bits: found, and joined to components, 64 voxels at once.

Runs are numbered in raster order, so the run at a voxel is known by counting the starts before it:
rows are compared as words, and just where two of their runs begin to touch is anything looked up.
Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.configurations_loops import bit_count, lowest_bit
from bigrock.kernels.labelling_loops import join

__all__ = ["find_runs_of_mask", "join_runs_of_mask"]

Array = npt.NDArray[Any]

_ONE = np.uint64(1)
_LAST = np.uint64(63)


@njit(nogil=True, cache=True, inline="always")
def _before(bits: Array, i: int) -> Any:
    """Return a word moved on by a voxel: bit x is voxel x - 1."""
    # The word before the first of a row is one of the margin, which is 0.
    return (bits[i] << _ONE) | (bits[i - 1] >> _LAST)


@njit(nogil=True, cache=True)
def find_runs_of_mask(volume: Array, bounds: Array, first: Array, begun_before: Array, shared: Array) -> int:
    """Fill the start and stop of every run of a mask; return how many runs there are.

    `volume` are packed rows with a margin of 1; ``begun_before[z, y, k]`` becomes the number of
    runs that begin before that word. Where `shared` (int32, runs × 2) is not empty, it is set to
    how many voxels of each run have a neighbour below them along z and y.
    """
    depth, height, width = volume.shape
    bits, begun, edges = volume.reshape(-1), begun_before.reshape(-1), bounds.reshape(-1)
    n, row, counting = 0, 0, shared.size > 0
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            first[row] = n >> 1
            row += 1
            along_z, along_y = 0, 0
            for k in range(width):
                i = (z * height + y) * width + k
                begun[i] = (n + 1) >> 1
                edge = bits[i] ^ _before(bits, i)
                with_z, with_y = bits[i] & bits[i - height * width], bits[i] & bits[i - width]
                while edge:
                    edges[n] = 64 * k + lowest_bit(edge)
                    if counting:
                        # A run shares the difference of what is set before its two ends.
                        low = (edge ^ (edge - _ONE)) >> _ONE
                        here_z, here_y = along_z + bit_count(with_z & low), along_y + bit_count(with_y & low)
                        if n & 1:
                            shared[n >> 1, 0] += here_z
                            shared[n >> 1, 1] += here_y
                        else:
                            shared[n >> 1, 0], shared[n >> 1, 1] = -here_z, -here_y
                    n += 1
                    edge &= edge - _ONE
                if counting:
                    along_z += bit_count(with_z)
                    along_y += bit_count(with_y)
    first[row] = n >> 1
    return n >> 1


@njit(nogil=True, cache=True, inline="always")
def _join_words(
    bits: Array, begun: Array, parents: Array, i: int, j: int, reach: int, done: Any, done_before: Any
) -> None:
    """Join the runs in word i with those in word j of another row that come within `reach`.

    Nothing need be joined at voxels of word i that are set in `done`; `done_before` is it, moved on
    by a voxel.
    """
    a, b = bits[i], bits[j]
    a_before, b_before = _before(bits, i), _before(bits, j)
    a_start, b_start = a & ~a_before, b & ~b_before
    meet = a & b & ~done & ~(a_before & b_before & ~done_before)
    if reach:
        meet |= a_before & ~a & ~done_before & b_start
        meet |= b_before & ~b & ~done & a_start
    while meet:
        up_to = meet ^ (meet - _ONE)
        join(parents, begun[i] + bit_count(a_start & up_to) - 1, begun[j] + bit_count(b_start & up_to) - 1)
        meet &= meet - _ONE


@njit(nogil=True, cache=True)
def join_runs_of_mask(volume: Array, begun_before: Array, connectivity: int, parents: Array) -> None:
    """Join neighbouring runs: afterwards every run leads to the first of its component.

    Where a voxel has a neighbour that touches all that it could be joined with there, it is not
    joined again.
    """
    depth, height, width = volume.shape
    bits, begun = volume.reshape(-1), begun_before.reshape(-1)
    near, corners, none = 0 if connectivity == 6 else 1, 1 if connectivity == 26 else 0, np.uint64(0)
    for i in range(parents.size):
        parents[i] = i
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            begin = (z * height + y) * width
            for i in range(begin, begin + width):
                if bits[i] == 0 and _before(bits, i) == 0:
                    continue
                beside, below = i - width, i - height * width
                there, there_before = bits[beside], _before(bits, beside)
                _join_words(bits, begun, parents, i, beside, near, none, none)
                if not corners:
                    _join_words(bits, begun, parents, i, below, near, none, none)
                else:
                    _join_words(bits, begun, parents, i, below, 1, there, there_before)
                if near:
                    under, under_before = bits[below], _before(bits, below)
                    _join_words(bits, begun, parents, i, below + width, corners, under, under_before)
                    under, under_before = under | there, under_before | there_before
                    _join_words(bits, begun, parents, i, below - width, corners, under, under_before)
