"""Squared Euclidean distances as whole numbers, of a part of a mask, in two steps: within slices, then across them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Region
from bigrock.kernels.distances_metric import VOXELS, Metric

__all__ = ["across_slices", "box_of", "in_slices", "lengths", "squared_distances", "type_for"]

Array = npt.NDArray[Any]

# Squares up to here can be added in 16 bits.
_LARGEST_SHORT = 1 << 15


def squared_distances(
    mask: Array, core: Region, metric: Metric = VOXELS, *, cap: float | None = None
) -> tuple[Array, Any]:
    """Return the squared distances of a part of a mask, and the value from which on they are not known.

    Only the background inside of `mask` counts. Intermediate steps are confined to what `core`
    needs, so a wide margin around it costs little.

    Parameters
    ----------
    mask : ndarray of bool
        Three-dimensional, contiguous.
    core : Region
        What is returned, as a region of `mask`.
    metric : Metric
        Squared lengths of the voxel edges.
    cap : float, optional
        Larger squares are not looked for, which saves time and memory.

    Returns
    -------
    (ndarray of uint16, int32 or float64, number)
        Squares, in units of the smallest edge, and what stands for "this or more".

    Examples
    --------
    >>> row = np.array([[[False, True, True, True]]])
    >>> squared_distances(row, Region((0, 0, 1), (1, 1, 4)), cap=5)
    (array([[[1, 4, 5]]], dtype=uint16), 5)
    """
    mask = np.ascontiguousarray(mask)
    if cap is None and metric.whole:
        # In 16 bits everything is twice as fast, and distances are seldom too large for it.
        squares, top = squared_distances(mask, core, metric, cap=_LARGEST_SHORT)
        if squares.max() < top:
            return squares, top
    slices, top = in_slices(mask, core, metric, cap)
    return across_slices(slices, core.start[0], core.shape[0], metric), top


def across_slices(slices: Array, first: int, depth: int, metric: Metric) -> Array:
    """Return the squared distances of `depth` slices from `first` on, given those within each slice."""
    from bigrock.kernels.distances_loops import across

    stack, height, width = slices.shape
    squares = np.empty((1, depth, height * width), slices.dtype)
    # Seen as one slice of long rows, the third axis is done by the loop of the second.
    across(slices.reshape(1, stack, height * width), first, metric.weights[0], squares)
    return squares.reshape(depth, height, width)


def in_slices(mask: Array, core: Region, metric: Metric, cap: float | None) -> tuple[Array, Any]:
    """Return the squared distances within each slice of `mask`, for the rows and columns of `core`, and the cap."""
    from bigrock.kernels.distances_loops import across, along_rows

    dtype, top = type_for(metric, cap)
    (_, y, x), (_, height, width) = core.start, core.shape
    rows = np.empty((*mask.shape[:2], width), dtype)
    along_rows(mask, x, metric.weights[2], top, rows)
    slices = np.empty((mask.shape[0], height, width), dtype)
    across(rows, y, metric.weights[1], slices)
    return slices, top


def type_for(metric: Metric, cap: float | None) -> tuple[np.dtype[Any], Any]:
    """Return the smallest type that holds the sum of two squares up to a cap, and the cap in it."""
    if not metric.whole:
        return np.dtype(np.float64), math.inf if cap is None else float(cap)
    if cap is not None and cap <= _LARGEST_SHORT:
        return np.dtype(np.uint16), int(cap)
    return np.dtype(np.int32), int(min(cap or 1 << 30, 1 << 30))


def lengths(squares: Array, cap: Any, metric: Metric) -> npt.NDArray[np.float32]:
    """Return the roots in the unit of the metric; infinite where the distance is not known."""
    from bigrock.kernels.distances_loops import roots

    out = np.empty(squares.shape, np.float32)
    roots(squares.reshape(-1), cap, metric.unit, out.reshape(-1))
    return out


def box_of(mask: Array) -> Region | None:
    """Return the smallest region that holds all True voxels, or None where there is none.

    Examples
    --------
    >>> box_of(np.array([[[False, True, False]]]))
    Region(start=(0, 0, 1), stop=(1, 1, 2))
    """
    where = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not where[0].size:
        return None
    (a, d), (b, e), (c, f) = ((int(found[0]), int(found[-1]) + 1) for found in where)
    return Region((a, b, c), (d, e, f))
