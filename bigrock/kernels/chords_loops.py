"""Compiled loops that find the runs of True along lines of a mask, given as bits.

Only where neighbouring voxels differ is anything done, found for 64 lines at once. Imported only
by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.configurations_loops import lowest_bit

__all__ = ["add_runs_across", "add_runs_along"]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True, inline="always")
def _bit(bits: Array, plane: int, i: int, line: int) -> Any:
    """Return one voxel."""
    return (bits[plane, i, line >> 6] >> np.uint64(line & 63)) & np.uint64(1)


@njit(nogil=True, cache=True)
def _outside(field: Array, plane: int, i: int, line: int) -> int:
    """Return 1 where a voxel is outside the field of view, of which no bits stand for everywhere."""
    return 1 if field.size > 0 and _bit(field, plane, i, line) == np.uint64(0) else 0


@njit(nogil=True, cache=True)
def add_runs_across(bits: Array, field: Array, counts: Array, low: Array, high: Array) -> None:
    """Add to ``counts[cut ends, length]`` (int64) the runs along axis 1 of `bits` that end inside.

    An end is cut where the next voxel is not set in `field` (as `bits`, or empty: all inside).
    `low` and `high` (planes, lines) are set to twice the lengths of the runs at the first and last
    voxel of every line, plus 1 if their other end is cut; for no run, plus 1 if that voxel is outside.
    """
    planes, length, words = bits.shape
    since, cut = np.zeros(64 * words, np.int64), np.zeros(64 * words, np.int64)
    one, limited = np.uint64(1), field.size > 0
    whole = counts[0]
    for plane in range(planes):
        since[:] = 0
        cut[:] = 0
        for line in range(low.shape[1]):
            low[plane, line] = _outside(field, plane, 0, line)
        for i in range(1, length):
            for k in range(words):
                now = bits[plane, i, k]
                changed = now ^ bits[plane, i - 1, k]
                while changed:
                    bit = lowest_bit(changed)
                    changed &= changed - one
                    line = 64 * k + bit
                    if (now >> np.uint64(bit)) & one:
                        since[line] = i
                        if limited:
                            cut[line] = _outside(field, plane, i - 1, line)
                    elif since[line] == 0:
                        low[plane, line] = 2 * i + _outside(field, plane, i, line)
                    elif limited:
                        counts[cut[line] + _outside(field, plane, i, line), i - since[line]] += 1
                    else:
                        whole[i - since[line]] += 1
        _end_lines(bits, field, plane, since, cut, low, high)


@njit(nogil=True, cache=True)
def _end_lines(
    bits: Array, field: Array, plane: int, since: Array, cut: Array, low: Array, high: Array
) -> None:
    """Set the runs at the last voxel of every line of a plane."""
    length = bits.shape[1]
    for line in range(low.shape[1]):
        if _bit(bits, plane, length - 1, line):
            high[plane, line] = 2 * (length - since[line]) + cut[line]
            if since[line] == 0:
                low[plane, line] = 2 * length
        else:
            high[plane, line] = _outside(field, plane, length - 1, line)


@njit(nogil=True, cache=True)
def add_runs_along(bits: Array, width: int, field: Array, counts: Array, low: Array, high: Array) -> None:
    """As `add_runs_across`, along rows: axis 2 of `bits`, of which `width` voxels count; `low` is (planes, rows)."""
    one, last, limited = np.uint64(1), width - 1, field.size > 0
    whole = counts[0]
    for plane in range(bits.shape[0]):
        for row in range(bits.shape[1]):
            since, cut = 0, 0
            low[plane, row] = _outside(field, plane, row, 0)
            before = bits[plane, row, 0] & one
            for k in range(bits.shape[2]):
                now = bits[plane, row, k]
                changed = now ^ ((now << one) | before)
                before = now >> np.uint64(63)
                while changed:
                    bit = lowest_bit(changed)
                    changed &= changed - one
                    x = 64 * k + bit
                    if x >= width:
                        break
                    if (now >> np.uint64(bit)) & one:
                        since = x
                        if limited:
                            cut = _outside(field, plane, row, x - 1)
                    elif since == 0:
                        low[plane, row] = 2 * x + _outside(field, plane, row, x)
                    elif limited:
                        counts[cut + _outside(field, plane, row, x), x - since] += 1
                    else:
                        whole[x - since] += 1
            if _bit(bits, plane, row, last):
                high[plane, row] = 2 * (width - since) + cut
                if since == 0:
                    low[plane, row] = 2 * width
            else:
                high[plane, row] = _outside(field, plane, row, last)
