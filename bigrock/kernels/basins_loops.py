"""Compiled loops that cut a distance map into basins: uphill steps, what they lead to, who touches whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["arrivals", "find_contacts", "follow", "merge_basins", "sum_basins", "uphill"]

Array = npt.NDArray[Any]

_STAY = 13


@njit(nogil=True, cache=True)
def uphill(heights: Array, first: Array, steps: Array) -> None:
    """Set `steps` to the highest of the 27 voxels around each one; `steps` begins at `first` of `heights`.

    The code is ``(dz + 1) * 9 + (dy + 1) * 3 + dx + 1``; of equal voxels the last in raster order
    wins. Meaningless where the height is 0.
    """
    depth, height, width = heights.shape
    length = steps.shape[2]
    best = np.empty(length, heights.dtype)
    codes = np.empty(length, np.uint8)
    for i in range(steps.shape[0]):
        for j in range(steps.shape[1]):
            best[:] = 0
            codes[:] = _STAY
            for dz in range(-1, 2):
                for dy in range(-1, 2):
                    z, y = i + first[0] + dz, j + first[1] + dy
                    if z < 0 or y < 0 or z >= depth or y >= height:
                        continue
                    for dx in range(-1, 2):
                        code = np.uint8((dz + 1) * 9 + (dy + 1) * 3 + dx + 1)
                        low, high = max(0, -first[2] - dx), min(length, width - first[2] - dx)
                        row = heights[z, y, low + first[2] + dx : high + first[2] + dx]
                        for k in range(high - low):
                            higher = row[k] >= best[low + k]
                            best[low + k] = row[k] if higher else best[low + k]
                            codes[low + k] = code if higher else codes[low + k]
            steps[i, j] = codes


@njit(nogil=True, cache=True)
def _next(z: int, y: int, x: int, step: int) -> tuple[int, int, int]:
    """Return where a step leads."""
    return z + step // 9 - 1, y + step // 3 % 3 - 1, x + step % 3 - 1


@njit(nogil=True, cache=True)
def follow(heights: Array, first: Array, steps: Array, core: Array, labels: Array) -> Array:
    """Label the voxels of the core 1, 2… by where their steps lead; return these places in `steps`.

    The core (start z, y, x, stop z, y, x) is a part of `steps`; a way ends at a voxel without a
    higher neighbour, or as soon as it leaves the core. `labels` (zeros) is as large as `steps`.
    """
    _, height, width = steps.shape
    ends = np.empty(1024, np.int64)
    count = 0
    for z in range(core[0], core[3]):
        for y in range(core[1], core[4]):
            for x in range(core[2], core[5]):
                if labels[z, y, x] or not heights[z + first[0], y + first[1], x + first[2]]:
                    continue
                i, j, k = z, y, x
                while labels[i, j, k] == 0:
                    inside = core[0] <= i < core[3] and core[1] <= j < core[4] and core[2] <= k < core[5]
                    step = int(steps[i, j, k])
                    if inside and step != _STAY:
                        i, j, k = _next(i, j, k, step)
                        continue
                    if count == ends.size:
                        grown = np.empty(2 * count, np.int64)
                        grown[:count] = ends
                        ends = grown
                    ends[count] = (i * height + j) * width + k
                    count += 1
                    labels[i, j, k] = count
                label = labels[i, j, k]
                i, j, k = z, y, x
                while labels[i, j, k] == 0:
                    labels[i, j, k] = label
                    i, j, k = _next(i, j, k, int(steps[i, j, k]))
    return ends[:count].copy()


@njit(nogil=True, cache=True)
def arrivals(heights: Array, first: Array, steps: Array, core: Array) -> Array:
    """Return the voxels of the core, as places in `steps`, at which steps from around it arrive; with repeats."""
    depth, height, width = steps.shape
    found = np.empty(1024, np.int64)
    count = 0
    for z in range(depth):
        for y in range(height):
            beside = z < core[0] or z >= core[3] or y < core[1] or y >= core[4]
            # Rows of the core itself count at their ends only.
            for x in range(width if beside else width - core[5] + core[2]):
                if not beside and x >= core[2]:
                    x += core[5] - core[2]
                if not heights[z + first[0], y + first[1], x + first[2]]:
                    continue
                i, j, k = _next(z, y, x, int(steps[z, y, x]))
                if core[0] <= i < core[3] and core[1] <= j < core[4] and core[2] <= k < core[5]:
                    if count == found.size:
                        grown = np.empty(2 * count, np.int64)
                        grown[:count] = found
                        found = grown
                    found[count] = (i * height + j) * width + k
                    count += 1
    return found[:count].copy()


@njit(nogil=True, cache=True)
def sum_basins(
    labels: Array, background: Array, first: Array, start: Array, volume: Array, table: Array
) -> None:
    """Add to `table` first voxel, size, box, moments and faces to the background of every label.

    The columns are those of `ComponentSums`. `labels` begins at `first` of `background`, and
    at `start` of the volume.
    """
    depth, height, width = labels.shape
    table[:, 0] = -1
    for i in range(depth):
        for j in range(height):
            z, y = start[0] + i, start[1] + j
            k = 0
            while k < width:
                label = labels[i, j, k]
                if label == 0:
                    k += 1
                    continue
                begin = k
                while k < width and labels[i, j, k] == label:
                    k += 1
                a, n = start[2] + begin, k - begin
                sums = table[label - 1]
                if sums[0] < 0:
                    sums[0] = (z * volume[1] + y) * volume[2] + a
                    sums[2], sums[3], sums[4] = z, y, a
                sums[1] += n
                sums[3], sums[4] = min(sums[3], y), min(sums[4], a)
                sums[5], sums[6], sums[7] = z + 1, max(sums[6], y + 1), max(sums[7], a + n)
                ramp = n * (n - 1) // 2
                along = n * a + ramp
                sums[8] += n * z
                sums[9] += n * y
                sums[10] += along
                sums[11] += n * z * z
                sums[12] += n * y * y
                sums[13] += n * a * a + 2 * a * ramp + ramp * (2 * n - 1) // 3
                sums[14] += n * z * y
                sums[15] += z * along
                sums[16] += y * along
                _add_walls(background, i + first[0], j + first[1], begin + first[2], k + first[2], sums)


@njit(nogil=True, cache=True)
def _add_walls(background: Array, z: int, y: int, begin: int, end: int, sums: Array) -> None:
    """Add the faces of a run of voxels to the background; the border of the volume is none."""
    depth, height, width = background.shape
    for i in (z - 1, z + 1):
        if 0 <= i < depth:
            for x in range(begin, end):
                sums[17] += background[i, y, x]
    for j in (y - 1, y + 1):
        if 0 <= j < height:
            for x in range(begin, end):
                sums[18] += background[z, j, x]
    if begin > 0:
        sums[19] += background[z, y, begin - 1]
    if end < width:
        sums[19] += background[z, y, end]


@njit(nogil=True, cache=True)
def find_contacts(labels: Array, heights: Array, axes: Array) -> tuple[Array, Array, Array]:
    """Return the pairs of labels that share faces across `axes`, the faces across z, y, x, and the height of the pass.

    The pass of a face is the lower of its two voxels; that of a pair the highest of its passes.
    Sorted by nothing: in the order in which pairs are met.
    """
    depth, height, width = labels.shape
    pairs, faces = np.empty((1024, 2), np.int64), np.zeros((1024, 3), np.int64)
    passes = np.zeros(1024, heights.dtype)
    slots = np.full(4096, -1, np.int64)
    where = np.empty(width + 1, np.int64)
    count = 0
    for axis in range(3):
        if not axes[axis]:
            continue
        dz, dy, dx = np.int64(axis == 0), np.int64(axis == 1), np.int64(axis == 2)
        for z in range(depth - dz):
            for y in range(height - dy):
                found = 0
                # Without a branch: most voxels touch none but their own kind.
                for x in range(width - dx):
                    a, b = labels[z, y, x], labels[z + dz, y + dy, x + dx]
                    where[found] = x
                    found += (a != b) & (a != 0) & (b != 0)
                for x in where[:found]:
                    a, b = labels[z, y, x], labels[z + dz, y + dy, x + dx]
                    low, high = int(min(a, b)), int(max(a, b))
                    if 4 * count >= slots.size - 4:
                        slots = _rehashed(pairs, count, 4 * slots.size)
                    slot = _slot_of(slots, pairs, low, high)
                    if slots[slot] < 0:
                        if count == len(pairs):
                            pairs = np.concatenate((pairs, np.zeros_like(pairs)))
                            faces = np.concatenate((faces, np.zeros_like(faces)))
                            passes = np.concatenate((passes, np.zeros_like(passes)))
                        pairs[count, 0], pairs[count, 1] = low, high
                        slots[slot] = count
                        count += 1
                    row = slots[slot]
                    faces[row, axis] += 1
                    passes[row] = max(passes[row], min(heights[z, y, x], heights[z + dz, y + dy, x + dx]))
    return pairs[:count].copy(), faces[:count].copy(), passes[:count].copy()


@njit(nogil=True, cache=True)
def _slot_of(slots: Array, pairs: Array, low: int, high: int) -> int:
    """Return where a pair is in the hash table, or would be."""
    # Slots are a power of two, so the remainder of a wrapped product is its low bits.
    slot = (low * 73856093 ^ high * 19349663) & (slots.size - 1)
    while slots[slot] >= 0 and (pairs[slots[slot], 0] != low or pairs[slots[slot], 1] != high):
        slot = (slot + 1) & (slots.size - 1)
    return slot


@njit(nogil=True, cache=True)
def _rehashed(pairs: Array, count: int, size: int) -> Array:
    slots = np.full(size, -1, np.int64)
    for row in range(count):
        slots[_slot_of(slots, pairs, pairs[row, 0], pairs[row, 1])] = row
    return slots


@njit(nogil=True, cache=True)
def _root(parents: Array, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(nogil=True, cache=True)
def merge_basins(peaks: Array, pairs: Array, passes: Array, depth: float, ratio: float) -> Array:
    """Return for each basin the root of the basins that it is one with.

    Basins are in ascending order of their peaks' places; pairs come with descending pass. Seen from
    above, basins join where the flood falls to a pass: the lower of the two highest peaks ends
    there. It was no pore of its own where it stands out little.
    """
    joined, same = np.arange(peaks.size), np.arange(peaks.size)
    for row in range(len(pairs)):
        a, b = _root(joined, pairs[row, 0]), _root(joined, pairs[row, 1])
        if a == b:
            continue
        # Of equal peaks the one further on in raster order counts as higher, as in `uphill`.
        if peaks[a] > peaks[b] or (peaks[a] == peaks[b] and a > b):
            a, b = b, a
        joined[a] = b
        if passes[row] > peaks[a] - depth or passes[row] > ratio * peaks[a]:
            one, other = _root(same, pairs[row, 0]), _root(same, pairs[row, 1])
            same[max(one, other)] = min(one, other)
    for i in range(same.size):
        same[i] = _root(same, i)
    return same
