"""Compiled loops over runs: stretches of equal, non-zero voxels along x, joined to components.

A volume has far fewer runs than voxels, and everything asked of a component (labels, sizes, boxes,
moments, faces) is a sum over its runs. Runs are numbered in raster order and the root of a
component is its first run, so labels come out in the order of first voxels. Imported only by the
functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["find_runs_of_labels", "find_runs_of_mask", "join_runs", "number_roots", "paint_runs", "set_runs"]

Array = npt.NDArray[Any]

_LOW_BITS = np.uint64(0x0101010101010101)
_LOW_SEVEN = np.uint64(0x7F7F7F7F7F7F7F7F)
_GATHER = np.uint64(0x0102040810204080)
_LOWEST_BIT = np.array([(n & -n).bit_length() - 1 for n in range(256)], np.int64)


@njit(nogil=True, cache=True)
def find_runs_of_mask(words: Array, width: int, bounds: Array, first: Array) -> int:
    """Fill the start and stop of every run of a mask; return how many runs there are.

    The rows are given as little-endian words of eight voxels. Words that just go on the run, or the
    background, are passed over at once; in the others, the bytes that differ from the one before
    are gathered into eight bits.
    """
    edges = bounds.reshape(-1)
    n = 0
    for row in range(words.shape[0]):
        first[row] = n >> 1
        held = np.uint64(0)
        going_on = np.uint64(0)
        for k in range(words.shape[1]):
            word = words[row, k]
            if word == going_on:
                continue
            # Any byte but 0 is True.
            word = ((((word & _LOW_SEVEN) + _LOW_SEVEN) | word) >> np.uint64(7)) & _LOW_BITS
            change = ((word ^ ((word << np.uint64(8)) | held)) * _GATHER) >> np.uint64(56)
            while change:
                edges[n] = 8 * k + _LOWEST_BIT[change]
                n += 1
                change &= change - np.uint64(1)
            held = word >> np.uint64(56)
            going_on = held * _LOW_BITS
        if held:
            edges[n] = width
            n += 1
    first[words.shape[0]] = n >> 1
    return n >> 1


@njit(nogil=True, cache=True)
def find_runs_of_labels(rows: Array, bounds: Array, values: Array, first: Array) -> int:
    """Fill the start, stop and value of every run of equal labels; return how many runs there are."""
    runs = 0
    width = rows.shape[1]
    for row in range(rows.shape[0]):
        first[row] = runs
        held = rows.dtype.type(0)
        for x in range(width):
            value = rows[row, x]
            if value != held:
                if held:
                    bounds[runs, 1] = x
                    runs += 1
                if value:
                    bounds[runs, 0] = x
                    values[runs] = value
                held = value
        if held:
            bounds[runs, 1] = width
            runs += 1
    first[rows.shape[0]] = runs
    return runs


@njit(nogil=True, inline="always")
def _join(parents: Array, i: int, j: int) -> None:
    a, b = parents[i], parents[j]
    if a == b:
        return
    while parents[a] != a:
        parents[a] = parents[parents[a]]
        a = parents[a]
    while parents[b] != b:
        parents[b] = parents[parents[b]]
        b = parents[b]
    root = min(a, b)
    parents[a] = parents[b] = parents[i] = parents[j] = root


@njit(nogil=True, cache=True)
def _join_rows(
    bounds: Array,
    values: Array | None,
    parents: Array,
    i: int,
    i_end: int,
    j: int,
    j_end: int,
    reach: int,
    shared: Array,
    axis: int,
) -> None:
    """Join the runs i… of one row with the runs j… of another that come within `reach` of them.

    With ``axis >= 0``, ``shared[run, axis]`` gains how many voxels of a run i the other row goes on.
    """
    # Runs of a mask have gaps between them, so just the last one met can reach the next; labels may
    # follow one another without a gap, and then the last but one touches it across a corner.
    step_back = 1 if values is None else 2
    while i < i_end:
        start, stop = bounds[i, 0] - reach, bounds[i, 1] + reach
        while j < j_end and bounds[j, 1] <= start:
            j += 1
        met = j
        while met < j_end and bounds[met, 0] < stop:
            if values is None or values[i] == values[met]:
                _join(parents, i, met)
                if axis >= 0:
                    common = min(bounds[i, 1], bounds[met, 1]) - max(bounds[i, 0], bounds[met, 0])
                    shared[i, axis] += max(0, common)
            met += 1
        j = max(j, met - step_back)
        i += 1


@njit(nogil=True, cache=True)
def join_runs(
    bounds: Array,
    values: Array | None,
    first: Array,
    height: int,
    connectivity: int,
    parents: Array,
    shared: Array,
) -> None:
    """Join neighbouring runs of equal value: afterwards every run leads to the first of its component.

    Where `shared` (int32, runs x 2, zeros) is not empty, it gains how many voxels of each run have a
    neighbour of the component below them along z and y.
    """
    rows = first.size - 1
    near = 0 if connectivity == 6 else 1
    far = 1 if connectivity == 26 else 0
    axis_y, axis_z = (1, 0) if shared.size else (-1, -1)
    for i in range(parents.size):
        parents[i] = i
    for row in range(rows):
        i, i_end = first[row], first[row + 1]
        if i == i_end:
            continue
        y = row % height
        if y > 0:
            j, j_end = first[row - 1], first[row]
            _join_rows(bounds, values, parents, i, i_end, j, j_end, near, shared, axis_y)
        if row < height:
            continue
        below = row - height
        j, j_end = first[below], first[below + 1]
        _join_rows(bounds, values, parents, i, i_end, j, j_end, near, shared, axis_z)
        if connectivity > 6 and y > 0:
            j, j_end = first[below - 1], first[below]
            _join_rows(bounds, values, parents, i, i_end, j, j_end, far, shared, -1)
        if connectivity > 6 and y < height - 1:
            j, j_end = first[below + 1], first[below + 2]
            _join_rows(bounds, values, parents, i, i_end, j, j_end, far, shared, -1)


@njit(nogil=True, cache=True)
def number_roots(parents: Array) -> int:
    """Replace the parent of every run by the number of its component, 0, 1, 2…; return how many there are."""
    components = 0
    for i in range(parents.size):
        # A parent has a smaller number, so it holds its component already.
        if parents[i] == i:
            parents[i] = components
            components += 1
        else:
            parents[i] = parents[parents[i]]
    return components


@njit(nogil=True, cache=True)
def paint_runs(bounds: Array, first: Array, components: Array, labels: Array, rows: Array) -> None:
    """Set the voxels of every run to ``labels[component]``, and leave those between the runs."""
    for row in range(rows.shape[0]):
        for i in range(first[row], first[row + 1]):
            rows[row, bounds[i, 0] : bounds[i, 1]] = labels[components[i]]


@njit(nogil=True, cache=True)
def set_runs(runs: Array, start: Array, volume: Array, value: bool, out: Array) -> None:
    """Set the voxels of runs to `value` in a block whose first voxel is `start`.

    `runs` (int64, first voxel in raster order of the volume, and length) ascend.
    """
    depth, height, width = out.shape
    for z in range(depth):
        begin = ((start[0] + z) * volume[1] + start[1]) * volume[2]
        low, high = 0, runs.shape[0]
        while low < high:
            middle = (low + high) // 2
            if runs[middle, 0] < begin:
                low = middle + 1
            else:
                high = middle
        while low < runs.shape[0] and runs[low, 0] < begin + height * volume[2]:
            y, x = divmod(runs[low, 0] - begin, volume[2])
            x -= start[2]
            for k in range(max(0, x), min(width, x + runs[low, 1])):
                out[z, y, k] = value
            low += 1
