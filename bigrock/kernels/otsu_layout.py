"""Sizes, working memory and compiler settings of the compiled local Otsu.

Imported only by the functions that run it, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "ABOVE",
    "BELOW",
    "EDGES",
    "ENTRY",
    "INNER",
    "LANES",
    "LOOSE",
    "SEGMENTS",
    "VECTOR",
    "Chunk",
    "Row",
    "Walks",
    "NOTHING",
    "make_edges",
    "make_row",
]

Array = npt.NDArray[Any]

SEGMENTS = 16
"""Segments of the grey range, of 16 bins each."""
LANES = 256
"""Neighbouring windows that are worked on together."""
EDGES = 2 * SEGMENTS
"""Sums kept for a column: the counts below the left edges, and the moments below the right ones."""
BELOW, ABOVE = np.int64(SEGMENTS), np.int64(SEGMENTS + 1)
"""Rows of `Chunk.bound` for all segments below and above those that are bounded one by one."""
NOTHING = 256
"""Stands for a voxel that is not there, where voxels are held as int16."""
LOOSE = np.float32(1.0 - 2.0**-18)
"""A bound that is this much below a score may reach it: both were rounded to float32."""

ENTRY: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
INNER: dict[str, Any] = {**ENTRY, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""For functions that only compiled functions call: half the time to compile."""
VECTOR: dict[str, Any] = {**INNER, "fastmath": {"contract", "nnan", "nsz"}}
"""No sum is reordered: products that are exact may be fused with the sum that follows."""


class Chunk(NamedTuple):
    """What is known of `LANES` neighbouring windows.

    `counts[s]` and `moments[s]` are q and m at the left edge of segment s, known where `known[s]`;
    `bound[s]` bounds the scores in it and `first` is the segment with the highest bound. `score`
    and `level` are of the best split so far, `below` the voxels up to it.
    """

    counts: Array
    moments: Array
    known: Array
    voxels: Array
    mean: Array
    bound: Array
    top: Array
    first: Array
    open: Array
    score: Array
    level: Array
    below: Array


class Walks(NamedTuple):
    """Walk j goes through segment `segment[j]` of window `window[j]` of the chunk.

    `words[turn]` holds the histogram of every segment in the window of the row where it was last
    wanted, `at[turn]`, so that the next window costs one column more and one less. Turn 0 is for
    first walks, turn 1 for further ones. `packed` holds the histograms of the walks, four counters
    (or two) in a word, and `without_zero` is the word that clears the first of them. Of a split,
    `below` is q, `excess` is t and `slope` what a voxel of the next bin adds to t.
    """

    words: Array
    at: Array
    window: Array
    segment: Array
    packed: Array
    without_zero: Any
    slope: Array
    excess: Array
    below: Array
    voxels: Array
    score: Array
    level: Array


class Row(NamedTuple):
    """Sums over the voxels at each x that lie in the windows of the present row, and scratch.

    ``bins[s, 16 c + b]`` counts the voxels of column c with value ``16 s + b``; `words` is its
    memory as uint64. ``edges[s, c]`` counts the voxels below the first bin of segment s, where
    segment 0 starts at bin 1; ``edges[16 + s, c]`` sums those below its end. `entering` and
    `leaving` hold the voxels that a row of the image adds and takes away. Window i covers the
    columns ``i + 1 ... i + width`` and holds ``depth * spans[i]`` voxels. `hints` holds the first
    and last segment of the thresholds that each chunk had in the row before.
    """

    bins: Array
    words: Array
    edges: Array
    entering: Array
    leaving: Array
    spans: Array
    hints: Array
    width: int
    chunk: Chunk
    walks: Walks


def make_row(start: int, stop: int, length: int, radius: int, bins: type, edges: type) -> Row:
    """Return an empty row of the windows centred on ``start ... stop - 1`` of an axis of `length`."""
    centres = np.arange(start, stop)
    columns = stop - start + 2 * radius + 1
    sums = make_edges(columns, edges)
    histograms: Array = np.zeros((SEGMENTS, columns * 16), bins)
    return Row(
        bins=histograms,
        words=histograms.view(np.uint64),
        edges=sums,
        entering=np.full(sums.shape[1], NOTHING, np.int16),
        leaving=np.full(sums.shape[1], NOTHING, np.int16),
        spans=np.minimum(length, centres + radius + 1) - np.maximum(0, centres - radius),
        hints=np.repeat([[0, SEGMENTS - 1]], -(-(stop - start) // LANES), axis=0),
        width=2 * radius + 1,
        chunk=_make_chunk(),
        walks=_make_walks(bins),
    )


def make_edges(columns: int, dtype: type, rows: tuple[int, ...] = ()) -> Array:
    """Return sums of 0 at the edges for at least so many columns, for one row or for several."""
    # An odd number of cache lines keeps rows from sharing few cache sets.
    return np.zeros((*rows, EDGES, (-(-columns // 32) | 1) * 32), dtype)


def _make_chunk() -> Chunk:
    return Chunk(
        counts=np.zeros((SEGMENTS + 1, LANES), np.int32),
        moments=np.zeros((SEGMENTS + 1, LANES), np.int32),
        known=np.zeros(SEGMENTS + 1, np.bool_),
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


def _make_walks(bins: type) -> Walks:
    # Rows of a power of two bytes would share few cache sets, hence 8 words more.
    n, sliding = 2 * LANES, np.zeros((2, SEGMENTS * 16), bins)  # type: Any, Array
    words: Array = sliding.view(np.uint64)
    return Walks(
        words=words,
        at=np.zeros((2, SEGMENTS), np.uint64),
        window=np.zeros(n, np.int32),
        segment=np.zeros(n, np.int32),
        packed=np.zeros((words.shape[1] // SEGMENTS, n + 8), np.uint64),
        without_zero=np.uint64(2**64 - 2 ** (8 * np.dtype(bins).itemsize)),
        slope=np.zeros(n),
        excess=np.zeros(n),
        below=np.zeros(n),
        voxels=np.zeros(n),
        score=np.zeros(n),
        level=np.zeros(n),
    )
