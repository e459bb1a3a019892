"""Compiled loops over boxes: least and greatest value of each, and how many hold what.

Whether a box of a mask holds the phase is its greatest value, and whether it holds anything else
its least; so masks and grey images share one loop. Imported only by the functions that run them,
because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["add_heights", "add_phases", "merge_boxes"]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def merge_boxes(
    lows: Array,
    highs: Array,
    first: tuple[int, int, int],
    factor: tuple[int, int, int],
    out_lows: Array,
    out_highs: Array,
) -> None:
    """Set least and greatest value of larger boxes from those of smaller ones, or of voxels.

    A larger box is `factor` smaller ones along each axis; the first larger box begins `first`
    smaller ones before the arrays do.
    """
    depth, height, width = lows.shape
    low, high = np.empty(width, lows.dtype), np.empty(width, lows.dtype)
    planes, rows, boxes = out_lows.shape
    in_pairs = factor[2] == 2 and first[2] == 0 and width == 2 * boxes
    for i in range(planes):
        z0, z1 = max(0, i * factor[0] - first[0]), min(depth, (i + 1) * factor[0] - first[0])
        for j in range(rows):
            y0, y1 = max(0, j * factor[1] - first[1]), min(height, (j + 1) * factor[1] - first[1])
            _gather_rows(lows, highs, z0, z1, y0, y1, low, high)
            if in_pairs:
                _merge_pairs(low, high, out_lows[i, j], out_highs[i, j])
            else:
                _merge_runs(low, high, first[2], factor[2], out_lows[i, j], out_highs[i, j])


@njit(nogil=True, cache=True)
def _gather_rows(
    lows: Array, highs: Array, z0: int, z1: int, y0: int, y1: int, low: Array, high: Array
) -> None:
    """Set one row to the least and greatest of many; two at a time, which halves the stores."""
    for z in range(z0, z1):
        y = y0
        if z == z0:
            for x in range(low.size):
                low[x] = lows[z, y0, x]
                high[x] = highs[z, y0, x]
            y += 1
        if (y1 - y) % 2:
            for x in range(low.size):
                low[x] = min(low[x], lows[z, y, x])
                high[x] = max(high[x], highs[z, y, x])
            y += 1
        while y < y1:
            for x in range(low.size):
                low[x] = min(low[x], min(lows[z, y, x], lows[z, y + 1, x]))
                high[x] = max(high[x], max(highs[z, y, x], highs[z, y + 1, x]))
            y += 2


@njit(nogil=True, cache=True)
def _merge_pairs(low: Array, high: Array, out_low: Array, out_high: Array) -> None:
    for k in range(out_low.size):
        out_low[k] = min(low[2 * k], low[2 * k + 1])
    for k in range(out_high.size):
        out_high[k] = max(high[2 * k], high[2 * k + 1])


@njit(nogil=True, cache=True)
def _merge_runs(low: Array, high: Array, first: int, factor: int, out_low: Array, out_high: Array) -> None:
    for k in range(out_low.size):
        start, stop = max(0, k * factor - first), min(low.size, (k + 1) * factor - first)
        least, greatest = low[start], high[start]
        for x in range(start + 1, stop):
            least, greatest = min(least, low[x]), max(greatest, high[x])
        out_low[k], out_high[k] = least, greatest


@njit(nogil=True, cache=True)
def add_phases(lows: Array, highs: Array, counts: Array) -> None:
    """Add to ``counts[plane]`` (uint64) the boxes that hold the phase, and those that hold both phases."""
    planes, rows, boxes = lows.shape
    for i in range(planes):
        phase, both = np.uint64(0), np.uint64(0)
        for j in range(rows):
            in_row, both_in_row = np.uint32(0), np.uint32(0)
            for k in range(boxes):
                in_row += np.uint32(highs[i, j, k])
                both_in_row += np.uint32(highs[i, j, k] & ~lows[i, j, k])
            phase += np.uint64(in_row)
            both += np.uint64(both_in_row)
        counts[i, 0] += phase
        counts[i, 1] += both


@njit(nogil=True, cache=True)
def add_heights(lows: Array, highs: Array, heights: Array) -> np.int64:
    """Return the sum over the boxes of ``heights[high] - heights[low] + 1``."""
    planes, rows, boxes = lows.shape
    total = np.int64(0)
    for i in range(planes):
        for j in range(rows):
            for k in range(boxes):
                total += heights[highs[i, j, k]] - heights[lows[i, j, k]] + 1
    return total
