"""Laplace's equation in the pores of an image: the current that a unit drop of the potential drives along z."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.flow.graph import PoreGraph
from bigrock.flow.multigrid import Multigrid

__all__ = ["Current", "conducted"]

Array = npt.NDArray[Any]
_FLOOR = 1e-13
"""Squared residual below which float32 has no more to say."""


@dataclass(frozen=True, slots=True)
class Current:
    """The current through a sample whose ends differ in potential by 1, of voxels that conduct by 1.

    Attributes
    ----------
    total : float
        The current.
    spread : float
        Largest minus smallest current over the planes across it, relative to their mean.
    iterations : int
        That were done.
    converged : bool
        Whether the tolerance was reached.
    """

    total: float
    spread: float
    iterations: int
    converged: bool


def conducted(graph: PoreGraph, periodic: bool, tolerance: float, most: int) -> Current:
    """Return the current through pores that percolate along z.

    The potential lies in the fourth number of each row, where the flow solvers have the pressure; the others
    stay 0. Periodic: it drops by 1 around the sample. Else its ends are held half a voxel outside.
    """
    from bigrock.flow.sweep_loops import dot, laplace, subtract

    held, drop, straight = _ends(graph, periodic)
    right, x, z, ahead, image = (graph.zeros() for _ in range(5))
    right[:-2, 3] = drop
    weights = np.ones(len(graph) + 2, np.float32)
    weights[-2:] = 0
    cycle = Multigrid(graph, np.zeros((len(graph) + 2, 3), np.uint8), weights, held)
    cycle(right, ahead)
    rho = first = dot(right, ahead)
    iteration, done = 0, False
    while not done and iteration < most and (not iteration or rho > _FLOOR * first):
        iteration += 1
        if rho > 0:
            laplace(graph.neighbours, held, ahead, image)
            step = rho / dot(ahead, image)
            subtract(x, -step, ahead)
            subtract(right, step, image)
            cycle(right, z)
            before, rho = rho, dot(right, z)
            ahead *= np.float32(rho / before)
            ahead += z
        # The current that is conjugate to the drop: its error is the square of that of the potential.
        total = straight - float(x[:-2, 3].astype(np.float64) @ drop)
        spread = _spread(graph, x[:, 3], periodic)
        done = spread <= tolerance and rho <= tolerance**2 * first
    return Current(total, spread, iteration, done)


def _ends(graph: PoreGraph, periodic: bool) -> tuple[Array, Array, float]:
    """Return what adds to the diagonals, the right-hand side, and the current if all potentials were 0.

    The potential falls from 1/2 to −1/2 between the outer faces of both ends: half a voxel conducts twice as
    well as a whole one. Periodic: it falls by 1 between the last plane and the first one again.
    """
    n = len(graph)
    held, drop = np.zeros(n, np.float32), np.zeros(n, np.float32)
    ends = slice(0, graph.planes[1]), slice(graph.planes[-2], n)
    faces = 0
    for end, sign, side in zip(ends, (1, -1), (0, 1), strict=True):
        open_faces = graph.neighbours[end, side] < n if periodic else np.ones(end.stop - end.start, bool)
        drop[end] += sign * open_faces
        held[end] += 0 if periodic else 2
        faces += int(np.count_nonzero(open_faces))
    return held, drop, faces / 2


def _spread(graph: PoreGraph, potential: Array, periodic: bool) -> float:
    """Return the largest minus the smallest current over the planes across it, relative to their mean."""
    n = len(graph)
    after = graph.neighbours[:, 1]
    fall = np.where(after < n, potential[:n] - potential[after], 0).astype(np.float64)
    fall[graph.planes[-2] :] += (after[graph.planes[-2] :] < n) if periodic else 0
    currents = graph.sums_over_planes(fall)
    if not periodic:
        first, last = potential[: graph.planes[1]], potential[graph.planes[-2] : n]
        currents = np.array([(1 - 2 * first).sum(), *currents[:-1], (1 + 2 * last).sum()])
    return float(np.ptp(currents) / abs(currents.mean())) if currents.any() else math.inf
