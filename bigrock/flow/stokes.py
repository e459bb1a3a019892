"""Slow viscous flow through the pores of an image: Stokes on the staggered grid of its voxels.

Pressures lie in the voxels and velocities on their faces; a wall is where a pore voxel meets a solid one, and half a
voxel from the velocities along it. MINRES with a multigrid preconditioner, without a matrix, on pore voxels alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.flow.domain import Domain
from bigrock.flow.graph import PoreGraph
from bigrock.flow.minres import minres
from bigrock.flow.multigrid import Multigrid, loops_for
from bigrock.kernels.backend import to_host

__all__ = ["BYTES_PER_PORE_VOXEL", "BYTES_PER_VOXEL", "Flow", "flow_through"]

Array = npt.NDArray[Any]
BYTES_PER_PORE_VOXEL = 230
BYTES_PER_VOXEL = 20
"""What one axis takes at its peak."""
_ASK_EVERY = 5
_FLOOR = 1e-6
"""Residual below which float32 has no more to say: the solution would only drift."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The flow that a unit pressure gradient drives, of a fluid of unit viscosity.

    Attributes
    ----------
    permeability : float
        In voxels squared, over the whole cross-section.
    spread : float
        Largest minus smallest flux over the planes across the flow, relative to their mean.
    residual : float
        Of MINRES, relative, in the norm of the preconditioner.
    iterations : int
        That were done.
    converged : bool
        Whether the tolerance was reached.
    """

    permeability: float
    spread: float
    residual: float
    iterations: int
    converged: bool


def flow_through(domain: Domain, tolerance: float, most: int, xp: Any = None) -> Flow:
    """Return the flow along the first axis of a domain, after at most `most` iterations.

    Converged is: the spread of the flux over the planes, how far the two estimates of the permeability lie
    apart (the mean flux, and the one whose error is the square of that of the flow), and the residual are all
    within `tolerance`. An array module `xp` computes the iterations instead of compiled loops.
    """
    from bigrock.flow.graph_loops import face_codes

    loops = loops_for(xp)
    graph = domain.graph()
    codes: Array = np.zeros((len(graph) + 2, 3), np.uint8)
    face_codes(graph.neighbours, codes[:-2])
    cycle = Multigrid(graph, codes, _drag(domain, len(graph)), np.zeros(len(graph), np.float32), xp)
    right: Array = graph.zeros()
    right[:, 0] = codes[:, 0] > 0
    neighbours: Array = graph.neighbours
    if xp is not None:
        neighbours, codes, right = (xp.asarray(a) for a in (neighbours, codes, right))
    found: list[Flow] = []

    def operator(v: Array, out: Array) -> None:
        loops.stokes(neighbours, codes, v, out)

    def precondition(v: Array, out: Array) -> None:
        cycle(v, out)
        out[:, 3] += v[:, 3]

    def stop(x: Array, iteration: int, residual: float) -> bool:
        if iteration % _ASK_EVERY and iteration < most and residual > 0:
            return False
        energy = loops.stokes_energy(neighbours, codes, x)
        found[:] = [_judged(domain, graph, to_host(x), energy, tolerance, iteration, residual)]
        return found[0].converged or iteration >= most or residual <= _FLOOR

    minres(operator, precondition, right, stop, loops)
    return found[0]


def _drag(domain: Domain, n: int) -> npt.NDArray[np.float32]:
    """Return how much flow a pressure gradient drives in each voxel: a quarter of the squared distance."""
    weights = np.zeros(n + 2, np.float32)
    weights[:n] = np.maximum(domain.distances() - 0.5, 0.5) ** 2 / 4
    return weights


def _judged(
    domain: Domain,
    graph: PoreGraph,
    x: Array,
    energy: float,
    tolerance: float,
    iteration: int,
    residual: float,
) -> Flow:
    fluxes = graph.sums_over_planes(x[:, 0])
    total = float(fluxes.sum())
    # For the right-hand side b: 2 b·x − x·K x is the flux of the exact solution up to the square of the error.
    better = 2 * total - energy
    spread = float(np.ptp(fluxes)) / abs(float(fluxes.mean())) if total else np.inf
    apart = abs(better - total) / abs(total) if total else np.inf
    permeability = better / domain.mask.size * _gain(domain, graph, x)
    return Flow(permeability, spread, residual, iteration, max(spread, apart, residual) <= tolerance)


def _gain(domain: Domain, graph: PoreGraph, x: Array) -> float:
    """Return the mean pressure gradient of the domain over that of the sample alone.

    What the layers of fluid before and behind the sample take is measured between their middles.
    """
    if not domain.slab:
        return 1.0
    planes, area = len(domain.mask), domain.mask[0].size
    pressures = graph.sums_over_planes(x[:, 3])[planes - domain.slab :] / area
    lost = domain.slab * (1 - (pressures[-1] - pressures[0]) / (domain.slab - 1))
    return (planes - domain.slab) / (planes - float(lost))
