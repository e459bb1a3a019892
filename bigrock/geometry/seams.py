"""Where blocks meet: the faces, edges and corners that two, four or eight of them share.

What depends on neighbouring voxels alone (components, 2×2×2 configurations, chords) needs no halo:
each block hands over the layers at its borders, and when all blocks around a seam have done so,
the seam is worked on once and forgotten. A halo of one voxel would make a pass decode up to 3.4
times the chunks; a layer costs nothing to read.

A **seam** is a face (between two blocks), an edge (four) or a corner (eight). Its region is two
voxels thick along the axes that it crosses and as long as the blocks along the others, so every
pair or 2×2×2 cell of voxels of different blocks lies in exactly one kind of seam: those that cross
one border in a face, two in an edge, three in a corner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry.grid import Region, Shape

__all__ = ["Seam", "Seams", "seams_of"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Seam:
    """A face, edge or corner between blocks.

    Parameters
    ----------
    region : Region
        Its voxels: two layers along crossed axes, the extent of the blocks along the others.
    crossed : tuple of bool
        Which of z, y, x it crosses.

    Examples
    --------
    >>> Seam(Region((7, 0, 0), (9, 8, 8)), (True, False, False)).blocks
    2
    """

    region: Region
    crossed: tuple[bool, bool, bool]

    @property
    def blocks(self) -> int:
        """How many blocks meet here: 2, 4 or 8."""
        return 2 ** sum(self.crossed)


def seams_of(core: Region, volume: Shape) -> Iterator[tuple[Seam, tuple[slice, slice, slice]]]:
    """Yield every seam of a block with the slices of the block's core that belong to it.

    Borders of the volume are no seams. The blocks must be those of one grid: equal along each
    axis but for the last.

    Parameters
    ----------
    core : Region
        What the block owns.
    volume : tuple of int
        Extent of the volume.

    Yields
    ------
    (Seam, tuple of slice)
        Up to 6 faces, 12 edges and 8 corners; the slices are one voxel thick along crossed axes.

    Examples
    --------
    >>> [(seam.region.shape, seam.blocks) for seam, _ in seams_of(Region((0, 0, 0), (8, 8, 8)), (16, 16, 8))]
    [((8, 2, 8), 2), ((2, 8, 8), 2), ((2, 2, 8), 4)]
    """
    for sides in product(*(_sides(*axis) for axis in zip(core.start, core.stop, volume, strict=True))):
        crossed = (sides[0][2], sides[1][2], sides[2][2])
        if not any(crossed):
            continue
        (z, y, x), (dz, dy, dx) = zip(*(side[0] for side in sides), strict=True)
        cut = (sides[0][1], sides[1][1], sides[2][1])
        yield Seam(Region((z, y, x), (dz, dy, dx)), crossed), cut


def _sides(start: int, stop: int, extent: int) -> list[tuple[tuple[int, int], slice, bool]]:
    """Return for one axis the range of the seam, the slice of the core, and whether it is crossed."""
    sides = [((start, stop), slice(0, stop - start), False)]
    if start > 0:
        sides.append(((start - 1, start + 1), slice(0, 1), True))
    if stop < extent:
        sides.append(((stop - 1, stop + 1), slice(stop - start - 1, stop - start), True))
    return sides


@dataclass(slots=True)
class Seams:
    """Layers handed over so far, by seam; a part of the state of a reduction.

    Masks are kept as bits. Adding and merging are commutative, so that blocks may come in any
    order; `completed` gives each seam once.

    Examples
    --------
    >>> left, right = Seams(), Seams()
    >>> for seams, x in ((left, 0), (right, 2)):
    ...     seams.add(Region((0, 0, x), (1, 1, x + 2)), (1, 1, 4), np.full((1, 1, 2), x, np.uint8))
    >>> left.merge(right)
    >>> [layers.tolist() for seam, layers in left.completed()]
    [[[[0, 2]]]]
    """

    waiting: dict[Seam, list[tuple[Region, Array]]] = field(default_factory=dict)

    def add(self, core: Region, volume: Shape, array: Array) -> None:
        """Hand over the border layers of one block.

        Parameters
        ----------
        core : Region
            What the block owns.
        volume : tuple of int
            Extent of the volume.
        array : ndarray
            The voxels of the core: a mask, labels.
        """
        for seam, cut in seams_of(core, volume):
            part = array[cut]
            start = tuple(c + s.start for c, s in zip(core.start, cut, strict=True))
            place = Region(start, tuple(a + n for a, n in zip(start, part.shape, strict=True)))
            kept = np.packbits(part) if part.dtype.kind == "b" else part.copy()
            self.waiting.setdefault(seam, []).append((place, kept))

    def merge(self, other: Seams) -> None:
        """Take the layers of disjoint blocks; `other` is left as it is."""
        for seam, parts in other.waiting.items():
            self.waiting.setdefault(seam, []).extend(parts)

    def completed(self) -> Iterator[tuple[Seam, Array]]:
        """Yield, and forget, every seam of which all blocks are there, with its voxels."""
        for seam in [s for s, parts in self.waiting.items() if len(parts) == s.blocks]:
            yield seam, _assembled(seam, self.waiting.pop(seam))

    @property
    def nbytes(self) -> int:
        """Bytes of the layers that wait."""
        return sum(layer.nbytes for parts in self.waiting.values() for _, layer in parts)


def _assembled(seam: Seam, parts: list[tuple[Region, Array]]) -> Array:
    """Return the voxels of a seam."""
    bits = parts[0][1].ndim == 1
    whole = np.empty(seam.region.shape, np.bool_ if bits else parts[0][1].dtype)
    for place, layer in parts:
        if bits:
            layer = np.unpackbits(layer, count=place.voxels).view(np.bool_).reshape(place.shape)
        whole[place.within(seam.region)] = layer
    return whole
