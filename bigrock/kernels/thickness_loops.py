"""Compiled loops of the local thickness: balls painted as bits, 64 voxels at a time, the largest first.

A ball of class r need only be painted from voxels of exactly that class: from voxels of a larger
class, a larger ball is painted anyway. So a class paints few balls, each voxel is written once,
and a row of balls with neighbouring centres costs as much as one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["floor_roots", "paint_balls"]

Array = npt.NDArray[Any]

_ONE, _ZERO = np.uint64(1), np.uint64(0)
_TOP = np.uint64(63)
# The position of a single bit, by a multiplication that brings it into the highest six (de Bruijn).
_SEQUENCE, _SHIFT = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_POSITIONS = np.zeros(64, np.int64)
for _i in range(64):
    _POSITIONS[(int(_SEQUENCE) << _i) % 2**64 >> 58] = _i


@njit(nogil=True, cache=True)
def floor_roots(squares: Array, out: Array) -> int:
    """Set `out` to the whole part of the roots; return the largest. Flat arrays."""
    most = 0
    for i in range(squares.size):
        root = int(math.sqrt(squares[i]))
        out[i] = root
        most = max(most, root)
    return most


@njit(nogil=True, cache=True)
def paint_balls(radii: Array, rows: Array, starts: Array, first: Array, out: Array) -> None:
    """Set `out` to the largest class r of all voxels of `radii` whose open ball of radius r covers it.

    `rows` holds dz, dy and half width along x of the rows of a ball, by increasing width, those of
    class r from ``starts[r]`` on. `out` (zeros) begins at `first` (z, y) of `radii`, and is as long
    along x.
    """
    depth, height, width = radii.shape
    covered = np.zeros((out.shape[0], out.shape[1], (width + 63) // 64), np.uint64)
    line = np.empty(covered.shape[2], np.uint64)
    present = _classes_of_rows(radii, starts.size - 1)
    for r in range(starts.size - 2, 0, -1):
        for z in range(depth):
            for y in range(height):
                if not present[z, y, r >> 6] >> np.uint64(r & 63) & _ONE:
                    continue
                low, high = _line_of(radii[z, y], r, line)
                reached = 0
                for k in range(starts[r], starts[r + 1]):
                    while reached < rows[k, 2]:
                        low, high = _widen(line, low, high)
                        reached += 1
                    i, j = z + rows[k, 0] - first[0], y + rows[k, 1] - first[1]
                    if i < 0 or j < 0 or i >= out.shape[0] or j >= out.shape[1]:
                        continue
                    # Written out here: handing over a view of a row takes longer than a row takes.
                    for word in range(low, high):
                        new = line[word] & ~covered[i, j, word]
                        covered[i, j, word] |= new
                        while new:
                            bit = new & (~new + _ONE)
                            x = word * 64 + _POSITIONS[np.int64(bit * _SEQUENCE >> _SHIFT)]
                            if x < width:
                                out[i, j, x] = r
                            new ^= bit


@njit(nogil=True, cache=True)
def _classes_of_rows(radii: Array, count: int) -> Array:
    """Return as bits which classes each row holds."""
    depth, height, width = radii.shape
    present = np.zeros((depth, height, (count >> 6) + 1), np.uint64)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                r = np.int64(radii[z, y, x])
                present[z, y, r >> 6] |= _ONE << np.uint64(r & 63)
    return present


@njit(nogil=True, cache=True)
def _line_of(row: Array, r: int, line: Array) -> tuple[int, int]:
    """Set `line` to the bits of the voxels of class r; return the range of words that hold any."""
    low, high = line.size, 0
    for i in range(line.size):
        word = _ZERO
        left = i * 64
        for x in range(min(64, row.size - left)):
            word |= np.uint64(row[left + x] == r) << np.uint64(x)
        line[i] = word
        if word:
            low, high = min(low, i), i + 1
    return low, high


@njit(nogil=True, cache=True)
def _widen(line: Array, low: int, high: int) -> tuple[int, int]:
    """Set every bit whose neighbour is set; return the range of words that hold any."""
    if low > 0 and line[low] & _ONE:
        low -= 1
    if high < line.size and line[high - 1] >> _TOP:
        high += 1
    before = _ZERO
    for i in range(low, high):
        word = line[i]
        after = line[i + 1] if i + 1 < high else _ZERO
        line[i] = word | word << _ONE | word >> _ONE | before >> _TOP | after << _TOP
        before = word
    return low, high
