"""Compiled local Otsu with a cube as window.

The sums at the segment edges are kept per (y, x) for the slices of the window, so that a step
along z or y costs the same for any radius; the histograms of the columns gain and lose
``2 r + 1`` voxels per step. So the cost grows with the radius, not with its square.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_layout import EDGES, ENTRY, INNER, Row, make_row
from bigrock.kernels.otsu_rows import add_bins, threshold_row
from bigrock.kernels.otsu_slices import change_edges, edge_table

__all__ = ["threshold_cube"]

Array = npt.NDArray[Any]


def threshold_cube(
    image: Array,
    core: tuple[slice, slice, slice],
    radius: int,
    out: Array,
    flat: Array,
    guard: tuple[float, float],
) -> None:
    """Write the thresholds of the core of a C-contiguous uint8 image (z, y, x) to `out`.

    `flat`, where it is not empty, gets the windows that `guard`, the least contrast in grey levels
    and the least fraction of a class, calls flat.
    """
    zs, ys, xs = core
    rz, ry, rx = (min(radius, n) for n in image.shape)
    sides = [min(2 * radius + 1, n) for n in image.shape]
    bins = np.uint16 if sides[0] * sides[1] * sides[2] < 2**16 else np.uint32
    dtype = np.uint16 if sides[0] * 255 < 2**16 else np.uint32
    row = make_row(xs.start, xs.stop, image.shape[2], rx, bins, np.uint32)
    xa, xb = max(0, xs.start - rx), min(image.shape[2], xs.stop + rx)
    ya, yb = max(0, ys.start - ry), min(image.shape[1], ys.stop + ry)
    part = np.ascontiguousarray(image[:, ya:yb, xa:xb])
    first = xa - (xs.start - rx - 1)
    slab = np.zeros((yb - ya, xb - xa, EDGES), dtype)
    words, table = slab.view(np.uint64), edge_table(dtype)
    for z in range(max(0, zs.start - rz), min(len(part), zs.start + rz)):
        _change_slice(words, part[z], table, True)
    for z in range(zs.start, zs.stop):
        if z + rz < len(part):
            _change_slice(words, part[z + rz], table, True)
        if z - rz - 1 >= 0 and z > zs.start:
            _change_slice(words, part[z - rz - 1], table, False)
        window = part[max(0, z - rz) : z + rz + 1]
        marks = flat[z - zs.start] if flat.size else np.zeros((ys.stop - ys.start, 0), np.bool_)
        _threshold_layer(window, ys.start - ya, ry, first, slab, row, out[z - zs.start], marks, *guard)


@njit(**ENTRY)
def _change_slice(words: Array, voxels: Array, table: Array, add: bool) -> None:
    flat, width = words.reshape(-1), voxels.shape[1]
    for y in range(voxels.shape[0]):
        change_edges(flat, voxels[y], table, y * width, add)


@njit(**ENTRY)
def _threshold_layer(
    window: Array,
    y0: int,
    radius: int,
    first: int,
    slab: Array,
    row: Row,
    out: Array,
    flat: Array,
    least_contrast: float,
    least_fraction: float,
) -> None:
    """Write the thresholds of one z: `window` holds the slices of its windows, `slab` their sums."""
    slices, height, _ = window.shape
    row.bins[:, :] = 0
    row.edges[:, :] = 0
    for y in range(max(0, y0 - radius), min(height, y0 + radius)):
        _add_line(row, window[:, y], slab[y], first)
    for y in range(y0, y0 + out.shape[0]):
        above, below = y - radius - 1, min(height - 1, y + radius)
        if y + radius < height:
            _add_line(row, window[:, below], slab[below], first)
        if above >= 0 and y > y0:
            _take_line(row, window[:, above], slab[above], first)
        depth = slices * (below - max(-1, above))
        threshold_row(row, depth, out[y - y0], flat[y - y0], least_contrast, least_fraction)


@njit(**INNER)
def _add_line(row: Row, voxels: Array, sums: Array, first: int) -> None:
    for z in range(voxels.shape[0]):
        add_bins(row.bins, voxels[z], first, 1)
    edges, added = row.edges[first : first + sums.shape[0]].reshape(-1), sums.reshape(-1)
    for i in range(edges.shape[0]):
        edges[i] += added[i]


@njit(**INNER)
def _take_line(row: Row, voxels: Array, sums: Array, first: int) -> None:
    for z in range(voxels.shape[0]):
        add_bins(row.bins, voxels[z], first, -1)
    edges, taken = row.edges[first : first + sums.shape[0]].reshape(-1), sums.reshape(-1)
    for i in range(edges.shape[0]):
        edges[i] -= taken[i]
