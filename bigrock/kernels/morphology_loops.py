"""Compiled loops of erosion and dilation: the least cost of a way to a voxel, axis by axis.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["near_voxels"]

Array = npt.NDArray[Any]
Three = tuple[int, int, int]


@njit(nogil=True, cache=True)
def _lower(source: Array, first: int, cost: Any, room: Array, out: Array, n: int) -> None:
    """Set `out` to the minimum of itself and ``source[first:] + cost``."""
    # Indices that could be negative are not vectorised; and the sum goes through `room` because it
    # would else be an integer of 64 bits, eight times as wide as what is stored.
    a = np.uint64(first)
    for x in range(np.uint64(n)):
        room[x] = source[a + x] + cost
        out[x] = min(out[x], room[x])


@njit(nogil=True, cache=True)
def _along_x(
    targets: Array, start: int, costs: Array, cap: Any, line: Array, room: Array, out: Array
) -> None:
    """Set `out` to the least cost along a row of targets (bool), from `start` on."""
    reach, n = costs.size - 1, out.size
    line[:] = cap
    inner = line[reach : reach + targets.size]
    for x in range(targets.size):
        inner[x] = np.uint8(0) if targets[x] else cap
    out[:] = line[reach + start : reach + start + n]
    for k in range(1, reach + 1):
        _lower(line, reach + start - k, costs[k], room, out, n)
        _lower(line, reach + start + k, costs[k], room, out, n)


@njit(nogil=True, cache=True)
def near_voxels(targets: Array, start: Three, costs: Array, limit: Any, out: Array) -> None:
    """Set `out` (bool) where a target lies within the cost `limit`, for voxels from `start` on.

    Steps of k voxels along an axis cost ``costs[k]`` (uint8 or uint16, wide enough for
    ``limit + 1 + costs[-1]``); the costs along z, y and x add up.
    """
    reach = costs.size - 1
    depth, rows, width = targets.shape
    _, height, n = out.shape
    caps = np.empty(1, costs.dtype)
    caps[0] = limit + 1
    cap = caps[0]
    lines = np.empty((rows, n), costs.dtype)
    planes = np.empty((depth, height * n), costs.dtype)
    line, room = np.empty(width + 2 * reach, costs.dtype), np.empty(height * n, costs.dtype)
    for z in range(depth):
        for y in range(rows):
            _along_x(targets[z, y], start[2], costs, cap, line, room, lines[y])
        flat = lines.reshape(rows * n)
        for y in range(height):
            middle, row = start[1] + y, planes[z, y * n : (y + 1) * n]
            row[:] = lines[middle]
            for k in range(1, reach + 1):
                if middle >= k:
                    _lower(flat, (middle - k) * n, costs[k], room, row, n)
                if middle + k < rows:
                    _lower(flat, (middle + k) * n, costs[k], room, row, n)
    flat, least = planes.reshape(planes.size), np.empty(height * n, costs.dtype)
    for z in range(out.shape[0]):
        middle = start[0] + z
        least[:] = planes[middle]
        for k in range(1, reach + 1):
            if middle >= k:
                _lower(flat, (middle - k) * least.size, costs[k], room, least, least.size)
            if middle + k < depth:
                _lower(flat, (middle + k) * least.size, costs[k], room, least, least.size)
        result = out[z].reshape(least.size)
        for i in range(least.size):
            result[i] = least[i] < cap
