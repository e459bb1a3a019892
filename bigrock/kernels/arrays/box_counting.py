"""Box counts and differential box counts, on arrays of any module."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.kernels.backend import namespace

__all__ = ["count_boxes", "sum_heights"]


def count_boxes(mask: Any, sizes: tuple[int, ...]) -> npt.NDArray[np.uint64]:
    """Return how many boxes hold the phase, and how many both phases: size, one plane, kind.

    Exact; as the state of `bigrock.kernels.BoxCounting`. Reads the mask once for every size.

    Parameters
    ----------
    mask : array of bool, 3-D
        Of any module of the array API standard.
    sizes : tuple of int
        Edges of the boxes in voxels.

    Examples
    --------
    >>> count_boxes(np.eye(4, dtype=bool)[None], (1, 2)).tolist()
    [[[4, 0]], [[2, 2]]]
    """
    xp = namespace(mask)
    counts = []
    for size in sizes:
        boxes = _boxes(mask, size)
        some, every = xp.any(boxes, axis=(1, 3, 5)), xp.all(boxes, axis=(1, 3, 5))
        counts.append([[int(xp.count_nonzero(some)), int(xp.count_nonzero(some & ~every))]])
    return np.array(counts, np.uint64)


def sum_heights(image: Any, sizes: tuple[int, ...], heights: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return for every size the sum over the columns of ``heights[max] - heights[min] + 1``.

    Exact; as the state of `bigrock.kernels.DifferentialBoxCounting`.

    Parameters
    ----------
    image : array of 8- or 16-bit integers, 3-D
        Of any module of the array API standard.
    sizes : tuple of int
        Edges of the columns in voxels.
    heights : ndarray of int64
        For every size the box that each grey value lies in, from the lowest value of the type on.

    Examples
    --------
    >>> image = np.array([[[0, 1], [2, 3]]], np.uint8)
    >>> sum_heights(image, (2,), np.arange(256)[None]).tolist()
    [4]
    """
    xp = namespace(image)
    lowest = int(xp.iinfo(image.dtype).min)
    sums = []
    for size, of_size in zip(sizes, heights, strict=True):
        table = xp.asarray(of_size, dtype=xp.int64)
        boxes = _boxes(image, size)
        ends = [reduce(boxes, axis=(1, 3, 5)) for reduce in (xp.min, xp.max)]
        low, high = (xp.take(table, xp.reshape(xp.astype(e, xp.int64) - lowest, (-1,))) for e in ends)
        sums.append(int(xp.sum(high - low + 1)))
    return np.array(sums, np.uint64)


def _boxes(image: Any, size: int) -> Any:
    """Return the voxels as box, voxel in box, for each axis; boxes cut by the border repeat its voxels.

    A repeated voxel changes neither the least nor the greatest value of its box.
    """
    xp = namespace(image)
    shape: list[int] = []
    for axis in range(3):
        extent = image.shape[axis]
        edge = 1 if extent == 1 else size
        boxes = -(-extent // edge)
        if boxes * edge > extent:
            at = [min(i, extent - 1) for i in range(boxes * edge)]
            image = xp.take(image, xp.asarray(at, dtype=xp.int64), axis=axis)
        shape += [boxes, edge]
    return xp.reshape(image, tuple(shape))
