"""What a grid of window permeabilities says of the core: profiles, upscaled k, REV, and its own error."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.workflows.permeability.solving import AXES

__all__ = ["agreement", "direct_rev", "profile", "statistics_of", "upscaled", "upscaled_rev"]

Array = npt.NDArray[Any]

_MOST_PARTS = 48
_RESAMPLES = 2000


def statistics_of(k_m2: Array) -> dict[str, Any]:
    """Return mean, geometric mean, spread and range of permeabilities, and the share of those that are zero.

    A window that does not percolate has k = 0: it counts in the arithmetic mean, and its share is told;
    geometric mean and spread of log10 k are those of the others.

    Examples
    --------
    >>> found = statistics_of(np.array([0.0, 1e-12, 1e-14]))
    >>> found["geometric_m2"], round(found["zero_share"], 3), found["windows"]
    (1e-13, 0.333, 3)
    """
    k = np.asarray(k_m2, float).ravel()
    k = k[np.isfinite(k)]
    logs = np.log10(k[k > 0])
    return {
        "windows": int(k.size),
        "zero_share": float((k == 0).mean()) if k.size else None,
        "arithmetic_m2": float(k.mean()) if k.size else None,
        "geometric_m2": float(10 ** logs.mean()) if logs.size else None,
        "log10_deviation": float(logs.std(ddof=1)) if logs.size > 1 else None,
        "variation": float(k.std(ddof=1) / k.mean()) if k.size > 1 and k.mean() > 0 else None,
        "least_m2": float(k.min()) if k.size else None,
        "most_m2": float(k.max()) if k.size else None,
    }


def profile(k_m2: Array, porosity: Array, axis: str, start_m: float, step_m: float) -> dict[str, Any]:
    """Return what each layer of windows along an axis holds: position, means of k, share of zeros, porosity.

    Parameters
    ----------
    k_m2, porosity : ndarray, (z, y, x)
        Of the windows; k along `axis`.
    axis : {"z", "y", "x"}
        Across the layers.
    start_m, step_m : float
        Centre of the first layer, and from one to the next.

    Examples
    --------
    >>> k = np.array([[[1e-12, 4e-12]]])
    >>> profile(k, np.full((1, 1, 2), 0.2), "x", 32e-6, 64e-6)["arithmetic_m2"]
    [1e-12, 4e-12]
    """
    layers = np.moveaxis(k_m2, AXES.index(axis), 0)
    told = [statistics_of(layer) for layer in layers]
    shares = np.moveaxis(porosity, AXES.index(axis), 0).reshape(len(layers), -1).mean(axis=1)
    names = ("arithmetic_m2", "geometric_m2", "log10_deviation", "zero_share")
    return {
        "position": [start_m + step_m * n for n in range(len(layers))],
        **{name: [one[name] for one in told] for name in names},
        "porosity": shares.tolist(),
    }


def upscaled(k_m2: Array) -> dict[str, dict[str, float]]:
    """Return upscaled k along each axis: arithmetic, harmonic, geometric mean, and Darcy flow on the grid.

    Parameters
    ----------
    k_m2 : ndarray, (3, z, y, x)
        Of the windows, along z, y, x; NaN along axes that nobody asked for.

    Returns
    -------
    dict
        Axis to ``arithmetic_m2``, ``harmonic_m2``, ``geometric_m2``, ``darcy_m2``.

    Examples
    --------
    >>> layers = np.ones((3, 2, 1, 1))
    >>> layers[:, 1] = 3
    >>> round(upscaled(layers)["z"]["darcy_m2"], 6), round(upscaled(layers)["y"]["darcy_m2"], 6)
    (1.5, 2.0)
    """
    from bigrock.flow import upscale

    known = [axis for axis in AXES if np.isfinite(k_m2[AXES.index(axis)]).all()]
    # Flow across the axis that is asked for meets k along the others: where they are unknown, the same k.
    filled = np.where(np.isfinite(k_m2), k_m2, k_m2[AXES.index(known[0])])
    found = upscale(filled)
    return {
        axis: {
            f"{mean}_m2": float(getattr(found[axis], mean))
            for mean in ("arithmetic", "harmonic", "geometric", "darcy")
        }
        for axis in known
    }


def upscaled_rev(k_m2: Array, axis: str, step_m: float, seed: int) -> list[dict[str, Any]]:
    """Return k of cubes of 1, 2, 3… windows: Darcy flow on their part of the grid; a row for each size.

    Cubes lie side by side; of more than 48, a random choice. Says how far k of a part stands for the whole.

    Parameters
    ----------
    k_m2 : ndarray, (3, z, y, x)
        As for `upscaled`.
    axis : {"z", "y", "x"}
        Along which k is taken.
    step_m : float
        Edge of one cell of the grid.
    seed : int
        Of the choice.
    """
    place = AXES.index(axis)
    rows = []
    for many in range(1, min(k_m2.shape[1:]) + 1):
        z, y, x = (range(0, n - many + 1, many) for n in k_m2.shape[1:])
        corners = list(itertools.product(z, y, x))
        if len(corners) > _MOST_PARTS:
            chosen = np.random.default_rng((seed, many)).permutation(len(corners))[:_MOST_PARTS]
            corners = [corners[i] for i in sorted(chosen)]
        parts = [k_m2[:, a : a + many, b : b + many, c : c + many] for a, b, c in corners]
        values = [
            float(part[place].mean()) if many == 1 else upscaled(part)[axis]["darcy_m2"] for part in parts
        ]
        rows.append({"edge_m": many * step_m, **statistics_of(np.array(values))})
    return rows


def direct_rev(edges: Iterable[int], k_m2: Iterable[float], voxel_m: float) -> list[dict[str, Any]]:
    """Return k of single windows against their size: a row for each edge, ascending.

    Examples
    --------
    >>> [row["windows"] for row in direct_rev([32, 64, 32], [1e-12, 2e-12, 3e-12], 1e-6)]
    [2, 1]
    """
    sizes, values = np.array(list(edges)), np.array(list(k_m2))
    return [
        {"edge_m": float(edge) * voxel_m, **statistics_of(values[sizes == edge])} for edge in np.unique(sizes)
    ]


def agreement(surrogate_m2: Array, physics_m2: Array, seed: int = 0) -> dict[str, Any] | None:
    """Return how the surrogate differs from Stokes flow in the windows that both have solved; None where none.

    In log10 k, of windows that percolate: bias (mean of surrogate minus physics), root mean square, and
    95 % intervals of a bootstrap over windows (the axes of a window go together).

    Parameters
    ----------
    surrogate_m2, physics_m2 : ndarray, (windows, 3)
        NaN where nobody asked.
    seed : int
        Of the bootstrap.

    Examples
    --------
    >>> k = np.full((4, 3), 1e-12)
    >>> found = agreement(10 * k, k)
    >>> found["bias"], found["rmse"], found["windows"]
    (1.0, 1.0, 4)
    """
    both = np.isfinite(surrogate_m2) & np.isfinite(physics_m2)
    both &= (surrogate_m2 > 0) & (physics_m2 > 0)
    rows = np.flatnonzero(both.any(axis=1))
    if not rows.size:
        return None
    difference = np.full(both.shape, np.nan)
    difference[both] = np.log10(surrogate_m2[both]) - np.log10(physics_m2[both])
    difference = difference[rows]
    random = np.random.default_rng(seed)
    drawn = difference[random.integers(len(rows), size=(_RESAMPLES, len(rows)))]
    flat = drawn.reshape(_RESAMPLES, -1)
    bias, square = np.nanmean(flat, axis=1), np.nanmean(flat**2, axis=1)
    return {
        "windows": int(rows.size),
        "pairs": int(both.sum()),
        "bias": float(np.nanmean(difference)),
        "bias_ci95": _interval(bias),
        "rmse": math.sqrt(float(np.nanmean(difference**2))),
        "rmse_ci95": _interval(np.sqrt(square)),
    }


def _interval(values: Array) -> list[float]:
    return [float(v) for v in np.percentile(values, (2.5, 97.5))]
