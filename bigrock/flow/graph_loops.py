"""Compiled loops that number the pore voxels and find the neighbours of each.

Rows of pore voxels are followed by two empty ones: `n` stands for a wall, `n + 1` for a plane of symmetry.
Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["face_codes", "find_neighbours", "wind"]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def find_neighbours(numbers: Array, wraps: Array, outside: int, neighbours: Array, blocks: Array) -> None:
    """Set ``neighbours[i]`` (uint32) to the rows at −z, +z, −y, +y, −x, +x and ``blocks[i]`` to half the place.

    `numbers` (int32) is the row of each pore voxel and −1 in the solid, whose row is that of a wall, the
    number of pore voxels; `outside` is the row of what lies beyond a border that does not wrap.
    """
    wall = neighbours.shape[0]
    shape = numbers.shape
    place = np.empty(3, np.int64)
    for z in range(shape[0]):
        for y in range(shape[1]):
            for x in range(shape[2]):
                row = numbers[z, y, x]
                if row < 0:
                    continue
                blocks[row, 0], blocks[row, 1], blocks[row, 2] = z >> 1, y >> 1, x >> 1
                for side in range(6):
                    axis = side >> 1
                    place[0], place[1], place[2] = z, y, x
                    place[axis] += 2 * (side & 1) - 1
                    if place[axis] < 0 or place[axis] >= shape[axis]:
                        if not wraps[axis]:
                            neighbours[row, side] = outside
                            continue
                        place[axis] = (place[axis] + shape[axis]) % shape[axis]
                    found = numbers[place[0], place[1], place[2]]
                    neighbours[row, side] = wall if found < 0 else found


@njit(nogil=True, cache=True)
def face_codes(neighbours: Array, codes: Array) -> None:
    """Set ``codes[i, d]`` to the diagonal of the viscous term at the low face of voxel i along axis d.

    0 where the face is closed. A neighbouring face counts 1, and 2 where both voxels beside it are solid:
    the wall then lies half a voxel away. Beyond a plane of symmetry the velocity is the same: 0.
    """
    wall = neighbours.shape[0]
    for row in range(wall):
        for axis in range(3):
            below = neighbours[row, 2 * axis]
            if below >= wall:
                codes[row, axis] = 0
                continue
            code = 6
            for side in range(6):
                if side >> 1 != axis:
                    if neighbours[row, side] == wall and neighbours[below, side] == wall:
                        code += 1
                    elif neighbours[row, side] > wall:
                        code -= 1
            codes[row, axis] = code


@njit(nogil=True, cache=True)
def wind(neighbours: Array, planes: Array, depth: int, keep: Array) -> None:
    """Set ``keep[i]`` where the component of voxel i closes upon itself around the periodic axis z."""
    wall = neighbours.shape[0]
    turns = np.zeros(wall, np.int32)
    seen = np.zeros(wall, np.bool_)
    queue = np.empty(wall, np.int64)
    for start in range(wall):
        if seen[start]:
            continue
        seen[start] = True
        queue[0] = start
        first, last, winds = 0, 1, False
        while first < last:
            row = queue[first]
            first += 1
            for side in range(6):
                other = neighbours[row, side]
                if other >= wall:
                    continue
                turn = turns[row]
                if side == 0 and planes[row] == 0:
                    turn -= 1
                elif side == 1 and planes[row] == depth - 1:
                    turn += 1
                if not seen[other]:
                    seen[other] = True
                    turns[other] = turn
                    queue[last] = other
                    last += 1
                elif turns[other] != turn:
                    winds = True
        for q in range(last):
            keep[queue[q]] = winds
