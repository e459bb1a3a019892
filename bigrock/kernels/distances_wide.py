"""Distances that reach beyond what a block has read: a wider read, slab by slab, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import PlanError
from bigrock.geometry import Block, Region
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.distances_squares import across_slices, box_of, in_slices, lengths, type_for

__all__ = ["fill_wide"]

Array = npt.NDArray[Any]


def fill_wide(
    read_mask: Callable[[Region], Array],
    box: Region,
    block: Block,
    metric: Metric,
    reach: int,
    limits: tuple[float, float],
    out: npt.NDArray[np.float32],
) -> None:
    """Set the distances in a box of a block's core, reading twice as far until all of them are certain.

    Parameters
    ----------
    read_mask : callable
        Returns the mask of a region.
    box : Region
        What to fill, in voxels of the core.
    block : Block
        The block.
    metric : Metric
        Squared edges of a voxel.
    reach : int
        How far to look first, in units of the smallest edge.
    limits : tuple of float
        Bytes of the stack of slices that is kept, and of the slab that is read at a time.
    out : ndarray of float32
        Distances of the core; the box is overwritten.

    Raises
    ------
    PlanError
        If a single slice of what must be read exceeds the limit.
    """
    tile = box.moved(block.core.start)
    read = tile.grow(metric.reach(reach), block.volume)
    itemsize = 4 if metric.whole else 8
    (depth, _, _), (_, height, width) = read.shape, tile.shape
    if depth * height * width * itemsize > limits[0] and height * width > 1:
        for part in _halves(box):
            fill_wide(read_mask, part, block, metric, reach, limits, out)
        return
    whole = read == Region.whole(block.volume)
    cap = None if whole else (reach + 1) ** 2
    squares, top = _in_slabs(read_mask, tile, read, metric, cap, limits[1] / (1 + 2 * itemsize))
    out[box.slices] = lengths(squares, top, metric)
    if not whole and (unsure := box_of(squares == top)) is not None:
        del squares
        fill_wide(read_mask, unsure.moved(box.start), block, metric, 2 * reach, limits, out)


def _in_slabs(
    read_mask: Callable[[Region], Array],
    tile: Region,
    read: Region,
    metric: Metric,
    cap: int | None,
    voxels: float,
) -> tuple[Array, Any]:
    """Return the squared distances in `tile` to the background in `read`, which is read in slabs."""
    depth, height, width = read.shape
    thickness = int(voxels // (height * width))
    if thickness < 1:
        raise PlanError(
            f"a distance in the block at {tile.start} is so large that slices of {height} × {width} voxels must be "
            "read, which do not fit in the planned memory. Use larger blocks, or a mask of the field of view."
        )
    window = tile.relative_to(read)
    stack = np.empty((depth, *tile.shape[1:]), type_for(metric, cap)[0])
    for z in range(0, depth, thickness):
        start, stop = read.start[0] + z, min(read.start[0] + z + thickness, read.stop[0])
        slab = Region((start, *read.start[1:]), (stop, *read.stop[1:]))
        stack[z : z + thickness], top = in_slices(read_mask(slab), window, metric, cap)
    return across_slices(stack, window.start[0], tile.shape[0], metric), top


def _halves(box: Region) -> list[Region]:
    """Return a box cut in two along the longer of y and x."""
    _, height, width = box.shape
    (z, y, x), (dz, dy, dx) = box.start, box.stop
    if height > width:
        middle = y + height // 2
        return [Region((z, y, x), (dz, middle, dx)), Region((z, middle, x), (dz, dy, dx))]
    middle = x + width // 2
    return [Region((z, y, x), (dz, dy, middle)), Region((z, y, middle), (dz, dy, dx))]
