"""Compiled local Otsu with a square window: every slice on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_layout import ENTRY, INNER, Row, make_row
from bigrock.kernels.otsu_rows import add_bins, threshold_row

__all__ = ["change_edges", "edge_table", "threshold_slices"]

Array = npt.NDArray[Any]


def threshold_slices(
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
        _threshold_slice(
            image[z], ys.start, ys.stop, xs.start, ry, row, words, table, out[z - zs.start], marks, *guard
        )


def edge_table(dtype: type) -> Array:
    """Return what one voxel of each value adds to the sums of a column, as 64-bit words."""
    values = np.arange(256)[:, None]
    firsts = np.array([1, *range(16, 257, 16)])
    below = np.concatenate([values < firsts[:-1], values * (values < firsts[1:])], axis=1)
    return np.ascontiguousarray(below.astype(dtype)).view(np.uint64)


@njit(**ENTRY)
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
    bins, flat_words = row.bins, words.reshape(-1)
    bins[:, :] = 0
    row.edges[:, :] = 0
    for y in range(max(0, y0 - radius), min(height, y0 + radius)):
        add_bins(bins, image[y, xa:xb], first, 1)
        change_edges(flat_words, image[y, xa:xb], table, first, True)
    for y in range(y0, y1):
        above, below = y - radius - 1, min(height - 1, y + radius)
        if y + radius < height:
            add_bins(bins, image[below, xa:xb], first, 1)
            change_edges(flat_words, image[below, xa:xb], table, first, True)
        if above >= 0 and y > y0:
            add_bins(bins, image[above, xa:xb], first, -1)
            change_edges(flat_words, image[above, xa:xb], table, first, False)
        depth = below - max(-1, above)
        threshold_row(row, depth, out[y - y0], flat[y - y0], least_contrast, least_fraction)


@njit(**INNER)
def change_edges(words: Array, voxels: Array, table: Array, first: int, add: bool) -> None:
    """Add voxels to the sums of the columns from `first` on, or take them away.

    A word holds four sums, or two. It is changed as one number, for no sum leaves its range; taking
    away is adding the two's complement.
    """
    per, zero = np.uint64(table.shape[1]), np.uint64(0)
    entries, keep = table.reshape(-1), zero if add else ~zero
    for x in range(voxels.shape[0]):
        into, source = (np.uint64(first) + np.uint64(x)) * per, np.uint64(voxels[x]) * per
        for part in range(zero, per, np.uint64(8)):
            i, k = into + part, source + part
            words[i] += (entries[k] ^ keep) - keep
            words[i + np.uint64(1)] += (entries[k + np.uint64(1)] ^ keep) - keep
            words[i + np.uint64(2)] += (entries[k + np.uint64(2)] ^ keep) - keep
            words[i + np.uint64(3)] += (entries[k + np.uint64(3)] ^ keep) - keep
            words[i + np.uint64(4)] += (entries[k + np.uint64(4)] ^ keep) - keep
            words[i + np.uint64(5)] += (entries[k + np.uint64(5)] ^ keep) - keep
            words[i + np.uint64(6)] += (entries[k + np.uint64(6)] ^ keep) - keep
            words[i + np.uint64(7)] += (entries[k + np.uint64(7)] ^ keep) - keep
