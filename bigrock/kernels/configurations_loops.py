"""Compiled loops that count the 2×2×2 configurations of a mask, given as bits.

A cell is named by its low corner. Its code has the bit ``dz + 2 dy + 4 dx`` for each of its eight
voxels. Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "add_configurations",
    "bit_count",
    "bytes_of",
    "four_rows",
    "lowest_bit",
    "move_outside",
    "pairs_from",
    "shifted",
    "spread_bits",
]

Array = npt.NDArray[Any]

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW_BITS = np.uint64(0x0101010101010101)
_PAIRS = np.array(
    [sum((n >> i & 1 | (n >> i & 2) << 3) << 8 * i for i in range(8)) for n in range(512)], np.uint64
)
"""Nine voxels of a row → a byte for each of their eight pairs: bit 0 is x, bit 4 is x + 1."""


@njit(nogil=True, cache=True, inline="always")
def bit_count(v: np.uint64) -> int:
    """Return how many bits are set; compiled to one instruction."""
    v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
    v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
    v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((v * _LOW_BITS) >> np.uint64(56))  # type: ignore[return-value]


@njit(nogil=True, cache=True, inline="always")
def lowest_bit(v: np.uint64) -> int:
    """Return the place of the lowest bit set, of a word that is not 0."""
    return bit_count(~v & (v - np.uint64(1)))


@njit(nogil=True, cache=True, inline="always")
def four_rows(bits: Array, z: int, y: int, k: int) -> tuple[Any, Any, Any, Any]:
    """Return word `k` of the rows (z, y), (z+1, y), (z, y+1) and (z+1, y+1)."""
    return bits[z, y, k], bits[z + 1, y, k], bits[z, y + 1, k], bits[z + 1, y + 1, k]


@njit(nogil=True, cache=True, inline="always")
def shifted(word: Any, after: Any) -> Any:
    """Return the 64 voxels from the second of a word on."""
    return (word >> np.uint64(1)) | (after << np.uint64(63))


@njit(nogil=True, cache=True, inline="always")
def bytes_of(cells: Any) -> Any:
    """Return the lowest bit of every byte in which any bit is set."""
    cells = cells | (cells >> np.uint64(4))
    cells = cells | (cells >> np.uint64(2))
    return (cells | (cells >> np.uint64(1))) & _LOW_BITS


@njit(nogil=True, cache=True, inline="always")
def pairs_from(word: Any, after: Any, i: int) -> Any:
    """Return the pairs of a row from bit `i` (a multiple of 8) of a word on, a byte each."""
    found = word >> np.uint64(i)
    if i == 56:
        found = found | (after << np.uint64(8))
    return _PAIRS[found & np.uint64(511)]


@njit(nogil=True, cache=True, inline="always")
def spread_bits(word: Any) -> Any:
    """Return a word of which each byte is filled by one of the eight lowest bits."""
    places = ((word & np.uint64(255)) * _LOW_BITS) & np.uint64(0x8040201008040201)
    # Any bit of a byte set: carry it into the highest, then fill the byte.
    high = (((places & np.uint64(0x7F7F7F7F7F7F7F7F)) + np.uint64(0x7F7F7F7F7F7F7F7F)) | places) >> np.uint64(
        7
    )
    return (high & _LOW_BITS) * np.uint64(255)


@njit(nogil=True, cache=True, inline="always")
def _add_row(bits: Array, z: int, y: int, first: int, last: int, counts: Array) -> None:
    """Count the cells ``first <= x < last`` between the rows (z, y), (z+1, y), (z, y+1) and (z+1, y+1).

    `counts` has eight lanes, so that equal neighbours do not wait for each other's counter.
    """
    for k in range(first >> 6, (last + 63) >> 6):
        a, b, c, d = four_rows(bits, z, y, k)
        e, f, g, h = four_rows(bits, z, y, k + 1)
        some, every = a | b | c | d, a & b & c & d
        some |= shifted(some, e | f | g | h)
        every &= shifted(every, e & f & g & h)
        begin, end = max(first - 64 * k, 0), min(last - 64 * k, 64)
        valid = (_ALL << np.uint64(begin)) & (_ALL >> np.uint64(64 - end))
        mixed = bytes_of(some & ~every & valid)
        uniform = valid & ~(mixed * np.uint64(255))
        full = bit_count(every & uniform)
        counts[0, 255] += full
        counts[0, 0] += bit_count(uniform) - full
        while mixed:
            i = lowest_bit(mixed)
            mixed &= mixed - np.uint64(1)
            codes = pairs_from(a, e, i) | (pairs_from(b, f, i) << np.uint64(1))
            codes |= (pairs_from(c, g, i) << np.uint64(2)) | (pairs_from(d, h, i) << np.uint64(3))
            if i >= begin and i + 8 <= end:
                for j in range(8):
                    counts[j, codes & np.uint64(255)] += 1
                    codes >>= np.uint64(8)
            else:
                for j in range(max(begin - i, 0), min(end - i, 8)):
                    counts[0, (codes >> np.uint64(8 * j)) & np.uint64(255)] += 1


@njit(nogil=True, cache=True)
def _edge_code(bits: Array, z: int, y: int, x: int) -> np.int64:
    """Return the voxels of the four rows at one x as four bits."""
    k, shift, one = x >> 6, np.uint64(x & 63), np.uint64(1)
    return np.int64(
        ((bits[z, y, k] >> shift) & one)
        | (((bits[z + 1, y, k] >> shift) & one) << one)
        | (((bits[z, y + 1, k] >> shift) & one) << np.uint64(2))
        | (((bits[z + 1, y + 1, k] >> shift) & one) << np.uint64(3))
    )


@njit(nogil=True, cache=True)
def add_configurations(
    bits: Array, width: int, first: Array, last: Array, inside: Array, border: Array
) -> None:
    """Add to ``inside[code]`` and ``border[code]`` (int64, 256) how often each configuration occurs.

    `bits` are packed rows with a margin (see `packed_rows`), `width` the voxels of a row. Cells with
    ``first <= corner < last`` are counted, from -1 to the extent of the mask; those that reach
    beyond it see 0 there, and go to `border`.
    """
    depth, height = bits.shape[0] - 2, bits.shape[1] - 2
    begin, end = max(first[2], 0), min(last[2], width - 1)
    lanes, edge = np.zeros((8, 256), np.int64), np.zeros((8, 256), np.int64)
    for z in range(first[0], last[0]):
        for y in range(first[1], last[1]):
            if begin < end:
                within = z >= 0 and z + 1 < depth and y >= 0 and y + 1 < height
                _add_row(bits, z + 1, y + 1, begin, end, lanes if within else edge)
            if first[2] < 0:
                edge[0, _edge_code(bits, z + 1, y + 1, 0) << 4] += 1
            if last[2] >= width:
                edge[0, _edge_code(bits, z + 1, y + 1, width - 1)] += 1
    for code in range(256):
        inside[code] += lanes[:, code].sum()
        border[code] += edge[:, code].sum()


@njit(nogil=True, cache=True)
def move_outside(bits: Array, width: int, cells: Array, inside: Array, border: Array) -> None:
    """Take the cells within the mask that are not set in `cells` from `inside` to `border`.

    `bits` are packed rows with a margin, `cells` (bits of the low corners) without.
    """
    one = np.uint64(1)
    for z in range(bits.shape[0] - 3):
        for y in range(bits.shape[1] - 3):
            for k in range((width + 62) >> 6):
                valid = _ALL >> np.uint64(64 - min(width - 1 - 64 * k, 64))
                outside = valid & ~cells[z, y, k]
                a, b, c, d = four_rows(bits, z + 1, y + 1, k)
                e, f, g, h = four_rows(bits, z + 1, y + 1, k + 1)
                some = a | b | c | d
                some |= shifted(some, e | f | g | h)
                empty = bit_count(outside & ~some)
                inside[0] -= empty
                border[0] += empty
                outside &= some
                while outside:
                    x = 64 * k + lowest_bit(outside)
                    outside &= outside - one
                    code = _edge_code(bits, z + 1, y + 1, x) | (_edge_code(bits, z + 1, y + 1, x + 1) << 4)
                    inside[code] -= 1
                    border[code] += 1
