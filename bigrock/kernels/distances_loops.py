"""Compiled loops of the exact Euclidean distance transform; imported only by what runs them.

The squared distance to the background is a minimum of sums, taken axis by axis [1]_. Here the
minimum over a line is taken by brute force, many lines at once, and stops as soon as a step alone
exceeds the largest minimum found: in rocks, after a few voxels. All numbers are integers (also in
float64, below 2**53), so the result is exact and the same for whatever part of a volume is seen.

References
----------
.. [1] Saito T., Toriwaki J., "New algorithms for Euclidean distance transformation of an
   n-dimensional digitized picture", Pattern Recognition 27(11), 1994.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["across", "along_rows", "roots"]

Array = npt.NDArray[Any]

# Lanes of one pass: short enough for the L1 cache, long enough for vector instructions.
_LANES = 128
_FAR = 1 << 30


@njit(nogil=True, cache=True)
def along_rows(mask: Array, first: int, weight: Any, cap: Any, out: Array) -> None:
    """Set `out` to ``min(weight * n**2, cap)``, n to the nearest False of the row; from column `first` on."""
    depth, height, width = mask.shape
    stop = first + out.shape[2]
    nearest = np.empty(width, np.int64)
    for z in range(depth):
        for y in range(height):
            last = -_FAR
            for x in range(width):
                if not mask[z, y, x]:
                    last = x
                nearest[x] = x - last
            last = _FAR
            for x in range(width - 1, first - 1, -1):
                if not mask[z, y, x]:
                    last = x
                if x < stop:
                    n = min(nearest[x], last - x)
                    square = weight * (n * n)
                    out[z, y, x - first] = square if n < _FAR // 2 and square < cap else cap


@njit(nogil=True, cache=True)
def across(squares: Array, first: int, weight: Any, out: Array) -> None:
    """Set ``out[z, y, x]`` to the minimum over j of ``squares[z, first + y + j, x] + weight * j**2``."""
    depth, height, width = squares.shape
    zero = squares.dtype.type(0)
    for z in range(depth):
        for left in range(0, width, _LANES):
            right = min(width, left + _LANES)
            for y in range(first, first + out.shape[1]):
                least, own = out[z, y - first, left:right], squares[z, y, left:right]
                most = zero
                for x in range(least.size):
                    least[x] = own[x]
                    most = max(most, own[x])
                j, step = 1, squares.dtype.type(weight)
                while step < most and (y - j >= 0 or y + j < height):
                    # Beyond one end of the line, the other side is taken twice.
                    before = squares[z, y - j if y >= j else y + j, left:right]
                    after = squares[z, y + j if y + j < height else y - j, left:right]
                    most = zero
                    for x in range(least.size):
                        square = min(least[x], min(before[x], after[x]) + step)
                        least[x] = square
                        most = max(most, square)
                    j += 1
                    step = squares.dtype.type(weight * (j * j))


@njit(nogil=True, cache=True)
def roots(squares: Array, cap: Any, unit: float, out: Array) -> None:
    """Set `out` (float32) to ``unit * sqrt(squares)``, infinite from `cap` on; flat arrays."""
    for i in range(squares.size):
        square = squares[i]
        out[i] = unit * math.sqrt(square) if square < cap else math.inf
