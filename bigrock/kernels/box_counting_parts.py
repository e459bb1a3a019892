"""Boxes of a volume from its blocks: those inside a block at once, shared ones when all have come.

Along an axis the boxes that a block touches are at most three ranges: one box that it shares with
blocks before it, the boxes inside it, and one box that it shares with blocks after it. All blocks
around a shared box cut the other axes at the same places, so the pieces of neighbouring blocks,
products of such ranges, are the same boxes: a piece is found by its first box, merged as one
array, and complete when all its voxels have come. Where the block is a multiple of the box nothing
is shared, and nothing is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Region, Shape

__all__ = ["Boxes", "OpenBoxes", "boxes_of_block", "scratch_per_voxel", "waiting_bytes"]

Array = npt.NDArray[Any]

_USUAL_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes of one size that lie side by side, as far as they are known.

    Parameters
    ----------
    level : int
        Index of their size.
    first : tuple of int
        Number of the first box along each axis.
    seen, voxels : int
        Voxels that have been looked at, and that they have.
    lows, highs : ndarray, 3-D
        Least and greatest value that each box is known to hold.

    Examples
    --------
    >>> part = Boxes(0, (0, 0, 0), 1, 2, np.array([[[3]]]), np.array([[[3]]]))
    >>> whole = part.joined(Boxes(0, (0, 0, 0), 1, 2, np.array([[[7]]]), np.array([[[7]]])))
    >>> whole.complete, whole.lows.item(), whole.highs.item()
    (True, 3, 7)
    """

    level: int
    first: Shape
    seen: int
    voxels: int
    lows: Array
    highs: Array

    @property
    def complete(self) -> bool:
        """Whether every voxel has been looked at."""
        return self.seen == self.voxels

    def joined(self, other: Boxes) -> Boxes:
        """Return what two parts of the same boxes hold together."""
        lows, highs = np.minimum(self.lows, other.lows), np.maximum(self.highs, other.highs)
        return Boxes(self.level, self.first, self.seen + other.seen, self.voxels, lows, highs)


@dataclass(slots=True)
class OpenBoxes:
    """Boxes that wait for other blocks; a part of the state of a reduction.

    Examples
    --------
    >>> waiting, ones = OpenBoxes(), np.ones((1, 1, 1), bool)
    >>> waiting.add(Boxes(0, (0, 0, 0), 1, 2, ones, ones))
    >>> waiting.add(Boxes(0, (0, 0, 0), 1, 2, ones, ones))
    >>> len(list(waiting.completed())), len(waiting.waiting)
    (1, 0)
    """

    waiting: dict[tuple[int, Shape], Boxes] = field(default_factory=dict)

    def add(self, boxes: Boxes) -> None:
        """Take boxes, joined with what is known of them; they are never changed in place."""
        key = boxes.level, boxes.first
        known = self.waiting.get(key)
        self.waiting[key] = boxes if known is None else known.joined(boxes)

    def merge(self, other: OpenBoxes) -> None:
        """Take the boxes of disjoint blocks; `other` is left as it is."""
        for boxes in other.waiting.values():
            self.add(boxes)

    def completed(self) -> Iterator[Boxes]:
        """Yield, and forget, the boxes of which every voxel has been looked at."""
        for key in [key for key, boxes in self.waiting.items() if boxes.complete]:
            yield self.waiting.pop(key)


