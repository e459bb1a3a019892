"""How far a mask agrees with the truth: voxels counted both ways, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block
from bigrock.volumes.source import Facts, Source

__all__ = ["Agreement", "AgreesWith"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of voxels by what was found and what is true; made by `AgreesWith`.

    Attributes
    ----------
    both, only_found, only_true, neither : int
        Voxels that are pore in both, in one, or in none.

    Examples
    --------
    >>> Agreement(both=3, only_found=1, only_true=0, neither=4).iou
    0.75
    """

    both: int
    only_found: int
    only_true: int
    neither: int

    @property
    def voxels(self) -> int:
        """All voxels."""
        return self.both + self.only_found + self.only_true + self.neither

    @property
    def iou(self) -> float:
        """Intersection over union of the pores; 1 where there are none in either."""
        union = self.both + self.only_found + self.only_true
        return self.both / union if union else 1.0

    @property
    def porosity(self) -> float:
        """Porosity that was found, as a fraction."""
        return (self.both + self.only_found) / self.voxels

    @property
    def true_porosity(self) -> float:
        """Porosity of the truth, as a fraction."""
        return (self.both + self.only_true) / self.voxels


@dataclass(frozen=True)
class AgreesWith(Reduction):
    """The `Agreement` of a pore mask with the truth; exact, from any blocks in any order.

    Reads the truth region by region beside the volume that the pass reads.

    Parameters
    ----------
    truth : Source
        A mask of the same shape, True = pore.

    Examples
    --------
    >>> import bigrock
    >>> found = bigrock.ArraySource(np.array([[[True, True, False]]]))
    >>> truth = bigrock.ArraySource(np.array([[[True, False, False]]]))
    >>> [result] = bigrock.reduce(found, [AgreesWith(truth)])
    >>> result
    Agreement(both=1, only_found=1, only_true=0, neither=1)
    """

    truth: Source

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The truth, and one comparison at a time."""
        return 2.0

    def block(self, array: npt.NDArray[Any], block: Block) -> tuple[int, int, int]:
        """Return the voxels of the core that are pore in both, in what was found, and in truth."""
        found, true = array[block.trim], self.truth.read(block.core)
        return (
            int(np.count_nonzero(found & true)),
            int(np.count_nonzero(found)),
            int(np.count_nonzero(true)),
        )

    def combine(self, a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the sums."""
        return a[0] + b[0], a[1] + b[1], a[2] + b[2]

    def finish(self, state: tuple[int, int, int], facts: Facts) -> Agreement:
        """Return the agreement over the volume."""
        both, found, true = state
        voxels = facts.shape[0] * facts.shape[1] * facts.shape[2]
        return Agreement(both, found - both, true - both, voxels - found - true + both)
