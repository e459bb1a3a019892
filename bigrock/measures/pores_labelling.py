"""Pores of volumes larger than memory, as a label volume and tables."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from bigrock.engine.executors import ExecutorLike
from bigrock.engine.kernel import Kernel
from bigrock.engine.mapping import Output, RunOptions, map_pass
from bigrock.engine.progress import ProgressLike
from bigrock.engine.reducing import reduce
from bigrock.errors import NotFittedError, ParameterError, SourceError
from bigrock.geometry import Block, BlockGrid, Shape
from bigrock.kernels.basins_network import PoreNetwork, PoreRegions
from bigrock.kernels.distances_largest import LargestDistance
from bigrock.measures.block_labels import BlockLabels, drop_block_labels, store_block_labels
from bigrock.measures.phase import PoreLike, find_phase
from bigrock.measures.phase_mask import PhaseMask
from bigrock.measures.pores_tables import write_pore_tables
from bigrock.volumes import Volume, source_of
from bigrock.volumes.source import Facts, Kind, Source, facts_of
from bigrock.volumes.stores import open_store

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["LabelPores", "pores"]

Array = npt.NDArray[Any]


def pores(
    volume: Source | Array | str | os.PathLike[str],
    dest: str | os.PathLike[str] | Store,
    *,
    pore: PoreLike = None,
    min_depth: float = 0.5,
    max_throat: float = 0.9,
    resume: bool = True,
    overwrite: bool = False,
    block: Shape | None = None,
    shard: Shape | None = None,
    executor: ExecutorLike = None,
    ram: str | float | None = None,
    retries: int = 2,
    pyramid: bool = False,
    progress: ProgressLike = None,
) -> Volume:
    """Return the label volume of the pores of a mask, and store tables of pores and throats with it.

    The watershed that `bigrock.kernels.pores` defines: exact, and voxel for voxel the same over any
    blocks. Three reads and one write: the first finds the largest distance, which decides how far
    blocks read; the second the pores and throats; the third paints.

    The tables (`pore_tables`) lie in the label volume as ``pores.parquet`` and ``throats.parquet``;
    `read_pore_tables` returns them. Where labels are not needed, ``bigrock.measure(mask, "pores")``
    gives the tables alone.

    Parameters
    ----------
    volume : Volume, Source, ndarray or path
        A mask, or labels with a class of pores.
    dest : str, path-like or zarr Store
        A new place for the label volume.
    pore : optional
        Which voxels are pore, as for `bigrock.measure`.
    min_depth, max_throat : float
        What a pore is, as for `bigrock.kernels.pores`.
    resume, overwrite, block, shard, executor, ram, retries, pyramid, progress
        As for `bigrock.run`; none of them changes the labels.

    Returns
    -------
    Volume
        Labels, uint32.

    Raises
    ------
    PhaseError
        If it is not known which voxels are pore.
    ParameterError
        If there is no background, or a limit makes no sense.
    VolumeExistsError, ResumeError, AlignmentError, PlanError, StorageFullError, RunError
        As `bigrock.run` does.

    Examples
    --------
    >>> import bigrock
    >>> mask = bigrock.ArraySource(np.array([[[1, 0, 1], [1, 0, 0]]], bool))
    >>> labels = pores(mask, "memory://pores-example.zarr", progress=False)
    >>> labels[:].tolist()
    [[[1, 0, 2], [1, 0, 0]]]
    """
    source = source_of(volume)
    mask = PhaseMask(source, find_phase(facts_of(source), pore))
    regions = PoreRegions(0.0, min_depth, max_throat, source.voxel_size)
    how = {"executor": executor, "ram": ram, "progress": progress}
    [largest] = reduce(mask, [LargestDistance(source.voxel_size)], title="largest distance", **how)
    if not np.isfinite(largest):
        raise ParameterError(
            f"every voxel is pore ({mask.phase.name}): nothing would be narrow or wide. Choose the other phase with "
            "pore= (--pore)."
        )
    options = RunOptions(resume, overwrite, block, shard, executor, ram, retries, pyramid, progress)
    output = Output(step="pores", kind="labels", classes={}, entry={"source": mask.path} if mask.path else {})
    labels = map_pass(LabelPores(replace(regions, largest=largest)), mask, dest, options, output)
    drop_block_labels(open_store(dest))
    return labels


@dataclass(frozen=True, eq=False)
class LabelPores(Kernel):
    """The pores of a mask, numbered by their first voxels; what `pores` runs.

    Runs over the blocks that it was fitted with, and so not in a chain.

    Parameters
    ----------
    regions : PoreRegions
        What a pore is, with the largest distance.
    network : PoreNetwork, optional
        The pores of the volume; set by ``fit``.

    Examples
    --------
    >>> LabelPores(PoreRegions(largest=3.0)).halo
    (5, 5, 5)
    """

    regions: PoreRegions
    network: PoreNetwork | None = None

    same_blocks: ClassVar[bool] = True

    @property
    def halo(self) -> Shape:
        """That of the regions."""
        return self.regions.halo

    def accepts(self, kind: Kind) -> bool:
        """Masks."""
        return kind == "mask"

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Labels."""
        return np.dtype(np.uint32)

    def output_kind(self, kind: Kind) -> Kind:
        """Labels."""
        return "labels"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """That of the regions."""
        return self.regions.scratch_bytes(dtype)

    def fitting(self, facts: Facts) -> PoreRegions | None:
        """Return the reduction that finds the pores, or None where they are known."""
        return self.regions if self.network is None else None

    def fitted(self, result: PoreNetwork) -> LabelPores:
        """Return the kernel that knows the pores."""
        return replace(self, network=result)

    def laid_down(self, output: Volume, grid: BlockGrid) -> Kernel:
        """Store the tables, and the labels of every block for its worker; return the kernel that reads them."""
        network = self._known()
        write_pore_tables(network, output.voxel_size, output.store)
        store_block_labels(network.blocks, network.owners.astype(np.uint32), grid, output.store)
        return _PaintPores(self.regions, BlockLabels(output.store, np.dtype(np.uint32)))

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the labels of a block that is the whole volume."""
        network = self._known()
        return _painted(self.regions, array, block, network.owners[network.blocks == block.id])

    def _known(self) -> PoreNetwork:
        if self.network is None:
            raise NotFittedError(
                "LabelPores has not seen the volume: a block alone does not know where its ways uphill lead. Use "
                "bigrock.pores(volume, dest)."
            )
        return self.network


@dataclass(frozen=True, eq=False)
class _PaintPores(Kernel):
    """Labels of a block by the stored labels of its pieces."""

    regions: PoreRegions
    labels: BlockLabels

    @property
    def halo(self) -> Shape:
        return self.regions.halo

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return self.labels.dtype

    def __call__(self, array: Array, block: Block) -> Array:
        return _painted(self.regions, array, block, self.labels.of_block(block.id))


def _painted(regions: PoreRegions, array: Array, block: Block, labels: Array) -> Array:
    """Return the core of a block with the labels of its pieces."""
    found = regions.map(array, block)
    if len(found.ends) != len(labels):
        raise SourceError(
            f"block {block.id} has {len(found.ends)} pieces of pores and had {len(labels)} when it was read before: "
            "the volume was changed meanwhile, and the labels would be wrong. Run again with overwrite=True "
            "(--overwrite)."
        )
    painted: Array = np.concatenate([[0], labels]).astype(np.uint32)[found.labels]
    return painted