def boxes_of_block(
    image: Array, core: Region, volume: Shape, sizes: tuple[int, ...], *, flat: bool = False
) -> Iterator[Boxes]:
    """Yield the boxes that a block touches, size by size, complete ones and others.

    The boxes lie on a grid that begins at the origin of the volume; those that its far faces cut
    are boxes like the others. A size is made of the largest smaller one that divides it, and even
    ones go through 2, so that all of them cost together little more than one pass over the voxels.

    Parameters
    ----------
    image : ndarray, 3-D, C-contiguous, of unsigned integers
        The voxels of the core.
    core : Region
        What the block owns.
    volume : tuple of int
        Extent of the volume.
    sizes : tuple of int
        Edges in voxels, ascending.
    flat : bool
        Squares in each plane across the first axis, instead of cubes.

    Yields
    ------
    Boxes
        Views of the same few arrays where they are complete, copies where they are not.

    Examples
    --------
    >>> image = np.arange(8, dtype=np.uint8).reshape(1, 1, 8)
    >>> core = Region((0, 0, 8), (1, 1, 16))
    >>> [(b.first[2], b.highs.tolist(), b.complete) for b in boxes_of_block(image, core, (1, 1, 16), (3,))]
    [(2, [[[0]]], False), (3, [[[3, 6, 7]]], True)]
    """
    levels = {1: (image, image)}
    for level, size in enumerate(sizes):
        if size % 2 == 0 and 2 not in levels:
            levels[2] = _merged(image, image, core.start, 1, 2, flat)
        if size not in levels:
            finer = max(s for s in levels if size % s == 0)
            levels[size] = _merged(*levels[finer], core.start, finer, size, flat)
        lows, highs = levels[size]
        box = (1 if flat else size, size, size)
        for first, cut, seen, voxels in _pieces(core, volume, box):
            low, high = lows[cut], highs[cut]
            if seen < voxels:
                low, high = low.copy(), high.copy()
            yield Boxes(level, first, seen, voxels, np.ascontiguousarray(low), np.ascontiguousarray(high))


def scratch_per_voxel(dtype: np.dtype[Any]) -> float:
    """Return bytes per voxel that `boxes_of_block` takes beside its input: at most all sizes, flat.

    Examples
    --------
    >>> round(scratch_per_voxel(np.dtype(np.uint8)), 1)
    1.3
    """
    return 2 * dtype.itemsize * (math.pi**2 / 6 - 1)


def waiting_bytes(shape: Shape, itemsize: int, sizes: tuple[int, ...]) -> float:
    """Return bytes of the boxes that wait at one time, where blocks are visited along a Z-curve.

    Sizes that divide the usual block of 64 wait for nothing. Of others wait those along the front
    between blocks that are done and blocks that are not, about three faces of the volume; sizes
    beyond the block are few.

    Examples
    --------
    >>> waiting_bytes((64, 64, 64), 1, (1, 2, 4))
    0.0
    """
    total = 0.0
    for size in sizes:
        if _USUAL_BLOCK % size:
            z, y, x = (-(-n // size) for n in shape)
            total += 2 * itemsize * min(z * y * x, 2 * (z * y + z * x + y * x))
    return total


def _merged(
    lows: Array, highs: Array, start: Shape, finer: int, size: int, flat: bool
) -> tuple[Array, Array]:
    """Return the boxes of a size from those of a finer one, on the grid from the origin."""
    from bigrock.kernels.box_counting_loops import merge_boxes

    ratio = size // finer
    factor = (1 if flat else ratio, ratio, ratio)
    z, y, x = ((a // finer) % f for a, f in zip(start, factor, strict=True))
    shape = tuple(-(-(o + n) // f) for o, n, f in zip((z, y, x), lows.shape, factor, strict=True))
    # One array for both: a page fault costs more than the boxes that a page holds, and numpy asks for
    # huge pages from 4 MiB on.
    out = np.empty((2, *shape), lows.dtype)
    merge_boxes(lows, highs, (z, y, x), factor, out[0], out[1])
    return out[0], out[1]


def _pieces(
    core: Region, volume: Shape, box: Shape
) -> Iterator[tuple[Shape, tuple[slice, slice, slice], int, int]]:
    """Yield first box, slices of the block's boxes, voxels in the block, and voxels in all."""
    axes = zip(core.start, core.stop, volume, box, strict=True)
    for z, y, x in product(*(_ranges(*axis) for axis in axes)):
        first, cut = (z[0], y[0], x[0]), (z[1], y[1], x[1])
        yield first, cut, z[2] * y[2] * x[2], z[3] * y[3] * x[3]


def _ranges(start: int, stop: int, extent: int, size: int) -> Iterator[tuple[int, slice, int, int]]:
    """Yield along one axis: first box, slice, voxels in the block, voxels in all."""
    first, last = start // size, -(-stop // size)
    inner, end = -(-start // size), last if stop == extent else stop // size
    shared = [box for box in dict.fromkeys((first, last - 1)) if not inner <= box < end]
    for box in shared:
        low, high = box * size, min(extent, (box + 1) * size)
        yield box, slice(box - first, box - first + 1), min(stop, high) - max(start, low), high - low
    if inner < end:
        voxels = min(stop, end * size) - inner * size
        yield inner, slice(inner - first, end - first), voxels, voxels
