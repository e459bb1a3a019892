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

__all__ = ["LANES", "SEGMENTS", "Chunk", "bracket", "make_chunk", "take_edge"]

Array = npt.NDArray[Any]

SEGMENTS = 16
LANES = 128

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
_VECTOR: dict[str, Any] = {**_OPTIONS, "fastmath": {"contract", "nnan", "nsz"}}
_MARGIN = 1.0 / 64.0


class Chunk(NamedTuple):
    """What is known of `LANES` neighbouring windows; allocated once, reused for every chunk.

    `sums` holds window by window what `Columns.edges` holds column by column, in row 0 for the
    window before the chunk. `counts[s]` and `moments[s]` are q and m at the left edge of segment s.
    """

    sums: Array
    taken: Array
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
        taken=np.zeros(SEGMENTS + 1, np.bool_),
        counts=np.zeros((SEGMENTS + 1, LANES), np.int32),
        moments=np.zeros((SEGMENTS + 1, LANES), np.int32),
        voxels=np.zeros(LANES, np.float32),
        mean=np.zeros(LANES, np.float32),
        bound=np.zeros((SEGMENTS, LANES), np.float32),
        top=np.zeros(LANES, np.float32),
        first=np.zeros(LANES, np.int32),
        open=np.zeros(LANES, np.int32),
        score=np.zeros(LANES),
        level=np.zeros(LANES, np.int32),
        below=np.zeros(LANES),
    )


@njit(**_OPTIONS)
def take_edge(chunk: Chunk, edge: int, n: int) -> None:
    """Fill ``counts[edge]`` and ``moments[edge]`` from the running sums, unless that was done."""
    s, one, ahead = np.uint64(edge), np.uint64(1), np.uint64(SEGMENTS)
    sums, counts, moments = chunk.sums, chunk.counts, chunk.moments
    if chunk.taken[s]:
        return
    chunk.taken[s] = True
    if edge == 0:
        for x in range(n):
            counts[s, x] = sums[np.uint64(x) + one, s]
    elif edge == SEGMENTS:
        for x in range(n):
            counts[s, x] = np.int32(chunk.voxels[x])
            moments[s, x] = sums[np.uint64(x) + one, s + ahead - one]
    else:
        for x in range(n):
            counts[s, x] = sums[np.uint64(x) + one, s]
            moments[s, x] = sums[np.uint64(x) + one, s + ahead - one]


@njit(**_OPTIONS)
def bracket(chunk: Chunk, n: int) -> tuple[int, int]:
    """Return the first and the last segment that can hold the threshold of any window."""
    for edge in (0, SEGMENTS):
        take_edge(chunk, edge, n)
    least, greatest = _range_of_means(chunk.mean, n)
    low = int((0.5 * least - _MARGIN + 1.0) / 16.0)
    high = int((0.5 * (greatest + 255.0) + _MARGIN) / 16.0) + 1
    return _behind_gaps(chunk, low, n), _before_first(chunk, high, n) - 1


@njit(**_VECTOR)
def _range_of_means(mean: Array, n: int) -> tuple[float, float]:
    least, greatest = np.float32(256), np.float32(0)
    for x in range(n):
        least = mean[x] if mean[x] < least else least
        greatest = mean[x] if mean[x] > greatest else greatest
    return np.float64(least), np.float64(greatest)


@njit(**_OPTIONS)
def _behind_gaps(chunk: Chunk, low: int, n: int) -> int:
    """Return the first segment at or before `low` that no occupied bin u can precede.

    That v lies behind the edge excludes a bin u before it only if a bin between them is occupied.
    """
    counts, top, yes, no = chunk.counts, np.uint64(low), np.int32(1), np.int32(0)
    for edge in range(low, 0, -1):
        take_edge(chunk, edge, n)
        s, gaps = np.uint64(edge), np.int32(0)
        for x in range(n):
            gaps |= yes if (counts[s, x] > 0) & (counts[s, x] == counts[top, x]) else no
        if not gaps:
            return edge
    return 0


@njit(**_OPTIONS)
def _before_first(chunk: Chunk, high: int, n: int) -> int:
    """Return the first edge at or behind `high` that, in windows with zeros, has another bin before it."""
    counts, none, end, yes, no = chunk.counts, np.uint64(0), np.uint64(SEGMENTS), np.int32(1), np.int32(0)
    for edge in range(high, SEGMENTS):
        take_edge(chunk, edge, n)
        s, missing = np.uint64(edge), np.int32(0)
        for x in range(n):
            zeros = counts[none, x]
            missing |= yes if (zeros > 0) & (zeros == counts[s, x]) & (zeros < counts[end, x]) else no
        if not missing:
            return edge
    return SEGMENTS
