"""How good predicted permeabilities are, and whether one prediction is better than another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = [
    "Bootstrap",
    "mean_relative_error",
    "paired_bootstrap",
    "r_squared",
    "regression_scores",
    "rmse",
]

Values = npt.NDArray[np.float64]


def r_squared(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the coefficient of determination, 1 − Σ(t − p)² / Σ(t − mean t)²; NaN where all truths are alike.

    Parameters
    ----------
    truth, predicted : array-like (n,)
        Of permeabilities usually log10 k.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If there are not as many of both, none, or one is NaN or infinite.

    Examples
    --------
    >>> r_squared([1, 2, 3], [1, 2, 4])
    0.5
    """
    t, p = _pair(truth, predicted)
    spread = float(((t - t.mean()) ** 2).sum())
    return 1 - float(((t - p) ** 2).sum()) / spread if spread else float("nan")


def rmse(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the root of the mean squared difference.

    Parameters
    ----------
    truth, predicted : array-like (n,)
        Of permeabilities usually log10 k.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If there are not as many of both, none, or one is NaN or infinite.

    Examples
    --------
    >>> rmse([1.0, 2.0], [1.0, 4.0]) == 2**0.5
    True
    """
    t, p = _pair(truth, predicted)
    return float(np.sqrt(((t - p) ** 2).mean()))


def mean_relative_error(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the mean of |p − t| / t, of permeabilities themselves and not of their logarithms.

    Parameters
    ----------
    truth, predicted : array-like (n,)
        Positive truths.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If there are not as many of both, none, or one is NaN or infinite, or a truth is not positive.

    Examples
    --------
    >>> mean_relative_error([1.0, 2.0], [1.5, 2.0])
    0.25
    """
    t, p = _pair(truth, predicted)
    if (t <= 0).any():
        raise ParameterError(
            "a true permeability is not positive: a relative error has no meaning there. Leave it out."
        )
    return float((np.abs(p - t) / t).mean())


def regression_scores(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, *, floor: float | None = None
) -> dict[str, Any]:
    """Return r², RMSE and bias of log10 k, r² and mean relative error of k itself.

    Parameters
    ----------
    truth, predicted : array-like (n,)
        Permeabilities in one unit, whichever.
    floor : float, optional
        Least permeability in that unit: predictions below, such as 0 of rocks that do not percolate,
        count as this one, and how many is said. None refuses them.

    Returns
    -------
    dict
        ``count``, ``r2``, ``rmse_log10``, ``bias_log10``, ``r2_k``, ``mean_relative_error``, ``floored``.

    Raises
    ------
    ParameterError
        If a truth is not positive, a prediction is NaN, or not positive and there is no floor.

    Examples
    --------
    >>> scores = regression_scores([1.0, 10.0, 100.0], [1.0, 10.0, 0.0], floor=1.0)
    >>> scores["r2"], scores["floored"]
    (-1.0, 1)
    """
    t, p = _pair(truth, predicted)
    low = p <= 0 if floor is None else p < floor
    if (t <= 0).any() or (floor is None and low.any()):
        raise ParameterError(
            "a permeability is 0 or negative, and has no logarithm. Leave such rocks out, or give `floor`, the least "
            "permeability that is told from 0."
        )
    above = p if floor is None else np.maximum(p, floor)
    log_t, log_p = np.log10(t), np.log10(above)
    return {
        "count": len(t),
        "r2": r_squared(log_t, log_p),
        "rmse_log10": rmse(log_t, log_p),
        "bias_log10": float((log_p - log_t).mean()),
        "r2_k": r_squared(t, p),
        "mean_relative_error": mean_relative_error(t, p),
        "floored": int(low.sum()),
    }


class Bootstrap(NamedTuple):
    """A difference with its interval; from `paired_bootstrap`.

    Attributes
    ----------
    difference : float
        Statistic of `after` minus that of `before`.
    low, high : float
        Ends of the interval.
    closer : int
        How many predictions are closer to the truth than before.

    Examples
    --------
    >>> Bootstrap(-0.02, -0.03, -0.01, 40).significant
    True
    """

    difference: float
    low: float
    high: float
    closer: int

    @property
    def sign(self) -> int:
        """1 where the interval lies above 0, −1 where it lies below, 0 where it holds it: not beyond chance."""
        return int(self.low > 0) - int(self.high < 0)

    @property
    def significant(self) -> bool:
        """Whether 0 is outside of the interval."""
        return self.sign != 0


def paired_bootstrap(
    truth: npt.ArrayLike,
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    *,
    statistic: str = "rmse",
    groups: npt.ArrayLike | None = None,
    resamples: int = 4000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Return how much better `after` predicts than `before`, with the percentile interval over rocks.

    The same rocks are drawn for both, so that what is hard for both does not blur the difference.

    Parameters
    ----------
    truth, before, after : array-like (n,)
        Usually log10 k.
    statistic : {"rmse", "r2"}
        What is compared; a better prediction has a negative difference of rmse, a positive one of r2.
    groups : array-like (n,), optional
        What is drawn as a whole, such as the number of the rock where one is predicted several times; each
        by itself otherwise.
    resamples, seed : int
        How many draws, and of which generator.
    confidence : float
        Of the interval.

    Returns
    -------
    Bootstrap

    Raises
    ------
    ParameterError
        If the arrays do not go together, hold NaN or infinity, or the statistic is not known.

    References
    ----------
    Efron, Tibshirani, An Introduction to the Bootstrap, 1993 (percentile intervals).

    Examples
    --------
    >>> truth = np.linspace(0, 3, 50)
    >>> found = paired_bootstrap(truth, truth + 0.2, truth + 0.1)
    >>> round(found.difference, 3), found.significant, found.closer
    (-0.1, True, 50)
    """
    t, b = _pair(truth, before)
    _, a = _pair(truth, after)
    if statistic not in ("rmse", "r2"):
        raise ParameterError(f"statistic={statistic!r} is not known. Use 'rmse' or 'r2'.")
    _, member = np.unique(np.arange(len(t)) if groups is None else np.asarray(groups), return_inverse=True)
    if member.shape != t.shape:
        raise ParameterError(f"groups of shape {member.shape} are not one for each of {len(t)} truths.")
    many = int(member.max()) + 1
    drawn = np.random.default_rng(seed).integers(many, size=(resamples, many))
    # How often each group was drawn, row by row; the first row is the sample itself.
    place = drawn + many * np.arange(resamples)[:, None]
    times = np.bincount(place.ravel(), minlength=resamples * many).reshape(resamples, many)
    weights = np.vstack([np.ones(many, np.int64), times])[:, member].astype(np.float64)
    changes = _statistic(statistic, weights, t, a) - _statistic(statistic, weights, t, b)
    tail = 100 * (1 - confidence) / 2
    low, high = np.nanpercentile(changes[1:], [tail, 100 - tail])
    return Bootstrap(float(changes[0]), float(low), float(high), int((np.abs(a - t) < np.abs(b - t)).sum()))


def _statistic(name: str, weights: Values, truth: Values, predicted: Values) -> Values:
    """Return the statistic for each row of weights."""
    total = weights.sum(1)
    square = weights @ (truth - predicted) ** 2 / total
    if name == "rmse":
        return np.asarray(np.sqrt(square))
    centred = truth - truth.mean()
    spread = weights @ centred**2 / total - (weights @ centred / total) ** 2
    # A draw of one truth alone has none, but for rounding.
    alike = spread <= 1e-12 * (centred**2).mean()
    return np.asarray(1 - square / np.where(alike, np.nan, spread))


def _pair(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Values, Values]:
    t, p = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if t.shape != p.shape or t.ndim != 1 or not len(t):
        raise ParameterError(
            f"truths of shape {t.shape} and predictions of shape {p.shape} cannot be compared. Give one of each, in "
            "one order."
        )
    if not (np.isfinite(t).all() and np.isfinite(p).all()):
        raise ParameterError(
            f"{int((~np.isfinite(t)).sum())} truths and {int((~np.isfinite(p)).sum())} predictions are NaN or "
            "infinite. Leave these rocks out of both."
        )
    return t, p
