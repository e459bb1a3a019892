"""One multigrid cycle for the three velocities and the pressure at once: the preconditioner.

Velocities are relaxed by their Laplacian. The pressure has the Laplacian weighted with a quarter of the squared
distance to the wall: far from a wall a pressure gradient drives that much more flow, as in Darcy's law.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.flow.graph import PoreGraph

__all__ = ["Multigrid", "loops_for"]

Array = npt.NDArray[Any]
_OVERCORRECTION = 1.8
"""Constants on the children of a row are too stiff: their correction is lengthened (Braess 1995)."""
_VISITS = 2
"""Of each coarse level by the one before it (a W-cycle). Even, so that no correction can exceed what it corrects,
and the cycle stays positive although it overcorrects."""


def loops_for(xp: Any) -> Any:
    """Return the functions that compute: compiled loops, or array operations where a module is given."""
    if xp is None:
        from bigrock.flow import sweep_loops

        return sweep_loops
    from bigrock.flow import arrays

    return arrays


@dataclass(slots=True)
class _Level:
    starts: Array
    columns: Array
    weights: Array
    diagonal: Array
    inverse: Array
    right: Array
    z: Array
    parents: Array | None = field(default=None)


class Multigrid:
    """Approximate inverse, symmetric and positive, of the block-diagonal operator.

    Parameters
    ----------
    graph : PoreGraph
        The pore voxels.
    codes : ndarray of uint8, shape (n + 2, 3)
        Diagonals of the viscous term; 0 where there is no velocity.
    weights : ndarray of float32, shape (n + 2,)
        Of each voxel; the pressure of two neighbours is coupled by the smaller one.
    extra : ndarray of float32, shape (n,)
        What adds to the diagonal of the pressure, such as a fixed value beyond a face.
    xp : module, optional
        The array module that computes the cycle (default: compiled loops).
    """

    def __init__(self, graph: PoreGraph, codes: Array, weights: Array, extra: Array, xp: Any = None) -> None:
        from bigrock.flow import coarsening_loops as loops

        self._xp = xp
        self._neighbours, self._weights = graph.neighbours, weights
        self._inverse = np.empty((len(graph), 4), np.float32)
        loops.inverse_of_fine(graph.neighbours, codes, weights, extra, self._inverse)
        self._parents = np.empty(len(graph), np.int32)
        blocks = loops.join_fine(graph.neighbours, graph.blocks, self._parents)
        made = loops.coarsen_fine(graph.neighbours, codes, weights, extra, self._parents, len(blocks))
        self._levels: list[_Level] = []
        while True:
            starts, columns, coupling, excess = made
            diagonal, inverse = loops.diagonal_of(starts, coupling, excess)
            right, z = np.empty_like(excess), np.empty_like(excess)
            level = _Level(starts, columns, coupling, diagonal, inverse, right, z)
            self._levels.append(level)
            if not blocks.any():
                break
            level.parents = np.empty(len(blocks), np.int32)
            blocks = loops.join(starts, columns, blocks, level.parents)
            made = loops.coarsen(starts, columns, coupling, excess, level.parents, len(blocks))
        if xp is not None:
            self._move(xp)

    def _move(self, xp: Any) -> None:
        """Hand all arrays to an array module, whose functions want the row of each entry of a matrix."""
        for name in ("_neighbours", "_weights", "_inverse", "_parents"):
            setattr(self, name, xp.asarray(getattr(self, name)))
        for level in self._levels:
            level.starts = np.repeat(np.arange(len(level.inverse), dtype=np.int32), np.diff(level.starts))
            for name in ("starts", "columns", "weights", "diagonal", "inverse", "right", "z"):
                setattr(level, name, xp.asarray(getattr(level, name)))
            level.parents = None if level.parents is None else xp.asarray(level.parents)

    def __call__(self, right: Array, z: Array) -> None:
        """Set `z` to the approximate solution for `right`, both of shape (n + 2, 4)."""
        loops = loops_for(self._xp)
        fine = (self._neighbours, self._weights, self._inverse)
        top = self._levels[0]
        z[:] = 0
        loops.sweep_fine(*fine, right, z, True)
        loops.residual_to_coarse_fine(*fine, right, z, self._parents, top.right)
        self._cycle(0)
        loops.prolong(self._parents, top.z, self._inverse, _OVERCORRECTION, z)
        loops.sweep_fine(*fine, right, z, False)

    def _cycle(self, depth: int) -> None:
        loops = loops_for(self._xp)
        level = self._levels[depth]
        matrix = (level.starts, level.columns, level.weights)
        level.z[:] = 0
        loops.sweep(*matrix, level.inverse, level.right, level.z, True)
        if level.parents is not None:
            below = self._levels[depth + 1]
            for _ in range(_VISITS):
                loops.residual_to_coarse(
                    *matrix, level.diagonal, level.right, level.z, level.parents, below.right
                )
                self._cycle(depth + 1)
                loops.prolong(level.parents, below.z, level.inverse, _OVERCORRECTION, level.z)
        loops.sweep(*matrix, level.inverse, level.right, level.z, False)
