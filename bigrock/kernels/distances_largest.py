"""How large the distances of a mask become: what thickness and pores must know before they run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block, Shape
from bigrock.kernels.distances import Distance
from bigrock.volumes.source import Source, Voxel

__all__ = ["LargestDistance"]


@dataclass(frozen=True)
class LargestDistance(Reduction):
    """The largest distance to what is not the phase, in units of the smallest voxel edge. Exact.

    Infinite where there is no background at all, 0 where there is no phase. Blocks that hold
    distances beyond the margin read more, as for `Distance`.

    Parameters
    ----------
    voxel_size : tuple of float, optional
        Edges of a voxel, z, y, x; only their ratios count.
    margin : int
        Voxels (of the smallest edge) that are read around a block at first.

    Examples
    --------
    >>> from bigrock.engine.reducing import reduce
    >>> from bigrock.volumes import ArraySource
    >>> reduce(ArraySource(np.arange(6).reshape(1, 1, 6) > 1), [LargestDistance()], progress=False)
    [4.0]
    """

    voxel_size: Voxel | None = None
    margin: int = 32
    source: Source | None = field(default=None, repr=False, compare=False)

    @property
    def _distance(self) -> Distance:
        edges = self.voxel_size
        if edges is not None:
            smallest = min(edges)
            edges = (edges[0] / smallest, edges[1] / smallest, edges[2] / smallest)
        return Distance(edges, self.margin, self.source)

    @property
    def halo(self) -> Shape:
        """The margin, in voxels along each axis."""
        return self._distance.halo

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """What distances take, and they themselves."""
        return self._distance.scratch_bytes(dtype) + 4

    def given(self, source: Source) -> LargestDistance:
        """Return the reduction that reads wider from `source` where it must."""
        return replace(self, source=source)

    def block(self, array: npt.NDArray[Any], block: Block) -> float:
        """Return the largest distance of the core."""
        # Single precision never rounds below a whole number, which is what blocks go by.
        return float(self._distance(array, block).max())

    def combine(self, a: float, b: float) -> float:
        """Return the larger."""
        return max(a, b)
