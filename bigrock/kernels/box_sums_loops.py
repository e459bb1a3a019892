"""Compiled loops that sum voxels and 2×2×2 configurations over boxes, on masks as bits.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.configurations_loops import (
    bit_count,
    bytes_of,
    four_rows,
    lowest_bit,
    pairs_from,
    shifted,
    spread_bits,
)

__all__ = ["add_box_configurations", "add_box_voxels"]

Array = npt.NDArray[Any]

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@njit(nogil=True, cache=True)
def add_box_voxels(bits: Array, shape: Array, start: Array, size: int, counts: Array) -> None:
    """Add to ``counts[box]`` (int64) the voxels of a mask that are True.

    The rows of `bits` have a margin; the first voxel of the mask, of `shape`, is `start` of the
    volume. Boxes of `size` voxels are aligned at the origin; box 0 of `counts` owns `start`.
    """
    shift = start % size
    for i, j, box in np.ndindex(counts.shape):
        z0, z1 = max(i * size - shift[0], 0), min((i + 1) * size - shift[0], shape[0])
        y0, y1 = max(j * size - shift[1], 0), min((j + 1) * size - shift[1], shape[1])
        begin, end = max(box * size - shift[2], 0), min((box + 1) * size - shift[2], shape[2])
        total = 0
        for k in range(begin >> 6, (end + 63) >> 6):
            low, high = max(begin - 64 * k, 0), min(end - 64 * k, 64)
            valid = (_ALL << np.uint64(low)) & (_ALL >> np.uint64(64 - high))
            for z in range(z0, z1):
                for y in range(y0, y1):
                    total += bit_count(bits[z + 1, y + 1, k] & valid)
        counts[i, j, box] += total


@njit(nogil=True, cache=True)
def add_box_configurations(
    bits: Array, shape: Array, start: Array, size: int, cells: Array, table: Array, sums: Array
) -> None:
    """Add to ``sums[box]`` (three int64) the rows of `table` (256 × 3) of the cells that each box owns.

    Cells lie wholly in the mask, and belong to the box of their low corner. Only those set in
    `cells` (bits of the low corners) count; all where it is empty. Empty and full cells are passed
    over, so rows 0 and 255 of `table` must be 0. The rest as for `add_box_voxels`.
    """
    shift = start % size
    last = shape[2] - 1
    for z in range(shape[0] - 1):
        for y in range(shape[1] - 1):
            row = sums[(z + shift[0]) // size, (y + shift[1]) // size]
            for k in range((last + 63) >> 6):
                a, b, c, d = four_rows(bits, z + 1, y + 1, k)
                e, f, g, h = four_rows(bits, z + 1, y + 1, k + 1)
                some, every = a | b | c | d, a & b & c & d
                some |= shifted(some, e | f | g | h)
                every &= shifted(every, e & f & g & h)
                valid = _ALL >> np.uint64(64 - min(last - 64 * k, 64))
                if cells.size:
                    valid &= cells[z, y, k]
                mixed = bytes_of(some & ~every & valid)
                while mixed:
                    i = lowest_bit(mixed)
                    mixed &= mixed - np.uint64(1)
                    x = 64 * k + i
                    codes = pairs_from(a, e, i) | (pairs_from(b, f, i) << np.uint64(1))
                    codes |= (pairs_from(c, g, i) << np.uint64(2)) | (pairs_from(d, h, i) << np.uint64(3))
                    # Cells that do not count become empty ones.
                    codes &= spread_bits(valid >> np.uint64(i))
                    _add_codes(codes, x + shift[2], min(8, last - x), size, table, row)


@njit(nogil=True, cache=True, inline="always")
def _add_codes(codes: Any, x: int, cells: int, size: int, table: Array, row: Array) -> None:
    """Add the first cells of a byte of codes each, from `x` on, to their boxes in a row of boxes."""
    box = x // size
    if (x + cells - 1) // size == box:
        first, second, third = 0, 0, 0
        for _ in range(cells):
            code = codes & np.uint64(255)
            first += table[code, 0]
            second += table[code, 1]
            third += table[code, 2]
            codes >>= np.uint64(8)
        row[box, 0] += first
        row[box, 1] += second
        row[box, 2] += third
        return
    for j in range(cells):
        code = codes & np.uint64(255)
        box = (x + j) // size
        row[box, 0] += table[code, 0]
        row[box, 1] += table[code, 1]
        row[box, 2] += table[code, 2]
        codes >>= np.uint64(8)
