"""`label`: connected components of volumes larger than memory, as a label volume and a table."""

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
from bigrock.errors import NotFittedError, PhaseError, SourceError
from bigrock.geometry import Block, BlockGrid, Shape
from bigrock.kernels.labelling_reduction import Components, runs_bytes
from bigrock.kernels.labelling_runs import check_connectivity, runs_of
from bigrock.kernels.labelling_sums import ComponentSums
from bigrock.measures.block_labels import BlockLabels, drop_block_labels, write_block_labels
from bigrock.measures.component_tables import component_table, write_component_table
from bigrock.measures.phase import PoreLike, find_phase
from bigrock.measures.phase_mask import PhaseMask
from bigrock.volumes import Volume, source_of
from bigrock.volumes.source import Facts, Kind, Source, facts_of
from bigrock.volumes.stores import open_store

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["LabelComponents", "label"]

Array = npt.NDArray[Any]

_LARGEST_32_BITS = 2**32 - 1


def label(
    volume: Source | Array | str | os.PathLike[str],
    dest: str | os.PathLike[str] | Store,
    *,
    connectivity: int = 26,
    pore: PoreLike = None,
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
    """Return the label volume of the connected components of a mask or a label volume, and store their table.

    Two reads and one write, without halos: the first joins the components of all blocks, the
    second paints every block with its final numbers, of which a worker reads those of its block
    alone. Array for array what `cc3d.connected_components` gives of the whole volume, whatever the
    blocks: labels 1, 2, 3… in the raster order of first voxels. Exact.

    The table (`component_table`) lies in the label volume as ``components.parquet``;
    `read_component_table` returns it. Where labels are not needed,
    ``bigrock.measure(mask, "connectivity")`` gives the table in half of the time.

    Parameters
    ----------
    volume : Volume, Source, ndarray or path
        A mask (True voxels), or a label volume: equal values that touch are one component. 0 is
        background.
    dest : str, path-like or zarr Store
        A new place for the label volume.
    connectivity : {6, 18, 26}
        Voxels touch across faces; faces and edges; faces, edges and corners.
    pore : bool, int, str, or sequence of int or str, optional
        Label this phase alone, as for `bigrock.measure`: a class, or several taken together; False
        for the solid of a mask. Needed where the class "pore" has the value 0.
    resume, overwrite, block, shard, executor, ram, retries, pyramid, progress
        As for `bigrock.run`; none of them changes the labels.

    Returns
    -------
    Volume
        Labels, uint32, or uint64 beyond 2**32 − 1 components.

    Raises
    ------
    PhaseError
        Before anything is read, if the volume holds grey levels, or its pores are what would be
        background.
    ParameterError
        If the connectivity is not known.
    VolumeExistsError, ResumeError, AlignmentError, PlanError, StorageFullError, RunError
        As `bigrock.run` does.

    Examples
    --------
    >>> import bigrock
    >>> mask = bigrock.ArraySource(np.array([[[1, 0, 1], [1, 0, 0]]], bool))
    >>> labels = label(mask, "memory://label-example.zarr", progress=False)
    >>> labels[:].tolist()
    [[[1, 0, 2], [1, 0, 0]]]
    """
    source = _labelled(source_of(volume), pore)
    options = RunOptions(resume, overwrite, block, shard, executor, ram, retries, pyramid, progress)
    path = getattr(source, "path", None)
    output = Output(step="label", kind="labels", classes={}, entry={} if path is None else {"source": path})
    labels = map_pass(LabelComponents(connectivity), source, dest, options, output)
    drop_block_labels(open_store(dest))
    return labels


@dataclass(frozen=True, eq=False)
class LabelComponents(Kernel):
    """The components of a volume, numbered by their first voxels; what `label` runs.

    Runs over the blocks that it was fitted with, and so not in a chain.

    Parameters
    ----------
    connectivity : {6, 18, 26}
        Which voxels touch.
    found : ComponentSums, optional
        The components of the volume; set by ``fit``.

    Examples
    --------
    >>> LabelComponents().output_dtype(np.dtype(bool))
    dtype('uint32')
    """

    connectivity: int = 26
    found: ComponentSums | None = None

    same_blocks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_connectivity(self.connectivity)

    def accepts(self, kind: Kind) -> bool:
        """Masks and labels."""
        return kind != "grey"

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """uint32, or uint64 where it is known that there are more components."""
        many = self.found is not None and len(self.found) > _LARGEST_32_BITS
        return np.dtype(np.uint64 if many else np.uint32)

    def output_kind(self, kind: Kind) -> Kind:
        """Labels."""
        return "labels"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Bytes of the runs of noise."""
        return runs_bytes(dtype)

    def fitting(self, facts: Facts) -> Components | None:
        """Return the reduction that joins the components, or None where they are known."""
        return Components(self.connectivity, pieces=True) if self.found is None else None

    def fitted(self, result: ComponentSums) -> LabelComponents:
        """Return the kernel that knows the components."""
        return replace(self, found=result)

    def laid_down(self, output: Volume, grid: BlockGrid) -> Kernel:
        """Store the table, and the labels of every block for its worker; return the kernel that reads them."""
        found = self._found()
        write_component_table(component_table(found, output.voxel_size), output.store)
        write_block_labels(found, grid, self.output_dtype(np.dtype(bool)), output.store)
        return _PaintBlock(self.connectivity, BlockLabels(output.store, output.dtype))

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the labels of a block that is the whole volume."""
        count = len(self._found())
        return _painted(array[block.trim], self.connectivity, np.arange(1, count + 1, dtype=np.uint32), block)

    def _found(self) -> ComponentSums:
        if self.found is None:
            raise NotFittedError(
                "LabelComponents has not seen the volume: a block alone does not know which of its pieces belong "
                "together. Use bigrock.label(volume, dest)."
            )
        return self.found


@dataclass(frozen=True, eq=False)
class _PaintBlock(Kernel):
    """Labels of a block by the stored labels of its pieces."""

    connectivity: int
    labels: BlockLabels

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return self.labels.dtype

    def __call__(self, array: Array, block: Block) -> Array:
        return _painted(array[block.trim], self.connectivity, self.labels.of_block(block.id), block)


def _painted(core: Array, connectivity: int, labels: Array, block: Block) -> Array:
    """Return a block with the labels of its pieces, which come in the order of their first voxels."""
    runs = runs_of(core, connectivity)
    if runs.count != len(labels):
        raise SourceError(
            f"block {block.id} has {runs.count} components and had {len(labels)} when it was read before: the volume "
            "was changed meanwhile, and the labels would be wrong. Label it again with overwrite=True (--overwrite)."
        )
    return runs.painted(labels)


def _labelled(source: Source, pore: PoreLike) -> Source:
    """Return what is labelled: the volume, or the mask of a phase of it; refuse what has no background."""
    facts = facts_of(source)
    if pore is not None:
        return PhaseMask(source, find_phase(facts, pore))
    if facts.kind == "grey" and facts.dtype.kind != "b":
        raise PhaseError(
            "the volume holds grey levels: which voxels belong together is not defined, and pores would not be "
            "parted from solid. Threshold it first, for instance with bigrock.run(bigrock.kernels.GlobalOtsu(), "
            "volume, dest), or give the value with pore=… if it is a segmented image."
        )
    if facts.classes.get("pore") == 0:
        raise PhaseError(
            "the class 'pore' of the volume has the value 0, which is the background of labels: the solid would be "
            "labelled, and no pore. Give pore='pore' to label the pores, or the classes that you mean with pore=…."
        )
    return source
