"""What a kernel makes of a source, as a source: computed where it is read, stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel, stage_facts
from bigrock.engine.settings import settings_of
from bigrock.geometry import Block, Region, Shape
from bigrock.volumes.source import Kind, Source, Voxel, facts_of

__all__ = ["Through"]


@dataclass(frozen=True, slots=True)
class Through:
    """A source seen through a fitted kernel of scale 1.

    Parameters
    ----------
    source : Source
        What is stored.
    kernel : Kernel
        What is made of it; each read computes anew, with the kernel's halo around the region.

    Examples
    --------
    >>> from bigrock.kernels import Threshold
    >>> from bigrock.volumes import ArraySource
    >>> seen = Through(ArraySource(np.array([[[10, 90]]], np.uint8)), Threshold(50))
    >>> seen.read(Region((0, 0, 0), (1, 1, 2))).tolist(), seen.kind
    ([[[True, False]]], 'mask')
    """

    source: Source
    kernel: Kernel

    @property
    def shape(self) -> Shape:
        """Extent of the source."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the kernel makes."""
        return self.kernel.output_dtype(np.dtype(self.source.dtype))

    @property
    def kind(self) -> Kind:
        """What the kernel makes."""
        return self.kernel.output_kind(facts_of(self.source).kind)

    @property
    def classes(self) -> dict[str, int]:
        """Class table of what the kernel makes, where that is labels."""
        return stage_facts(self.kernel, facts_of(self.source)).classes

    @property
    def voxel_size(self) -> Voxel | None:
        """Voxel size of the source."""
        return self.source.voxel_size

    @property
    def read_unit(self) -> Shape:
        """Read unit of the source."""
        return self.source.read_unit

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return what the kernel makes of a region."""
        block = Block(0, region, region.grow(self.kernel.halo, self.shape), self.shape)
        return self.kernel(self.source.read(block.read), block)

    def identity(self) -> dict[str, Any]:
        """Return the identity of the source, and the settings of the kernel."""
        return {**self.source.identity(), "through": settings_of(self.kernel)}
