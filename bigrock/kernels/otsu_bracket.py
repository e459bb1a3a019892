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

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_edges import take_edge
from bigrock.kernels.otsu_layout import INNER, SEGMENTS, VECTOR, Chunk

__all__ = ["any_zeros", "bracket"]

Array = npt.NDArray[Any]

_MARGIN = 1.0 / 64.0


@njit(**INNER)
def bracket(chunk: Chunk, edges: Array, start: int, width: int, n: int, zeros: bool) -> tuple[int, int]:
    """Return the first and the last segment that can hold the threshold of any window."""
    known, counts, moments, voxels = chunk.known, chunk.counts, chunk.moments, chunk.voxels
    least, greatest = _range_of_means(chunk.mean, n)
    edge = int((0.5 * least - _MARGIN + 1.0) / 16.0)
    low = edge
    take_edge(known, counts, moments, edges, low, start, width, n)
    while low > 0 and _any_gap(counts, low, edge, n):
        low -= 1
        take_edge(known, counts, moments, edges, low, start, width, n)
    high = int((0.5 * (greatest + 255.0) + _MARGIN) / 16.0) + 1
    while zeros and high < SEGMENTS:
        take_edge(known, counts, moments, edges, high, start, width, n)
        if not _any_only_zeros(counts, voxels, high, n):
            break
        high += 1
    return low, high - 1


@njit(**VECTOR)
def _range_of_means(mean: Array, n: int) -> tuple[float, float]:
    least, greatest = np.float32(256), np.float32(0)
    for x in range(n):
        least = mean[x] if mean[x] < least else least
        greatest = mean[x] if mean[x] > greatest else greatest
    return np.float64(least), np.float64(greatest)


@njit(**INNER)
def _any_gap(counts: Array, low: int, top: int, n: int) -> bool:
    """Return whether any window has voxels below the edge `low` but none from there to the edge `top`.

    That v lies behind an edge excludes a bin u before it only if a bin between them is occupied.
    """
    gaps, yes, no = np.int32(0), np.int32(1), np.int32(0)
    edge, end = np.uint64(low), np.uint64(top)
    for x in range(n):
        gaps |= yes if (counts[edge, x] > 0) & (counts[edge, x] == counts[end, x]) else no
    return gaps != 0


@njit(**INNER)
def _any_only_zeros(counts: Array, voxels: Array, high: int, n: int) -> bool:
    """Return whether any window with zeros has its next bin behind the edge `high`."""
    edge = np.uint64(high)
    missing, yes, no, none = np.int32(0), np.int32(1), np.int32(0), np.uint64(0)
    for x in range(n):
        zeros, below = counts[none, x], counts[edge, x]
        missing |= yes if (zeros > 0) & (zeros == below) & (np.float32(zeros) < voxels[x]) else no
    return missing != 0


@njit(**INNER)
def any_zeros(counts: Array, n: int) -> bool:
    """Return whether any window holds a voxel of value 0."""
    zeros, none = np.int32(0), np.uint64(0)
    for x in range(n):
        zeros |= counts[none, x]
    return zeros != 0
