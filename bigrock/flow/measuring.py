"""Permeability of a segmented image, by solving for the flow through it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Real

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.flow.domain import checked_boundary, stokes_domain
from bigrock.flow.kozeny import kozeny_carman, surface_per_bulk
from bigrock.flow.results import AxisPermeability, Permeability
from bigrock.flow.stokes import Flow, flow_through
from bigrock.geometry import is_whole
from bigrock.kernels.backend import resolve
from bigrock.units import format_voxel_size, parse_voxel_size

__all__ = [
    "AXES",
    "ConvergenceWarning",
    "asked_axes",
    "check_numbers",
    "checked_mask",
    "permeability",
    "warn_of",
]

Mask = npt.NDArray[np.bool_]
AXES = ("z", "y", "x")
_MOST = 2000


class ConvergenceWarning(UserWarning):
    """A solver stopped at its largest number of iterations before its tolerance was reached."""


def permeability(
    mask: Mask,
    *,
    voxel_size: str | float | Sequence[str | float],
    axis: str = "all",
    boundary: str = "sealed",
    tolerance: float = 1e-2,
    max_iterations: int | None = None,
    threads: int = 1,
    backend: str | None = None,
) -> Permeability:
    """Return the permeability of a mask along one axis, or each: Stokes flow through its pores.

    Solved on the staggered grid of the voxels by MINRES with a multigrid preconditioner, on pore voxels that
    percolate alone: about 230 bytes for each of these, and 10 for every voxel. What percolates is found
    first; where nothing does, the permeability is 0 and nothing is solved.

    Voxels too few across a throat conduct too well: a slit 4, 8, 16 voxels wide by 12.5, 3.1, 0.8 %, a round
    tube of 10 voxels by 1.7 %. Where throats are narrower, cut voxels and solve again.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        True is pore.
    voxel_size : str, float or sequence
        Edge of the cubic voxels, such as "2.25 um"; plain numbers are metres.
    axis : {"all", "z", "y", "x"}
        Direction of the flow.
    boundary : {"sealed", "periodic", "mirrored"}
        What surrounds the sample (`bigrock.flow.domain` says exactly what each means, and it matters):
        no-slip walls along the flow and fluid before and behind; the sample again on each side; or its
        mirror images.
    tolerance : float
        Converged is: the largest and the smallest flux over the planes across the flow differ by no more than
        this, relative to their mean. The permeability is then closer than that: its error goes with the square.
        In float32 a spread below about 1e-4 is not always reached; then it warns, as after `max_iterations`.
    max_iterations : int, optional
        Stop there, with a `ConvergenceWarning` and ``converged=False`` (default: 2000).
    threads : int
        Axes that are solved at the same time.
    backend : {"cpu", "gpu", "auto"}, optional
        What computes the iterations (default: "cpu"): compiled loops, or the same as array operations on a
        GPU. The permeabilities agree within the tolerance.

    Returns
    -------
    Permeability
        ``found["z"].k_m2`` and more, for each axis that was asked for.

    Raises
    ------
    ParameterError
        If it is no mask of three dimensions, voxels are not cubes, no wall resists, or a value is not allowed.
    UnitError, VoxelSizeError
        If the voxel size cannot be understood, or is None.
    BackendError
        If "gpu" is asked for and cannot be used.

    References
    ----------
    .. [1] Harlow F.H., Welch J.E., "Numerical calculation of time-dependent viscous incompressible flow",
       Physics of Fluids 8, 1965 (the staggered grid).
    .. [2] Paige C.C., Saunders M.A., "Solution of sparse indefinite systems of linear equations", SIAM
       Journal on Numerical Analysis 12, 1975 (MINRES).

    Examples
    --------
    >>> slit = np.zeros((4, 34, 4), bool)
    >>> slit[:, 1:-1] = True
    >>> found = permeability(slit, voxel_size="1 um", axis="z", boundary="periodic")
    >>> round(found["z"].k_voxel2 / (32 / 34 * 32**2 / 12), 3)
    1.002
    """
    mask = checked_mask(mask)
    names, edge = asked_axes(axis), _cubic(voxel_size)
    check_numbers(tolerance, max_iterations=max_iterations, threads=threads)
    sides, where = checked_boundary(boundary), resolve(backend or "cpu")
    xp = where.xp if where.name == "gpu" else None
    formula = _kozeny_carman(mask)

    def solve(name: str) -> AxisPermeability:
        turned = np.ascontiguousarray(np.moveaxis(mask, AXES.index(name), 0))
        start, domain = time.thread_time(), stokes_domain(turned, sides)
        flow = flow_through(domain, tolerance, max_iterations or _MOST, xp) if domain is not None else None
        return _result(name, flow, edge, formula, float(mask.mean()), time.thread_time() - start)

    with ThreadPoolExecutor(min(threads, len(names))) as pool:
        found = dict(zip(names, pool.map(solve, names), strict=True))
    for result in found.values():
        if not result.converged:
            warn_of("flow", result.axis, result.iterations, result.flux_spread, tolerance)
    return Permeability(found, sides, edge)


def checked_mask(mask: object) -> Mask:
    """Return the mask.

    Raises
    ------
    ParameterError
        If it is no array of bool with three dimensions and a voxel.
    """
    if not isinstance(mask, np.ndarray) or mask.dtype != bool:
        what = f"an array of {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise ParameterError(
            f"the mask is {what}: which value is pore is not guessed. Give an array of bool, shape (z, y, x), "
            "True = pore."
        )
    if mask.ndim != 3 or not mask.size:
        raise ParameterError(
            f"the mask has shape {mask.shape}: flow needs three axes, with a voxel along each. Give an array of bool, "
            "shape (z, y, x), True = pore."
        )
    return mask


def check_numbers(tolerance: float, **whole: int | None) -> None:
    """Refuse a tolerance that is not between 0 and 1, and what is no positive whole number.

    Raises
    ------
    ParameterError
        Names the number.

    Examples
    --------
    >>> check_numbers(1e-2, threads=2, max_iterations=None)
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real) or not 0 < tolerance < 1:
        raise ParameterError(f"tolerance={tolerance!r} is not between 0 and 1. Use one such as 0.01.")
    for name, value in whole.items():
        if value is not None and (not is_whole(value) or value < 1):
            raise ParameterError(f"{name}={value!r} is no positive whole number. Give 1 or more.")


