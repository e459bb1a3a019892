"""Compiled: which segments of the grey range can hold the Otsu thresholds of a chunk of windows.

With T(k), the mid-point of the class means for a split behind bin k, the best split lies between
the occupied bins u <= k and v > k with ``u < T(k) < v``: otherwise moving the voxels of u or of v
to the other class would raise the score, by at least 4 in N**2, which no rounding hides. T grows
with k, so a bound on T for one edge bounds the split, which gives a better edge, and so on. A few
divisions per window then leave 3 to 6 of 16 segments.

One exception: skimage never splits behind bin 0, so in a window with zeros the first occupied bin
may be best although ``T <= u``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["LANES", "SEGMENTS", "Chunk", "bracket", "make_chunk"]

Array = npt.NDArray[Any]

SEGMENTS = 16
LANES = 256

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
_VECTOR: dict[str, Any] = {**_OPTIONS, "fastmath": {"contract", "nnan", "nsz"}}
_MARGIN = 1.0 / 64.0


class Chunk(NamedTuple):
    """What is known of `LANES` neighbouring windows; allocated once, reused for every chunk.

    `sums` holds window by window what `Columns.edges` holds column by column, in row 0 for the
    window before the chunk. `counts[s]` and `moments[s]` are q and m at the left edge of segment s.
    """

    sums: Array
    counts: Array
    moments: Array
    voxels: Array
    mean: Array
    bound: Array
    top: Array
    first: Array
    open: Array
    score: Array
    level: Array
    below: Array


def make_chunk() -> Chunk:
    """Return scratch for one chunk."""
    return Chunk(
        sums=np.zeros((LANES + 1, 2 * SEGMENTS), np.int32),
        counts=np.zeros((SEGMENTS + 1, LANES), np.int32),
        moments=np.zeros((SEGMENTS + 1, LANES), np.int32),
        voxels=np.zeros(LANES, np.float32),
        mean=np.zeros(LANES, np.float32),
        bound=np.zeros((SEGMENTS + 2, LANES), np.float32),
        top=np.zeros(LANES, np.float32),
        first=np.zeros(LANES, np.int32),
        open=np.zeros(LANES, np.int32),
        score=np.zeros(LANES),
        level=np.zeros(LANES, np.int32),
        below=np.zeros(LANES),
    )


@njit(**_OPTIONS)
def bracket(sums: Array, voxels: Array, mean: Array, n: int) -> tuple[int, int]:
    """Return the first and the last segment that can hold the threshold of any window."""
    least, greatest = _range_of_means(mean, n)
    low = int((0.5 * least - _MARGIN + 1.0) / 16.0)
    high = int((0.5 * (greatest + 255.0) + _MARGIN) / 16.0) + 1
    while low > 0 and _any_gap(sums, np.uint64(low), np.uint64(int((0.5 * least - _MARGIN + 1.0) / 16.0)), n):
        low -= 1
    while high < SEGMENTS and _any_only_zeros(sums, voxels, np.uint64(high), n):
        high += 1
    return low, high - 1


@njit(**_VECTOR)
def _range_of_means(mean: Array, n: int) -> tuple[float, float]:
    least, greatest = np.float32(256), np.float32(0)
    for x in range(n):
        least = mean[x] if mean[x] < least else least
        greatest = mean[x] if mean[x] > greatest else greatest
    return np.float64(least), np.float64(greatest)


@njit(**_OPTIONS)
def _any_gap(sums: Array, edge: int, top: int, n: int) -> bool:
    """Return whether any window has voxels below `edge` but none from there to the edge `top`.

    That v lies behind an edge excludes a bin u before it only if a bin between them is occupied.
    """
    gaps, yes, no = np.int32(0), np.int32(1), np.int32(0)
    for x in range(1, n + 1):
        gaps |= yes if (sums[x, edge] > 0) & (sums[x, edge] == sums[x, top]) else no
    return gaps != 0


@njit(**_OPTIONS)
def _any_only_zeros(sums: Array, voxels: Array, edge: int, n: int) -> bool:
    """Return whether any window with zeros has its next bin behind `edge`."""
    missing, yes, no, none = np.int32(0), np.int32(1), np.int32(0), np.uint64(0)
    for x in range(n):
        zeros, below = sums[x + 1, none], sums[x + 1, edge]
        missing |= yes if (zeros > 0) & (zeros == below) & (np.float32(zeros) < voxels[x]) else no
    return missing != 0
