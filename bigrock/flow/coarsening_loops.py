"""Compiled loops that make the coarse levels: what is connected within 2×2×2 becomes one row.

A coarse matrix is the sum of the finer one over the children of its rows (Galerkin with constants), stored by
rows: `starts`, `columns`, and for each entry four weights, of the three velocities and the pressure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["coarsen", "coarsen_fine", "diagonal_of", "inverse_of_fine", "join", "join_fine"]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def inverse_of_fine(neighbours: Array, codes: Array, weights: Array, extra: Array, inverse: Array) -> None:
    """Set `inverse` to the reciprocal diagonals; `extra` adds to that of the pressure."""
    for i in range(neighbours.shape[0]):
        for axis in range(3):
            inverse[i, axis] = np.float32(1) / codes[i, axis] if codes[i, axis] else 0
        total = extra[i]
        for side in range(6):
            total += min(weights[i], weights[neighbours[i, side]])
        inverse[i, 3] = np.float32(1) / total if total > 0 else 0


@njit(nogil=True, cache=True)
def _root(links: Array, i: int) -> int:
    while links[i] != i:
        links[i] = links[links[i]]
        i = links[i]
    return i


@njit(nogil=True, cache=True)
def _link(links: Array, i: int, j: int) -> None:
    a, b = _root(links, i), _root(links, j)
    links[max(a, b)] = min(a, b)


@njit(nogil=True, cache=True)
def _same_block(blocks: Array, i: int, j: int) -> bool:
    return blocks[i, 0] == blocks[j, 0] and blocks[i, 1] == blocks[j, 1] and blocks[i, 2] == blocks[j, 2]


@njit(nogil=True, cache=True)
def _number(links: Array, blocks: Array, parents: Array) -> Array:
    """Number the roots in order, set the parent of each row, and return the blocks of the parents."""
    coarse = np.empty_like(blocks)
    count = 0
    for i in range(links.size):
        root = _root(links, i)
        if root == i:
            parents[i] = count
            for axis in range(3):
                coarse[count, axis] = blocks[i, axis] >> 1
            count += 1
        else:
            parents[i] = parents[root]
    return coarse[:count].copy()


@njit(nogil=True, cache=True)
def join_fine(neighbours: Array, blocks: Array, parents: Array) -> Array:
    """Set the parent of each pore voxel, and return the blocks of the parents."""
    n = neighbours.shape[0]
    links = np.arange(n, dtype=np.int32)
    for i in range(n):
        for side in range(1, 6, 2):
            j: Any = np.int64(neighbours[i, side])
            if j < n and _same_block(blocks, i, j):
                _link(links, i, j)
    return _number(links, blocks, parents)


@njit(nogil=True, cache=True)
def join(starts: Array, columns: Array, blocks: Array, parents: Array) -> Array:
    """Set the parent of each row of a coarse level, and return the blocks of the parents."""
    links = np.arange(parents.size, dtype=np.int32)
    for i in range(parents.size):
        for t in range(starts[i], starts[i + 1]):
            if columns[t] < i and _same_block(blocks, i, columns[t]):
                _link(links, i, columns[t])
    return _number(links, blocks, parents)


@njit(nogil=True, cache=True)
def _children(parents: Array, count: int) -> tuple[Array, Array]:
    """Return the rows in the order of their parents, and where those of each begin."""
    starts = np.zeros(count + 1, np.int64)
    for parent in parents:
        starts[parent + 1] += 1
    for c in range(count):
        starts[c + 1] += starts[c]
    at = starts[:-1].copy()
    rows = np.empty(parents.size, np.int32)
    for i in range(parents.size):
        rows[at[parents[i]]] = i
        at[parents[i]] += 1
    return starts, rows


@njit(nogil=True, cache=True)
def _entry(columns: Array, seen: Array, first: int, last: int, column: int) -> int:
    """Return where the entry of a column lies in the row that is being made; `last` if it is new."""
    t = seen[column]
    if first <= t < last:
        return t
    seen[column] = last
    columns[last] = column
    return last


@njit(nogil=True, cache=True)
def _room(neighbours: Array, parents: Array) -> int:
    """Return how many pairs of neighbours have two parents: no fewer than the entries of the coarse matrix."""
    n = neighbours.shape[0]
    pairs = 0
    for i in range(n):
        for side in range(6):
            if neighbours[i, side] < n and parents[neighbours[i, side]] != parents[i]:
                pairs += 1
    return pairs


@njit(nogil=True, cache=True)
def coarsen_fine(
    neighbours: Array, codes: Array, weights: Array, extra: Array, parents: Array, count: int
) -> tuple[Array, Array, Array, Array]:
    """Return starts, columns, weights and excess of the first coarse level.

    The excess is what a diagonal has over the sum of its row's weights. Carried by itself, it has no rounding.
    """
    n = neighbours.shape[0]
    first, rows = _children(parents, count)
    room = _room(neighbours, parents)
    starts, seen = np.zeros(count + 1, np.int64), np.full(count, -1, np.int64)
    columns, sums = np.empty(room, np.int32), np.zeros((room, 4), np.float32)
    excess = np.zeros((count, 4), np.float32)
    last = 0
    for c in range(count):
        for q in range(first[c], first[c + 1]):
            i = rows[q]
            excess[c, 3] += extra[i]
            for axis in range(3):
                excess[c, axis] += codes[i, axis]
            for side in range(6):
                j = neighbours[i, side]
                if j >= n:
                    continue
                for axis in range(3):
                    excess[c, axis] -= 1 if codes[i, axis] and codes[j, axis] else 0
                if parents[j] != c:
                    t = _entry(columns, seen, starts[c], last, parents[j])
                    last = max(last, t + 1)
                    for axis in range(3):
                        sums[t, axis] += 1 if codes[i, axis] and codes[j, axis] else 0
                    sums[t, 3] += min(weights[i], weights[j])
        starts[c + 1] = last
    return starts, columns[:last].copy(), sums[:last].copy(), excess


@njit(nogil=True, cache=True)
def coarsen(
    fine_starts: Array, fine_columns: Array, weights: Array, fine_excess: Array, parents: Array, count: int
) -> tuple[Array, Array, Array, Array]:
    """Return starts, columns, weights and excess of the level above a coarse one."""
    first, rows = _children(parents, count)
    starts, seen = np.zeros(count + 1, np.int64), np.full(count, -1, np.int64)
    columns, sums = np.empty_like(fine_columns), np.zeros_like(weights)
    excess = np.zeros((count, 4), np.float32)
    last = 0
    for c in range(count):
        for q in range(first[c], first[c + 1]):
            i = rows[q]
            excess[c] += fine_excess[i]
            for s in range(fine_starts[i], fine_starts[i + 1]):
                column = parents[fine_columns[s]]
                if column != c:
                    t = _entry(columns, seen, starts[c], last, column)
                    last = max(last, t + 1)
                    sums[t] += weights[s]
        starts[c + 1] = last
    return starts, columns[:last].copy(), sums[:last].copy(), excess


@njit(nogil=True, cache=True)
def diagonal_of(starts: Array, weights: Array, excess: Array) -> tuple[Array, Array]:
    """Return the diagonals and their reciprocals, which are 0 where there is no unknown."""
    diagonal, inverse = excess.copy(), np.zeros_like(excess)
    for i in range(excess.shape[0]):
        for t in range(starts[i], starts[i + 1]):
            diagonal[i] += weights[t]
        for lane in range(4):
            if diagonal[i, lane] > 0:
                inverse[i, lane] = np.float32(1) / diagonal[i, lane]
    return diagonal, inverse
