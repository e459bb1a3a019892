"""Sums of grey values as exact integers, so that no order of blocks can change a mean.

A float32 is an integer in units of 2**-149, the spacing of the smallest numbers, so its sums and
sums of squares can be exact Python integers like those of an integer image.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import NonFiniteError

__all__ = ["FLOAT_UNIT", "mean_and_std", "nonfinite_error", "shift_of_exponent", "single_precision"]

Array = npt.NDArray[Any]

FLOAT_UNIT = Fraction(1, 2**149)
"""What one unit is worth in the exact sums of float32 values."""


def shift_of_exponent(exponent: int) -> int:
    """Return s where a 24-bit significand with this exponent field is worth 2**s units.

    Examples
    --------
    >>> shift_of_exponent(127) + 24 - 1 - 149
    0
    """
    return max(exponent, 1) - 1


def mean_and_std(count: int, total: int, squares: int, unit: Fraction) -> tuple[float, float]:
    """Return mean and population standard deviation from exact sums of integers.

    The mean is correctly rounded, the deviation within one unit in the last place.

    Parameters
    ----------
    count, total, squares : int
        Number, sum and sum of squares of the integers.
    unit : Fraction
        What one is worth in grey levels.

    Returns
    -------
    mean, std : float
        Grey levels.

    Examples
    --------
    >>> mean_and_std(2, 4, 10, Fraction(1))
    (2.0, 1.0)
    """
    variance = Fraction(count * squares - total * total, count * count) * unit * unit
    return float(Fraction(total, count) * unit), math.sqrt(variance)


def single_precision(array: Array) -> npt.NDArray[np.float32]:
    """Return the values as float32 on the host; infinite where they are beyond its range.

    Examples
    --------
    >>> single_precision(np.array([1e300])).tolist()
    [inf]
    """
    with np.errstate(over="ignore"):
        return array.astype(np.float32, copy=False)


def nonfinite_error(array: Array, start: tuple[int, ...], bad: int) -> NonFiniteError:
    """Return the error that says how many voxels are no numbers, and where the first one is.

    Parameters
    ----------
    array : ndarray
        What was read together.
    start : tuple of int
        Where its first voxel lies in the volume.
    bad : int
        How many of its voxels are not finite in float32.

    Returns
    -------
    NonFiniteError
        To be raised.

    Examples
    --------
    >>> print(nonfinite_error(np.array([0, np.nan]), (10,), 1))  # doctest: +ELLIPSIS
    1 of 2 voxels ... first at (11,): they have no grey value...
    """
    first = np.argwhere(~np.isfinite(single_precision(array)))[0]
    position = tuple(int(i) + s for i, s in zip(first, start, strict=True))
    return NonFiniteError(
        f"{bad} of {array.size} voxels that were read together are NaN, infinite or beyond the range of "
        f"float32, the first at {position}: they have no grey value. Replace them first, for instance by "
        "numpy.nan_to_num."
    )
