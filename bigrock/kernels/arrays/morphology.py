"""Erosion and dilation by shifted arrays: one body for every array module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigrock.kernels.backend import namespace

__all__ = ["near"]

Array = Any


def near(targets: Array, core: tuple[slice, slice, slice], costs: Sequence[int], limit: int) -> Array:
    """Return for the core where a target lies within the cost `limit`; steps of k voxels cost ``costs[k]``.

    Examples
    --------
    >>> import numpy as np
    >>> core = (slice(0, 1), slice(0, 1), slice(0, 4))
    >>> near(np.array([[[True, False, False, False]]]), core, [0, 1, 4], 4).ravel().tolist()
    [True, True, True, False]
    """
    xp = namespace(targets)
    nothing, cap = (xp.asarray(n, dtype=xp.int32) for n in (0, limit + 1))
    least = xp.where(targets, nothing, cap)
    for axis in (2, 1, 0):
        least = _least_along(least, axis, core[axis], costs)
    return least <= limit


def _least_along(cost: Array, axis: int, part: slice, costs: Sequence[int]) -> Array:
    """Return for a part of an axis the least of the costs there and some steps away."""
    xp = namespace(cost)
    last = cost.shape[axis] - 1
    least = xp.take(cost, xp.arange(part.start, part.stop), axis=axis)
    for k in range(1, len(costs)):
        for step in (-k, k):
            # A step that leaves the array ends at its border instead, dearer than the way there.
            places = xp.clip(xp.arange(part.start + step, part.stop + step), 0, last)
            least = xp.minimum(least, xp.take(cost, places, axis=axis) + costs[k])
    return least
