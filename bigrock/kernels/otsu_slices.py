"""Compiled local Otsu with a square window: every slice on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_rows import EDGES, Row, add_bins, make_row, threshold_row

__all__ = ["edge_table", "threshold_slices"]

Array = npt.NDArray[Any]

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}


def threshold_slices(
    image: Array, core: tuple[slice, slice, slice], radius: int, out: Array, flat: Array, guard: tuple[float, float]
) -> None:
    """Write the thresholds of the core of a C-contiguous uint8 image (z, y, x) to `out`.

    `flat`, where it is not empty, gets the windows that `guard`, the least contrast in grey levels
    and the least fraction of a class, calls flat.
    """
    zs, ys, xs = core
    _, height, width = image.shape
    ry, rx = min(radius, height), min(radius, width)
    tall, wide = min(2 * ry + 1, height), min(2 * rx + 1, width)
    bins = np.uint16 if tall * wide < 2**16 else np.uint32
    edges = np.uint16 if tall * 255 < 2**16 else np.uint32
    if edges is np.uint32:
        bins = np.uint32
    row = make_row(xs.start, xs.stop, width, rx, bins, edges)
    words, table = row.edges.view(np.uint64), edge_table(edges)
    for z in range(zs.start, zs.stop):
        marks = flat[z - zs.start] if flat.size else np.zeros((ys.stop - ys.start, 0), np.bool_)
        _threshold_slice(image[z], ys.start, ys.stop, xs.start, ry, row, words, table, out[z - zs.start], marks, *guard)


def edge_table(dtype: type) -> Array:
    """Return what one voxel of each value adds to the sums of a column, as 64-bit words."""
    values = np.arange(256)[:, None]
    firsts = np.array([1, *range(16, 257, 16)])
    below = np.concatenate([values < firsts[:-1], values * (values < firsts[1:])], axis=1)
    return np.ascontiguousarray(below.astype(dtype)).view(np.uint64)


@njit(**_OPTIONS)
def _threshold_slice(
    image: Array,
    y0: int,
    y1: int,
    x0: int,
    radius: int,
    row: Row,
    words: Array,
    table: Array,
    out: Array,
    flat: Array,
    least_contrast: float,
    least_fraction: float,
) -> None:
    height, width = image.shape
    reach = row.width // 2
    xa, xb = max(0, x0 - reach), min(width, x0 + out.shape[1] + reach)
    first = xa - (x0 - reach - 1)
    row.bins[:, :] = 0
    row.edges[:, :] = 0
    for y in range(max(0, y0 - radius), min(height, y0 + radius)):
        add_bins(row.bins, image[y, xa:xb], first, 1)
        _add_edges(words, image[y, xa:xb], table, first)
    for y in range(y0, y1):
        above, below = y - radius - 1, min(height - 1, y + radius)
        if y + radius < height:
            add_bins(row.bins, image[below, xa:xb], first, 1)
            _add_edges(words, image[below, xa:xb], table, first)
        if above >= 0 and y > y0:
            add_bins(row.bins, image[above, xa:xb], first, -1)
            _take_edges(words, image[above, xa:xb], table, first)
        depth = below - max(-1, above)
        threshold_row(row, depth, out[y - y0], flat[y - y0], least_contrast, least_fraction)


@njit(**_OPTIONS)
def _add_edges(words: Array, voxels: Array, table: Array, first: int) -> None:
    # A word holds four counters, or two; it is added as one number, for no counter ever overflows.
    for x in range(voxels.shape[0]):
        for k in range(table.shape[1]):
            words[first + x, k] += table[voxels[x], k]


@njit(**_OPTIONS)
def _take_edges(words: Array, voxels: Array, table: Array, first: int) -> None:
    for x in range(voxels.shape[0]):
        for k in range(table.shape[1]):
            words[first + x, k] -= table[voxels[x], k]
