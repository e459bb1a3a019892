"""Compiled sums over every position of a box that glides through a block.

The mass of a box is a running sum three times over: planes enter and leave a window along z, rows
of it along y, voxels of it along x. So a position costs the same for any size of box. Imported only
by the functions that run it, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["glide"]

Array = npt.NDArray[Any]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@njit(nogil=True, cache=True)
def glide(
    image: Array,
    window: tuple[int, int, int],
    starts: tuple[int, int, int],
    limit: np.uint64,
    wide: bool,
    plane: Array,
    row: Array,
    sums: Array,
) -> None:
    """Add number, masses and squared masses of the boxes to ``sums[z of the first voxel]`` (uint64).

    Boxes begin at the first `starts` voxels along each axis, and lie inside `image`. `plane` and
    `row`, one longer than the image, are running sums of unsigned types that hold a column and a
    plate of a box. Only boxes with a mass below `limit` count, if `wide`; else all do, and the
    squares of one row of boxes must add up to less than 2**64.

    Columns of `sums`: number; ΣM in units of 1 and 2**32; ΣM² in units of 1, 2**32, 2**64, 2**96.
    """
    depth, rows, length = window
    height, width = starts[1] + rows - 1, starts[2] + length - 1
    _fill_plane(plane, image, depth, height, width)
    for z in range(starts[0]):
        if z:
            _move_plane(plane, image, z - 1, z - 1 + depth, height, width)
        row[:] = 0
        for y in range(rows):
            for x in range(width):
                row[x] += plane[y, x]
        for y in range(starts[1]):
            if y:
                for x in range(width):
                    row[x] += plane[y - 1 + rows, x] - plane[y - 1, x]
            if wide:
                _add_wide(row, length, starts[2], limit, sums[z])
            else:
                _add_row(row, length, starts[2], sums[z])


@njit(nogil=True, cache=True)
def _fill_plane(plane: Array, image: Array, depth: int, height: int, width: int) -> None:
    plane[:] = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                plane[y, x] += image[z, y, x]


@njit(nogil=True, cache=True)
def _move_plane(plane: Array, image: Array, old: int, new: int, height: int, width: int) -> None:
    # Differences below zero wrap round, and the sums wrap back.
    for y in range(height):
        for x in range(width):
            plane[y, x] += image[new, y, x] - image[old, y, x]


@njit(nogil=True, cache=True)
def _add_row(row: Array, length: int, starts: int, sums: Array) -> None:
    mass, total, square = np.uint64(0), np.uint64(0), np.uint64(0)
    for x in range(length):
        mass += np.uint64(row[x])
    for x in range(starts):
        total += mass
        square += mass * mass
        mass += np.uint64(row[x + length]) - np.uint64(row[x])
    sums[0] += np.uint64(starts)
    sums[1] += total & _LOW
    sums[2] += total >> _HALF
    sums[3] += square & _LOW
    sums[4] += square >> _HALF


@njit(nogil=True, cache=True)
def _add_wide(row: Array, length: int, starts: int, limit: np.uint64, sums: Array) -> None:
    """As `_add_row` for masses of up to 64 bits, whose squares are multiplied by halves."""
    mass = np.uint64(0)
    for x in range(length):
        mass += np.uint64(row[x])
    for x in range(starts):
        if mass < limit:
            low, high = mass & _LOW, mass >> _HALF
            sums[0] += np.uint64(1)
            sums[1] += low
            sums[2] += high
            # M² = high² 2⁶⁴ + 2 high·low 2³² + low²; every column gains less than 2³⁴.
            cross, least, most = high * low, low * low, high * high
            sums[3] += least & _LOW
            sums[4] += (least >> _HALF) + np.uint64(2) * (cross & _LOW)
            sums[5] += np.uint64(2) * (cross >> _HALF) + (most & _LOW)
            sums[6] += most >> _HALF
        mass += np.uint64(row[x + length]) - np.uint64(row[x])
