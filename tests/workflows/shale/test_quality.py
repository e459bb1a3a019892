"""Planted faults are found where they are, and nothing else is; good stacks earn no warning."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from bigrock import ArraySource
from bigrock.datasets import Shale
from bigrock.errors import NonFiniteError, ParameterError, PhaseError
from bigrock.geometry import Region
from bigrock.workflows.shale import stack_quality
from bigrock.workflows.shale.findings import in_words

FLAGS = ("blank", "jump", "doubled", "lost", "odd", "shifted", "curtained")


def quality_of(stack, **options):
    return stack_quality(ArraySource(stack), progress=False, **options)


def flagged(quality, name: str) -> list[int]:
    return np.flatnonzero(quality.table[name].to_numpy(zero_copy_only=False)).tolist()


@pytest.fixture(scope="module")
def shale() -> np.ndarray:
    source = Shale((48, 160, 160), level="easy", seed=0)
    return source.read(Region.whole(source.shape))


@pytest.fixture(scope="module")
def good(shale: np.ndarray):
    return quality_of(shale)


def with_faults(stack: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    bad = stack.copy()
    bad = np.insert(bad, 20, bad[19], axis=0)
    bad = np.delete(bad, 30, axis=0)
    bad[35] = rng.normal(100, 30, bad[35].shape).clip(0, 255)
    bad[40:] = np.roll(bad[40:], 3, axis=2)
    bad[6:] = np.clip(bad[6:].astype(int) + 25, 0, 255)
    bad[12] = 0
    return bad


def test_planted_faults_are_found_where_they_are(shale):
    bad = with_faults(shale)
    quality = quality_of(bad)
    assert flagged(quality, "blank") == [12]
    assert flagged(quality, "doubled") == [19]
    assert flagged(quality, "lost") == [29]
    assert flagged(quality, "odd") == [35]
    assert flagged(quality, "shifted") == [39]
    assert 5 in flagged(quality, "jump")
    told = " ".join(quality.warnings)
    for part in ("one grey value: 12.", "doubled slices", "missing after: 29.", "35", "sideways after: 39."):
        assert part in told


def test_nothing_is_found_in_a_stack_without_planted_faults(good):
    for name in ("blank", "doubled", "lost", "odd", "shifted"):
        assert flagged(good, name) == []


def test_a_real_fib_sem_stack_is_found_good(shared_data):
    stack = tifffile.imread(shared_data / "fibsem_flyem" / "grey_140x400x400_u8.tif")[:44, :208, :208]
    quality = quality_of(stack)
    assert [name for name in FLAGS if flagged(quality, name)] == []
    lost = quality_of(np.delete(stack, 22, axis=0))
    assert flagged(lost, "lost") == [21]
    assert {name for name in FLAGS if flagged(lost, name)} == {"lost"}


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_blocks_do_not_change_anything(shale, dtype):
    stack = shale[:20].astype(dtype)
    whole, parts = quality_of(stack), quality_of(stack, block=(7, 64, 50), executor="serial")
    assert whole.table.equals(parts.table)
    assert whole.warnings == parts.warnings


def test_known_shifts_are_found_to_a_tenth_of_a_pixel(shale):
    rng = np.random.default_rng(0)
    shifts = rng.integers(-4, 5, (48, 2))
    still, moved = (
        shale[:, 8:-8, 8:-8],
        np.stack(
            [
                plane[8 + dy : 152 + dy, 8 + dx : 152 + dx]
                for plane, (dy, dx) in zip(shale, shifts, strict=True)
            ]
        ),
    )
    error = quality_of(moved).steps - quality_of(still).steps + np.diff(shifts, axis=0)
    assert np.quantile(np.abs(error), 0.9) < 0.5
    assert np.median(np.abs(error)) < 0.11


def test_the_table_has_means_and_deviations_of_numpy(shale, good):
    table = good.table
    np.testing.assert_allclose(table["mean"], shale.mean(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(table["std"], shale.std(axis=(1, 2)), rtol=1e-12)
    assert table["correlation_next"][47].as_py() is None
    assert table["position_m"].null_count == 48


def test_positions_are_in_metres_where_the_voxel_size_is_known(shale):
    table = stack_quality(Shale((4, 40, 40), voxel_size="10, 5, 5 nm"), progress=False).table
    np.testing.assert_allclose(table["position_m"], [5e-9, 15e-9, 25e-9, 35e-9])


def test_drifting_brightness_is_told(shale):
    drifting = np.clip(shale + np.linspace(0, 40, 48)[:, None, None], 0, 255).astype(np.uint8)
    quality = quality_of(drifting)
    assert any("brightness spans" in warning for warning in quality.warnings)
    assert quality.summary["brightness_drift"] > 0.8


def test_a_drifting_stage_is_told_and_left_to_the_user(shale, good):
    moving = np.stack([plane[:, z // 2 : z // 2 + 120] for z, plane in enumerate(shale)])
    quality = quality_of(moving)
    assert any("the stage drifts, or the rock lies at a slant" in w for w in quality.warnings)
    assert quality.summary["moved_x"] == pytest.approx(-23.5 + good.summary["moved_x"], abs=6)
    assert np.abs(quality.correction("all")[-1, 1]) > 15


def test_everything_is_json_and_plots(good):
    told = json.loads(json.dumps(good.to_dict(), allow_nan=False))
    assert told["slices"]["slice"] == list(range(48))
    values, unit = good.curves()["step_x"]
    assert (values.shape, unit) == ((48,), "pixels")


def test_thin_slices_have_no_curtains_and_no_second_neighbours():
    quality = quality_of(np.random.default_rng(0).integers(0, 255, (2, 5, 40), np.uint8))
    assert quality.table["curtains"].null_count == 2


def test_a_blank_stack_is_told():
    quality = quality_of(np.full((4, 40, 40), 9, np.uint8))
    assert flagged(quality, "blank") == [0, 1, 2, 3]
    assert quality.correction().tolist() == [[0, 0]] * 4


def test_what_is_no_stack_of_grey_slices_is_refused():
    with pytest.raises(ParameterError, match="1 slice"):
        quality_of(np.zeros((1, 8, 8), np.uint8))
    with pytest.raises(PhaseError):
        quality_of(np.zeros((4, 8, 8), bool))
    with pytest.raises(NonFiniteError, match="NaN"):
        quality_of(np.full((4, 8, 8), np.nan, np.float32))
    with pytest.raises(ParameterError, match="which='some'"):
        quality_of(np.zeros((2, 8, 8), np.uint8)).correction("some")


def test_slices_are_named_in_runs():
    assert in_words([]) == ""
    assert in_words(range(0, 60, 2), most=3) == "0, 2, 4 and 27 more"
