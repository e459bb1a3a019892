"""What a map pass runs: an array of a block goes in, the array of its core comes out.

A kernel is a value: a frozen dataclass whose fields are its settings. It is pickled to workers,
its fields are the fingerprint of a run, and ``a | b`` is a kernel again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Block, Region, Shape
from bigrock.volumes.source import Facts, Kind

if TYPE_CHECKING:
    from bigrock.engine.reduction import Reduction
    from bigrock.geometry import BlockGrid
    from bigrock.volumes import Volume
    from bigrock.volumes.source import Source

__all__ = ["Chain", "Kernel", "stage_facts", "stages_of"]


class Kernel(ABC):
    """Base of everything that `bigrock.run` maps over a volume.

    Subclass it as a frozen dataclass and write ``__call__``. Raise `version` whenever the same
    settings give other bytes: a resumed run then refuses to mix old blocks with new ones.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Invert(Kernel):
    ...     def __call__(self, array, block):
    ...         return 255 - array[block.trim]
    >>> Invert().halo
    (0, 0, 0)
    """

    version: ClassVar[int] = 1

    same_blocks: ClassVar[bool] = False
    """Whether the pass must cut the volume into the blocks that the kernel was fitted with."""

    whole_slices: ClassVar[bool] = False
    """Whether blocks should hold whole slices where the memory allows: the halo within slices is wide."""

    @abstractmethod
    def __call__(self, array: npt.NDArray[Any], block: Block) -> npt.NDArray[Any]:
        """Return the result for `block.core`, given the voxels of `block.read`.

        The halo is cut off at the true border of the volume and nowhere else, so a kernel that
        treats the edge of `array` as the border is right everywhere in the core.
        """

    @property
    def halo(self) -> Shape:
        """Voxels along z, y, x that are read around the core."""
        return (0, 0, 0)

    @property
    def scale(self) -> int:
        """How many times longer the axes of the output are (super-resolution: 8)."""
        return 1

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Data type of the output for an input of `dtype`."""
        return dtype

    def output_kind(self, kind: Kind) -> Kind:
        """Whether the output is grey levels, a mask or labels."""
        return kind

    def output_classes(self, classes: Mapping[str, int]) -> dict[str, int]:
        """Class table of an output of labels, for an input with the table `classes`."""
        return dict(classes)

    def accepts(self, kind: Kind) -> bool:
        """Whether the kernel makes sense of a volume of this kind."""
        return True

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Bytes per voxel read that the kernel takes beside its input and its output."""
        return 0.0

    def worker_bytes(self, facts: Facts, threads: int) -> float:
        """Bytes that a worker with so many threads takes for this kernel, however small its blocks are."""
        return 0.0

    def folders(self) -> dict[str, str]:
        """Local folders that workers must read, by a key that tells their content (see `engine.shipping`)."""
        return {}

    def fitting(self, facts: Facts) -> Reduction | None:
        """Return the reduction that must see the volume first, or None where nothing is missing."""
        return None

    def fitted(self, result: Any) -> Kernel:
        """Return the kernel completed by the result of its fitting reduction."""
        return self

    def laid_down(self, output: Volume, grid: BlockGrid) -> Kernel:
        """Return the kernel that workers get, after storing beside the output what is too large to send to each.

        Called once per pass, when the output has been made and before its first block is written.
        """
        return self

    def given(self, source: Source) -> Kernel:
        """Return the kernel that may read more of its input than the halo, where a block needs it.

        Called once per pass, after everything that decides the bytes has been recorded.
        """
        return self

    def fit(self, volume: Source, **options: Any) -> Kernel:
        """Return the kernel completed by one read of `volume` (none where nothing is missing).

        Parameters
        ----------
        volume : Source
            A `Volume`, or any source.
        **options
            As for `bigrock.engine.reduce`: executor, block, progress…

        Returns
        -------
        Kernel
            A new kernel; this one is unchanged.
        """
        from bigrock.engine.reducing import fit

        return fit(self, volume, **options)

    def __or__(self, other: Kernel) -> Chain:
        """Return the kernel that applies this one, then `other`, in one pass."""
        if not isinstance(other, Kernel):
            return NotImplemented
        return Chain((*stages_of(self), *stages_of(other)))


def stages_of(kernel: Kernel) -> tuple[Kernel, ...]:
    """Return the stages of a chain, or the kernel alone.

    Examples
    --------
    >>> from bigrock.kernels import Standardize, Threshold
    >>> [type(stage).__name__ for stage in stages_of(Standardize() | Threshold(0))]
    ['Standardize', 'Threshold']
    """
    return kernel.stages if isinstance(kernel, Chain) else (kernel,)


def stage_facts(kernel: Kernel, facts: Facts) -> Facts:
    """Return the facts of what `kernel` makes of a volume with `facts`.

    Examples
    --------
    >>> from bigrock.kernels import Threshold
    >>> stage_facts(Threshold(90), Facts((8, 8, 8), np.dtype("u1"))).kind
    'mask'
    """
    z, y, x = (n * kernel.scale for n in facts.shape)
    kind = kernel.output_kind(facts.kind)
    voxel = facts.voxel_size
    if voxel is not None:
        voxel = (voxel[0] / kernel.scale, voxel[1] / kernel.scale, voxel[2] / kernel.scale)
    classes = kernel.output_classes(facts.classes) if kind == "labels" else {}
    return Facts((z, y, x), np.dtype(kernel.output_dtype(facts.dtype)), voxel, kind, classes)


@dataclass(frozen=True)
class Chain(Kernel):
    """Kernels applied one after the other in one pass; made by ``a | b``.

    Each stage computes what the later stages read, no more: halos add up. Bitwise the same as
    running the stages one by one through stored volumes of the same data types.
    """

    stages: tuple[Kernel, ...]

    @property
    def halo(self) -> Shape:
        """Sum of the halos, each divided by the scale of the stages before it, rounded up."""
        total = [0, 0, 0]
        scale = 1
        # A stage that scales by s sees regions rounded outwards to multiples of s: the rounding of
        # each axis is at most one voxel of that stage's input, hence the ceiling.
        for stage in self.stages:
            total = [t - (-h // scale) for t, h in zip(total, stage.halo, strict=True)]
            scale *= stage.scale
        return total[0], total[1], total[2]

    @property
    def scale(self) -> int:
        """Product of the scales."""
        return int(np.prod([stage.scale for stage in self.stages], dtype=int))

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Data type after the last stage."""
        for stage in self.stages:
            dtype = stage.output_dtype(dtype)
        return dtype

    def output_kind(self, kind: Kind) -> Kind:
        """Kind after the last stage."""
        for stage in self.stages:
            kind = stage.output_kind(kind)
        return kind

    def accepts(self, kind: Kind) -> bool:
        """Whether every stage makes sense of what the stages before it make."""
        for stage in self.stages:
            if not stage.accepts(kind):
                return False
            kind = stage.output_kind(kind)
        return True

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Largest need of any stage: its scratch, and the intermediate arrays that it reads and makes."""
        need, scale, last = 0.0, 1, len(self.stages) - 1
        for i, stage in enumerate(self.stages):
            reads = dtype.itemsize if i else 0
            made = stage.output_dtype(dtype)
            makes = made.itemsize * stage.scale**3 if i < last else 0
            need = max(need, (stage.scratch_bytes(dtype) + reads + makes) * scale**3)
            dtype, scale = made, scale * stage.scale
        return need

    def output_classes(self, classes: Mapping[str, int]) -> dict[str, int]:
        """Class table after the last stage."""
        for stage in self.stages:
            classes = stage.output_classes(classes)
        return dict(classes)

    def worker_bytes(self, facts: Facts, threads: int) -> float:
        """Sum over the stages."""
        total = 0.0
        for stage in self.stages:
            total += stage.worker_bytes(facts, threads)
            facts = stage_facts(stage, facts)
        return total

    def folders(self) -> dict[str, str]:
        """Folders of every stage."""
        return {key: folder for stage in self.stages for key, folder in stage.folders().items()}

    @property
    def whole_slices(self) -> bool:  # type: ignore[override]
        """Whether any stage wants whole slices."""
        return any(stage.whole_slices for stage in self.stages)

    def given(self, source: Source) -> Chain:
        """Give each stage what the stages before it make of `source`."""
        from bigrock.engine.through import Through

        first, *later = self.stages
        sources = [Through(source, Chain(self.stages[:i])) for i in range(1, len(self.stages))]
        return Chain((first.given(source), *(k.given(s) for k, s in zip(later, sources, strict=True))))

    def __call__(self, array: npt.NDArray[Any], block: Block) -> npt.NDArray[Any]:
        """Apply every stage to just the region that the stages after it need."""
        held = block.read
        for stage, part in zip(self.stages, self._parts(block), strict=True):
            array = stage(array[part.read.within(held)], part)
            held = part.core.scaled(stage.scale)
        return array

    def _parts(self, block: Block) -> list[Block]:
        """Return, stage by stage, what it must compute and what it reads for that."""
        parts: list[Block] = []
        scale = self.scale
        need = block.core.scaled(scale)
        for stage in reversed(self.stages):
            s = stage.scale
            scale //= s
            core = _shrunk(need, s)
            z, y, x = (n * scale for n in block.volume)
            need = core.grow(stage.halo, (z, y, x))
            parts.append(Block(block.id, core, need, (z, y, x)))
        return parts[::-1]


def _shrunk(region: Region, scale: int) -> Region:
    """Return the smallest region that covers `region` once its axes are `scale` times longer."""
    (a, b, c), (d, e, f) = region.start, region.stop
    return Region((a // scale, b // scale, c // scale), (-(-d // scale), -(-e // scale), -(-f // scale)))
