"""How well pores conduct electricity, heat, or diffusing molecules: formation factor and tortuosity factor."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.flow.domain import Boundary, checked_boundary, percolating
from bigrock.flow.graph import pore_graph
from bigrock.flow.laplace import conducted
from bigrock.flow.measuring import AXES, asked_axes, check_numbers, checked_mask, warn_of
from bigrock.flow.results import PerAxis

__all__ = ["AxisFormationFactor", "FormationFactor", "formation_factor"]

Mask = npt.NDArray[np.bool_]
_MOST = 1000


@dataclass(frozen=True, slots=True)
class AxisFormationFactor:
    """Conduction through the pores of a sample along one axis.

    Attributes
    ----------
    axis : {"z", "y", "x"}
        Of the current.
    conductivity : float
        Of the sample, over that of what fills its pores: the effective diffusivity over that in free fluid
        times the porosity; 0 where nothing percolates.
    porosity : float
        Closed pores included.
    percolates, converged : bool
        Whether pores join both ends, by faces; whether the tolerance was reached.
    spread : float
        Largest minus smallest current over the planes across it, relative to their mean.
    iterations : int
        That were done.
    seconds : float
        Of processor time.
    """

    axis: str
    conductivity: float
    porosity: float
    percolates: bool
    converged: bool
    spread: float
    iterations: int
    seconds: float

    @property
    def formation_factor(self) -> float:
        """F: one over the conductivity; infinite where nothing percolates."""
        return 1 / self.conductivity if self.conductivity else math.inf

    @property
    def tortuosity_factor(self) -> float:
        """τ = φF: how much worse than straight pores of the same porosity."""
        return self.porosity * self.formation_factor

    @property
    def cementation_exponent(self) -> float:
        """The m of Archie's law F = φ^−m; nan where there is none."""
        if not 0 < self.porosity < 1:
            return math.nan
        return -math.log(self.formation_factor) / math.log(self.porosity)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON; what is infinite or undefined is None."""
        derived = {
            "formation_factor": self.formation_factor,
            "tortuosity_factor": self.tortuosity_factor,
            "cementation_exponent": self.cementation_exponent,
        }
        return {**asdict(self), **{k: v if math.isfinite(v) else None for k, v in derived.items()}}


@dataclass(frozen=True, slots=True)
class FormationFactor(PerAxis[AxisFormationFactor]):
    """Formation factors by axis, of `bigrock.flow.formation_factor`: ``found["z"].formation_factor``."""


def formation_factor(
    mask: Mask,
    *,
    axis: str = "all",
    boundary: str = "sealed",
    tolerance: float = 1e-3,
    max_iterations: int | None = None,
    threads: int = 1,
) -> FormationFactor:
    """Return how much less a sample conducts than what fills its pores, along one axis or each.

    Laplace's equation in the pores, on the grid of the voxels: two pore voxels that share a face conduct,
    solid does not. Exact for straight pores along an axis; the steps of a slanting surface make it up to
    some percent too resistive. Conjugate gradients with the multigrid of `permeability`.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        True is pore. Voxels are taken for cubes.
    axis : {"all", "z", "y", "x"}
        Direction of the current.
    boundary : {"sealed", "mirrored", "periodic"}
        Sealed: fixed potentials on the faces of both ends, no current through the sides; mirrored is the
        same, by symmetry. Periodic: the sample again on each side.
    tolerance : float
        Converged is: the largest and the smallest current over the planes across it differ by no more than
        this, relative to their mean, and the residual is within it too.
    max_iterations : int, optional
        Stop there, with a `ConvergenceWarning` and ``converged=False`` (default: 1000).
    threads : int
        Axes that are solved at the same time.

    Returns
    -------
    FormationFactor
        ``found["z"].formation_factor``, ``.tortuosity_factor`` and more.

    Raises
    ------
    ParameterError
        If it is no mask of three dimensions, or a value is not allowed.

    References
    ----------
    .. [1] Archie G.E., "The electrical resistivity log as an aid in determining some reservoir
       characteristics", Transactions of the AIME 146, 1942.

    Examples
    --------
    >>> tubes = np.zeros((6, 4, 4), bool)
    >>> tubes[:, ::2, ::2] = True
    >>> round(formation_factor(tubes)["z"].formation_factor, 3)
    4.0
    """
    mask, names, sides = checked_mask(mask), asked_axes(axis), checked_boundary(boundary)
    check_numbers(tolerance, max_iterations=max_iterations, threads=threads)

    def solve(name: str) -> AxisFormationFactor:
        return _along(mask, name, sides, tolerance, max_iterations or _MOST)

    with ThreadPoolExecutor(min(threads, len(names))) as pool:
        found = dict(zip(names, pool.map(solve, names), strict=True))
    for result in found.values():
        if not result.converged:
            warn_of("current", result.axis, result.iterations, result.spread, tolerance)
    return FormationFactor(found, sides)


def _along(mask: Mask, name: str, boundary: Boundary, tolerance: float, most: int) -> AxisFormationFactor:
    start = time.thread_time()
    turned = np.ascontiguousarray(np.moveaxis(mask, AXES.index(name), 0))
    pores = percolating(turned, boundary)
    percolates, around = bool(pores.any()), boundary == "periodic"
    graph = pore_graph(pores, (around, around, around))
    current = conducted(graph, around, tolerance, most) if percolates else None
    length, area = len(turned), turned[0].size
    return AxisFormationFactor(
        axis=name,
        conductivity=current.total * length / area if current else 0.0,
        porosity=float(mask.mean()),
        percolates=percolates,
        converged=current.converged if current else True,
        spread=current.spread if current else 0.0,
        iterations=current.iterations if current else 0,
        seconds=time.thread_time() - start,
    )
