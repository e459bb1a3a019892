"""How often each of the 256 configurations of 2×2×2 voxels occurs: all of topology and surface.

The Euler number, the surface and the integral of mean curvature of a mask are sums over its
2×2×2 cells, so one histogram of 256 bins holds them all (`bigrock.kernels.minkowski`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block, Region, Seams, Shape
from bigrock.kernels.backend import namespace, to_host
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.kernels.packed_rows import framed_rows, mask_volume, packed_rows
from bigrock.volumes.source import Facts

__all__ = ["ConfigurationCounts", "Configurations", "configuration_counts"]

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ConfigurationCounts:
    """How often each configuration of 2×2×2 voxels occurs; made by `configuration_counts`.

    The code of a cell has the bit ``dz + 2 dy + 4 dx`` for each of its voxels that is True.

    Attributes
    ----------
    inside : ndarray of int64, shape (256,)
        Cells that lie wholly in the volume: (nz − 1)(ny − 1)(nx − 1) of them; and in the field of
        view, where there is one.
    border : ndarray of int64, shape (256,)
        Cells that reach beyond, where all is taken as False.
    """

    inside: Counts
    border: Counts

    @property
    def all(self) -> Counts:
        """All cells: those of a volume in a frame of False."""
        return self.inside + self.border

    @property
    def voxels(self) -> int:
        """Number of voxels that are True; each stands in eight cells."""
        return int(self.all @ _BITS) // 8


_BITS = np.array([code.bit_count() for code in range(256)], np.int64)


def configuration_counts(mask: Mask) -> ConfigurationCounts:
    """Return how often each configuration of 2×2×2 voxels occurs in a mask, inside and at its border.

    Bitwise, and the same over blocks (`Configurations`). About half a nanosecond per voxel; an
    eighth of a byte per voxel for the mask as bits.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x) or (y, x)
        The phase is True. Arrays of cupy are counted on their device.

    Returns
    -------
    ConfigurationCounts
        Two histograms of 256 bins.

    Raises
    ------
    ParameterError
        If it is no mask, or holds no voxel.

    References
    ----------
    .. [1] Ohser J., Mücklich F., "Statistical Analysis of Microstructures in Materials Science",
       Wiley, 2000, chapter 4.

    Examples
    --------
    >>> counts = configuration_counts(np.ones((3, 3, 3), bool))
    >>> int(counts.inside[255]), int(counts.border.sum()), counts.voxels
    (8, 56, 27)
    """
    volume = mask_volume(mask)
    if namespace(volume) is not np:
        from bigrock.kernels.arrays.configurations import configuration_histograms

        inside, border = configuration_histograms(volume)
        return ConfigurationCounts(to_host(inside), to_host(border))
    whole = Region.whole(volume.shape)
    return _counts(volume, whole, volume.shape, (False, False, False))


@dataclass(slots=True)
class _Counted:
    """The state: cells counted so far, and layers that wait for their neighbours."""

    counts: ConfigurationCounts
    volume: Shape
    seams: Seams = field(default_factory=Seams)


@dataclass(frozen=True)
class Configurations(Reduction):
    """The `ConfigurationCounts` of a volume, from any blocks in any order, bitwise as from one.

    Reads no halo: cells across borders of blocks are counted where the blocks' layers meet.

    Parameters
    ----------
    field : FieldOfView, optional
        Cells that are not wholly in it count as border. The mask must be False outside.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> volume = np.ones((3, 4, 5), bool)
    >>> counting, grid = Configurations(), BlockGrid((3, 4, 5), (2, 4, 5))
    >>> a, b = (counting.block(volume[block.read.slices], block) for block in grid)
    >>> int(counting.finish(counting.combine(a, b), Facts((3, 4, 5), volume.dtype)).inside[255])
    24
    """

    field: FieldOfView | None = None

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The mask as bits, twice while it is packed, with margins; and the field of view."""
        return 0.5 if self.field is None else 4.0

    def state_bytes(self, facts: Facts) -> float:
        """Layers as bits on both sides of the blocks that wait: at most a few cross-sections."""
        return 4096 + waiting_layer_voxels(facts.shape) / 8

    def block(self, array: Mask, block: Block) -> _Counted:
        """Return the cells of the core, and its layers."""
        core = array[block.trim]
        counts = _counts(core, block.core, block.volume, (False, False, False), self.field)
        state = _Counted(counts, block.volume)
        state.seams.add(block.core, block.volume, core)
        return state

    def combine(self, a: _Counted, b: _Counted) -> _Counted:
        """Return the sum, with the cells of the seams that both complete."""
        a.counts = _sum(a.counts, b.counts)
        a.seams.merge(b.seams)
        for seam, layers in a.seams.completed():
            a.counts = _sum(a.counts, _counts(layers, seam.region, a.volume, seam.crossed, self.field))
        return a

    def finish(self, state: _Counted, facts: Facts) -> ConfigurationCounts:
        """Return the histograms."""
        return state.counts


def waiting_layer_voxels(volume: Shape) -> float:
    """Return how many voxels of block layers wait for their neighbours at most, about.

    Blocks come along a Z-curve, so what waits is the surface of a few cubes: at most four layers
    of each cross-section of the volume.
    """
    depth, height, width = volume
    return 4.0 * (depth * height + height * width + width * depth)


def _sum(a: ConfigurationCounts, b: ConfigurationCounts) -> ConfigurationCounts:
    return ConfigurationCounts(a.inside + b.inside, a.border + b.border)


def _counts(
    mask: Mask,
    place: Region,
    volume: Shape,
    crossed: tuple[bool, bool, bool],
    field: FieldOfView | None = None,
) -> ConfigurationCounts:
    """Return the cells of a part of the volume; along crossed axes those between its two layers."""
    from bigrock.kernels.configurations_loops import add_configurations, move_outside

    low = zip(place.start, crossed, strict=True)
    high = zip(place.stop, place.shape, volume, crossed, strict=True)
    first = np.array([-1 if start == 0 and not c else 0 for start, c in low], np.int64)
    last = np.array([n if stop == end and not c else n - 1 for stop, n, end, c in high], np.int64)
    inside, border = np.zeros(256, np.int64), np.zeros(256, np.int64)
    bits, width = framed_rows(mask), mask.shape[2]
    add_configurations(bits, width, first, last, inside, border)
    if field is not None:
        move_outside(bits, width, packed_rows(cells_inside(field, place)), inside, border)
    return ConfigurationCounts(inside, border)


def cells_inside(field: FieldOfView, region: Region) -> Mask:
    """Return True at the low corners of the 2×2×2 cells of a region that lie wholly in the field of view.

    Examples
    --------
    >>> from bigrock.kernels.field_of_view import Cylinder
    >>> int(cells_inside(Cylinder(1, 1, 9), Region((0, 0, 0), (3, 3, 3))).sum())
    8
    """
    seen = np.broadcast_to(field.inside(region), region.shape)
    cells = np.zeros(region.shape, bool)
    both = seen[1:] & seen[:-1]
    both = both[:, 1:] & both[:, :-1]
    cells[:-1, :-1, :-1] = both[:, :, 1:] & both[:, :, :-1]
    return cells
