"""Compiled: walks through the 16 bins of a segment, for many windows at once.

The score of a split is computed exactly as skimage does: ``t = (N - q) * m - q * (M - m)`` and
``q * (N - q)`` are whole numbers below 2**53, so the product t * t and the quotient are the only
roundings, and equal windows give equal bits. Bins without voxels are passed over, and of equal
scores the lowest bin wins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_bounds import mark_open
from bigrock.kernels.otsu_layout import INNER, LANES, SEGMENTS, VECTOR, Chunk, Walks

__all__ = ["judge", "walk_first", "walk_open"]

Array = npt.NDArray[Any]


@njit(**INNER)
def walk_first(words: Array, chunk: Chunk, walks: Walks, start: int, width: int, n: int, guard: bool) -> None:
    """Walk the segment `first` of every window of the chunk; sets its score and level."""
    window, segment, first = walks.window, walks.segment, chunk.first
    for x in range(n):
        window[x] = x
        segment[x] = first[x]
    _gather(words, walks, np.uint64(0), start, width, np.int64(0), n)
    _set_out(chunk, walks, n)
    _walk(walks.packed, walks.slope, walks.excess, walks.below, walks.voxels, walks.score, walks.level, n)
    _accept(walks.score, walks.level, segment, chunk.score, chunk.level, n)
    if guard:
        for x in range(n):
            _count_below(chunk, walks, x)


@njit(**INNER)
def _accept(found: Array, steps: Array, segment: Array, score: Array, level: Array, n: int) -> None:
    for x in range(n):
        score[x] = found[x]
        level[x] = np.int32(steps[x]) + np.int32(16) * segment[x] if found[x] > 0.0 else np.int32(0)


@njit(**INNER)
def walk_open(
    words: Array,
    chunk: Chunk,
    walks: Walks,
    start: int,
    width: int,
    low: int,
    high: int,
    n: int,
    guard: bool,
) -> None:
    """Walk every other segment from `low` to `high` whose bound reaches the score that was found."""
    if low >= high or not mark_open(chunk, low, high, n):
        return
    count, marks, windows, segments = np.uint64(0), chunk.open, walks.window, walks.segment
    for s in range(low, high + 1):
        bit = np.int32(s)
        for x in range(n):
            windows[count], segments[count] = x, s
            count += np.uint64((marks[x] >> bit) & np.int32(1))
        if count >= LANES:
            _finish(words, chunk, walks, start, width, np.int64(count), guard)
            count = np.uint64(0)
    if count:
        _finish(words, chunk, walks, start, width, np.int64(count), guard)


@njit(**INNER)
def _finish(words: Array, chunk: Chunk, walks: Walks, start: int, width: int, n: int, guard: bool) -> None:
    _gather(words, walks, np.uint64(1), start, width, np.int64(0), n)
    _set_out(chunk, walks, n)
    _walk(walks.packed, walks.slope, walks.excess, walks.below, walks.voxels, walks.score, walks.level, n)
    _keep(chunk, walks, n, guard)


@njit(**INNER)
def _keep(chunk: Chunk, walks: Walks, n: int, guard: bool) -> None:
    """Keep what is better than the scores so far: of equal ones the lower level."""
    for j in range(n):
        x, score = walks.window[j], walks.score[j]
        level = np.int32(walks.level[j]) + 16 * walks.segment[j]
        if score > chunk.score[x] or (score == chunk.score[x] and score > 0.0 and level < chunk.level[x]):
            chunk.score[x] = score
            chunk.level[x] = level
            if guard:
                _count_below(chunk, walks, j)


@njit(**INNER)
def _count_below(chunk: Chunk, walks: Walks, j: int) -> None:
    """Keep how many voxels are up to the best split of walk j."""
    x = walks.window[j]
    chunk.below[x] = chunk.counts[walks.segment[j], x]
    chunk.below[x] += _count_up_to(walks.packed, np.int64(walks.level[j]), j)


@njit(**INNER)
def _count_up_to(packed: Array, bin_: int, j: int) -> Any:
    """Return how many voxels the histogram of walk j has up to a bin."""
    per = 16 // packed.shape[0]
    bits = 64 // per
    total = np.int64(0)
    for b in range(bin_ + 1):
        word = packed[b // per, j] >> np.uint64(b % per * bits)
        total += np.int64(word & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))
    return total


@njit(**INNER)
def judge(chunk: Chunk, n: int, least_contrast: float, least_fraction: float, flat: Array) -> None:
    """Say which windows have no split, too little contrast of class means, or too small a class."""
    for x in range(n):
        size, q = np.float64(chunk.voxels[x]), chunk.below[x]
        flat[x] = True
        if chunk.score[x] > 0.0:
            contrast = np.sqrt(chunk.score[x] / (q * (size - q)))
            flat[x] = contrast < least_contrast or min(q, size - q) < least_fraction * size


@njit(**INNER)
def _gather(words: Array, walks: Walks, turn: int, start: int, width: int, begin: int, end: int) -> None:
    """Fill the histograms of the walks `begin` to `end`, of rising windows per segment.

    The histogram of a segment slides on from the last window that wanted it, or is summed anew
    where that is less. Counters are added four, or two, at a time, as the parts of 64-bit words.
    Unsigned indices spare the test for negative ones.
    """
    sums, at, flat = walks.words[turn], walks.at[turn], words.reshape(-1)
    packed = walks.packed
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    stride, full = np.uint64(sums.shape[0] // SEGMENTS), np.uint64(width)
    ahead = full * stride
    for j in range(np.uint64(begin), np.uint64(end)):
        s = np.uint64(walks.segment[j])
        i = np.uint64(start) + np.uint64(walks.window[j])
        passed, at[s] = i - at[s], i
        for part in range(np.uint64(0), stride, np.uint64(4)):
            k = s * stride + part
            last = s * np.uint64(words.shape[1]) + (i + one) * stride + part
            a, b, c, d = sums[k], sums[k + one], sums[k + two], sums[k + three]
            if passed == one:
                first = last - stride
                a += flat[first + ahead] - flat[first]
                b += flat[first + ahead + one] - flat[first + one]
                c += flat[first + ahead + two] - flat[first + two]
                d += flat[first + ahead + three] - flat[first + three]
            elif passed + passed > full:
                a = b = c = d = np.uint64(0)
                for p in range(last, last + ahead, stride):
                    a += flat[p]
                    b += flat[p + one]
                    c += flat[p + two]
                    d += flat[p + three]
            else:
                for p in range(last - passed * stride, last, stride):
                    a += flat[p + ahead] - flat[p]
                    b += flat[p + ahead + one] - flat[p + one]
                    c += flat[p + ahead + two] - flat[p + two]
                    d += flat[p + ahead + three] - flat[p + three]
            sums[k], sums[k + one], sums[k + two], sums[k + three] = a, b, c, d
            packed[part, j], packed[part + one, j] = a, b
            packed[part + two, j], packed[part + three, j] = c, d


@njit(**INNER)
def _set_out(chunk: Chunk, walks: Walks, n: int) -> None:
    """Set q, t and what a voxel adds to t to those at the left edge of the segments.

    Bin 0 counts as below segment 0, so that no split is tried behind it.
    """
    for j in range(n):
        x, s = walks.window[j], walks.segment[j]
        size, total = np.float64(chunk.voxels[x]), np.float64(chunk.moments[SEGMENTS, x])
        q = np.float64(chunk.counts[s, x])
        if s == 0:
            walks.packed[0, j] &= walks.without_zero
        walks.below[j] = q
        walks.excess[j] = size * np.float64(chunk.moments[s, x]) - total * q
        walks.slope[j] = size * (16.0 * s) - total
        walks.voxels[j] = size


@njit(**VECTOR)
def _walk(
    packed: Array,
    slope: Array,
    excess: Array,
    below: Array,
    voxels: Array,
    score: Array,
    level: Array,
    n: int,
) -> None:
    """Find the best split of every walk: its score, and its bin in the segment."""
    for j in range(n):
        score[j], level[j] = 0.0, 0.0
    # Four bins at a time: one would spend its time on memory, sixteen are not made vectors of.
    four = packed.shape[0] == 4
    half, whole = np.uint64(0xFFFF), np.uint64(0xFFFFFFFF)
    for first in range(0, 16, 4):
        here = np.float64(first)
        if four:
            counters = packed[np.uint64(first // 4)]
            for j in range(n):
                word = counters[j]
                w, t, q, size, best, where = slope[j], excess[j], below[j], voxels[j], score[j], level[j]
                a, b = np.int32(word & half), np.int32((word >> np.uint64(16)) & half)
                c, d = np.int32((word >> np.uint64(32)) & half), np.int32(word >> np.uint64(48))
                w, t, q, best, where = _step(a, w, t, q, size, best, where, here)
                w, t, q, best, where = _step(b, w, t, q, size, best, where, here + 1.0)
                w, t, q, best, where = _step(c, w, t, q, size, best, where, here + 2.0)
                w, t, q, best, where = _step(d, w, t, q, size, best, where, here + 3.0)
                slope[j], excess[j], below[j], score[j], level[j] = w, t, q, best, where
        else:
            counters, more = packed[np.uint64(first // 2)], packed[np.uint64(first // 2 + 1)]
            for j in range(n):
                word, further = counters[j], more[j]
                w, t, q, size, best, where = slope[j], excess[j], below[j], voxels[j], score[j], level[j]
                a, b = np.int32(word & whole), np.int32(word >> np.uint64(32))
                c, d = np.int32(further & whole), np.int32(further >> np.uint64(32))
                w, t, q, best, where = _step(a, w, t, q, size, best, where, here)
                w, t, q, best, where = _step(b, w, t, q, size, best, where, here + 1.0)
                w, t, q, best, where = _step(c, w, t, q, size, best, where, here + 2.0)
                w, t, q, best, where = _step(d, w, t, q, size, best, where, here + 3.0)
                slope[j], excess[j], below[j], score[j], level[j] = w, t, q, best, where


@njit(**VECTOR)
def _step(
    voxels: int, w: float, t: float, q: float, size: float, best: float, where: float, here: float
) -> tuple[float, float, float, float, float]:
    p: float = np.float64(voxels)
    t, q, w = t + p * w, q + p, w + size
    d = q * (size - q)
    f = t * t / (d if d > 1.0 else 1.0)
    f = f if p > 0.0 else 0.0
    where = here if f > best else where
    return w, t, q, (f if f > best else best), where
