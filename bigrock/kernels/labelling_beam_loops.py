"""Compiled loops that join the runs of a mask under 26 neighbours by beams: two by two rows as one.

Of two by two rows, all voxels at the same x and at the next touch. So a run of the rows' union is
connected, and there are a quarter as many of them. Imported only by the functions that run them,
because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.labelling_mask_loops import before, join_words, run_at

__all__ = ["join_beams", "number_runs_of_beams", "unite_rows"]

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def unite_rows(volume: Array, beams: Array) -> None:
    """Set what any of two by two rows holds; all with a margin of 1."""
    for z in range(1, beams.shape[0] - 1):
        for y in range(1, beams.shape[1] - 1):
            v, u = 2 * z - 1, 2 * y - 1
            for k in range(beams.shape[2]):
                beams[z, y, k] = (
                    volume[v, u, k] | volume[v + 1, u, k] | volume[v, u + 1, k] | volume[v + 1, u + 1, k]
                )


@njit(nogil=True, cache=True, inline="always")
def _either(bits: Array, i: int, j: int) -> tuple[Any, Any]:
    """Return what any of two words holds, and it moved on by a voxel."""
    return bits[i] | bits[j], before(bits, i) | before(bits, j)


@njit(nogil=True, cache=True)
def join_beams(volume: Array, beam_volume: Array, begun_before: Array, parents: Array) -> None:
    """Join the runs of neighbouring beams: afterwards every run leads to the first of its component."""
    bits, beams, begun = volume.reshape(-1), beam_volume.reshape(-1), begun_before.reshape(-1)
    row, layer = volume.shape[2], volume.shape[1] * volume.shape[2]
    depth, height, width = beam_volume.shape
    for i in range(parents.size):
        parents[i] = i
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            for k in range(width):
                i = (z * height + y) * width + k
                if beams[i] == 0 and before(beams, i) == 0:
                    continue
                # The lowest of the beam's rows, and that below it.
                low = (2 * z - 1) * layer + (2 * y - 1) * row + k
                under, below = low - layer, i - height * width
                a, a_before = _either(bits, low, low + layer)
                b, b_before = _either(bits, low - row, low - row + layer)
                join_words(beams, begun, parents, i, i - width, 1, a, a_before, b, b_before)
                a, a_before = _either(bits, low, low + row)
                b, b_before = _either(bits, under, under + row)
                join_words(beams, begun, parents, i, below, 1, a, a_before, b, b_before)
                # Across edges, nothing is left where a voxel of the beams just joined lies between.
                b, b_before = _either(bits, under, low - row)
                a, a_before = bits[low] & ~b, before(bits, low) & ~b_before
                j = under - row
                join_words(beams, begun, parents, i, below - width, 1, a, a_before, bits[j], before(bits, j))
                j = under + row
                a, a_before = bits[low + row] & ~bits[j], before(bits, low + row) & ~before(bits, j)
                if a or a_before:
                    j += row
                    join_words(
                        beams, begun, parents, i, below + width, 1, a, a_before, bits[j], before(bits, j)
                    )


@njit(nogil=True, cache=True)
def number_runs_of_beams(
    bounds: Array,
    first: Array,
    height: int,
    beam_volume: Array,
    begun_before: Array,
    parents: Array,
    components: Array,
) -> int:
    """Set the component of every run of single rows, 0, 1, 2… in their order; return how many there are.

    `parents` of the runs of beams become their components.
    """
    beams, begun, one = beam_volume.reshape(-1), begun_before.reshape(-1), np.uint64(1)
    for i in range(parents.size):
        parents[i] = parents[parents[i]]
    numbers, count = np.full(parents.size, -1, parents.dtype), 0
    for row in range(first.size - 1):
        z, y = row // height, row % height
        begin = ((z // 2 + 1) * beam_volume.shape[1] + y // 2 + 1) * beam_volume.shape[2]
        for i in range(first[row], first[row + 1]):
            bit = one << np.uint64(bounds[i, 0] & 63)
            root = parents[run_at(beams, begun, begin + (bounds[i, 0] >> 6), bit ^ (bit - one))]
            if numbers[root] < 0:
                numbers[root] = count
                count += 1
            components[i] = numbers[root]
    return count
