"""The mask of a phase of a volume, as a source: made where it is read, stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Region, Shape
from bigrock.measures.phase import Phase
from bigrock.volumes.source import Kind, Source, Voxel

__all__ = ["PhaseMask"]


@dataclass(frozen=True)
class PhaseMask:
    """A source of bool: True where a volume is of a phase.

    Parameters
    ----------
    source : Source
        A mask, or labels.
    phase : Phase
        What becomes True.

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> mask = PhaseMask(ArraySource(np.array([[[0, 1]]], np.uint8)), Phase("0", (0,), mask=False))
    >>> mask.read(Region((0, 0, 0), (1, 1, 2))).tolist()
    [[[True, False]]]
    """

    source: Source
    phase: Phase

    @property
    def shape(self) -> Shape:
        """Extent of the source."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Bool."""
        return np.dtype(np.bool_)

    @property
    def kind(self) -> Kind:
        """A mask."""
        return "mask"

    @property
    def voxel_size(self) -> Voxel | None:
        """Voxel size of the source."""
        return self.source.voxel_size

    @property
    def read_unit(self) -> Shape:
        """Read unit of the source."""
        return self.source.read_unit

    @property
    def read_scratch_bytes(self) -> float:
        """The stored voxels beside their mask, and one more mask where the phase has several classes."""
        own = np.dtype(self.source.dtype).itemsize + (len(self.phase.values) > 1)
        return float(getattr(self.source, "read_scratch_bytes", 0.0) + own)

    @property
    def path(self) -> str | None:
        """Where the source is stored."""
        return getattr(self.source, "path", None)

    @property
    def history(self) -> Any:
        """What made the source."""
        return getattr(self.source, "history", ())

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the mask of a region."""
        return self.phase.select(self.source.read(region))

    def identity(self) -> dict[str, Any]:
        """Return the identity of the source, and which values are of the phase."""
        return {**self.source.identity(), "pore": list(self.phase.values)}
