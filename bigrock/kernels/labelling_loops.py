"""Compiled loops over runs: stretches of equal, non-zero voxels along x, joined to components.

A volume has far fewer runs than voxels, and everything asked of a component (labels, sizes, boxes,
moments, faces) is a sum over its runs. Runs are numbered in raster order and the root of a
component is its first run, so labels come out in the order of first voxels. Imported only by the
functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from numba import njit

__all__ = ["find_runs_of_labels", "join", "join_runs_of_labels", "number_roots", "paint_runs", "set_runs"]

Array = npt.NDArray[Any]


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
def join(parents: Array, i: int, j: int) -> None:
    """Let two runs, and all that is joined with them, lead to the first of them."""
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
    values: Array,
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
    while i < i_end:
        start, stop = bounds[i, 0] - reach, bounds[i, 1] + reach
        while j < j_end and bounds[j, 1] <= start:
            j += 1
        met = j
        while met < j_end and bounds[met, 0] < stop:
            if values[i] == values[met]:
                join(parents, i, met)
                if axis >= 0:
                    common = min(bounds[i, 1], bounds[met, 1]) - max(bounds[i, 0], bounds[met, 0])
                    shared[i, axis] += max(0, common)
            met += 1
        # Labels may follow one another without a gap: then the last but one touches the next across a corner.
        j = max(j, met - 2)
        i += 1


@njit(nogil=True, cache=True)
def join_runs_of_labels(
    bounds: Array,
    values: Array,
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
