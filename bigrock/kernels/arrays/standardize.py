"""Exact sums of grey values slice by slice, and their scaling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.kernels.backend import namespace, to_host

__all__ = ["scale_slices", "sum_floats", "sum_integers"]

Array = Any
Sums = tuple[int, int, int]

_PART_VOXELS = 2**24
_BAND = 8
_LOWEST = -126
_LOW_BITS = 2**31 - 1


def sum_integers(image: Array) -> list[Sums]:
    """Return number, sum and sum of squares of every z slice of integers of at most 16 bits, or bools.

    Exact for slices of up to 2**31 voxels.

    Examples
    --------
    >>> sum_integers(np.array([[[1, 3]], [[10, 30]]], np.uint8))
    [(2, 4, 10), (2, 40, 1000)]
    """
    xp = namespace(image)
    wide = xp.astype(image, xp.int64)
    totals, squares = xp.sum(wide, axis=(1, 2)), xp.sum(wide * wide, axis=(1, 2))
    voxels = image.shape[1] * image.shape[2]
    return [(voxels, int(totals[z]), int(squares[z])) for z in range(image.shape[0])]


def sum_floats(image: Array) -> tuple[list[Sums], int]:
    """Return number, sum and sum of squares of every z slice as float32, in units of 2**-149.

    Exact, whatever the order: values of 8 neighbouring exponents are whole numbers of 31 bits in
    the unit of the smallest, and such bands are summed one by one.

    Parameters
    ----------
    image : array of integers or floats, shape (z, y, x)
        Grey values. A slice may hold up to 2**31 voxels.

    Returns
    -------
    sums : list of (int, int, int)
        Slice by slice; of no use where a voxel is not finite.
    bad : int
        How many voxels are not finite in float32.

    Examples
    --------
    >>> sums, bad = sum_floats(np.array([[[1.0, 3.0]]]))
    >>> [(n, s / 2**149, q / 2**298) for n, s, q in sums], bad
    ([(2, 4.0, 10.0)], 0)
    """
    depth, height, width = image.shape
    step = max(1, _PART_VOXELS // (height * width))
    sums: list[Sums] = []
    bad = 0
    for z in range(0, depth, step):
        part, wrong = _sum_part(image[z : min(depth, z + step), ...])
        sums, bad = sums + part, bad + wrong
    return sums, bad


def _sum_part(image: Array) -> tuple[list[Sums], int]:
    xp = namespace(image)
    values = xp.astype(xp.astype(image, xp.float32), xp.float64)
    depth, height, width = image.shape
    if bad := int(xp.count_nonzero(~xp.isfinite(values))):
        return [(0, 0, 0)] * depth, bad
    totals, squares = [0] * depth, [0] * depth
    size = xp.abs(values)
    exponent = math.frexp(float(xp.max(size)))[1] - 1
    for band in range(max(0, exponent - _LOWEST) // _BAND + 1):
        low = 2.0 ** (_LOWEST + _BAND * band) if band else 2.0**-149
        inside = (size >= low) & (size < 2.0 ** (_LOWEST + _BAND * (band + 1)))
        if bool(xp.any(inside)):
            _add_band(xp.where(inside, values, 0.0), band, totals, squares)
    return [(height * width, totals[z], squares[z]) for z in range(depth)], 0


def _add_band(values: Array, band: int, totals: list[int], squares: list[int]) -> None:
    """Add the sums of values whose unit is 2**(8 * band) of those that the totals count in."""
    xp = namespace(values)
    whole = xp.astype(values * 2.0 ** (149 - _BAND * band), xp.int64)
    square = whole * whole
    total = to_host(xp.sum(whole, axis=(1, 2)))
    below = to_host(xp.sum(square & _LOW_BITS, axis=(1, 2)))
    above = to_host(xp.sum(square >> 31, axis=(1, 2)))
    for z in range(len(totals)):
        totals[z] += int(total[z]) << _BAND * band
        squares[z] += (int(below[z]) + (int(above[z]) << 31)) << 2 * _BAND * band


def scale_slices(image: Array, means: npt.NDArray[np.float32], factors: npt.NDArray[np.float32]) -> Array:
    """Return ``(float32(v) - means[z]) * factors[z]``, rounded after each step.

    Parameters
    ----------
    image : array of bool, integers or floats, shape (z, y, x)
        Grey values.
    means, factors : ndarray of float32, shape (z,)
        In the memory of the CPU.

    Returns
    -------
    array of float32, same shape

    Examples
    --------
    >>> scale_slices(np.array([[[1, 3]]]), np.float32([2]), np.float32([0.5])).tolist()
    [[[-0.5, 0.5]]]
    """
    xp = namespace(image)
    mean, factor = (xp.reshape(xp.asarray(column), (-1, 1, 1)) for column in (means, factors))
    return (xp.astype(image, xp.float32) - mean) * factor
