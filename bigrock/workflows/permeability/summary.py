"""What a grid of window permeabilities says of the core: profiles, upscaled k, REV, and its own error."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.units import format_length
from bigrock.workflows.permeability.solving import AXES

__all__ = [
    "LEAST_CUBES",
    "LEAST_SOLVED",
    "REV_VARIATION",
    "agreement",
    "direct_rev",
    "profile",
    "settled_rev",
    "statistics_of",
    "upscaled",
    "upscaled_rev",
]

Array = npt.NDArray[Any]

REV_VARIATION = 0.1
"""How far k of places of one size may vary where that size is called representative."""

LEAST_CUBES = 8
"""From how many cubes a variation is taken for known: two along each axis, the least that shows all three; the
deviation of 8 values has a standard error of 27 %, that of two one of 71 %."""

LEAST_SOLVED = 2
"""From how many windows by Stokes flow the variation that a network tells is taken for confirmed."""

_MOST_PARTS = 48
_RESAMPLES = 2000
_MEANS = ("arithmetic", "harmonic", "geometric", "darcy")


def statistics_of(k_m2: Array) -> dict[str, Any]:
    """Return mean, geometric mean, spread and range of permeabilities, and the share of those that are zero.

    A window that does not percolate has k = 0: it counts in the arithmetic mean, and its share is told;
    ``geometric_of_flowing_m2`` and the spread of log10 k are those of the others, so that this mean may
    be above the arithmetic one. What is not finite is left out.

    Examples
    --------
    >>> found = statistics_of(np.array([0.0, 1e-12, 1e-14]))
    >>> found["geometric_of_flowing_m2"], round(found["zero_share"], 3), found["windows"]
    (1e-13, 0.333, 3)
    """
    k = np.asarray(k_m2, float).ravel()
    k = k[np.isfinite(k)]
    logs = np.log10(k[k > 0])
    return {
        "windows": int(k.size),
        "zero_share": float((k == 0).mean()) if k.size else None,
        "arithmetic_m2": float(k.mean()) if k.size else None,
        "geometric_of_flowing_m2": float(10 ** logs.mean()) if logs.size else None,
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
    names = ("arithmetic_m2", "geometric_of_flowing_m2", "log10_deviation", "zero_share")
    return {
        "position": [start_m + step_m * n for n in range(len(layers))],
        **{name: [one[name] for one in told] for name in names},
        "porosity": shares.tolist(),
    }


def upscaled(k_m2: Array) -> dict[str, dict[str, float | None]]:
    """Return upscaled k along each axis: arithmetic, harmonic, geometric mean, and Darcy flow on the grid.

    Parameters
    ----------
    k_m2 : ndarray, (3, z, y, x)
        Of the windows, along z, y, x; NaN along axes that nobody asked for, and in unbounded windows.

    Returns
    -------
    dict
        Axis to ``arithmetic_m2``, ``harmonic_m2``, ``geometric_m2``, ``darcy_m2``; the last two means are 0
        where a window is. Means are those of the bounded windows; Darcy flow is None where one is unbounded.
        Axes without any k are left out.

    Examples
    --------
    >>> layers = np.ones((3, 2, 1, 1))
    >>> layers[:, 1] = 3
    >>> round(upscaled(layers)["z"]["darcy_m2"], 6), round(upscaled(layers)["y"]["darcy_m2"], 6)
    (1.5, 2.0)
    """
    from bigrock.flow import upscale

    known = [axis for axis in AXES if np.isfinite(k_m2[AXES.index(axis)]).any()]
    if not known:
        return {}
    # Flow across the axis that is asked for meets k along the others: where they are unknown, the same k.
    filled = np.where(np.isfinite(k_m2), k_m2, k_m2[AXES.index(known[0])])
    bounded = np.isfinite(filled).all(axis=0)
    found = upscale(filled if bounded.all() else filled[:, bounded][..., None, None])
    means: dict[str, dict[str, float | None]] = {
        axis: {f"{mean}_m2": float(getattr(found[axis], mean)) for mean in _MEANS} for axis in known
    }
    if bounded.all():
        return means
    return {axis: {**told, "darcy_m2": None} for axis, told in means.items()}


def upscaled_rev(k_m2: Array, axis: str, window_m: float, step_m: float, seed: int) -> list[dict[str, Any]]:
    """Return k of cubes of 1, 2, 3… windows: Darcy flow on their part of the grid; a row for each size.

    Cubes share no voxel, even where windows overlap; of more than 48, a random choice. A cube that holds
    an unbounded window is left out. Says how far k of a part stands for the whole.

    Parameters
    ----------
    k_m2 : ndarray, (3, z, y, x)
        As for `upscaled`.
    axis : {"z", "y", "x"}
        Along which k is taken.
    window_m, step_m : float
        Edge of a window, and from one to the next.
    seed : int
        Of the choice.

    Examples
    --------
    >>> rows = upscaled_rev(np.ones((3, 2, 2, 2)), "z", 64e-6, 32e-6, 0)
    >>> [(round(row["edge_m"], 9), row["windows"]) for row in rows]
    [(6.4e-05, 1), (9.6e-05, 1)]
    """
    place = AXES.index(axis)
    # Windows that overlap reach into the cells of the next ones.
    reach = math.ceil(window_m / step_m - 1e-9) - 1
    rows = []
    for many in range(1, min(k_m2.shape[1:]) + 1):
        z, y, x = (range(0, n - many + 1, many + max(0, reach)) for n in k_m2.shape[1:])
        corners = list(itertools.product(z, y, x))
        if len(corners) > _MOST_PARTS:
            chosen = np.random.default_rng((seed, many)).permutation(len(corners))[:_MOST_PARTS]
            corners = [corners[i] for i in sorted(chosen)]
        parts = [k_m2[:, a : a + many, b : b + many, c : c + many] for a, b, c in corners]
        bounded = [part for part in parts if np.isfinite(part[place]).all()]
        values = [part[place].mean() if many == 1 else upscaled(part)[axis]["darcy_m2"] for part in bounded]
        edge_m = (many - 1) * step_m + window_m
        rows.append({"edge_m": edge_m, **statistics_of(np.array(values, float))})
    return rows


def settled_rev(
    cubes: Sequence[dict[str, Any]], single: Sequence[dict[str, Any]], *, by_surrogate: bool = False
) -> tuple[float | None, str | None]:
    """Return the size from which on k of places varies by at most `REV_VARIATION`, or why there is none.

    A size settles nothing with fewer than `LEAST_CUBES` cubes. It is refuted by any larger size at which
    places vary more, however few they are, and by single windows of this size or a larger one. A network that
    has learnt little tells much the same of all windows, so its cubes settle nothing as long as Stokes flow has
    not solved `LEAST_SOLVED` windows of the size of the map's or larger.

    Parameters
    ----------
    cubes, single : sequence of dict
        Rows of `upscaled_rev` and of `direct_rev`.
    by_surrogate : bool
        Whether k of the cubes comes from a network.

    Examples
    --------
    >>> calm = {"edge_m": 64e-6, "windows": 8, "variation": 0.05}
    >>> settled_rev([calm], [])
    (6.4e-05, None)
    >>> settled_rev([calm], [], by_surrogate=True)[1][:54]
    'k is that of a network, and Stokes flow has solved 0 w'
    >>> settled_rev([calm], [{**calm, "windows": 3, "variation": 0.4}])
    (None, 'k of single windows of 64 µm varies by 0.4; there are too few larger cubes to judge')
    """
    judged = [row["edge_m"] for row in cubes if row["windows"] >= LEAST_CUBES]
    if not judged:
        most = max((row["windows"] for row in cubes), default=0)
        return None, f"of no size are there {LEAST_CUBES} cubes that share no voxel, but at most {most}"
    least = min(row["edge_m"] for row in cubes)
    solved = sum(row["windows"] for row in single if row["edge_m"] > least * (1 - 1e-9))
    if by_surrogate and solved < LEAST_SOLVED:
        return None, (
            f"k is that of a network, and Stokes flow has solved {solved} windows of "
            f"{format_length(least, 4)} or larger, where {LEAST_SOLVED} are needed to confirm how much it varies"
        )
    reason, beyond = None, 0.0
    for rows, what in ((cubes, "cubes of {}"), (single, "single windows of {}")):
        restless = [row for row in rows if _is_restless(row)]
        worst = max(restless, key=lambda row: row["edge_m"], default=None)
        if worst is not None and worst["edge_m"] > beyond:
            beyond, told = worst["edge_m"], worst["variation"]
            how = "is 0" if told is None else f"varies by {told:.2g}"
            reason = (
                f"k of {what.format(format_length(beyond, 4))} {how}; there are too few larger cubes to judge"
            )
    settled = min((edge for edge in judged if edge > beyond * (1 + 1e-9)), default=None)
    return settled, reason if settled is None else None


def _is_restless(row: dict[str, Any]) -> bool:
    """Whether places of one size differ too much, or let nothing through on the average."""
    return row["windows"] > 1 and (row["variation"] is None or row["variation"] > REV_VARIATION)


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
