"""One permeability for a grid of them: means that bound it, and Darcy flow through the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.flow.measuring import AXES, warn_of
from bigrock.flow.results import PerAxis

__all__ = ["AxisUpscaled", "Upscaled", "upscale"]

Grid = npt.NDArray[np.float64]
_TOLERANCE = 1e-8
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class AxisUpscaled:
    """Permeability of a grid of cells along one axis, in the unit of the cells.

    Attributes
    ----------
    axis : {"z", "y", "x"}
        Of the flow.
    arithmetic, geometric, harmonic : float
        Means of the cells. The first and the last are bounds of any arrangement (Wiener 1912): layers
        along the flow and across it. The last two are 0 where a cell is.
    darcy : float
        Of Darcy flow through the cells as they are arranged.
    converged : bool
        Whether that was solved to its tolerance.
    """

    axis: str
    arithmetic: float
    geometric: float
    harmonic: float
    darcy: float
    converged: bool

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Upscaled(PerAxis[AxisUpscaled]):
    """Upscaled permeabilities by axis, of `bigrock.flow.upscale`: ``found["z"].darcy``."""


def upscale(k: npt.ArrayLike, *, cell_size: Sequence[float] = (1.0, 1.0, 1.0)) -> Upscaled:
    """Return the permeability of a grid of cells along each axis: three means, and Darcy flow.

    The flow has fixed pressures on both end faces and sealed sides. Two cells conduct in series (harmonic
    mean); a cell of 0 lets nothing through. Exact for layers; conjugate gradients to 1e-8.

    Parameters
    ----------
    k : array, shape (z, y, x) or (3, z, y, x)
        Permeability of each cell, in any unit; in the second form along z, y and x.
    cell_size : sequence of three floats
        Of a cell, z, y, x; only their ratios count.

    Returns
    -------
    Upscaled
        ``found["z"].darcy`` and the means, in the unit of `k`.

    Raises
    ------
    ParameterError
        If the shape is another, a permeability is negative or not finite, or a size is not positive.

    Examples
    --------
    >>> layers = np.ones((2, 3, 3))
    >>> layers[1] = 3
    >>> found = upscale(layers)
    >>> round(found["z"].darcy, 6), round(found["y"].darcy, 6)
    (1.5, 2.0)
    """
    given = np.asarray(k, np.float64)
    cells = np.broadcast_to(given, (3, *given.shape)) if given.ndim == 3 else given
    if cells.ndim != 4 or len(cells) != 3 or not cells.size:
        raise ParameterError(
            f"permeabilities of shape {np.shape(k)} are no grid of cells: give shape (z, y, x), or (3, z, y, x)."
        )
    bad = int(np.count_nonzero(~(np.isfinite(given) & (given >= 0))))
    if bad:
        raise ParameterError(
            f"{bad} permeabilities are negative or not finite: the mean and the flow would be meaningless. "
            "Fill or crop the cells that are not known first."
        )
    sizes = np.asarray(cell_size, np.float64)
    if sizes.shape != (3,) or not (np.isfinite(sizes) & (sizes > 0)).all():
        raise ParameterError(f"cell_size {cell_size!r} is not three positive lengths z, y, x.")
    return Upscaled({name: _along(cells, sizes, axis) for axis, name in enumerate(AXES)}, "sealed")


def _along(cells: Grid, sizes: Grid, axis: int) -> AxisUpscaled:
    own = cells[axis]
    positive = bool(own.min() > 0)
    darcy, residual, iterations = _darcy(cells, sizes, axis)
    converged = residual <= 2 * _TOLERANCE
    if not converged:
        warn_of("Darcy flow", AXES[axis], iterations, residual, _TOLERANCE)
    return AxisUpscaled(
        axis=AXES[axis],
        arithmetic=float(own.mean()),
        geometric=float(np.exp(np.log(own).mean())) if positive else 0.0,
        harmonic=float(1 / (1 / own).mean()) if positive else 0.0,
        darcy=darcy,
        converged=converged,
    )


def _darcy(cells: Grid, sizes: Grid, axis: int) -> tuple[float, float, int]:
    """Return the permeability along an axis, the relative residual, and the iterations: pressures 1 and 0."""
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import cg

    order = (axis, *(a for a in range(3) if a != axis))
    turned = [cells[a].transpose(order) for a in order]
    lengths = sizes[list(order)]
    number = np.arange(turned[0].size).reshape(turned[0].shape)
    n, (i, j, conductance) = number.size, _links(turned, lengths, number)
    inlet, outlet = (2 * turned[0][end].ravel() / lengths[0] ** 2 for end in (0, -1))
    if not inlet.any() or not outlet.any():
        return 0.0, 0.0, 0
    right, diagonal = np.zeros(n), np.zeros(n)
    diagonal += np.bincount(i, conductance, n) + np.bincount(j, conductance, n)
    right[number[0].ravel()] += inlet
    diagonal[number[0].ravel()] += inlet
    diagonal[number[-1].ravel()] += outlet
    open_cells = diagonal > 0
    matrix = coo_matrix((-conductance, (i, j)), (n, n))
    matrix = (matrix + matrix.T + diags(np.where(open_cells, diagonal, 1.0))).tocsr()
    inverse = diags(1 / np.where(open_cells, diagonal, 1.0))
    steps: list[None] = []
    pressure, _ = cg(
        matrix, right, rtol=_TOLERANCE, maxiter=_MOST, M=inverse, callback=lambda _: steps.append(None)
    )
    residual = float(np.linalg.norm(right - matrix @ pressure) / np.linalg.norm(right))
    flux = float(outlet @ pressure[number[-1].ravel()])
    return float(flux * len(number) * lengths[0] ** 2 / number[0].size), residual, len(steps)


def _links(turned: list[Grid], lengths: Grid, number: npt.NDArray[np.int64]) -> tuple[Any, Any, Grid]:
    """Return the pairs of neighbouring cells and what they conduct: the harmonic mean over the squared length."""
    first, second, conductances = [], [], []
    for axis in range(3):
        a, b = (np.moveaxis(turned[axis], axis, 0)[s].ravel() for s in (slice(None, -1), slice(1, None)))
        i, j = (np.moveaxis(number, axis, 0)[s].ravel() for s in (slice(None, -1), slice(1, None)))
        both = (a > 0) & (b > 0)
        first.append(i[both])
        second.append(j[both])
        conductances.append(2 / (1 / a[both] + 1 / b[both]) / lengths[axis] ** 2)
    return np.concatenate(first), np.concatenate(second), np.concatenate(conductances)
