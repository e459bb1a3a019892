"""Local thickness by distances to the ball centres of each class: one body for every array module."""

from __future__ import annotations

import math
from typing import Any

from bigrock.errors import ParameterError
from bigrock.kernels.arrays.distances import squares_to
from bigrock.kernels.backend import namespace
from bigrock.kernels.distances_metric import Metric

__all__ = ["thickness_classes"]

Array = Any


def thickness_classes(mask: Array, metric: Metric) -> Array:
    """Return the classes of `bigrock.kernels.local_thickness`. Exact; a distance transform per class.

    Parameters
    ----------
    mask : array of bool
        Two- or three-dimensional, of any module.
    metric : Metric
        Squared edges of a voxel.

    Returns
    -------
    array of uint16

    Raises
    ------
    ParameterError
        If there is no background.

    Examples
    --------
    >>> import numpy as np
    >>> thickness_classes(np.array([[False, True, True, True, False]]), Metric()).tolist()
    [[0, 2, 2, 2, 0]]
    """
    xp = namespace(mask)
    squares = squares_to(~mask, metric)
    largest = float(xp.max(squares))
    if math.isinf(largest):
        raise ParameterError("the mask holds no background: no ball would be the largest. Give both phases.")
    classes = xp.zeros(mask.shape, dtype=xp.uint16)
    for radius in range(1, math.isqrt(int(largest)) + 1):
        covered = squares_to(squares >= radius**2, metric) < radius**2
        classes = xp.where(covered, xp.asarray(radius, dtype=xp.uint16), classes)
    return classes
