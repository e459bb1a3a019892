"""What stripes and rings have in common: faint lines that stand out from the median around them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block, Shape
from bigrock.kernels.denoise import check_finite, medians_of

__all__ = ["UNIT", "check_lines", "not_fitted", "outstanding", "over_slices"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

UNIT = 2.0**20
"""What the limit is in the integers that are summed; so sums are exact, in any order of blocks."""


def outstanding(
    array: Array, block: Block, radii: Shape, limit: float
) -> Iterator[tuple[Floats, npt.NDArray[np.bool_]]]:
    """Yield, slice by slice of the core, how far voxels stand out from the median around them.

    Whole numbers, cut to ± `limit`, which is `UNIT`; and where they were not cut. What stands out more is
    structure. Sum and number together are a step of Newton's method from 0 towards Huber's estimate of
    location: for faint lines the mean without structure, and unlike a trimmed mean not too small.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> block = BlockGrid((1, 1, 4), (1, 1, 4))[0]
    >>> [(apart, uncut)] = outstanding(np.array([[[5, 6, 5, 99]]], np.uint8), block, (0, 0, 1), 2)
    >>> (apart / UNIT).tolist(), uncut.tolist()
    ([[0.0, 0.5, -0.5, 0.0]], [[True, True, True, True]])
    """
    check_finite(array, block)
    medians, core = medians_of(array, block.trim, radii), array[block.trim]
    for voxels, middle in zip(core, medians, strict=True):
        apart = voxels.astype(np.float64) - middle
        yield np.rint(np.clip(apart, -limit, limit) * (UNIT / limit)), np.abs(apart) <= limit


def over_slices(sums: npt.NDArray[np.int64], slices: int) -> npt.NDArray[np.int64]:
    """Return sums of each slice and of those around it, fewer at the ends.

    Examples
    --------
    >>> over_slices(np.array([[1], [2], [4]]), 3).ravel().tolist()
    [3, 7, 6]
    """
    reach = slices // 2
    return np.stack([sums[max(0, z - reach) : z + reach + 1].sum(axis=0) for z in range(len(sums))])


def check_lines(limit: float, radius: int, slices: int) -> None:
    """Refuse a limit, a radius or a number of slices that gives no lines."""
    if not (math.isfinite(limit) and limit > 0):
        raise ParameterError(
            f"limit={limit} is no grey level: nothing, or structure too, would be taken for lines. Give about the "
            "strongest line plus three times the noise."
        )
    if radius != int(radius) or radius < 1:
        raise ParameterError(
            f"radius={radius} gives no surroundings. Use a whole number of voxels, at least 1."
        )
    if slices != int(slices) or slices < 1 or slices % 2 == 0:
        raise ParameterError(
            f"slices={slices} has no middle. Use an odd number, 1 for each slice on its own."
        )


def not_fitted(name: str, held: Any, needed: tuple[int, ...]) -> None:
    """Raise where a kernel has no profile, or one of another volume."""
    if held is None:
        raise NotFittedError(
            f"{name} has no profile: a block alone does not know the lines that run through it. Call "
            "kernel.fit(volume) first, or let bigrock.run do it."
        )
    if held.shape != needed:
        raise ParameterError(
            f"{name} holds a profile of {held.shape} and the volume needs {needed}: lines of another volume would "
            "be subtracted. Fit the kernel to this volume."
        )
