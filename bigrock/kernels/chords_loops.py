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


@njit(nogil=True, cache=True)
def add_runs_across(bits: Array, counts: Array, low: Array, high: Array) -> None:
    """Add to ``counts[length]`` (int64) the runs along axis 1 of `bits` that end inside at both sides.

    `low` and `high` (planes, lines) are set to the lengths of the runs at the first and last voxel
    of every line, 0 where that is False.
    """
    planes, length, words = bits.shape
    since = np.zeros(64 * words, np.int64)
    one = np.uint64(1)
    for plane in range(planes):
        since[:] = 0
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
                    elif since[line]:
                        counts[i - since[line]] += 1
                    else:
                        low[plane, line] = i
        for line in range(low.shape[1]):
            if (bits[plane, length - 1, line >> 6] >> np.uint64(line & 63)) & one:
                high[plane, line] = length - since[line]
                if since[line] == 0:
                    low[plane, line] = length


@njit(nogil=True, cache=True)
def add_runs_along(bits: Array, width: int, counts: Array, low: Array, high: Array) -> None:
    """Add to ``counts[length]`` (int64) the runs along rows of `bits` that end inside at both sides.

    `low` and `high` (rows) are set to the lengths of the runs at the first and last voxel.
    """
    one = np.uint64(1)
    for row in range(bits.shape[0]):
        since = 0
        before = bits[row, 0] & one
        for k in range(bits.shape[1]):
            now = bits[row, k]
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
                elif since:
                    counts[x - since] += 1
                else:
                    low[row] = x
        last = width - 1
        if (bits[row, last >> 6] >> np.uint64(last & 63)) & one:
            high[row] = width - since
            if since == 0:
                low[row] = width
