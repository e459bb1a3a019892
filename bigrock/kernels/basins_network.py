"""From the basins of all blocks to pores and throats: ways followed to their peaks, shallow basins merged."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from dataclasses import field as setting
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block, Seam, Shape
from bigrock.kernels.basins import (
    RIM,
    BasinMap,
    BlockBasins,
    Contacts,
    Layer,
    basins_of_block,
    contacts_between,
    map_basins,
)
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.kernels.labelling_sums import FULL, ComponentSums
from bigrock.volumes.source import Facts, Voxel

__all__ = ["PoreNetwork", "PoreRegions"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class PoreNetwork:
    """Pores and throats of a volume, in voxels; exact.

    Attributes
    ----------
    pores : ComponentSums
        In the order of their first voxels; the faces are those to other pores and to the background.
    peaks : ndarray of float64
        Largest distance in each pore, in units of the smallest voxel edge.
    pairs : ndarray of int64, shape (throats, 2)
        The pores that a throat connects, as ids from 1 on, ascending.
    faces : ndarray of int64, shape (throats, 3)
        Voxel faces across z, y, x that they share.
    passes : ndarray of float64
        Largest distance in each throat, at the lower of the two voxels of a face.
    blocks, owners : ndarray of int64
        Block of every piece of a pore within a block, ascending, and id of the pore; the pieces of a
        block in the order in which it labels them.
    """

    pores: ComponentSums
    peaks: Array
    pairs: Array
    faces: Array
    passes: Array
    blocks: Array
    owners: Array

    @property
    def coordination(self) -> Array:
        """How many throats each pore has."""
        return np.bincount(self.pairs.ravel() - 1, minlength=len(self.pores))


@dataclass(slots=True)
class _State:
    blocks: list[BlockBasins] = setting(default_factory=list)
    contacts: list[Contacts] = setting(default_factory=list)
    waiting: dict[Seam, tuple[int, Layer]] = setting(default_factory=dict)


@dataclass(frozen=True)
class PoreRegions(Reduction):
    """The `PoreNetwork` of a mask, as `bigrock.kernels.pores` defines it: one read, no labels stored. Exact.

    Parameters
    ----------
    largest : float, optional
        No distance in the volume is larger (units of the smallest edge): of `LargestDistance`.
    min_depth, max_throat : float
        See `bigrock.kernels.pores`.
    voxel_size : tuple of float, optional
        Edges of a voxel, z, y, x; only their ratios count.
    field : FieldOfView, optional
        What is outside is no background, and not of the phase.

    Raises
    ------
    ParameterError
        If a limit makes no sense.

    Examples
    --------
    >>> from bigrock.engine.reducing import reduce
    >>> from bigrock.volumes import ArraySource
    >>> mask = ArraySource(np.array([[[0, 1, 1, 1, 0, 1, 0]]], bool))
    >>> [network] = reduce(mask, [PoreRegions(largest=2.0)], progress=False)
    >>> network.pores.voxels.tolist(), network.peaks.tolist()
    ([3, 1], [2.0, 1.0])
    """

    largest: float | None = None
    min_depth: float = 0.5
    max_throat: float = 0.9
    voxel_size: Voxel | None = None
    field: FieldOfView | None = None

    def __post_init__(self) -> None:
        if not self.min_depth >= 0 or not 0 < self.max_throat <= 1:
            raise ParameterError(
                f"min_depth={self.min_depth} and max_throat={self.max_throat} divide no pores. Use a depth of 0 or "
                "more voxels, and a ratio of throat to pore above 0, up to 1."
            )

    @property
    def metric(self) -> Metric:
        """Squared edges of a voxel."""
        return Metric.of(self.voxel_size)

    @property
    def _empty(self) -> bool:
        return self.largest == math.inf

    @property
    def halo(self) -> Shape:
        """The largest distance, and what decides which ways lead into a block."""
        if self._empty:
            return (0, 0, 0)
        z, y, x = self.metric.reach(32 if self.largest is None else math.floor(self.largest))
        return z + RIM, y + RIM, x + RIM

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Squares at two stages, steps and labels, labels and heights of the core, and its tables."""
        return (20.0 if self.metric.whole else 34.0) + 2 * (self.field is not None)

    def state_bytes(self, facts: Facts) -> float:
        """Layers at three planes, and a basin with four contacts for 500 voxels."""
        z, y, x = facts.shape
        return 8.0 * (z * y + z * x + y * x) + z * y * x / 500 * (8 * FULL + 4 * 48)

    def block(self, array: Array, block: Block) -> _State:
        """Return the basins of the core."""
        if self.largest is None:
            raise NotFittedError(
                "PoreRegions does not know the largest distance of the volume, so distances in a block could be wrong. "
                "Give largest=, as LargestDistance finds it."
            )
        if self._empty:
            return _State()
        return self.state_of(self.map(array, block), block)

    def state_of(self, basins: BasinMap, block: Block) -> _State:
        """Return the state of a block whose basins are known."""
        found = basins_of_block(basins, block)
        state = _State([replace(found, layers={})], [found.contacts])
        state.waiting = {seam: (block.id, layer) for seam, layer in found.layers.items()}
        return state

    def map(self, array: Array, block: Block) -> BasinMap:
        """Return the basins of the core."""
        assert self.largest is not None
        return map_basins(array, block, self.metric, self.largest, self.field)

    def combine(self, a: _State, b: _State) -> _State:
        """Return the basins of both, and the contacts across the faces between them."""
        a.blocks += b.blocks
        a.contacts += b.contacts
        for seam, there in b.waiting.items():
            here = a.waiting.pop(seam, None)
            if here is None:
                a.waiting[seam] = there
            else:
                # The block that comes first along the crossed axis has the smaller id.
                first, second = sorted([here, there], key=lambda side: side[0])
                a.contacts.append(contacts_between(seam, first[1], second[1]))
        return a

    def finish(self, state: _State, facts: Facts) -> PoreNetwork:
        """Return pores and throats."""
        blocks = sorted(state.blocks, key=lambda b: b.block)
        ends, owners, peaks = _peaks_of(blocks)
        pieces = owners[np.searchsorted(ends, _joint([b.ends for b in blocks], (0,)))]
        table = _added(_joint([b.table for b in blocks], (0, FULL)), pieces, len(peaks))
        contacts = _contacts(state.contacts, ends, owners)
        kept, merged = np.unique(self._merged(np.sqrt(peaks), contacts), return_inverse=True)
        table = _added(table, merged, len(kept))
        order = np.argsort(table[:, 0])
        table, merged = table[order], np.argsort(order)[merged]
        highest = np.zeros(len(kept))
        np.maximum.at(highest, merged, peaks)
        pairs, faces, passes = _grouped(merged[contacts.ends], contacts.faces, contacts.passes)
        for side in (0, 1):
            np.add.at(table[:, 17:20], pairs[:, side], faces)
        return PoreNetwork(
            pores=ComponentSums(table, facts.shape, np.dtype(np.bool_)),
            peaks=np.sqrt(highest),
            pairs=pairs + 1,
            faces=faces,
            passes=np.sqrt(passes),
            blocks=np.repeat([b.block for b in blocks], [len(b.ends) for b in blocks]).astype(np.int64),
            owners=merged[pieces] + 1,
        )

    def _merged(self, peaks: Array, contacts: Contacts) -> Array:
        """Return for each basin the one that stands for all it is merged with."""
        from bigrock.kernels.basins_loops import merge_basins

        order = np.lexsort((contacts.ends[:, 1], contacts.ends[:, 0], -contacts.passes))
        passes = np.sqrt(contacts.passes[order])
        return merge_basins(peaks, contacts.ends[order], passes, self.min_depth, self.max_throat)


