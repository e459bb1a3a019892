"""Compiled: upper bounds of the scores in the segments of the grey range, for many windows at once.

Splits inside a segment have (q, m), the count and the sum of the voxels up to them, on a path of
slopes between the lowest and the highest bin. So the path lies in the triangle of both edge points
and of the corner where these two slopes meet. The score ``u**2 / (q (N - q))``, with
``u = m - q * mean``, is convex there: no split inside scores more than one of the three does.

Bounds are computed in float32, divided by N**2, and loosened by more than float32 rounds. What is
rounded in u, a sum of up to 255 N grey levels, stays below N / 2**12. The step from the left edge
to the corner is a whole number divided by the width of the span, so it is right to 2**-23, and the
corner is at least 1 / width of a voxel away from 0 and N. That replaces denominators near 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_layout import INNER, LOOSE, SEGMENTS, VECTOR, Chunk

__all__ = ["bound_segments", "bound_span", "mark_open", "note_range", "reaches"]

Array = npt.NDArray[Any]


@njit(**INNER)
def bound_segments(chunk: Chunk, low: int, high: int, zeros: bool, n: int) -> None:
    """Bound the scores in the segments from `low` to `high`; `first` gets that of the highest bound."""
    counts, moments, voxels, mean = chunk.counts, chunk.moments, chunk.voxels, chunk.mean
    bound, top, first = chunk.bound, chunk.top, chunk.first
    top[:] = np.float32(0)
    first[:] = np.int32(low)
    for s in range(low, high + 1):
        _bound(counts, moments, voxels, mean, bound, s, s + 1, s, n)
        if zeros:
            _bound_behind_zeros(counts, moments, voxels, mean, bound, s, s + 1, s, n)
        _keep_highest(bound, top, first, s, n)


@njit(**INNER)
def bound_span(chunk: Chunk, left: int, right: int, row: int, zeros: bool, n: int) -> None:
    """Bound the scores between two edges, however far apart, in a row of `bound`."""
    counts, moments, voxels, mean, bound = chunk.counts, chunk.moments, chunk.voxels, chunk.mean, chunk.bound
    if left < right:
        _bound(counts, moments, voxels, mean, bound, left, right, row, n)
        if zeros:
            _bound_behind_zeros(counts, moments, voxels, mean, bound, left, right, row, n)


@njit(**VECTOR)
def _bound(
    counts: Array,
    moments: Array,
    voxels: Array,
    mean: Array,
    bound: Array,
    left: int,
    right: int,
    row: int,
    n: int,
) -> None:
    # The left edge point is a split of the segment before, and not taken into account.
    s, t, into = np.uint64(left), np.uint64(right), np.uint64(row)
    lo, hi = np.float32(max(16 * left, 1)), np.int32(16 * right - 1)
    inverse, zero, loose = np.float32(1) / (np.float32(hi) - lo), np.float32(0), np.float32(2.0**-12)
    near, least = np.float32(1.0 - 2.0**-20), inverse * np.float32(0.9)
    for x in range(n):
        size, mu = voxels[x], mean[x]
        q0, q1, m0, m1 = counts[s, x], counts[t, x], moments[s, x], moments[t, x]
        a, b = np.float32(q0), np.float32(q1)
        slack, floor = size * loose, size * least
        step = np.float32(np.int32(hi * (q1 - q0) - (m1 - m0))) * inverse
        q = a + step
        u = abs(np.float32(m0) - mu * a + (lo - mu) * step) + slack
        v = abs(np.float32(m1) - mu * b) + slack
        u, v = u * u, v * v
        d, e = q * (size * near - q), b * (size - b)
        d = d if d > floor else floor
        e = e if e > floor else floor
        corner = u * e > v * d
        g = (u if corner else v) / (d if corner else e)
        bound[into, x] = g if b > a else zero


@njit(**VECTOR)
def _bound_behind_zeros(
    counts: Array,
    moments: Array,
    voxels: Array,
    mean: Array,
    bound: Array,
    left: int,
    right: int,
    row: int,
    n: int,
) -> None:
    # Where only zeros lie before the left edge, it is the split behind bin 0, which no segment tries.
    s, t, into = np.uint64(left), np.uint64(right), np.uint64(row)
    tiny, loose = np.float32(2.0**-12), np.float32(1.0 + 2.0**-11)
    for x in range(n):
        size, mu, q, g = voxels[x], mean[x], np.float32(counts[s, x]), bound[into, x]
        edge = mu * mu * q / (size - q + tiny) * loose
        alone = (moments[s, x] == 0) & (counts[s, x] > 0) & (counts[t, x] > counts[s, x])
        bound[into, x] = edge if alone & (edge > g) else g


@njit(**VECTOR)
def _keep_highest(bound: Array, top: Array, first: Array, segment: int, n: int) -> None:
    s, me = np.uint64(segment), np.int32(segment)
    for x in range(n):
        g, best = bound[s, x], top[x]
        first[x] = me if g > best else first[x]
        top[x] = g if g > best else best


@njit(**VECTOR)
def reaches(bound: Array, row: int, score: Array, voxels: Array, n: int) -> bool:
    """Return whether the bound of a span is not below the score so far in any window."""
    into, some, yes, no = np.uint64(row), np.int32(0), np.int32(1), np.int32(0)
    for x in range(n):
        size, g = np.float64(voxels[x]), bound[into, x]
        at_least = np.float64(g) * (size * size) >= score[x] * np.float64(LOOSE)
        some |= yes if at_least & (g > np.float32(0)) else no
    return some != 0


@njit(**VECTOR)
def mark_open(chunk: Chunk, low: int, high: int, n: int) -> bool:
    """Set bit s of `open` for every segment that must be walked too; return whether there is any."""
    bound, voxels, score = chunk.bound, chunk.voxels, chunk.score
    first, marks, least = chunk.first, chunk.open, chunk.top
    none, some = np.int32(0), np.int32(0)
    for x in range(n):
        size = np.float64(voxels[x])
        least[x] = np.float32(score[x] / (size * size)) * LOOSE
        marks[x] = none
    for segment in range(low, high + 1):
        s, me, bit = np.uint64(segment), np.int32(segment), np.int32(1 << segment)
        for x in range(n):
            at_least = (bound[s, x] >= least[x]) & (bound[s, x] > np.float32(0)) & (first[x] != me)
            marks[x] |= bit if at_least else none
    for x in range(n):
        some |= marks[x]
    return some != 0


@njit(**INNER)
def note_range(level: Array, score: Array, ranges: Array, row: int, n: int) -> None:
    """Keep the first and the last segment of the thresholds that were found."""
    least, greatest = np.int32(SEGMENTS - 1), np.int32(0)
    for x in range(n):
        s = level[x] >> np.int32(4)
        least = s if (s < least) & (score[x] > 0.0) else least
        greatest = s if (s > greatest) & (score[x] > 0.0) else greatest
    if least <= greatest:
        ranges[row, 0], ranges[row, 1] = least, greatest
