"""Compiled loops of the Gaussian filter: slice by slice, along z, then y, then x.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["gaussian_slices"]

Array = npt.NDArray[Any]

# Indices are unsigned all through: those that could be negative are not vectorised.


@njit(nogil=True, cache=True)
def _add_pair(a: Array, b: Array, first: Any, second: Any, weight: Any, out: Array, at: Any, n: Any) -> None:
    """Add ``weight * (a + b)`` to a row; `a` and `b` are flat, `first` and `second` are where rows begin."""
    for x in range(n):
        out[at + x] += weight * (np.float32(a[first + x]) + np.float32(b[second + x]))


@njit(nogil=True, cache=True)
def _scale(a: Array, first: Any, weight: Any, out: Array, at: Any, n: Any) -> None:
    for x in range(n):
        out[at + x] = weight * np.float32(a[first + x])


@njit(nogil=True, cache=True)
def _clamped(i: int, size: int) -> int:
    return min(max(i, 0), size - 1)


@njit(nogil=True, cache=True)
def _along_z(image: Array, shape: Any, z: int, weights: Array, plane: Array) -> None:
    """Set `plane` (flat) to the weighted sum of the slices around z."""
    depth, rows, width = shape
    n, item = np.uint64(rows * width), rows * width
    _scale(image, np.uint64(z * item), weights[0], plane, np.uint64(0), n)
    for k in range(1, weights.size):
        below, above = _clamped(z - k, depth), _clamped(z + k, depth)
        _add_pair(
            image, image, np.uint64(below * item), np.uint64(above * item), weights[k], plane, np.uint64(0), n
        )


@njit(nogil=True, cache=True)
def _along_y(plane: Array, rows: int, width: int, y: int, weights: Array, line: Array, at: int) -> None:
    """Set ``line[at : at + width]`` to the weighted sum of the rows around y."""
    n, place = np.uint64(width), np.uint64(at)
    _scale(plane, np.uint64(y * width), weights[0], line, place, n)
    for k in range(1, weights.size):
        above, below = _clamped(y - k, rows), _clamped(y + k, rows)
        _add_pair(
            plane, plane, np.uint64(above * width), np.uint64(below * width), weights[k], line, place, n
        )


@njit(nogil=True, cache=True)
def gaussian_slices(
    image: Array,
    shape: Any,
    start: Any,
    wz: Array,
    wy: Array,
    wx: Array,
    plane: Array,
    line: Array,
    out: Array,
) -> None:
    """Set `out` to the weighted means around the voxels of an image from `start` on.

    `image` is flat, of `shape`; `wz`, `wy`, `wx` (float32) are half kernels, the centre first;
    `plane` (float32, a slice) and `line` (float32, a row and the reach at either end) are scratch.
    """
    _, rows, width = shape
    reach = wx.size - 1
    height, length = out.shape[1], np.uint64(out.shape[2])
    result = out.reshape(out.size)
    for z in range(out.shape[0]):
        _along_z(image, shape, start[0] + z, wz, plane)
        for y in range(height):
            _along_y(plane, rows, width, start[1] + y, wy, line, reach)
            line[:reach] = line[reach]
            line[reach + width :] = line[reach + width - 1]
            first, at = reach + start[2], np.uint64((z * height + y) * out.shape[2])
            _scale(line, np.uint64(first), wx[0], result, at, length)
            for k in range(1, wx.size):
                _add_pair(line, line, np.uint64(first - k), np.uint64(first + k), wx[k], result, at, length)
