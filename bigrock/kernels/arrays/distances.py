"""Exact Euclidean distances by minima over shifted arrays: one body for every array module."""

from __future__ import annotations

import math
from typing import Any

from bigrock.kernels.backend import namespace
from bigrock.kernels.distances_metric import Metric

__all__ = ["distances", "squares_to"]

Array = Any


def distances(mask: Array, metric: Metric) -> Array:
    """Return the distance to the nearest False voxel, as `bigrock.kernels.distance`. Exact.

    One pass over the array per axis and voxel of the largest distance.

    Parameters
    ----------
    mask : array of bool
        Two- or three-dimensional, of any module.
    metric : Metric
        Squared edges of a voxel.

    Returns
    -------
    array of float32

    Examples
    --------
    >>> import numpy as np
    >>> distances(np.array([[False, True, True]]), Metric()).tolist()
    [[0.0, 1.0, 2.0]]
    """
    xp = namespace(mask)
    return xp.astype(xp.sqrt(squares_to(~mask, metric)) * metric.unit, xp.float32)


def squares_to(targets: Array, metric: Metric) -> Array:
    """Return the squared distance of each voxel to the nearest True one, in units of the smallest edge.

    Examples
    --------
    >>> import numpy as np
    >>> squares_to(np.array([[True, False, False]]), Metric()).tolist()
    [[0.0, 1.0, 4.0]]
    """
    xp = namespace(targets)
    nothing = xp.asarray(0.0, dtype=xp.float64)
    squares = xp.where(targets, nothing, xp.asarray(math.inf, dtype=xp.float64))
    for axis in range(targets.ndim):
        squares = _least_along(squares, axis, float(metric.weights[3 - targets.ndim + axis]))
    return squares


def _least_along(squares: Array, axis: int, weight: float) -> Array:
    """Return the minimum over steps j along an axis of the square there plus ``weight * j**2``."""
    xp = namespace(squares)
    least, length = squares, squares.shape[axis]
    for j in range(1, length):
        step = weight * j * j
        if not bool(xp.any(least > step)):
            break
        beyond = xp.full_like(squares[_part(squares.ndim, axis, slice(0, j))], math.inf)
        before = xp.concat([beyond, squares[_part(squares.ndim, axis, slice(0, length - j))]], axis=axis)
        after = xp.concat([squares[_part(squares.ndim, axis, slice(j, length))], beyond], axis=axis)
        least = xp.minimum(least, xp.minimum(before, after) + step)
    return least


def _part(ndim: int, axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if i == axis else slice(None) for i in range(ndim))
