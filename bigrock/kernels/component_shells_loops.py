"""Compiled loops that walk around components.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["shell_keys"]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def _mark(components: Array, first: Array, reach: int, wanted: Array, marks: Array) -> None:
    """Mark the voxels of the core around each voxel of a wanted component."""
    depth, height, width = marks.shape
    for z in range(components.shape[0]):
        for y in range(components.shape[1]):
            for x in range(components.shape[2]):
                own = components[z, y, x]
                if own == 0 or (wanted.size and not wanted[own]):
                    continue
                for i in range(max(0, z - reach - first[0]), min(depth, z + reach + 1 - first[0])):
                    for j in range(max(0, y - reach - first[1]), min(height, y + reach + 1 - first[1])):
                        for k in range(max(0, x - reach - first[2]), min(width, x + reach + 1 - first[2])):
                            marks[i, j, k] = 1


@njit(nogil=True, cache=True)
def _near(components: Array, z: int, y: int, x: int, reach: int, wanted: Array, found: Array) -> int:
    """Set `found` to the wanted components around a voxel, each once; return how many there are."""
    own, count = components[z, y, x], 0
    for i in range(max(0, z - reach), min(components.shape[0], z + reach + 1)):
        for j in range(max(0, y - reach), min(components.shape[1], y + reach + 1)):
            for k in range(max(0, x - reach), min(components.shape[2], x + reach + 1)):
                other = components[i, j, k]
                if other == 0 or other == own or (wanted.size and not wanted[other]):
                    continue
                known = False
                for n in range(count):
                    if found[n] == other:
                        known = True
                        break
                if not known:
                    found[count] = other
                    count += 1
    return count


@njit(nogil=True, cache=True)
def shell_keys(
    components: Array, values: Array, first: Array, reach: int, wanted: Array, outside: bool, base: int
) -> Array:
    """Return component * base + value for every voxel of the core in the shell of a component.

    `values` are those of the core, which begins at `first` in `components`. Where `outside` is set,
    just voxels of no component are in shells.
    """
    marks = np.zeros(values.shape, np.uint8)
    _mark(components, first, reach, wanted, marks)
    keys, count = np.empty(1024, np.int64), 0
    found = np.empty((2 * reach + 1) ** 3, np.int64)
    depth, height, width = values.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                i, j, k = z + first[0], y + first[1], x + first[2]
                if not marks[z, y, x] or (outside and components[i, j, k] != 0):
                    continue
                near = _near(components, i, j, k, reach, wanted, found)
                if count + near > keys.size:
                    more = np.empty(2 * keys.size + near, np.int64)
                    more[:count] = keys[:count]
                    keys = more
                for n in range(near):
                    keys[count] = found[n] * base + np.int64(values[z, y, x])
                    count += 1
    return keys[:count].copy()
