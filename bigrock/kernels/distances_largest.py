"""How large the distances of a mask become: what thickness and pores must know before they run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.distances_squares import squared_distances
from bigrock.volumes.source import Facts, Voxel

__all__ = ["LargestDistance"]

Array = npt.NDArray[Any]

_CELL = 16


@dataclass(slots=True)
class _State:
    """The largest square that is certain, where background lies, and cells whose distances are open."""

    square: float = 0.0
    background: list[tuple[Shape, Array]] = field(default_factory=list)
    open: list[Array] = field(default_factory=list)


@dataclass(frozen=True)
class LargestDistance(Reduction):
    """The largest distance to what is not the phase, in units of the smallest voxel edge; never too small.

    Exact where it is at most `margin`. Beyond, background was not seen from everywhere, and the
    result is an upper bound, from cells of 16³ voxels that hold some: too large by at most 16·√3
    voxels and the size of a cell. Infinite where there is no background at all, 0 where there is no
    phase. Keeps a bit per cell.

    Parameters
    ----------
    voxel_size : tuple of float, optional
        Edges of a voxel, z, y, x; only their ratios count.
    margin : int
        Voxels (of the smallest edge) that are read around a block.

    Examples
    --------
    >>> from bigrock.engine.reducing import reduce
    >>> from bigrock.volumes import ArraySource
    >>> reduce(ArraySource(np.arange(6).reshape(1, 1, 6) > 1), [LargestDistance()])
    [4.0]
    """

    voxel_size: Voxel | None = None
    margin: int = 32

    @property
    def _metric(self) -> Metric:
        return Metric.of(self.voxel_size)

    @property
    def halo(self) -> Shape:
        """The margin, in voxels along each axis."""
        return self._metric.reach(self.margin)

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Squares at two stages."""
        return 7.0 if self._metric.whole else 18.0

    def state_bytes(self, facts: Facts) -> float:
        """A byte per cell, and the corners of the cells that are open."""
        return math.prod(facts.shape) / _CELL**3 * (1 + 24)

    def block(self, array: Array, block: Block) -> _State:
        """Return the largest distance of the core, and its cells."""
        core = array[block.trim]
        background = _any_in_cells(~core)
        cap = None if block.read == Region.whole(block.volume) else (self.margin + 1) ** 2
        squares, top = squared_distances(array, block.core.relative_to(block.read), self._metric, cap=cap)
        certain = float(squares.max())
        if certain < top:
            return _State(certain, [(block.core.start, background)])
        unknown = np.argwhere(_any_in_cells(squares >= top)) * _CELL + block.core.start
        return _State(float(top), [(block.core.start, background)], [unknown])

    def combine(self, a: _State, b: _State) -> _State:
        """Return the larger square, and all cells."""
        return _State(max(a.square, b.square), a.background + b.background, a.open + b.open)

    def finish(self, state: _State, facts: Facts) -> float:
        """Return the root of the largest square, or the bound from the cells."""
        largest = math.sqrt(state.square)
        if not state.open:
            return largest
        corners = [np.argwhere(cells) * _CELL + start for start, cells in state.background]
        return max(largest, self._bound(np.concatenate(state.open), np.concatenate(corners)))

    def _bound(self, open_cells: Array, background: Array) -> float:
        """Return the largest distance from a cell that is open to the nearest cell with background."""
        from scipy.spatial import cKDTree

        if not len(background):
            return math.inf
        edges = np.sqrt(self._metric.weights)
        apart, _ = cKDTree(background * edges).query(open_cells * edges)
        return float(apart.max() + _CELL * np.linalg.norm(edges))


def _any_in_cells(mask: Array) -> Array:
    """Return whether each cell of 16³ voxels, from the first voxel on, holds a True one."""
    for axis in range(3):
        mask = np.logical_or.reduceat(mask, np.arange(0, mask.shape[axis], _CELL), axis=axis)
    return mask
