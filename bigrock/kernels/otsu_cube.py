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

from bigrock.kernels.otsu_edges import hold, swap_voxels
from bigrock.kernels.otsu_layout import EDGES, ENTRY, INNER, NOTHING, Row, make_edges, make_row
from bigrock.kernels.otsu_rows import add_bins, threshold_row

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
    slab = make_edges(xb - xa, dtype, (yb - ya + 1,))
    empty = part[0, :0]
    for z in range(max(0, zs.start - rz), min(len(part), zs.start + rz)):
        _swap_slices(slab, part[z], empty)
    for z in range(zs.start, zs.stop):
        entering = part[z + rz] if z + rz < len(part) else empty
        leaving = part[z - rz - 1] if z - rz - 1 >= 0 and z > zs.start else empty
        _swap_slices(slab, entering, leaving)
        window = part[max(0, z - rz) : z + rz + 1]
        marks = flat[z - zs.start] if flat.size else np.zeros((ys.stop - ys.start, 0), np.bool_)
        _threshold_layer(window, ys.start - ya, ry, first, slab, row, out[z - zs.start], marks, *guard)


@njit(**ENTRY)
def _swap_slices(slab: Array, entering: Array, leaving: Array) -> None:
    """Add a slice of the image to the sums of every row, and take another away; the last row stays 0."""
    new = np.full(slab.shape[2], NOTHING, np.int16)
    old = new.copy()
    for y in range(slab.shape[0] - 1):
        if entering.shape[0]:
            hold(new, entering[y], 0)
        if leaving.shape[0]:
            hold(old, leaving[y], 0)
        swap_voxels(slab[y], new, old)


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
    nothing = slab[height]
    for y in range(max(0, y0 - radius), min(height, y0 + radius)):
        _change_bins(row.bins, window, y, first, 1)
        _swap_sums(row.edges, slab[y], nothing, first)
    for y in range(y0, y0 + out.shape[0]):
        above, below = y - radius - 1, min(height - 1, y + radius)
        enters, leaves = y + radius < height, above >= 0 and y > y0
        if enters:
            _change_bins(row.bins, window, below, first, 1)
        if leaves:
            _change_bins(row.bins, window, above, first, -1)
        _swap_sums(row.edges, slab[below] if enters else nothing, slab[above] if leaves else nothing, first)
        depth = slices * (below - max(-1, above))
        threshold_row(row, depth, out[y - y0], flat[y - y0], least_contrast, least_fraction)


@njit(**INNER)
def _change_bins(bins: Array, window: Array, y: int, first: int, step: int) -> None:
    """Count the voxels of a row of every slice in their columns, `step` times each."""
    for z in range(window.shape[0]):
        add_bins(bins, window[z, y], first, step)


@njit(**INNER)
def _swap_sums(edges: Array, entering: Array, leaving: Array, first: int) -> None:
    """Add the sums of one row of all slices to the columns from `first` on, and take away another's."""
    columns = min(entering.shape[1], edges.shape[1] - first)
    for e in range(EDGES):
        into, new, old = edges[e, first : first + columns], entering[e], leaving[e]
        for x in range(columns):
            into[x] += new[x] - old[x]
