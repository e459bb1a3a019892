"""Comparisons of voxels with a number, as real numbers compare, whatever both are stored as."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bigrock.kernels.backend import dtype_of, namespace

__all__ = ["above", "at_most", "equal_to", "largest_dark"]

Array = Any


def at_most(array: Array, value: float) -> Array:
    """Return True where a voxel is at most `value`; not where it is NaN. Exact.

    Examples
    --------
    >>> at_most(np.array([3, 4, 5], np.uint8), 4.5).tolist()
    [True, True, False]
    """
    array = _comparable(array)
    limit = largest_dark(value, dtype_of(array))
    if _below_range(array, limit):
        return _all(array, False)
    return array <= limit


def above(array: Array, value: float) -> Array:
    """Return True where a voxel is more than `value`; not where it is NaN. Exact.

    Examples
    --------
    >>> above(np.array([3, 4, 5], np.uint8), 4.5).tolist()
    [False, False, True]
    """
    array = _comparable(array)
    limit = largest_dark(value, dtype_of(array))
    if _below_range(array, limit):
        return _all(array, True)
    return array > limit


def equal_to(array: Array, value: int) -> Array:
    """Return True where a voxel is `value`, which may lie outside the range of its type. Exact.

    Examples
    --------
    >>> equal_to(np.array([0, 255], np.uint8), 255).tolist()
    [False, True]
    """
    array = _comparable(array)
    limit = largest_dark(value, dtype_of(array))
    if limit != value or _below_range(array, limit):
        return _all(array, False)
    return array == value


def largest_dark(value: float, dtype: np.dtype[Any]) -> float:
    """Return the largest number of a type that is not above `value`, so that comparing is exact.

    Parameters
    ----------
    value : float
        Grey level.
    dtype : numpy.dtype
        Of the voxels that are compared: integer or float.

    Returns
    -------
    int or float
        For ``voxels <= largest_dark(value, voxels.dtype)``; one less than the smallest integer of
        the type where even that is above `value`.

    Examples
    --------
    >>> largest_dark(90.7, np.dtype("u1")), largest_dark(0.1, np.dtype("f4")) < float(np.float32(0.1))
    (90, True)
    """
    if dtype.kind in "iu":
        span = np.iinfo(dtype)
        return max(span.min - 1, min(span.max, math.floor(value)))
    with np.errstate(over="ignore"):
        limit = dtype.type(value)
    return float(limit if float(limit) <= value else np.nextafter(limit, dtype.type(-np.inf)))


def _comparable(array: Array) -> Array:
    """Return voxels of True and False as 1 and 0."""
    xp = namespace(array)
    return xp.astype(array, xp.uint8) if dtype_of(array).kind == "b" else array


def _below_range(array: Array, limit: float) -> bool:
    dtype = dtype_of(array)
    return dtype.kind in "iu" and limit < np.iinfo(dtype).min


def _all(array: Array, value: bool) -> Array:
    xp = namespace(array)
    return xp.full(array.shape, value, dtype=xp.bool)
