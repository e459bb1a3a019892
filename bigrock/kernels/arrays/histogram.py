"""Counts of the values of an image of few levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.kernels.backend import dtype_of, namespace, to_host

__all__ = ["count_levels"]

Array = Any


def count_levels(image: Array) -> npt.NDArray[np.uint64]:
    """Return how often each value of a type of at most 16 bits occurs, in the memory of the CPU.

    Sorts the voxels, for the standard has no other way to count. Exact.

    Parameters
    ----------
    image : array of bool, uint8, int8, uint16 or int16, any shape
        Grey values.

    Returns
    -------
    ndarray of uint64, shape (2,), (256,) or (65536,)
        From the smallest value of the type to the largest.

    Examples
    --------
    >>> count_levels(np.array([True, False, True])).tolist()
    [1, 2]
    """
    xp, dtype = namespace(image), dtype_of(image)
    if dtype.kind == "b":
        inside = int(xp.count_nonzero(image))
        return np.array([image.size - inside, inside], np.uint64)
    found = xp.unique_counts(xp.reshape(image, (-1,)))
    counts = np.zeros(256**dtype.itemsize, np.uint64)
    counts[to_host(found.values).astype(np.int64) - np.iinfo(dtype).min] = to_host(found.counts)
    return counts
