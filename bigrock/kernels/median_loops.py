"""Compiled loops of the median filter: a program of row comparisons, run on tiles of rows.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["median_rows"]

Array = npt.NDArray[Any]
Three = tuple[int, int, int]


@njit(nogil=True, cache=True)
def _load(line: Array, rows: Array, at: int, size: int, first: int) -> None:
    """Copy ``line[first : first + size]`` to ``rows[at:]``, the ends of the line repeated beyond it."""
    last = line.size - 1
    begin, stop = max(0, first), min(line.size, first + size)
    for i in range(first, min(first + size, begin)):
        rows[at + i - first] = line[0]
    part, inner = line[begin:stop], rows[at + begin - first :]
    for i in range(part.size):
        inner[i] = part[i]
    for i in range(max(stop, first), first + size):
        rows[at + i - first] = line[last]


@njit(nogil=True, cache=True)
def _run(steps: Array, rows: Array, pitch: int, width: int) -> None:
    """Run a program over registers that lie `pitch` voxels apart in one array."""
    # Slices would be counted as references, ten times as costly as the comparison of a row; and
    # indices that could be negative are not vectorised.
    for i in range(steps.shape[0]):
        first, shift, second, other, low, high, longer = steps[i]
        n = np.uint64(width + longer)
        a, b = np.uint64(first * pitch + shift), np.uint64(second * pitch + other)
        smaller, larger = np.uint64(max(low, 0) * pitch), np.uint64(max(high, 0) * pitch)
        if high < 0:
            for x in range(n):
                rows[smaller + x] = min(rows[a + x], rows[b + x])
        elif low < 0:
            for x in range(n):
                rows[larger + x] = max(rows[a + x], rows[b + x])
        else:
            for x in range(n):
                u, v = rows[a + x], rows[b + x]
                rows[smaller + x] = min(u, v)
                rows[larger + x] = max(u, v)


@njit(nogil=True, cache=True)
def median_rows(
    image: Array, start: Three, radii: Three, steps: Array, rows: Array, tile: tuple[int, int], place: int, out: Array
) -> None:  # fmt: skip
    """Set `out` to the medians of the windows around the voxels of an image from `start` on.

    Works on tiles of lines and voxels, the lines one after the other: rows that are long waste least.
    `rows` (one axis) holds the registers of the program `steps`, each ``tile[0] * (tile[1] + 2 *
    radii[2])`` long; its output begins at `place`.
    """
    rz, ry, rx = radii
    depth, height, _ = image.shape
    pitch = tile[0] * (tile[1] + 2 * rx)
    for z in range(out.shape[0]):
        for y in range(0, out.shape[1], tile[0]):
            lines = min(tile[0], out.shape[1] - y)
            for x in range(0, out.shape[2], tile[1]):
                width = min(tile[1], out.shape[2] - x)
                long = width + 2 * rx
                row = 0
                for dz in range(-rz, rz + 1):
                    plane = image[min(max(start[0] + z + dz, 0), depth - 1)]
                    for dy in range(-ry, ry + 1):
                        for j in range(lines):
                            line = plane[min(max(start[1] + y + j + dy, 0), height - 1)]
                            _load(line, rows, row * pitch + j * long, long, start[2] + x - rx)
                        row += 1
                _run(steps, rows, pitch, lines * long - 2 * rx)
                for j in range(lines):
                    for i in range(width):
                        out[z, y + j, x + i] = rows[place + j * long + i]
