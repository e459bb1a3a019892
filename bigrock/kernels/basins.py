"""Basins of the distance map of one block, with loose ends where ways uphill leave the block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region, Seam, Shape, seams_of
from bigrock.kernels.distances_largest import without_outside
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.distances_squares import squared_distances
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.kernels.labelling_sums import FULL

__all__ = [
    "BasinMap",
    "BlockBasins",
    "Contacts",
    "Layer",
    "basins_of_block",
    "contacts_between",
    "map_basins",
]

Array = npt.NDArray[Any]

RIM = 2
"""Voxels around a block whose heights decide which ways lead into it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rim:
    """Heights and background of the core and `RIM` voxels around it; steps of the core and one voxel around it."""

    heights: Array
    background: Array
    steps: Array
    outer: Region
    inner: Region

    @property
    def first(self) -> Array:
        """Where the steps begin in the heights."""
        return np.array(self.inner.relative_to(self.outer).start)


@dataclass(frozen=True, slots=True, eq=False)
class BasinMap:
    """Which basin each voxel of a block's core belongs to, as far as the block can tell.

    Attributes
    ----------
    labels : ndarray of int32
        Of the core: 0 outside of the phase, else row + 1 of `ends`.
    ends : ndarray of int64
        Where the way uphill ends, as place in the raster order of the volume: at a peak, or at the
        first voxel outside of the core.
    heights : ndarray
        Squared distances of the core.
    rim : Rim
        What lies around, for `basins_of_block`.
    """

    labels: Array
    ends: Array
    heights: Array
    rim: Rim


