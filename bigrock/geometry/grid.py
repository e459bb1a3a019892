"""Cut a volume into write-exclusive blocks and say what each block must read.

A block *owns* a core region, and only its owner writes there, so running a block twice is
harmless and no lock is needed. A block *reads* its core plus a halo, clipped to the volume.
Geometry only: this module knows nothing of stores, arrays, schedulers or devices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from bigrock.errors import AlignmentError, ParameterError

__all__ = ["Block", "BlockGrid", "Region", "Shape", "check_alignment"]

Shape = tuple[int, int, int]
"""Three integers in the order z, y, x."""


@dataclass(frozen=True, slots=True)
class Region:
    """A half-open box ``start <= voxel < stop``, in voxels, axes z, y, x."""

    start: Shape
    stop: Shape

    @property
    def shape(self) -> Shape:
        """Extent along z, y, x."""
        (a, b, c), (d, e, f) = self.start, self.stop
        return d - a, e - b, f - c

    @property
    def voxels(self) -> int:
        """Number of voxels inside."""
        return math.prod(self.shape)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The region as an index of an array that starts at the origin."""
        (a, b, c), (d, e, f) = self.start, self.stop
        return slice(a, d), slice(b, e), slice(c, f)

    def within(self, outer: Region) -> tuple[slice, slice, slice]:
        """Return this region as an index of an array that holds `outer`."""
        (a, b, c), (d, e, f), (i, j, k) = self.start, self.stop, outer.start
        return slice(a - i, d - i), slice(b - j, e - j), slice(c - k, f - k)

    def moved(self, by: Shape) -> Region:
        """Return the region `by` voxels further along each axis."""
        (a, b, c), (d, e, f), (i, j, k) = self.start, self.stop, by
        return Region((a + i, b + j, c + k), (d + i, e + j, f + k))

    def relative_to(self, outer: Region) -> Region:
        """Return this region as a region of an array that holds `outer`."""
        i, j, k = outer.start
        return self.moved((-i, -j, -k))

    def grow(self, halo: Shape, shape: Shape) -> Region:
        """Return the region with `halo` more voxels on every side, clipped to a volume of `shape`."""
        start = tuple(max(0, a - h) for a, h in zip(self.start, halo, strict=True))
        stop = tuple(min(n, b + h) for b, h, n in zip(self.stop, halo, shape, strict=True))
        return Region(start, stop)  # type: ignore[arg-type]

    def common(self, other: Region) -> Region:
        """Return what both regions hold; they must overlap."""
        start = tuple(max(a, b) for a, b in zip(self.start, other.start, strict=True))
        stop = tuple(min(a, b) for a, b in zip(self.stop, other.stop, strict=True))
        return Region(start, stop)  # type: ignore[arg-type]

    def scaled(self, scale: int) -> Region:
        """Return the region in a volume whose axes are `scale` times longer."""
        (a, b, c), (d, e, f) = self.start, self.stop
        return Region((a * scale, b * scale, c * scale), (d * scale, e * scale, f * scale))

    @classmethod
    def whole(cls, shape: Shape) -> Region:
        """Return the region that covers a volume of `shape`."""
        return cls((0, 0, 0), shape)


@dataclass(frozen=True, slots=True)
class Block:
    """One unit of work: `core` is written, `read` is read, `trim` cuts `read` back to `core`.

    `volume` is the shape of the whole volume, so that a kernel knows where the true border is.
    """

    id: int
    core: Region
    read: Region
    volume: Shape

    @property
    def trim(self) -> tuple[slice, slice, slice]:
        """The core as an index of the array that was read."""
        return self.core.within(self.read)


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """All blocks of a volume, made on demand: a grid of a million blocks holds seven integers.

    Block ids count in C order (x fastest). The last block of an axis may be smaller.

    Parameters
    ----------
    shape : Shape
        The volume, z, y, x.
    block : Shape
        The core of a block; clipped at the far faces.
    halo : Shape
        Voxels read around the core; clipped to the volume.

    Raises
    ------
    ParameterError
        If the shape or the block is not positive, or the halo is negative.

    Examples
    --------
    >>> grid = BlockGrid((100, 64, 64), (64, 64, 64), halo=(4, 4, 4))
    >>> len(grid), grid[1].core.start, grid[1].read.start
    (2, (64, 0, 0), (60, 0, 0))
    """

    shape: Shape
    block: Shape
    halo: Shape = (0, 0, 0)
    counts: Shape = field(init=False)

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or min(self.block) < 1:
            raise ParameterError(
                f"volume {self.shape} and block {self.block} must be positive along every axis."
            )
        if min(self.halo) < 0:
            raise ParameterError(f"halo {self.halo} is negative. Give 0 or more voxels along every axis.")
        counts = tuple(-(-n // b) for n, b in zip(self.shape, self.block, strict=True))
        object.__setattr__(self, "counts", counts)

    def __len__(self) -> int:
        return math.prod(self.counts)

    def __getitem__(self, block_id: int) -> Block:
        if not 0 <= block_id < len(self):
            raise IndexError(f"block {block_id} is outside a grid of {len(self)} blocks")
        rest, k = divmod(int(block_id), self.counts[2])
        i, j = divmod(rest, self.counts[1])
        (bz, by, bx), (nz, ny, nx) = self.block, self.shape
        start = (i * bz, j * by, k * bx)
        stop = (min(nz, start[0] + bz), min(ny, start[1] + by), min(nx, start[2] + bx))
        core = Region(start, stop)
        return Block(int(block_id), core, core.grow(self.halo, self.shape), self.shape)

    def __iter__(self) -> Iterator[Block]:
        return (self[i] for i in range(len(self)))

    @property
    def largest_read(self) -> Shape:
        """The largest region that any block reads."""
        z, y, x = (min(n, b + 2 * h) for n, b, h in zip(self.shape, self.block, self.halo, strict=True))
        return z, y, x


def check_alignment(block: Shape, write_unit: Shape, shape: Shape) -> None:
    """Refuse blocks that would share a write unit (a shard, or a chunk where there are no shards).

    Parameters
    ----------
    block, write_unit, shape : Shape
        Block core, the output's write unit, and the output's shape, in output voxels.

    Raises
    ------
    AlignmentError
        If along some axis the block neither covers the axis nor is a multiple of the write unit.

    Examples
    --------
    >>> check_alignment((128, 64, 64), (64, 64, 64), (500, 500, 500))
    """
    if any(b < n and b % w for b, w, n in zip(block, write_unit, shape, strict=True)):
        raise AlignmentError(
            f"block {block} is not a multiple of the output's write unit {write_unit}: two blocks would rewrite one "
            f"shard and one of them would be lost. Use a multiple of {write_unit}."
        )
