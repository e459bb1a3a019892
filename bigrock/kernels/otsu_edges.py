"""Compiled: counts and first moments at the edges of the segments, for columns and for windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_layout import INNER, NOTHING, SEGMENTS, Chunk

__all__ = ["forget_edges", "hold", "swap_voxels", "take_edge"]

Array = npt.NDArray[Any]


@njit(**INNER)
def hold(into: Array, voxels: Array, first: int) -> None:
    """Write the voxels of a row to `into`, from `first` on; nothing where there are no voxels."""
    if voxels.shape[0] == 0:
        into[:] = NOTHING
    for x in range(voxels.shape[0]):
        into[np.uint64(first) + np.uint64(x)] = voxels[x]


@njit(**INNER)
def swap_voxels(edges: Array, entering: Array, leaving: Array) -> None:
    """Add a voxel to each column, and take one away."""
    for s in range(SEGMENTS):
        left, right = np.int16(max(1, 16 * s)), np.int16(16 * s + 16)
        counts, moments = edges[s], edges[SEGMENTS + s]
        for x in range(counts.shape[0]):
            new, old = entering[x], leaving[x]
            counts[x] += np.int16(new < left) - np.int16(old < left)
            moments[x] += (new if new < right else np.int16(0)) - (old if old < right else np.int16(0))


@njit(**INNER)
def forget_edges(
    chunk: Chunk, edges: Array, spans: Array, start: int, width: int, n: int, depth: int
) -> None:
    """Begin a chunk of windows, of which no edge is known but the last."""
    known, counts, moments, voxels, mean = chunk.known, chunk.counts, chunk.moments, chunk.voxels, chunk.mean
    last, wide = np.uint64(SEGMENTS), spans[start : start + n]
    known[:] = False
    take_edge(known, counts, moments, edges, SEGMENTS, start, width, n)
    for x in range(n):
        size = np.int32(depth * wide[x])
        counts[last, x] = size
        voxels[x] = np.float32(size)
        mean[x] = np.float32(moments[last, x]) / np.float32(size)


@njit(**INNER)
def take_edge(
    known: Array, counts: Array, moments: Array, edges: Array, edge: int, start: int, width: int, n: int
) -> None:
    """Sum what the windows of the chunk have below an edge, where that is not known."""
    if not known[edge]:
        known[edge] = True
        if edge < SEGMENTS:
            _slide(edges[edge], start, width, counts[edge], n)
        if edge > 0:
            _slide(edges[SEGMENTS - 1 + edge], start, width, moments[edge], n)


@njit(**INNER)
def _slide(columns: Array, start: int, width: int, out: Array, n: int) -> None:
    """Write running sums over `width` columns."""
    total = np.int32(0)
    for c in columns[start : start + width]:
        total += np.int32(c)
    entering, leaving = columns[start + width : start + width + n], columns[start : start + n]
    for x in range(n):
        total += np.int32(np.int32(entering[x]) - np.int32(leaving[x]))
        out[x] = total
