"""How large the distances of a mask become: what thickness and pores must know before they run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as setting
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.distances import Distance, distances_of_block
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.volumes.source import Source, Voxel

__all__ = ["LargestDistance", "without_outside"]

Array = npt.NDArray[Any]


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
    field : FieldOfView, optional
        What is outside is no background, and its own distances do not count.

    Examples
    --------
    >>> from bigrock.engine.reducing import reduce
    >>> from bigrock.volumes import ArraySource
    >>> reduce(ArraySource(np.arange(6).reshape(1, 1, 6) > 1), [LargestDistance()], progress=False)
    [4.0]
    """

    voxel_size: Voxel | None = None
    margin: int = 32
    field: FieldOfView | None = None
    source: Source | None = setting(default=None, repr=False, compare=False)

    @property
    def _metric(self) -> Metric:
        return replace(Metric.of(self.voxel_size), unit=1.0)

    @property
    def halo(self) -> Shape:
        """The margin, in voxels along each axis."""
        return self._metric.reach(self.margin)

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """What distances take, and they themselves."""
        return Distance(self.voxel_size).scratch_bytes(dtype) + 4 + 2 * (self.field is not None)

    def given(self, source: Source) -> LargestDistance:
        """Return the reduction that reads wider from `source` where it must."""
        return replace(self, source=source)

    def block(self, array: Array, block: Block) -> float:
        """Return the largest distance of the core."""
        seen = without_outside(array, self.field, block.read)
        read = None if self.source is None else self._read
        found = distances_of_block(seen, block, self._metric, self.margin, read)
        # Single precision never rounds below a whole number, which is what blocks go by.
        return float(found.max(where=array[block.trim], initial=0.0))

    def _read(self, region: Region) -> Array:
        assert self.source is not None
        return without_outside(self.source.read(region), self.field, region)

    def combine(self, a: float, b: float) -> float:
        """Return the larger."""
        return max(a, b)


def without_outside(mask: Array, field: FieldOfView | None, region: Region) -> Array:
    """Return the mask with what is outside of the field of view as phase, as beyond the border of a volume.

    Examples
    --------
    >>> mask = np.array([[[False, True]]])
    >>> without_outside(mask, None, Region((0, 0, 0), (1, 1, 2))) is mask
    True
    """
    return mask if field is None else mask | ~field.inside(region)
