"""Compiled loops for sums over components: of one block, across the borders of blocks, and of joined rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "add_rows",
    "join_layers",
    "mark_values",
    "paint_borders",
    "recode_values",
    "sum_runs",
]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def sum_runs(
    bounds: Array,
    values: Array | None,
    first: Array,
    components: Array,
    shared: Array,
    height: int,
    start: Array,
    volume: Array,
    table: Array,
) -> None:
    """Fill the row of every component (zeros); the columns are those of `ComponentSums`.

    Runs of one component that follow one another in a row are added up before the table is touched.
    """
    table[:, 0] = -1
    brief = table.shape[1] <= 8
    for row in range(first.size - 1):
        z, y = start[0] + row // height, start[1] + row % height
        line = (z * volume[1] + y) * volume[2]
        i = first[row]
        while i < first[row + 1]:
            component, low = components[i], start[2] + bounds[i, 0]
            high, voxels, along, squares, faces, below, beside = low, 0, 0, 0, 0, 0, 0
            while i < first[row + 1] and components[i] == component:
                a, n = start[2] + bounds[i, 0], bounds[i, 1] - np.int64(bounds[i, 0])
                high, voxels = a + n, voxels + n
                if not brief:
                    ramp = n * (n - 1) // 2
                    along += n * a + ramp
                    squares += n * a * a + 2 * a * ramp + ramp * (2 * n - 1) // 3
                    faces += 2 - int(a == 0) - int(high == volume[2])
                    below, beside = below + shared[i, 0], beside + shared[i, 1]
                i += 1
            sums = table[component]
            _add_voxels(sums, line, z, y, low, high, voxels)
            if not brief:
                _add_moments(sums, z, y, voxels, along, squares)
                sums[17] += voxels * (2 - np.int64(z == 0) - np.int64(z == volume[0] - 1)) - 2 * below
                sums[18] += voxels * (2 - np.int64(y == 0) - np.int64(y == volume[1] - 1)) - 2 * beside
                sums[19] += faces
                if values is not None:
                    sums[20] = np.int64(values[i - 1])


@njit(nogil=True, cache=True, inline="always")
def _add_voxels(sums: Array, line: int, z: int, y: int, low: int, high: int, voxels: int) -> None:
    """Add voxels of a row to first voxel, size and box (stop exclusive)."""
    if sums[0] < 0:
        sums[0], sums[1] = line + low, voxels
        sums[2], sums[3], sums[4] = z, y, low
        sums[5], sums[6], sums[7] = z + 1, y + 1, high
    else:
        sums[1] += voxels
        sums[3], sums[4] = min(sums[3], y), min(sums[4], low)
        sums[5], sums[6], sums[7] = z + 1, max(sums[6], y + 1), max(sums[7], high)


@njit(nogil=True, cache=True, inline="always")
def _add_moments(sums: Array, z: int, y: int, voxels: int, along: int, squares: int) -> None:
    """Add voxels of a row, of which the sums of x and of x² are given, to the moments."""
    sums[8] += voxels * z
    sums[9] += voxels * y
    sums[10] += along
    sums[11] += voxels * z * z
    sums[12] += voxels * y * y
    sums[13] += squares
    sums[14] += voxels * z * y
    sums[15] += z * along
    sums[16] += y * along


@njit(nogil=True, cache=True)
def _paint_row(bounds: Array, components: Array, run: int, end: int, line: Array) -> None:
    for i in range(run, end):
        line[bounds[i, 0] : bounds[i, 1]] = components[i] + 1


@njit(nogil=True, cache=True)
def paint_borders(
    bounds: Array, first: Array, components: Array, z_layers: Array, y_layers: Array, x_layers: Array
) -> None:
    """Paint component + 1 into the layers (zeros) at the beginning and at the end of each axis of a block."""
    depth, height = x_layers.shape[1:]
    width = z_layers.shape[2]
    for side in range(2):
        for y in range(height):
            row = side * (depth - 1) * height + y
            _paint_row(bounds, components, first[row], first[row + 1], z_layers[side, y])
        for z in range(depth):
            row = z * height + side * (height - 1)
            _paint_row(bounds, components, first[row], first[row + 1], y_layers[side, z])
    for row in range(depth * height):
        i, end = first[row], first[row + 1]
        if i < end and bounds[i, 0] == 0:
            x_layers[0, row // height, row % height] = components[i] + 1
        if i < end and bounds[end - 1, 1] == width:
            x_layers[1, row // height, row % height] = components[end - 1] + 1


@njit(nogil=True, cache=True)
def mark_values(layer: Array, met: Array) -> None:
    """Set ``met[v]`` for every value v of a layer."""
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            met[layer[y, x]] = True


@njit(nogil=True, cache=True)
def recode_values(layers: Array, codes: Array) -> None:
    """Replace every value v of two layers by ``codes[v]``."""
    for side in range(layers.shape[0]):
        for y in range(layers.shape[1]):
            for x in range(layers.shape[2]):
                layers[side, y, x] = codes[layers[side, y, x]]


@njit(nogil=True, cache=True)
def _root(parents: Array, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(nogil=True, cache=True)
def join_layers(
    a: Array,
    b: Array,
    in_a: Array,
    in_b: Array,
    diagonals: int,
    axis: int,
    parents: Array,
    waiting: Array,
    table: Array,
) -> None:
    """Join the components of two layers that face each other across a border of blocks.

    A voxel of `a` touches those of `b` that lie opposite, or off by one along as many of the two
    axes of the layers as `diagonals` says. `in_a` and `in_b` give the row of `table` of each code.
    Voxels that are joined wait no more; with ``axis >= 0`` pairs that lie opposite are no longer
    exposed along that axis. With a column of values, just equal values are joined.
    """
    height, width = a.shape
    of_values = table.shape[1] > 20
    for y in range(height):
        for x in range(width):
            if b[y, x]:
                waiting[in_b[b[y, x] - 1]] -= 1
            if not a[y, x]:
                continue
            mine = in_a[a[y, x] - 1]
            waiting[mine] -= 1
            for v in range(max(0, y - 1), min(height, y + 2)):
                for u in range(max(0, x - 1), min(width, x + 2)):
                    if abs(v - y) + abs(u - x) > diagonals or not b[v, u]:
                        continue
                    other = in_b[b[v, u] - 1]
                    if of_values and table[mine, 20] != table[other, 20]:
                        continue
                    if axis >= 0 and v == y and u == x:
                        table[mine, 17 + axis] -= 2
                    p, q = _root(parents, mine), _root(parents, other)
                    if p < q:
                        parents[q] = p
                    elif q < p:
                        parents[p] = q


@njit(nogil=True, cache=True)
def add_rows(parents: Array, waiting: Array, table: Array) -> int:
    """Add every row to that of its root, and number the roots; return how many there are.

    Afterwards the leading rows of `waiting` and `table` are those of the roots, and `parents` holds
    the new row of every old one. Roots must come before what leads to them.
    """
    roots = 0
    for i in range(parents.size):
        if parents[i] == i:
            waiting[roots] = waiting[i]
            table[roots] = table[i]
            parents[i] = roots
            roots += 1
            continue
        root = parents[parents[i]]
        parents[i] = root
        waiting[root] += waiting[i]
        sums, more = table[root], table[i]
        sums[0] = min(sums[0], more[0])
        sums[1] += more[1]
        for axis in range(3):
            sums[2 + axis] = min(sums[2 + axis], more[2 + axis])
            sums[5 + axis] = max(sums[5 + axis], more[5 + axis])
        for column in range(8, min(20, sums.size)):
            sums[column] += more[column]
    return roots
