"""Compiled core of local Otsu: the thresholds of one row of windows, from the columns they cover.

A window slides along x. It is the sum of ``2 r + 1`` columns, and a column, the voxels of a window
at one x, is kept as a histogram of 256 bins in 16 segments, with the count and the first moment of
the voxels below each segment edge. For a chunk of neighbouring windows:

1. Counts q and moments m at the edges are running sums along x, like those of a box filter.
2. Segments that cannot hold a maximum are left out (`otsu_bracket`).
3. Splits inside a segment have (q, m) on a path of slopes between the lowest and the highest bin,
   so it lies in the triangle of both edge points and of the corner where these slopes meet. The
   score ``u**2 / (q (N - q))`` with ``u = m - q * mean`` is convex there: no split inside scores
   more than the corners do. The bound is computed in floats and loosened by more than they round.
4. The segment with the highest bound is walked bin by bin (`otsu_walks`), with the two roundings
   of skimage; so is every other segment whose bound is not below the score that was found.

Every step is a loop over the windows of the chunk, which the compiler turns into vector
instructions. Imported only by the functions that run it, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_bracket import LANES, SEGMENTS, Chunk, bracket, make_chunk
from bigrock.kernels.otsu_walks import Walks, judge, make_walks, note_range, reaches, walk_first, walk_open

__all__ = ["EDGES", "Row", "add_bins", "make_row", "threshold_row"]

Array = npt.NDArray[Any]

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
_VECTOR: dict[str, Any] = {**_OPTIONS, "fastmath": {"contract", "nnan", "nsz"}}
_TAKEN_AT_ONCE = 32

EDGES = 2 * SEGMENTS
"""Sums kept for a column: the counts below the left edges, and the moments below the right ones."""


class Row(NamedTuple):
    """Sums over the voxels at each x that lie in the windows of the present row, and scratch.

    ``bins[s, 16 c + b]`` counts the voxels of column c with value ``16 s + b``; `words` is its
    memory as uint64. ``edges[c, s]`` counts the voxels below the first bin of segment s, where
    segment 0 starts at bin 1; ``edges[c, 16 + s]`` sums those below its end. Window i covers the
    columns ``i + 1 ... i + width`` and holds ``depth * spans[i]`` voxels.
    """

    bins: Array
    words: Array
    edges: Array
    spans: Array
    width: int
    hints: Array
    chunk: Chunk
    walks: Walks


def make_row(start: int, stop: int, length: int, radius: int, bins: type, edges: type) -> Row:
    """Return an empty row of the windows centred on ``start ... stop - 1`` of an axis of `length`."""
    centres = np.arange(start, stop)
    columns = stop - start + 2 * radius + 1
    histograms = np.zeros((SEGMENTS, columns * 16), bins)
    return Row(
        bins=histograms,
        words=histograms.view(np.uint64),
        edges=np.zeros((columns, EDGES), edges),
        spans=np.minimum(length, centres + radius + 1) - np.maximum(0, centres - radius),
        width=2 * radius + 1,
        hints=np.repeat([[0, SEGMENTS - 1]], -(-(stop - start) // LANES), axis=0),
        chunk=make_chunk(),
        walks=make_walks(bins),
    )


@njit(**_OPTIONS)
def add_bins(bins: Array, voxels: Array, first: int, step: int) -> None:
    """Count the voxels in the columns from `first` on, `step` times each."""
    for x in range(voxels.shape[0]):
        v = np.uint64(voxels[x])
        bins[v >> np.uint64(4), (np.uint64(first) + np.uint64(x) << np.uint64(4)) + (v & np.uint64(15))] += (
            step
        )


@njit(**_OPTIONS)
def threshold_row(
    row: Row, depth: int, out: Array, flat: Array, least_contrast: float, least_fraction: float
) -> None:
    """Write the thresholds of a row of windows to `out`; where `flat` is not empty, what is flat to it."""
    chunk, walks, width = row.chunk, row.walks, row.width
    edges, spans, words, hints = row.edges, row.spans, row.words, row.hints
    sums, counts, moments = chunk.sums, chunk.counts, chunk.moments
    voxels, mean, bound, top, first = chunk.voxels, chunk.mean, chunk.bound, chunk.top, chunk.first
    sums[LANES] = 0
    for c in range(width):
        for e in range(EDGES):
            sums[LANES, e] += edges[c, e]
    walks.at[:, :] = np.uint64(2**62)
    for start in range(0, out.shape[0], LANES):
        n = min(LANES, out.shape[0] - start)
        sums[0] = sums[LANES]
        _slide_edges(edges[start + width :].reshape(-1), edges[start:].reshape(-1), sums.reshape(-1), n)
        for x in range(n):
            voxels[x] = np.float32(depth * spans[start + x])
            mean[x] = np.float32(sums[x + 1, EDGES - 1]) / voxels[x]
        low, high = bracket(sums, voxels, mean, n)
        a = max(low, min(high, hints[start // LANES, 0] - 1))
        b = min(high, max(low, hints[start // LANES, 1] + 1))
        zeros = _any_zeros(sums, n)
        _take_edges(sums, voxels, counts, moments, low, a, b, high, n)
        if a > low:
            _bound(counts, moments, voxels, mean, bound, top, first, low, a, SEGMENTS, zeros, n)
        if b < high:
            _bound(counts, moments, voxels, mean, bound, top, first, b + 1, high + 1, SEGMENTS + 1, zeros, n)
        top[:] = np.float32(0)
        first[:] = np.int32(a)
        for s in range(a, b + 1):
            _bound(counts, moments, voxels, mean, bound, top, first, s, s + 1, s, zeros, n)
        walk_first(words, chunk, walks, start, width, n, flat.size > 0)
        if (a > low and reaches(bound, SEGMENTS, chunk.score, voxels, n)) or (
            b < high and reaches(bound, SEGMENTS + 1, chunk.score, voxels, n)
        ):
            _take_edges(sums, voxels, counts, moments, low, low, high, high, n)
            for s in range(low, high + 1):
                if s < a or s > b:
                    _bound(counts, moments, voxels, mean, bound, top, chunk.open, s, s + 1, s, zeros, n)
            a, b = low, high
        walk_open(words, chunk, walks, start, width, a, b, n, flat.size > 0)
        note_range(chunk.level, chunk.score, hints, start // LANES, n)
        for x in range(n):
            out[start + x] = np.uint8(chunk.level[x])
        if flat.size > 0:
            judge(chunk, n, least_contrast, least_fraction, flat[start : start + n])


@njit(**_OPTIONS)
def _any_zeros(sums: Array, n: int) -> bool:
    zeros = np.int32(0)
    for x in range(1, n + 1):
        zeros |= sums[x, np.uint64(0)]
    return zeros != 0


@njit(**_OPTIONS)
def _take_edges(
    sums: Array,
    voxels: Array,
    counts: Array,
    moments: Array,
    low: int,
    a: int,
    b: int,
    high: int,
    n: int,
) -> None:
    """Spread the running sums at edges into one row per edge: `low`, a to b + 1, `high` + 1, and the last."""
    for x in range(n):
        counts[np.uint64(SEGMENTS), x] = np.int32(voxels[x])
        moments[np.uint64(SEGMENTS), x] = sums[x + 1, np.uint64(EDGES - 1)]
    for begin in range(0, n, _TAKEN_AT_ONCE):
        end = min(n, begin + _TAKEN_AT_ONCE)
        _take_edge(sums, counts, moments, low, begin, end)
        for edge in range(max(a, low + 1), min(b + 1, high) + 1):
            _take_edge(sums, counts, moments, edge, begin, end)
        _take_edge(sums, counts, moments, high + 1, begin, end)


@njit(**_OPTIONS)
def _take_edge(sums: Array, counts: Array, moments: Array, edge: int, begin: int, end: int) -> None:
    s, t, one = np.uint64(edge), np.uint64(edge + SEGMENTS - 1), np.uint64(1)
    if edge < SEGMENTS:
        for x in range(np.uint64(begin), np.uint64(end)):
            counts[s, x] = sums[x + one, s]
    if edge > 0:
        for x in range(np.uint64(begin), np.uint64(end)):
            moments[s, x] = sums[x + one, t]


@njit(**_OPTIONS)
def _slide_edges(entering: Array, leaving: Array, sums: Array, n: int) -> None:
    # Each sum follows from the one a row before it, so that a whole row is added at once.
    next_row = np.uint64(EDGES)
    for i in range(np.uint64(n) * next_row):
        sums[i + next_row] = sums[i] + (np.int32(entering[i]) - np.int32(leaving[i]))


@njit(**_VECTOR)
def _bound(
    counts: Array,
    moments: Array,
    voxels: Array,
    mean: Array,
    bound: Array,
    top: Array,
    first: Array,
    left: int,
    right: int,
    row: int,
    zeros: bool,
    n: int,
) -> None:
    """Bound the scores, divided by N**2, of the splits between two edges; keep the highest bound in `top`.

    The left edge point is left out: it is a split of the segment before, unless only zeros precede
    it, for the split behind bin 0 is tried nowhere. ``last * count - moment`` is a whole number, so
    the step to the corner is right to 2**-23. All that is rounded in u, up to 255 grey levels,
    stays below `slack`, and in q below N / 2**20. The corner is at least 1/255 of a voxel away from
    0 and N, hence the least denominator.
    """
    s, t, into, me = np.uint64(left), np.uint64(right), np.uint64(row), np.int32(row)
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
        start = np.float32(m0) - mu * a
        u = abs(start + (lo - mu) * step) + slack
        v = abs(np.float32(m1) - mu * b) + slack
        u, v = u * u, v * v
        d, e = q * (size * near - q), b * (size - b)
        d = d if d > floor else floor
        e = e if e > floor else floor
        corner = u * e > v * d
        g = (u if corner else v) / (d if corner else e)
        g = g if b > a else zero
        bound[into, x] = g
        first[x] = me if g > top[x] else first[x]
        top[x] = g if g > top[x] else top[x]
    if zeros:
        for x in range(n):
            size, q = voxels[x], np.float32(counts[s, x])
            edge = mean[x] * mean[x] * q / (size - q + np.float32(2.0**-12)) * np.float32(1.0 + 2.0**-11)
            alone = (moments[s, x] == 0) & (counts[s, x] > 0) & (counts[t, x] > counts[s, x])
            g = edge if alone & (edge > bound[into, x]) else bound[into, x]
            bound[into, x] = g
            first[x] = me if g > top[x] else first[x]
            top[x] = g if g > top[x] else top[x]
