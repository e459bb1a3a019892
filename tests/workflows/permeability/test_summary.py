"""What windows say together: means, profiles, agreement with physics; zeros are counted, not hidden."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gmean

from bigrock.workflows.permeability.summary import (
    agreement,
    direct_rev,
    profile,
    settled_rev,
    statistics_of,
    upscaled,
    upscaled_rev,
)


def test_zeros_count_in_the_mean_and_are_told_apart_from_the_geometric_mean():
    k = np.array([[0.0, 1e-13], [4e-13, np.nan]])
    found = statistics_of(k)
    assert found["windows"] == 3
    assert found["zero_share"] == pytest.approx(1 / 3)
    assert found["arithmetic_m2"] == pytest.approx(5e-13 / 3)
    assert found["geometric_of_flowing_m2"] == pytest.approx(gmean([1e-13, 4e-13]))
    assert found["least_m2"] == 0.0


def test_a_core_that_nothing_crosses_has_no_geometric_mean():
    found = statistics_of(np.zeros(4))
    assert (found["geometric_of_flowing_m2"], found["zero_share"], found["variation"]) == (None, 1.0, None)


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


def test_a_cube_of_windows_that_overlap_reaches_from_the_first_to_the_end_of_the_last():
    k = np.random.default_rng(0).random((3, 6, 6, 6)) + 0.1
    rows = upscaled_rev(k, "z", 64e-6, 16e-6, 0)
    assert [row["edge_m"] for row in rows] == pytest.approx([(64 + 16 * n) * 1e-6 for n in range(6)])
    # The core is 144 µm long: two windows beside each other fit, two cubes of 80 µm do not.
    assert [row["windows"] for row in rows] == [8, 1, 1, 1, 1, 1]
    side_by_side = upscaled_rev(k, "z", 64e-6, 64e-6, 0)
    assert [row["edge_m"] for row in side_by_side] == pytest.approx([n * 64e-6 for n in range(1, 7)])
    assert [row["windows"] for row in side_by_side] == [48, 27, 8, 1, 1, 1]


def sizes(*told: tuple[int, int, float | None]) -> list[dict]:
    return [{"edge_m": edge * 1e-6, "windows": n, "variation": variation} for edge, n, variation in told]


@pytest.mark.parametrize(
    ("cubes", "single", "edge", "reason"),
    [
        (sizes((64, 27, 0.4), (128, 8, 0.08), (192, 1, None)), [], 128, None),
        (sizes((64, 27, 0.09), (128, 8, 0.08)), [], 64, None),
        (sizes((64, 4, 0.01), (128, 2, 0.01)), [], None, "8 cubes that share no voxel, but at most 4"),
        (sizes((64, 8, 0.4), (128, 2, 0.01)), [], None, "k of cubes of 64 µm varies by 0.4"),
        (sizes((64, 8, 0.01), (128, 2, 0.3)), [], None, "k of cubes of 128 µm varies by 0.3"),
        (sizes((64, 8, 0.01)), sizes((64, 8, 0.3)), None, "k of single windows of 64 µm varies by 0.3"),
        (sizes((64, 8, 0.01)), sizes((128, 2, 0.3)), None, "k of single windows of 128 µm varies by 0.3"),
        (sizes((64, 8, 0.01)), sizes((32, 4, 0.9), (64, 8, 0.05), (128, 1, None)), 64, None),
        (sizes((64, 64, 0.01), (128, 8, 0.02)), sizes((64, 8, 0.3)), 128, None),
        (sizes((64, 8, None)), [], None, "k of cubes of 64 µm is 0"),
        ([], [], None, "at most 0"),
    ],
)
def test_a_representative_size_needs_enough_cubes_and_is_refuted_by_places_that_vary(
    cubes, single, edge, reason
):
    found, why = settled_rev(cubes, single)
    assert found == (None if edge is None else pytest.approx(edge * 1e-6))
    assert (why is None) if reason is None else (reason in why)


def test_a_network_alone_settles_no_representative_size():
    calm = sizes((64, 27, 0.02), (128, 8, 0.01))
    for single in ([], sizes((32, 8, 0.05)), sizes((64, 1, None))):
        found, why = settled_rev(calm, single, by_surrogate=True)
        assert (found, "Stokes flow has solved" in why) == (None, True)
    assert settled_rev(calm, sizes((64, 2, 0.05)), by_surrogate=True) == (pytest.approx(64e-6), None)
    assert settled_rev(calm, sizes((64, 2, 0.5)), by_surrogate=True)[0] == pytest.approx(128e-6)


def test_unbounded_windows_are_left_out_of_means_and_leave_darcy_flow_unknown():
    k = np.random.default_rng(0).random((3, 2, 4, 2)) + 0.1
    k[:, 0, 0, 0] = np.nan
    found = upscaled(k)["y"]
    assert found["arithmetic_m2"] == pytest.approx(np.nanmean(k[1]))
    assert found["harmonic_m2"] == pytest.approx(1 / np.nanmean(1 / k[1]))
    assert found["darcy_m2"] is None
    assert [row["windows"] for row in upscaled_rev(k, "y", 1.0, 1.0, 0)] == [15, 1]
    assert upscaled(np.full((3, 2, 2, 2), np.nan)) == {}
