"""Components of a part of a volume: finished ones, and those that go on in blocks to come.

A block hands over the layers at its borders with the number of the component at each voxel. As
soon as both blocks of a border are there, its layers are joined and forgotten; a component that
waits at no border any more is finished. Since two blocks meet in one face, one edge or one corner,
every pair of neighbouring voxels of different blocks is looked at exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Region, Seam, Shape, seams_of

__all__ = ["Layer", "PartialComponents", "Wanted", "contacts_of", "joined"]

Array = npt.NDArray[Any]

_CROSSED = {6: 1, 18: 2, 26: 3}

Wanted = Callable[[Array], Array]
"""Table → which of its components may be wanted, as far as they are known."""

Contact = tuple[Seam, tuple[bool, ...]]
"""Where exactly two blocks meet: a face, or one of the diagonals across an edge or corner."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What a block shows of itself at a contact: codes 1, 2… that count in `keys`, 0 elsewhere."""

    codes: Array
    keys: Array


@dataclass(slots=True, eq=False)
class PartialComponents:
    """The components of some blocks; a state of `Components`.

    Attributes
    ----------
    volume : tuple of int
        Shape of the whole volume.
    layers : dict
        Contact → layer of the block that was there first.
    keys, rows : ndarray of int64
        First voxel of each piece in a layer, ascending, and its row of `table`.
    waiting : ndarray of int64
        Voxels in `layers` of each row.
    table : ndarray of int64
        See `ComponentSums`; the components that go on.
    runs : ndarray of int64, shape (runs, 3)
        Row, first voxel and length of runs of the components that go on, where these are kept.
    finished, pieces, dropped : list of ndarray
        Tables of components that are complete; first voxels of pieces and of their components;
        runs of components that are complete.
    """

    volume: Shape
    layers: dict[Contact, Layer]
    keys: Array
    rows: Array
    waiting: Array
    table: Array
    runs: Array
    finished: list[Array] = field(default_factory=list)
    pieces: list[tuple[Array, Array]] = field(default_factory=list)
    dropped: list[Array] = field(default_factory=list)


def contacts_of(
    core: Region, volume: Shape, connectivity: int
) -> Iterator[tuple[Contact, tuple[slice, slice, slice], int]]:
    """Yield every contact of a block, the slices of its core that lie there, and its side of the first axis crossed.

    The side is 0 where the contact is at the beginning of the block, 1 at its end.
    """
    for seam, cut in seams_of(core, volume):
        if sum(seam.crossed) > _CROSSED[connectivity]:
            continue
        upper = [
            start > low
            for start, low, c in zip(core.start, seam.region.start, seam.crossed, strict=True)
            if c
        ]
        # The block on the other side of the diagonal has every side exchanged.
        yield (seam, tuple(side != upper[0] for side in upper)), cut, 0 if upper[0] else 1


def joined(
    a: PartialComponents,
    b: PartialComponents,
    connectivity: int,
    *,
    pieces: bool = False,
    wanted: Wanted | None = None,
) -> PartialComponents:
    """Return the components of two disjoint parts; may reuse `a`, never `b`.

    Parameters
    ----------
    a, b : PartialComponents
        Of different blocks.
    connectivity : {6, 18, 26}
        Which voxels touch.
    pieces : bool
        Keep what each piece at a border became a part of.
    wanted : callable, optional
        Drop the runs of the components that it does not name.
    """
    keys, rows = np.concatenate([a.keys, b.keys]), np.concatenate([a.rows, b.rows + len(a.table)])
    order = np.argsort(keys, kind="stable")
    runs = b.runs.copy()
    runs[:, 0] += len(a.table)
    whole = replace(
        a,
        keys=keys[order],
        rows=rows[order],
        waiting=np.concatenate([a.waiting, b.waiting]),
        table=np.concatenate([a.table, b.table]),
        runs=np.concatenate([a.runs, runs]),
    )
    whole.finished += b.finished
    whole.pieces += b.pieces
    whole.dropped += b.dropped
    _settle(whole, _join_contacts(whole, b.layers, connectivity), pieces, wanted)
    return whole


def _join_contacts(whole: PartialComponents, arriving: dict[Contact, Layer], connectivity: int) -> Array:
    """Join every contact of which both layers are there; return the parents of all rows."""
    from bigrock.kernels.labelling_sum_loops import join_layers

    parents = np.arange(len(whole.table))
    placed: dict[int, Array] = {}

    def rows_of(keys: Array) -> Array:
        # Keys of a block that are finished are gone: they are found at a wrong place, and in no layer.
        if id(keys) not in placed:
            placed[id(keys)] = whole.rows.take(np.searchsorted(whole.keys, keys), mode="clip")
        return placed[id(keys)]

    for contact, layer in arriving.items():
        other = whole.layers.pop(contact, None)
        if other is None:
            whole.layers[contact] = layer
            continue
        if not layer.codes.size or not other.codes.size:
            for one in (layer, other):
                counts = np.bincount(one.codes.ravel(), minlength=1)[1:]
                np.subtract.at(whole.waiting, rows_of(one.keys)[: len(counts)], counts)
            continue
        crossed = contact[0].crossed
        # Just a face has pairs that lie straight across one axis; brief tables count no faces.
        axis = crossed.index(True) if sum(crossed) == 1 and whole.table.shape[1] > 8 else -1
        join_layers(
            layer.codes,
            other.codes,
            rows_of(layer.keys),
            rows_of(other.keys),
            _CROSSED[connectivity] - sum(crossed),
            axis,
            parents,
            whole.waiting,
            whole.table,
        )
    return parents


def _settle(whole: PartialComponents, parents: Array, pieces: bool, wanted: Wanted | None) -> None:
    """Make one row of the rows that were joined, and set those aside that wait no more."""
    from bigrock.kernels.labelling_sum_loops import add_rows

    count = add_rows(parents, whole.waiting, whole.table)
    waiting, table, rows = whole.waiting[:count], whole.table[:count], parents[whole.rows]
    runs = whole.runs
    if wanted is not None:
        runs[:, 0] = parents[runs[:, 0]]
        runs = runs[wanted(table)[runs[:, 0]]]
    ends = waiting == 0
    over, gone = ends[runs[:, 0]], ends[rows]
    if pieces:
        whole.pieces.append((whole.keys[gone], table[rows[gone], 0]))
    if ends.any():
        whole.finished.append(table[ends])
        whole.dropped.append(runs[over, 1:])
    renumbered = np.cumsum(~ends) - 1
    runs = runs[~over]
    runs[:, 0] = renumbered[runs[:, 0]]
    whole.runs, whole.keys, whole.rows = runs, whole.keys[~gone], renumbered[rows[~gone]]
    whole.waiting, whole.table = waiting[~ends], table[~ends]