@dataclass(frozen=True, slots=True, eq=False)
class Contacts:
    """Faces that basins share: ends (n, 2), faces across z, y, x (n, 3), highest pass (n)."""

    ends: Array
    faces: Array
    passes: Array


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What a block shows at a face: rows + 1 of `ends` (0 outside of the phase), and heights."""

    codes: Array
    ends: Array
    heights: Array


@dataclass(frozen=True, slots=True, eq=False)
class BlockBasins:
    """What a block knows: sums of its basins, ways that arrive from its neighbours, contacts, layers at its faces.

    Attributes
    ----------
    block : int
        Its number.
    ends, peaks, table : ndarray
        Of each basin: where it ends, the height there (0 beyond the core), and sums as `ComponentSums`.
    arrivals : ndarray of int64, shape (n, 2)
        Voxels of the core at which ways from outside arrive, and where they end.
    contacts : Contacts
        Within the core.
    layers : dict
        Face → layer.
    """

    block: int
    ends: Array
    peaks: Array
    table: Array
    arrivals: Array
    contacts: Contacts
    layers: dict[Seam, Layer]


def map_basins(
    mask: Array, block: Block, metric: Metric, largest: float, field: FieldOfView | None = None
) -> BasinMap:
    """Return the basins of a block's core, given a mask of `block.read`.

    Parameters
    ----------
    mask : ndarray of bool
        Must reach so far beyond the core that all distances within `RIM` of it are right.
    block : Block
        What was read.
    metric : Metric
        Squared edges of a voxel.
    largest : float
        No distance is larger.
    field : FieldOfView, optional
        What is outside is no background, and not of the phase.
    """
    from bigrock.kernels.basins_loops import follow, uphill

    outer = block.core.grow((RIM, RIM, RIM), block.volume)
    inner = block.core.grow((1, 1, 1), block.volume)
    core = block.core.relative_to(inner)
    heights, background = _heights(mask, block, outer, metric, largest, field)
    rim = Rim(heights, background, np.empty(inner.shape, np.uint8), outer, inner)
    uphill(heights, rim.first, rim.steps)
    labels = np.zeros(inner.shape, np.int32)
    ends = follow(heights, rim.first, rim.steps, np.array(core.start + core.stop), labels)
    return BasinMap(
        np.ascontiguousarray(labels[core.slices]),
        _places(ends, inner, block.volume),
        np.ascontiguousarray(heights[block.core.within(outer)]),
        rim,
    )


def _heights(
    mask: Array, block: Block, outer: Region, metric: Metric, largest: float, field: FieldOfView | None
) -> tuple[Array, Array]:
    """Return the squared distances of `outer`, 0 outside of the phase, and where its background is."""
    seen = without_outside(mask, field, block.read)
    cap = (math.floor(largest) + 1) ** 2
    heights, top = squared_distances(seen, outer.relative_to(block.read), metric, cap=cap)
    background = ~seen[outer.within(block.read)]
    if field is not None:
        heights[~mask[outer.within(block.read)]] = 0
    if (heights >= top).any():
        raise ParameterError(
            f"a distance exceeds the largest that was given, {largest:.6g} voxels: pores would be wrong. Give the "
            "LargestDistance of this volume."
        )
    return heights, background


def _places(places: Array, region: Region, volume: Shape) -> Array:
    """Return places in the raster order of a region as places in that of the volume."""
    inside = np.unravel_index(places, region.shape)
    return np.ravel_multi_index(
        tuple(i + s for i, s in zip(inside, region.start, strict=True)), volume
    ).astype(np.int64)


def basins_of_block(found: BasinMap, block: Block) -> BlockBasins:
    """Return what a block contributes to the pores of the volume."""
    from bigrock.kernels.basins_loops import arrivals, find_contacts, sum_basins

    rim = found.rim
    core = block.core.relative_to(rim.inner)
    table = np.zeros((len(found.ends), FULL), np.int64)
    where, start = np.array(block.core.relative_to(rim.outer).start), np.array(block.core.start)
    sum_basins(found.labels, rim.background, where, start, np.array(block.volume), table)
    arrived = np.unique(arrivals(rim.heights, rim.first, rim.steps, np.array(core.start + core.stop)))
    at = tuple(i - s for i, s in zip(np.unravel_index(arrived, rim.inner.shape), core.start, strict=True))
    own = found.ends[found.labels[at] - 1]
    return BlockBasins(
        block=block.id,
        ends=found.ends,
        peaks=_peaks(found, block),
        table=table,
        arrivals=np.stack([_places(arrived, rim.inner, block.volume), own], axis=1),
        contacts=_named(find_contacts(found.labels, found.heights, np.ones(3, bool)), found.ends),
        layers=dict(_layers(found, block)),
    )


def _peaks(found: BasinMap, block: Block) -> Array:
    """Return the height at each end, 0 where it is not in the core."""
    place = np.stack(np.unravel_index(found.ends, block.volume), axis=1) - block.core.start
    inside = ((place >= 0) & (place < block.core.shape)).all(axis=1)
    peaks = np.zeros(len(place), np.float64)
    peaks[inside] = found.heights[tuple(place[inside].T)]
    return peaks


def _named(contacts: tuple[Array, Array, Array], ends: Array) -> Contacts:
    pairs, faces, passes = contacts
    return Contacts(ends[pairs - 1], faces, passes.astype(np.float64))


def _layers(found: BasinMap, block: Block) -> Iterator[tuple[Seam, Layer]]:
    """Yield what the neighbours must know of each face of the block."""
    for seam, cut in seams_of(block.core, block.volume):
        if seam.blocks == 2:
            rows, codes = np.unique(found.labels[cut], return_inverse=True)
            if rows[0] != 0:
                rows, codes = np.concatenate([[0], rows]), codes + 1
            kind = np.min_scalar_type(len(rows))
            codes = codes.reshape(found.labels[cut].shape).astype(kind)
            yield seam, Layer(codes, found.ends[rows[1:] - 1], found.heights[cut].copy())


def contacts_between(seam: Seam, one: Layer, other: Layer) -> Contacts:
    """Return the contacts of the basins on both sides of a face."""
    from bigrock.kernels.basins_loops import find_contacts

    axis = seam.crossed.index(True)
    shift = len(one.ends)
    codes = other.codes.astype(np.int32)
    codes[codes > 0] += shift
    labels = np.concatenate([one.codes.astype(np.int32), codes], axis=axis)
    heights = np.concatenate([one.heights, other.heights], axis=axis)
    found = find_contacts(labels, heights, np.array(seam.crossed))
    return _named(found, np.concatenate([one.ends, other.ends]))
