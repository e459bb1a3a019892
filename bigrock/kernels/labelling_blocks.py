"""The components of one block as a part of a volume: tables, and layers for its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region
from bigrock.kernels.labelling_merge import Contact, Layer, PartialComponents, Wanted, contacts_of
from bigrock.kernels.labelling_runs import Runs, runs_of
from bigrock.kernels.labelling_sums import BRIEF, FULL, OF_LABELS

__all__ = ["part_of_block", "summed"]

Array = npt.NDArray[Any]


def part_of_block(
    core: Array, block: Block, connectivity: int, *, brief: bool = False, wanted: Wanted | None = None
) -> PartialComponents:
    """Return the components of one block as a part of the volume.

    Parameters
    ----------
    core : ndarray of bool or integers
        The voxels of ``block.core``.
    block : Block
        Where they lie.
    connectivity : {6, 18, 26}
        Which voxels touch.
    brief : bool
        Of a mask, just sizes and boxes.
    wanted : callable, optional
        Keep the runs of the components that it names.
    """
    if core.dtype.kind not in "bui":
        raise ParameterError(
            f"voxels of type {core.dtype} have no components: which of them belong together is not defined for "
            "grey levels. Give a mask or labels."
        )
    runs = runs_of(core, connectivity, shared=not brief)
    table = summed(runs, block.core, block.volume, brief=brief)
    codes, layers = _borders(runs, block, connectivity)
    keys = table[codes > 0, 0]
    parts = {c: Layer(layer, keys) for c, layer in layers.items() if layer.any()}
    # A contact without a voxel of any component has nothing to join, but the other side waits for it.
    parts |= {c: Layer(layer[:0, :0], keys[:0]) for c, layer in layers.items() if c not in parts}
    return _divided(runs, table, codes, parts, block, wanted)


def _divided(
    runs: Runs, table: Array, codes: Array, layers: dict[Contact, Layer], block: Block, wanted: Wanted | None
) -> PartialComponents:
    """Return the part: components at no border are finished, those at a border have rows by their codes."""
    goes_on = codes > 0
    keys = table[goes_on, 0]
    waiting = np.zeros(len(keys) + 1, np.int64)
    for layer in layers.values():
        counts = np.bincount(layer.codes.ravel())
        waiting[: len(counts)] += counts
    kept = np.empty((0, 3), np.int64)
    dropped: list[Array] = []
    if wanted is not None:
        kept, finished = _runs_of(runs, codes, wanted(table), block)
        dropped.append(finished)
    return PartialComponents(
        volume=block.volume,
        layers=layers,
        keys=keys,
        rows=np.arange(len(keys)),
        waiting=waiting[1:],
        table=table[goes_on],
        runs=kept,
        finished=[table[~goes_on]],
        dropped=dropped,
    )


def summed(runs: Runs, core: Region, volume: tuple[int, int, int], *, brief: bool = False) -> Array:
    """Return the table of the components of a block; its columns are those of `ComponentSums`."""
    from bigrock.kernels.labelling_sum_loops import sum_runs

    of_labels = runs.values is not None
    table = np.zeros((runs.count, OF_LABELS if of_labels else BRIEF if brief else FULL), np.int64)
    start, extent = np.asarray(core.start, np.int64), np.asarray(volume, np.int64)
    height = max(1, runs.shape[1])
    shared = runs.shared if len(runs.shared) else np.zeros((len(runs.bounds), 2), np.int32)
    sum_runs(runs.bounds, runs.values, runs.first, runs.components, shared, height, start, extent, table)
    return table


def _borders(runs: Runs, block: Block, connectivity: int) -> tuple[Array, dict[Contact, Array]]:
    """Return the code of each component (0 where it touches no other block), and the layer of each contact."""
    from bigrock.kernels.labelling_sum_loops import mark_values, paint_borders, recode_values

    contacts = list(contacts_of(block.core, block.volume, connectivity))
    if not contacts:
        return np.zeros(runs.count, np.int64), {}
    depth, height, width = runs.shape
    layers = [np.zeros((2, *s), np.uint32) for s in ((height, width), (depth, width), (depth, height))]
    paint_borders(runs.bounds, runs.first, runs.components, *layers)
    met = np.zeros(runs.count + 1, bool)
    for (seam, _), _, side in contacts:
        if sum(seam.crossed) == 1:
            mark_values(layers[seam.crossed.index(True)][side], met)
    met[0] = False
    codes = np.cumsum(met) * met
    for layer in layers:
        recode_values(layer, codes)
    small = np.min_scalar_type(codes.max())
    layers = [layer.astype(small) for layer in layers]
    return codes[1:], {contact: _at(layers, contact, cut, side) for contact, cut, side in contacts}


def _at(layers: list[Array], contact: Contact, cut: tuple[slice, slice, slice], side: int) -> Array:
    """Return the part of the border layers that lies at a contact, with two axes."""
    axis = contact[0].crossed.index(True)
    z_or_y, y_or_x = (cut[i] for i in range(3) if i != axis)
    return layers[axis][side][z_or_y, y_or_x].copy()


def _runs_of(runs: Runs, codes: Array, wanted: Array, block: Block) -> tuple[Array, Array]:
    """Return row, first voxel and length of the wanted runs that go on, and the last two of those that end."""
    chosen = np.flatnonzero(wanted[runs.components])
    row = np.repeat(np.arange(len(runs.first) - 1), np.diff(runs.first))[chosen]
    z, y = np.divmod(row, max(1, runs.shape[1]))
    (z0, y0, x0), (_, height, width) = block.core.start, block.volume
    bounds = runs.bounds[chosen].astype(np.int64)
    first = ((z + z0) * height + y + y0) * width + bounds[:, 0] + x0
    code = codes[runs.components[chosen]]
    told = np.stack([code - 1, first, bounds[:, 1] - bounds[:, 0]], axis=1)
    return told[code > 0], told[code == 0, 1:]
