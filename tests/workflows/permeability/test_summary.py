"""What windows say together: means, profiles, agreement with physics; zeros are counted, not hidden."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gmean

from bigrock.workflows.permeability.summary import agreement, direct_rev, profile, statistics_of


def test_zeros_count_in_the_mean_and_are_told_apart_from_the_geometric_mean():
    k = np.array([[0.0, 1e-13], [4e-13, np.nan]])
    found = statistics_of(k)
    assert found["windows"] == 3
    assert found["zero_share"] == pytest.approx(1 / 3)
    assert found["arithmetic_m2"] == pytest.approx(5e-13 / 3)
    assert found["geometric_m2"] == pytest.approx(gmean([1e-13, 4e-13]))
    assert found["least_m2"] == 0.0


def test_a_core_that_nothing_crosses_has_no_geometric_mean():
    found = statistics_of(np.zeros(4))
    assert (found["geometric_m2"], found["zero_share"], found["variation"]) == (None, 1.0, None)


@pytest.mark.parametrize("axis", range(3))
def test_a_profile_averages_the_layers_across_its_axis(axis):
    k = np.random.default_rng(axis).random((3, 4, 5)) + 0.1
    others = tuple(a for a in range(3) if a != axis)
    told = profile(k, k / 2, "zyx"[axis], 10.0, 4.0)
    assert told["position"] == [10.0 + 4 * n for n in range(k.shape[axis])]
    np.testing.assert_allclose(told["arithmetic_m2"], k.mean(axis=others))
    np.testing.assert_allclose(told["porosity"], k.mean(axis=others) / 2)
    np.testing.assert_allclose(
        told["log10_deviation"], [np.log10(s).std(ddof=1) for s in np.moveaxis(k, axis, 0)]
    )


def test_agreement_is_of_windows_that_both_solved_and_that_percolate():
    random = np.random.default_rng(0)
    physics = 10.0 ** random.uniform(-14, -12, (400, 3))
    error = random.normal(0.1, 0.2, (400, 3))
    surrogate = physics * 10**error
    physics[200:] = np.nan
    physics[:5, 1] = surrogate[:5, 1] = 0.0
    found = agreement(surrogate, physics)
    known = error[:200].copy()
    known[:5, 1] = np.nan
    assert (found["windows"], found["pairs"]) == (200, 595)
    assert found["bias"] == pytest.approx(np.nanmean(known))
    assert found["rmse"] == pytest.approx(np.sqrt(np.nanmean(known**2)))
    low, high = found["bias_ci95"]
    spread = 1.96 * np.nanmean(known, axis=1).std() / np.sqrt(200)
    assert (low, high) == (
        pytest.approx(found["bias"] - spread, abs=0.01),
        pytest.approx(found["bias"] + spread, abs=0.01),
    )


def test_without_windows_that_both_solved_there_is_no_agreement():
    assert agreement(np.full((3, 3), np.nan), np.ones((3, 3))) is None
    assert agreement(np.zeros((3, 3)), np.zeros((3, 3))) is None


def test_windows_of_one_size_are_one_point_of_the_rev():
    rows = direct_rev([8, 16, 8], [1e-13, 5e-13, 3e-13], 2e-6)
    assert [(row["edge_m"], row["arithmetic_m2"]) for row in rows] == [
        (pytest.approx(16e-6), pytest.approx(2e-13)),
        (pytest.approx(32e-6), pytest.approx(5e-13)),
    ]