def asked_axes(axis: str) -> tuple[str, ...]:
    """Return the names of the axes.

    Raises
    ------
    ParameterError
        If there is none of that name.

    Examples
    --------
    >>> asked_axes("all")
    ('z', 'y', 'x')
    """
    if axis == "all":
        return AXES
    if axis not in AXES:
        raise ParameterError(f"axis {axis!r} is not known. Use one of: z, y, x, all.")
    return (axis,)


def _cubic(voxel_size: str | float | Sequence[str | float]) -> float:
    sizes = parse_voxel_size(voxel_size)
    if max(sizes) > 1.0001 * min(sizes):
        raise ParameterError(
            f"voxels of {format_voxel_size(sizes)} are no cubes: the flow would be solved on a distorted "
            "image. Resample the image to cubic voxels first."
        )
    return sizes[0]


def _kozeny_carman(mask: Mask) -> float | None:
    """Return the permeability by that formula in voxels squared."""
    surface = surface_per_bulk(mask)
    value = kozeny_carman(float(mask.mean()), surface) if surface >= 0 else np.nan
    return value if np.isfinite(value) else None


def _result(
    name: str, flow: Flow | None, edge: float, formula: float | None, porosity: float, seconds: float
) -> AxisPermeability:
    k = flow.permeability if flow else 0.0
    return AxisPermeability(
        axis=name,
        k_m2=k * edge**2,
        k_voxel2=k,
        kozeny_carman_m2=None if formula is None else formula * edge**2,
        porosity=porosity,
        percolates=flow is not None,
        converged=flow.converged if flow else True,
        flux_spread=flow.spread if flow else 0.0,
        residual=flow.residual if flow else 0.0,
        iterations=flow.iterations if flow else 0,
        seconds=seconds,
    )


def warn_of(what: str, axis: str, iterations: int, spread: float, tolerance: float) -> None:
    """Warn that a solver stopped before its tolerance was reached."""
    warnings.warn(
        f"the {what} along {axis} is not converged after {iterations} iterations: it differs by {spread:.2g} "
        f"between planes, and {tolerance:g} was asked for. Allow more iterations or a larger tolerance, or do not "
        "use this result.",
        ConvergenceWarning,
        stacklevel=3,
    )
