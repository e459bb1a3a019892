"""How many voxels have which local thickness: the pore-size distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block, Shape
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.kernels.thickness import LocalThickness
from bigrock.kernels.thickness_painting import LARGEST_CLASS
from bigrock.volumes.source import Facts, Voxel

__all__ = ["ThicknessCounts"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ThicknessCounts(Reduction):
    """Voxels of every class of local thickness, without a volume of them. Exact.

    Reads and computes what `LocalThickness` does.

    Parameters
    ----------
    voxel_size : tuple of float, optional
        Edges of a voxel, z, y, x; only their ratios count.
    largest : float, optional
        No distance in the volume is larger (units of the smallest edge): of `LargestDistance`. Where
        it is infinite, nothing is counted.
    field : FieldOfView, optional
        What is outside is no background, holds no centre of a ball, and is not counted.

    Examples
    --------
    >>> from bigrock.engine.reducing import reduce
    >>> from bigrock.volumes import ArraySource
    >>> slit = ArraySource(np.array([[[False, True, True, True, False]]]))
    >>> reduce(slit, [ThicknessCounts(largest=2.0)], progress=False)[0].tolist()
    [2, 0, 3]
    """

    voxel_size: Voxel | None = None
    largest: float | None = None
    field: FieldOfView | None = None

    @property
    def _kernel(self) -> LocalThickness:
        return LocalThickness(self.voxel_size, self.largest)

    @property
    def _empty(self) -> bool:
        return self.largest == math.inf

    @property
    def halo(self) -> Shape:
        """As `LocalThickness`."""
        return (0, 0, 0) if self._empty else self._kernel.halo

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """As `LocalThickness`, and its output; and what is outside."""
        own = self._kernel if not self._empty else LocalThickness(self.voxel_size)
        return own.scratch_bytes(dtype) + 2 + 2 * (self.field is not None)

    def state_bytes(self, facts: Facts) -> float:
        """A number for each class."""
        return 8.0 * (LARGEST_CLASS + 1)

    def block(self, array: Array, block: Block) -> npt.NDArray[np.uint64]:
        """Return the counts of the core."""
        from bigrock.kernels.compiled import count_values

        counts = np.zeros(LARGEST_CLASS + 1, np.uint64)
        if not self._empty:
            kernel = self._kernel
            classes = (
                kernel(array, block)
                if self.field is None
                else kernel.classes_of_block(array, block, self.field)
            )
            if self.field is not None:
                classes[~array[block.trim]] = 0
            count_values(classes, counts)
        return counts

    def combine(self, a: Array, b: Array) -> Array:
        """Return the sums."""
        return a + b

    def finish(self, state: Array, facts: Facts) -> Array:
        """Return the counts up to the largest class that there is."""
        return state[: int(np.flatnonzero(state).max(initial=0)) + 1].astype(np.int64)
