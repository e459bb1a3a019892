"""Compiled loops over the runs of a mask given as bits: found, and joined to components, 64 voxels at once.

Runs are numbered in raster order, so the run at a voxel is known by counting the starts before it:
rows are compared as words, and just where two of their runs begin to touch is anything looked up.
All words have a margin (`packed_rows`). For 26 neighbours see `labelling_beam_loops`.
Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.configurations_loops import bit_count, lowest_bit
from bigrock.kernels.labelling_loops import join

__all__ = ["before", "count_starts", "find_runs_of_mask", "join_runs_of_mask", "join_words", "run_at"]

Array = npt.NDArray[Any]

_ONE = np.uint64(1)
_LAST = np.uint64(63)


@njit(nogil=True, cache=True, inline="always")
def before(bits: Array, i: int) -> Any:
    """Return a word moved on by a voxel: bit x is voxel x - 1."""
    # The word before the first of a row is one of the margin, which is 0.
    return (bits[i] << _ONE) | (bits[i - 1] >> _LAST)


@njit(nogil=True, cache=True)
def find_runs_of_mask(volume: Array, bounds: Array, first: Array, shared: Array) -> int:
    """Fill the start and stop of every run of a mask; return how many runs there are.

    Where `shared` (int32, runs × 2) is not empty, it is set to how many voxels of each run have a
    neighbour below them along z and y.
    """
    depth, height, width = volume.shape
    bits, edges = volume.reshape(-1), bounds.reshape(-1)
    n, row, counting = 0, 0, shared.size > 0
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            first[row] = n >> 1
            row += 1
            along_z, along_y = 0, 0
            for k in range(width):
                i = (z * height + y) * width + k
                edge = bits[i] ^ before(bits, i)
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


@njit(nogil=True, cache=True)
def count_starts(volume: Array, begun_before: Array) -> int:
    """Set how many runs begin before each word (int64); return how many there are."""
    bits, begun = volume.reshape(-1), begun_before.reshape(-1)
    runs, begun[0] = bit_count(bits[0]), 0
    for i in range(1, bits.size):
        begun[i] = runs
        runs += bit_count(bits[i] & ~before(bits, i))
    return runs


@njit(nogil=True, cache=True, inline="always")
def run_at(bits: Array, begun: Array, i: int, up_to: Any) -> Any:
    """Return the number of the last run that begins in the bits `up_to` of word i, or before it."""
    return begun[i] + bit_count(bits[i] & ~before(bits, i) & up_to) - 1


@njit(nogil=True, cache=True, inline="always")
def join_words(
    bits: Array,
    begun: Array,
    parents: Array,
    i: int,
    j: int,
    reach: int,
    a: Any,
    a_before: Any,
    b: Any,
    b_before: Any,
) -> None:
    """Join the runs that words i and j belong to wherever bits of `a` and `b` come within `reach`.

    Bits of `a` are of runs of word i, those of `b` of word j; and each is given moved on by a voxel.
    """
    meet = a & b & ~(a_before & b_before)
    if reach:
        meet |= a_before & ~a & b & ~b_before
        meet |= b_before & ~b & a & ~a_before
    while meet:
        up_to = meet ^ (meet - _ONE)
        join(parents, run_at(bits, begun, i, up_to), run_at(bits, begun, j, up_to))
        meet &= meet - _ONE


@njit(nogil=True, cache=True)
def join_runs_of_mask(volume: Array, begun_before: Array, connectivity: int, parents: Array) -> None:
    """Join neighbouring runs, 6 or 18: afterwards every run leads to the first of its component."""
    depth, height, width = volume.shape
    bits, begun = volume.reshape(-1), begun_before.reshape(-1)
    edges = 0 if connectivity == 6 else 1
    for i in range(parents.size):
        parents[i] = i
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            begin = (z * height + y) * width
            for i in range(begin, begin + width):
                a, a_before = bits[i], before(bits, i)
                if a == 0 and a_before == 0:
                    continue
                below = i - height * width
                for j in (i - width, below):
                    join_words(bits, begun, parents, i, j, edges, a, a_before, bits[j], before(bits, j))
                if edges:
                    # Where a voxel lies between, both are joined with it.
                    a, a_before = a & ~bits[below], a_before & ~before(bits, below)
                    for j in (below - width, below + width):
                        join_words(bits, begun, parents, i, j, 0, a, a_before, bits[j], before(bits, j))
