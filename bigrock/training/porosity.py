"""By how much a porosity is over- or underestimated, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bigrock.errors import ParameterError
from bigrock.training.metrics import Counts, Shares, ratio

__all__ = ["PorosityBias", "porosity_bias"]


class PorosityBias(NamedTuple):
    """Predicted porosity less the true one; from `porosity_bias`.

    Attributes
    ----------
    truth, predicted : float
        Porosities, 0 to 1, over all annotated pixels.
    bias, relative : float
        Their difference, and its share of the true porosity (NaN where that is 0).
    low, high : float
        Interval of the bias.
    relative_low, relative_high : float
        Interval of the relative bias.
    """

    truth: float
    predicted: float
    bias: float
    relative: float
    low: float
    high: float
    relative_low: float
    relative_high: float


def porosity_bias(
    matrices: Sequence[Counts],
    pores: Sequence[int],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> PorosityBias:
    """Return by how much the porosity is over- or underestimated, with a bootstrap interval over slices.

    The interval is that of percentiles when slices are drawn anew with replacement: it says how much
    the bias depends on which slices were tested. Approximate, the same for the same seed.

    Parameters
    ----------
    matrices : sequence of ndarray of uint64, shape (n, n)
        The confusion matrix of each slice.
    pores : sequence of int
        The classes that are pores.
    level : float
        Share of the resamples inside the interval.
    resamples : int
        How many times slices are drawn.
    seed : int
        Of the draws.

    Returns
    -------
    PorosityBias

    Raises
    ------
    ParameterError
        If there is no slice.

    References
    ----------
    Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 7, 1979.

    Examples
    --------
    >>> found = porosity_bias([np.array([[8, 0], [1, 1]], np.uint64)] * 3, [1])
    >>> found.truth, found.predicted, found.low == found.high
    (0.2, 0.1, True)
    """
    if not len(matrices):
        raise ParameterError("no slice was scored. Give the confusion matrix of one slice or more.")
    if not 0 < level < 1 or resamples < 1:
        raise ParameterError(
            f"level={level} and resamples={resamples} make no interval. Give such as 0.95, 2000."
        )
    porous = list(pores)
    stacked = np.asarray(matrices, np.float64)
    true, found, pixels = (
        stacked[:, porous].sum((1, 2)),
        stacked[:, :, porous].sum((1, 2)),
        stacked.sum((1, 2)),
    )
    rows = np.random.default_rng(seed).integers(len(stacked), size=(resamples, len(stacked)))
    every = np.arange(len(stacked))[None]
    bias, many = (_bias(true[i].sum(1), found[i].sum(1), pixels[i].sum(1)) for i in (every, rows))
    tails = (0.5 - level / 2, 0.5 + level / 2)
    (low, high), (relative_low, relative_high) = (_quantiles(values, tails) for values in many)
    share = 1 / max(1.0, pixels.sum())
    return PorosityBias(
        truth=float(true.sum() * share),
        predicted=float(found.sum() * share),
        bias=float(bias[0][0]),
        relative=float(bias[1][0]),
        low=low,
        high=high,
        relative_low=relative_low,
        relative_high=relative_high,
    )


def _bias(true: Shares, found: Shares, pixels: Shares) -> tuple[Shares, Shares]:
    """Return the absolute and the relative bias."""
    difference = found - true
    return ratio(difference, pixels), ratio(difference, true)


def _quantiles(values: Shares, at: tuple[float, float]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, at)
    return float(low), float(high)
