"""Scores of permeabilities, held against scikit-learn and against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from bigrock.errors import ParameterError
from bigrock.training import (
    TrainingRocks,
    baselines_told,
    fit_baseline,
    mean_relative_error,
    paired_bootstrap,
    r_squared,
    regression_scores,
    rmse,
)

RNG = np.random.default_rng(0)
TRUTH = 10 ** RNG.uniform(-3, 2, 80)
FOUND = TRUTH * 10 ** RNG.normal(0.1, 0.3, 80)


def test_scores_are_those_of_scikit_learn() -> None:
    scores = regression_scores(TRUTH, FOUND)
    t, f = np.log10(TRUTH), np.log10(FOUND)
    assert scores["r2"] == pytest.approx(metrics.r2_score(t, f)) == r_squared(t, f)
    assert scores["r2_k"] == pytest.approx(metrics.r2_score(TRUTH, FOUND))
    assert scores["rmse_log10"] == pytest.approx(metrics.root_mean_squared_error(t, f)) == rmse(t, f)
    assert scores["mean_relative_error"] == pytest.approx(
        metrics.mean_absolute_percentage_error(TRUTH, FOUND)
    )
    assert scores["bias_log10"] == pytest.approx(0.1, abs=0.1)
    assert (scores["count"], scores["floored"]) == (80, 0)


def test_what_does_not_percolate_counts_as_the_floor() -> None:
    scores = regression_scores([1.0, 1.0], [0.0, 1.0], floor=0.01)
    assert scores["rmse_log10"] == pytest.approx(2 / np.sqrt(2))
    assert scores["floored"] == 1


@pytest.mark.parametrize(
    ("truth", "found", "message"),
    [
        ([1.0, 0.0], [1.0, 1.0], "0 or negative"),
        ([1.0, 1.0], [1.0, 0.0], "give `floor`"),
        ([1.0, np.nan], [1.0, 1.0], "1 truths and 0 predictions are NaN"),
        ([1.0], [1.0, 1.0], "cannot be compared"),
        ([], [], "cannot be compared"),
    ],
)
def test_what_has_no_logarithm_is_refused(truth: list[float], found: list[float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        regression_scores(truth, found)


def test_a_relative_error_needs_positive_truths() -> None:
    with pytest.raises(ParameterError, match="not positive"):
        mean_relative_error([0.0], [1.0])


def test_truths_that_are_alike_have_no_r2() -> None:
    assert np.isnan(r_squared([1.0, 1.0], [1.0, 2.0]))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=60)
        before, after = truth + rng.normal(0, 0.3, 60), truth + rng.normal(0, 0.2, 60)
        found = paired_bootstrap(truth, before, after, resamples=400, seed=seed)
        hits += found.low <= -0.1 <= found.high
    # The percentile interval of 60 rocks is a little narrow.
    assert 170 <= hits <= 200


def test_the_bootstrap_agrees_with_scipys() -> None:
    from scipy.stats import bootstrap

    t = np.log10(TRUTH)
    before, after = np.log10(FOUND), t + RNG.normal(0, 0.25, 80)

    def difference(t: np.ndarray, b: np.ndarray, a: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.sqrt(((a - t) ** 2).mean(axis)) - np.sqrt(((b - t) ** 2).mean(axis))

    theirs = bootstrap(
        (t, before, after), difference, paired=True, method="percentile", n_resamples=4000, rng=1
    )
    ours = paired_bootstrap(t, before, after)
    assert ours.difference == pytest.approx(difference(t, before, after))
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.01)
    by_r2 = paired_bootstrap(t, before, after, statistic="r2")
    assert (by_r2.difference > 0) == (ours.difference < 0)


def test_what_belongs_together_is_drawn_together() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=40)
    before, after = truth + rng.normal(0, 0.3, 40), truth + rng.normal(0, 0.25, 40)
    once = paired_bootstrap(truth, before, after)
    twice = [np.tile(values, 2) for values in (truth, before, after)]
    grouped = paired_bootstrap(*twice, groups=np.tile(np.arange(40), 2))
    assert grouped[:3] == pytest.approx(once[:3])
    alone = paired_bootstrap(*twice)
    assert alone.high - alone.low < 0.8 * (once.high - once.low)
    r2 = paired_bootstrap(*twice, groups=np.tile(np.arange(40), 2), statistic="r2")
    assert r2[:3] == pytest.approx(paired_bootstrap(truth, before, after, statistic="r2")[:3])
    with pytest.raises(ParameterError, match="not one for each of 40"):
        paired_bootstrap(truth, before, after, groups=[1, 2])


def test_equal_predictions_do_not_differ() -> None:
    found = paired_bootstrap(TRUTH, FOUND, FOUND)
    assert (found.difference, found.significant, found.closer) == (0.0, False, 0)
    with pytest.raises(ParameterError, match="'rmse' or 'r2'"):
        paired_bootstrap(TRUTH, FOUND, FOUND, statistic="mae")


def test_baselines_find_the_law_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    images = np.stack([rng.random((12, 12, 12)) < p for p in np.linspace(0.2, 0.7, 9)])
    from bigrock.kernels import surface_area

    porosity = images.mean((1, 2, 3))
    surface = np.array([surface_area(image, border="open") for image in images]) / 11**3
    laws = {
        "porosity": 3 * porosity**2.5,
        "kozeny-carman": 0.2 * porosity**3 / surface**2,
        "porosity and surface": 0.1 * porosity**4 / surface,
    }
    for kind, k in laws.items():
        fitted = fit_baseline(TrainingRocks(images[:6], k[:6]), kind)  # type: ignore[arg-type]
        np.testing.assert_allclose(fitted.log10_k(images[6:]), np.log10(k[6:]), atol=1e-6)
        told = baselines_told(TrainingRocks(images[:6], k[:6]), images[6:])
        np.testing.assert_array_equal(told[kind], fitted.log10_k(images[6:]))  # type: ignore[index]
    with pytest.raises(ParameterError, match="'kozeny-carman'"):
        fit_baseline(TrainingRocks(images, laws["porosity"]), "archie")  # type: ignore[arg-type]
