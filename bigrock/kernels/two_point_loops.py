"""Compiled loops that count pairs of voxels at lags along an axis, on masks as bits.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.configurations_loops import bit_count

__all__ = ["add_pairs_across", "add_pairs_along"]

Array = npt.NDArray[Any]


_ROWS = 512


@njit(nogil=True, cache=True)
def add_pairs_across(first: Array, second: Array, words: int, counts: Array) -> None:
    """Add to ``counts[lag]`` (int64) the voxels that `first` holds and `second` `lag` lines later.

    Both have a row of words for each plane, in which each line takes `words`.
    """
    lines = first.shape[1] // words
    for lag in range(counts.size):
        total = 0
        both = max(0, min(lines, second.shape[1] // words - lag)) * words
        for plane in range(first.shape[0]):
            a, b = first[plane, :both], second[plane, lag * words : lag * words + both]
            for i in range(a.size):
                total += bit_count(a[i] & b[i])
        counts[lag] += total


@njit(nogil=True, cache=True)
def add_pairs_along(first: Array, second: Array, counts: Array) -> None:
    """Add to ``counts[lag]`` (int64) the voxels that rows of `first` hold and `second` `lag` further on.

    Both have a row for each word, in which each of the mask's rows takes one; `second` has words
    enough to look `counts.size` voxels beyond the last of `first`.
    """
    for begin in range(0, first.shape[1], _ROWS):
        end = min(begin + _ROWS, first.shape[1])
        for lag in range(counts.size):
            skip, shift = lag >> 6, np.uint64(lag & 63)
            # A word moved by 64 places is undefined: two moves, of one place and of the rest.
            back = np.uint64(63) - shift
            total = 0
            for k in range(first.shape[0]):
                a, b, c = first[k, begin:end], second[k + skip, begin:end], second[k + skip + 1, begin:end]
                for i in range(a.size):
                    total += bit_count(a[i] & ((b[i] >> shift) | ((c[i] << np.uint64(1)) << back)))
            counts[lag] += total