def _peaks_of(blocks: list[BlockBasins]) -> tuple[Array, Array, Array]:
    """Return all ends (ascending), for each the number of its peak, and the heights of the peaks.

    Peaks are numbered by their place in the volume.
    """
    arrivals = _joint([b.arrivals for b in blocks], (0, 2))
    ends = np.unique(_joint([b.ends for b in blocks], (0,)))
    target = ends.copy()
    target[np.searchsorted(ends, arrivals[:, 0])] = arrivals[:, 1]
    leads = np.searchsorted(ends, target)
    while True:
        further = leads[leads]
        if (further == leads).all():
            break
        leads = further
    places, owners = np.unique(leads, return_inverse=True)
    peaks = np.zeros(len(ends))
    for b in blocks:
        rows = np.searchsorted(ends, b.ends)
        peaks[rows] = np.maximum(peaks[rows], b.peaks)
    return ends, owners, peaks[places]


def _joint(parts: list[Array], empty: Shape | tuple[int, ...]) -> Array:
    """Return the rows of all parts; there may be none."""
    return np.concatenate([np.zeros(empty, np.int64), *parts])


def _added(table: Array, groups: Array, count: int) -> Array:
    """Return one row per group: least first voxels and starts, greatest stops, sums of all else."""
    order = np.argsort(groups, kind="stable")
    table, first = table[order], np.searchsorted(groups[order], np.arange(count))
    added: Array = np.add.reduceat(table, first, axis=0)
    least, most = [0, 2, 3, 4], [5, 6, 7]
    added[:, least] = np.minimum.reduceat(table[:, least], first, axis=0)
    added[:, most] = np.maximum.reduceat(table[:, most], first, axis=0)
    return added


def _contacts(contacts: list[Contacts], ends: Array, owners: Array) -> Contacts:
    """Return the contacts of the basins of whole peaks."""
    between = owners[np.searchsorted(ends, _joint([c.ends for c in contacts], (0, 2)))]
    faces = _joint([c.faces for c in contacts], (0, 3))
    return Contacts(*_grouped(between, faces, np.concatenate([np.zeros(0), *(c.passes for c in contacts)])))


def _grouped(pairs: Array, faces: Array, passes: Array) -> tuple[Array, Array, Array]:
    """Return each pair of different numbers once, ascending, with the sum of its faces and its highest pass."""
    apart = pairs[:, 0] != pairs[:, 1]
    pairs, faces, passes = np.sort(pairs[apart], axis=1), faces[apart], passes[apart]
    unique, group = np.unique(pairs, axis=0, return_inverse=True)
    total, highest = np.zeros((len(unique), 3), np.int64), np.zeros(len(unique))
    np.add.at(total, group, faces)
    np.maximum.at(highest, group, passes)
    return unique, total, highest
