"""Compiled loops over the voxels of one block, for the point-wise kernels and measures.

Every function takes three-dimensional arrays, adds to or fills the arrays it is given, and frees
the interpreter lock. Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["add_axis_counts", "count_floats", "count_values", "scale_slices", "sum_floats", "sum_values"]

Array = npt.NDArray[Any]

_LANES = 8


@njit(nogil=True, cache=True)
def count_values(values: Array, counts: Array) -> None:
    """Add to ``counts[v]`` (uint64) how often each unsigned integer v occurs; under 2**32 voxels."""
    depth, height, width = values.shape
    # Equal neighbours would wait for each other's counter: eight tables keep eight counts in flight.
    lanes = np.zeros((_LANES, counts.size), np.uint32)
    even = width // _LANES * _LANES
    for z in range(depth):
        for y in range(height):
            for x in range(0, even, _LANES):
                for lane in range(_LANES):
                    lanes[lane, values[z, y, x + lane]] += np.uint32(1)
            for x in range(even, width):
                lanes[0, values[z, y, x]] += np.uint32(1)
    for lane in range(_LANES):
        for v in range(counts.size):
            counts[v] += np.uint64(lanes[lane, v])


@njit(nogil=True, cache=True)
def count_floats(bits: Array, table: Array, extremes: Array) -> int:
    """Add float32 values, given as their bits, to `table`; return how many are not finite.

    ``table[bin]`` (uint64) gains the count, the sum and the sum of squares of the low 16 bits of
    the order-preserving integer of each value; its high 16 bits are the bin. `extremes` (uint32)
    is widened to the lowest and highest of these integers. Under 2**32 voxels.
    """
    depth, height, width = bits.shape
    sign, infinity = np.uint32(0x80000000), np.uint32(0x7F800000)
    low, high, bad = extremes[0], extremes[1], 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                raw = bits[z, y, x]
                magnitude = raw & np.uint32(0x7FFFFFFF)
                if magnitude >= infinity:
                    bad += 1
                    continue
                if magnitude == 0:
                    raw = np.uint32(0)
                key = ~raw if raw & sign else raw | sign
                low, high = min(low, key), max(high, key)
                offset = np.uint64(key & np.uint32(0xFFFF))
                row = np.int64(key >> np.uint32(16))
                table[row, 0] += np.uint64(1)
                table[row, 1] += offset
                table[row, 2] += offset * offset
    extremes[0], extremes[1] = low, high
    return bad


@njit(nogil=True, cache=True)
def sum_values(values: Array, totals: Array, squares: Array) -> None:
    """Set sum (int64) and sum of squares (uint64) of each slice of integers of up to 16 bits."""
    depth, height, width = values.shape
    for z in range(depth):
        total, square = np.int64(0), np.uint64(0)
        for y in range(height):
            for x in range(width):
                value = np.int64(values[z, y, x])
                total += value
                square += np.uint64(value * value)
        totals[z], squares[z] = total, square


@njit(nogil=True, cache=True)
def sum_floats(bits: Array, sums: Array) -> int:
    """Add float32 values of one slice, given as their bits, to `sums`; return how many are not finite.

    ``sums[exponent]`` (int64) gains the signed significands, and the low and high 24 bits of their
    squares. Under 2**32 voxels.
    """
    depth, height, width = bits.shape
    bad = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                raw = bits[z, y, x]
                exponent = np.int64((raw >> np.uint32(23)) & np.uint32(0xFF))
                significand = np.int64(raw & np.uint32(0x7FFFFF))
                if exponent == 255:
                    bad += 1
                    continue
                if exponent:
                    significand |= np.int64(0x800000)
                square = significand * significand
                sums[exponent, 0] += -significand if raw >> np.uint32(31) else significand
                sums[exponent, 1] += square & np.int64(0xFFFFFF)
                sums[exponent, 2] += square >> np.int64(24)
    return bad


@njit(nogil=True, cache=True)
def scale_slices(values: Array, means: Array, factors: Array, out: Array) -> None:
    """Set `out` (float32) to ``(float32(v) - means[z]) * factors[z]``, rounded after each step."""
    depth, height, width = values.shape
    for z in range(depth):
        mean, factor = means[z], factors[z]
        for y in range(height):
            for x in range(width):
                out[z, y, x] = (np.float32(values[z, y, x]) - mean) * factor


@njit(nogil=True, cache=True)
def add_axis_counts(mask: Array, z_counts: Array, y_counts: Array, x_counts: Array) -> None:
    """Add to three uint64 arrays how many voxels of a mask (0 or 1, uint8) each plane holds."""
    depth, height, width = mask.shape
    columns = np.zeros(width, np.uint32)
    for z in range(depth):
        plane = np.uint64(0)
        columns[:] = 0
        for y in range(height):
            row = np.uint32(0)
            for x in range(width):
                row += np.uint32(mask[z, y, x])
                columns[x] += np.uint32(mask[z, y, x])
            plane += np.uint64(row)
            y_counts[y] += np.uint64(row)
        z_counts[z] += plane
        for x in range(width):
            x_counts[x] += np.uint64(columns[x])
