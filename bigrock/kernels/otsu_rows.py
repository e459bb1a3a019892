"""Compiled core of local Otsu: the thresholds of one row of windows, from the columns they cover.

A window slides along x. It is the sum of ``2 r + 1`` columns, and a column, the voxels of a window
at one x, is kept as a histogram of 256 bins in 16 segments, with the count and the first moment of
the voxels below each segment edge (`otsu_layout`). For a chunk of neighbouring windows:

1. Counts and moments at the edges are running sums along x, like those of a box filter, taken
   where they are asked for (`otsu_edges`).
2. Segments that cannot hold a maximum are left out (`otsu_bracket`).
3. The scores in the rest are bounded (`otsu_bounds`): one by one around the thresholds of the row
   above, and as one span below them and one above.
4. The segment with the highest bound is walked bin by bin (`otsu_walks`), with the two roundings
   of skimage; so is every other segment whose bound is not below the score that was found.

Every step is a loop over the windows of the chunk, which the compiler turns into vector
instructions. Imported only by the functions that run it, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_bounds import bound_segments, bound_span, note_range, reaches
from bigrock.kernels.otsu_bracket import any_zeros, bracket
from bigrock.kernels.otsu_edges import forget_edges, take_edge
from bigrock.kernels.otsu_layout import ABOVE, BELOW, INNER, LANES, Row
from bigrock.kernels.otsu_walks import judge, walk_first, walk_open

__all__ = ["add_bins", "threshold_row"]

Array = npt.NDArray[Any]

_NEVER = np.uint64(2**62)


@njit(**INNER)
def add_bins(bins: Array, voxels: Array, first: int, step: int) -> None:
    """Count the voxels in the columns from `first` on, `step` times each."""
    four, fifteen = np.uint64(4), np.uint64(15)
    for x in range(voxels.shape[0]):
        v, column = np.uint64(voxels[x]), np.uint64(first) + np.uint64(x)
        bins[v >> four, (column << four) + (v & fifteen)] += step


@njit(**INNER)
def threshold_row(
    row: Row, depth: int, out: Array, flat: Array, least_contrast: float, least_fraction: float
) -> None:
    """Write the thresholds of a row of windows to `out`; where `flat` is not empty, what is flat to it."""
    guard = flat.size > 0
    row.walks.at[:, :] = _NEVER
    for start in range(0, out.shape[0], LANES):
        n = min(LANES, out.shape[0] - start)
        _threshold_chunk(row, depth, start, n, guard)
        level = row.chunk.level
        for x in range(n):
            out[start + x] = np.uint8(level[x])
        if guard:
            judge(row.chunk, n, least_contrast, least_fraction, flat[start : start + n])


@njit(**INNER)
def _threshold_chunk(row: Row, depth: int, start: int, n: int, guard: bool) -> None:
    """Find score and level of the windows from `start` on."""
    chunk, walks, words, width, place = row.chunk, row.walks, row.words, row.width, start // LANES
    voxels, bound, score = chunk.voxels, chunk.bound, chunk.score
    known, counts, moments, edges = chunk.known, chunk.counts, chunk.moments, row.edges
    forget_edges(chunk, edges, row.spans, start, width, n, depth)
    take_edge(known, counts, moments, edges, 0, start, width, n)
    zeros = any_zeros(counts, n)
    low, high = bracket(chunk, edges, start, width, n, zeros)
    a = max(low, min(high, row.hints[place, 0] - 1))
    b = min(high, max(low, row.hints[place, 1] + 1))
    for edge in range(a, b + 2):
        take_edge(known, counts, moments, edges, edge, start, width, n)
    take_edge(known, counts, moments, edges, low, start, width, n)
    take_edge(known, counts, moments, edges, high + 1, start, width, n)
    bound_span(chunk, low, a, BELOW, zeros, n)
    bound_span(chunk, b + 1, high + 1, ABOVE, zeros, n)
    bound_segments(chunk, a, b, zeros, n)
    walk_first(words, chunk, walks, start, width, n, guard)
    while low < a and reaches(bound, BELOW, score, voxels, n):
        a -= 1
        take_edge(known, counts, moments, edges, a, start, width, n)
        bound_span(chunk, a, a + 1, a, zeros, n)
        bound_span(chunk, low, a, BELOW, zeros, n)
    while b < high and reaches(bound, ABOVE, score, voxels, n):
        b += 1
        take_edge(known, counts, moments, edges, b + 1, start, width, n)
        bound_span(chunk, b, b + 1, b, zeros, n)
        bound_span(chunk, b + 1, high + 1, ABOVE, zeros, n)
    walk_open(words, chunk, walks, start, width, a, b, n, guard)
    note_range(chunk.level, score, row.hints, place, n)
