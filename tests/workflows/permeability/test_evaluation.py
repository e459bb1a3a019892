"""Judging super-resolution by networks and by physics: every number is what its source says alone."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bigrock.datasets import make_rocks
from bigrock.errors import BundleError, ParameterError, ResumeError
from bigrock.flow import permeability
from bigrock.kernels import low_resolution, pores_of_fractions
from bigrock.models import predict_permeability
from bigrock.training import enlarged, image_quality
from bigrock.workflows.permeability import PermeabilityEvaluation, evaluate_permeability
from bigrock.workflows.permeability.evaluation_report import evaluation_sections
from bigrock.workflows.permeability.rock_pass import JUDGED
from bigrock.workflows.permeability.verdicts import Roles, verdict

FLOOR = -4.0


def super_resolved(bundle, coarse):
    with torch.inference_mode():
        return bundle.network()(torch.from_numpy(coarse)[None, None])[0, 0].clamp(0, 1).numpy()


@pytest.fixture(scope="module")
def rocks(tmp_path_factory):
    place = tmp_path_factory.mktemp("rocks") / "rocks.zarr"
    return make_rocks(place, count=6, edge=16, seed=3, progress=False)


@pytest.fixture(scope="module")
def usable(rocks):
    return np.flatnonzero(rocks.percolating).tolist()


def test_every_number_is_what_its_source_says_of_the_rock(tmp_path, rocks, usable, finer, surrogate):
    chosen = usable[::-1][:2]
    found = evaluate_permeability(
        rocks, chosen, {"cubic": "cubic", "finer": finer}, tmp_path, factor=2, floor=FLOOR,
        surrogate=surrogate, progress=False,
    )  # fmt: skip
    for place, number in enumerate(chosen):
        truth = rocks.image(number)
        coarse = low_resolution(truth, factor=2)
        images = {
            "high resolution": truth.astype(np.float32),
            "cubic": np.clip(enlarged(coarse, 2, "cubic"), 0, 1),
            "finer": super_resolved(finer, coarse),
        }
        for variant, image in images.items():
            row = found.rows[found.variants.index(variant), place]
            quality = image_quality(image, truth)
            assert row["rock"] == number
            assert row["porosity"] == quality["porosity"]
            assert row["surface"] == quality["surface"]
            mask = pores_of_fractions(image, coarse)
            kept = image_quality(mask, truth)
            for name in ("porosity", "euler", "surface"):
                assert row[f"{name}_mask"] == pytest.approx(kept[name])
            for by, pores in (("physics", mask), ("physics_threshold", image > 0.5)):
                k = permeability(pores, voxel_size=rocks.voxel_size, axis="z")["z"].k_voxel2
                assert 10.0 ** row[by] == pytest.approx(k)
            for by, seen in (("surrogate", image), ("surrogate_mask", mask.astype(np.float32))):
                how = {"voxel_size": rocks.voxel_size, "percolating": [True]}
                told = predict_permeability(surrogate, seen, **how).k_voxel2[0]
                assert 10.0 ** row[by] == pytest.approx(told, rel=1e-5)
    label = np.log10(rocks.k_voxel2[chosen, 0])
    np.testing.assert_array_equal(found.truth, label)
    np.testing.assert_allclose(found.predicted("high resolution", "physics"), label, atol=0.01)
    assert found.scores("high resolution", "holdout") is None
    assert found.scores("cubic", "physics")["count"] == 2


def test_a_second_call_computes_nothing_and_other_settings_are_refused(tmp_path, rocks, usable):
    how = {"factor": 2, "floor": FLOOR, "progress": False}
    first = evaluate_permeability(rocks, usable[:2], {"cubic": "cubic"}, tmp_path, **how)
    stamp = (tmp_path / "judged.bin").stat().st_mtime_ns
    again = evaluate_permeability(rocks, usable[:2], {"cubic": "cubic"}, tmp_path, **how)
    assert (tmp_path / "judged.bin").stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first.rows["porosity"], again.rows["porosity"])
    with pytest.raises(ResumeError, match="threshold"):
        evaluate_permeability(rocks, usable[:2], {"cubic": "cubic"}, tmp_path, threshold=0.4, **how)


def test_rocks_whose_log_k_does_not_exist_are_refused(tmp_path, rocks):
    unlabelled = SimpleNamespace(k_voxel2=np.array([[1.0, 1, 1], [0.0, 1, 1], [np.nan, 1, 1]]))
    for chosen in ([0, 1], [2]):
        with pytest.raises(ParameterError, match="log k does not exist"):
            evaluate_permeability(unlabelled, chosen, {}, tmp_path, factor=2, floor=FLOOR)
    with pytest.raises(ParameterError, match="a mask of shape"):
        evaluate_permeability(rocks, [True, False], {}, tmp_path, factor=2, floor=FLOOR)
    with pytest.raises(ParameterError, match="no test rock"):
        evaluate_permeability(rocks, [], {}, tmp_path, factor=2, floor=FLOOR)
    assert list(tmp_path.iterdir()) == []


def test_networks_that_do_not_fit_are_refused_before_a_rock_is_read(
    tmp_path, rocks, usable, finer, surrogate
):
    coarser = replace(surrogate, training={"coarse_factor": 2})
    for options, error, told in (
        ({"variants": {"finer": finer}, "factor": 4}, BundleError, "makes images 2 times finer"),
        ({"variants": {"surrogate": surrogate}}, BundleError, "needed here"),
        ({"surrogate": finer}, BundleError, "needed here"),
        ({"holdout": coarser}, BundleError, "images of rocks 2 times coarser"),
        ({"direct": surrogate}, ParameterError, "takes images of 16 voxels"),
    ):
        how = {"variants": {}, "factor": 2, "floor": FLOOR, **options}
        with pytest.raises(error, match=told):
            evaluate_permeability(rocks, usable, folder=tmp_path / "judged", **how)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_number_is_none_in_the_json(tmp_path, rocks, usable):
    found = evaluate_permeability(
        rocks, usable[:1], {"cubic": "cubic"}, tmp_path, factor=2, floor=FLOOR, progress=False
    )
    assert found.to_dict()["variants"]["cubic"]["scores"]["physics"]["r2"] is None
    json.dumps(found.to_dict(), allow_nan=False)


def judged(errors: dict[str, dict[str, float]], count: int = 60) -> PermeabilityEvaluation:
    """An evaluation whose predictors err by so much: variant to predictor to deviation."""
    random = np.random.default_rng(0)
    truth = random.uniform(-3, 1, count)
    noise = {by: random.normal(0, 1, count) for by in ("surrogate", "holdout_mask", "physics", "direct")}
    noise["physics_threshold"] = noise["physics"]
    names = ("high resolution", *errors)
    rows = np.zeros((len(names), count), JUDGED)
    for name in JUDGED.names or ():
        if JUDGED[name].kind == "f":
            rows[name] = np.nan
    for i, name in enumerate(names):
        for by, spread in errors.get(name, {"direct": 0.5}).items():
            rows[by][i] = truth + spread * noise[by]
        qualities = ("psnr", "ssim", "porosity", "euler", "surface", "correlation_error")
        for quality in (*qualities, "porosity_mask", "euler_mask", "surface_mask"):
            rows[quality][i] = 1.0
    return PermeabilityEvaluation(rows, names, truth, ("pack",) * count, FLOOR)


def test_the_verdict_says_what_the_intervals_say():
    found = judged(
        {
            "super-resolution": {"surrogate": 0.5, "physics": 0.3},
            "fine-tuned": {"surrogate": 0.3, "physics": 0.2},
            "paper's mode": {"surrogate": 0.1, "physics": 0.301},
            "voxels only": {"surrogate": 0.5, "physics": 0.31},
        }
    )
    said = verdict(found)
    assert "by Stokes flow (mask) lower, RMSE -0.1" in said["Does tuning help?"]
    assert "voxels only → fine-tuned" in said["Or is it the extra epochs?"]
    assert "lower" in said["Or is it the extra epochs?"]
    assert "higher" in said["Does the paper's mode help?"]
    assert "Does tuning help thresholded images?" not in said
    assert "nothing of that is there" in said["Does the surrogate tell the truth of it?"]
    assert "reads k from the coarse image itself reaches r²" in said["Is the detour worth it?"]
    assert "Does super-resolution help?" not in said


def test_an_interpolation_is_no_super_resolution():
    found = judged({"cubic": {"physics": 0.1}, "super-resolution": {"physics": 0.3}})
    said = verdict(found)["Is the detour worth it?"]
    assert "(super-resolution)" in said
    assert "cubic" not in said


def test_a_change_within_chance_is_called_none():
    random = np.random.default_rng(1)
    found = judged({"super-resolution": {"physics": 0.3}, "fine-tuned": {"physics": 0.3}})
    found.rows["physics"][2] = found.truth + random.normal(0, 0.3, len(found.truth))
    assert "not beyond chance" in verdict(found)["Does tuning help?"]


def test_what_speaks_against_the_tuning_is_told_as_well():
    found = judged(
        {
            "super-resolution": {"physics": 0.3, "physics_threshold": 0.3, "holdout_mask": 0.3},
            "fine-tuned": {"physics": 0.2, "physics_threshold": 0.4, "holdout_mask": 0.5},
        }
    )
    said = verdict(found)
    assert "(mask) lower" in said["Does tuning help?"]
    assert "(threshold) higher" in said["Does tuning help thresholded images?"]
    assert "hold-out (mask) higher" in said["Does a network see it that had no part in it?"]
    answers = [row[1] for row in evaluation_sections(found)[0].grids[""].rows]
    assert answers == ["yes", "no, worse", "no, worse"]


def test_the_page_names_the_papers_mode_and_leaves_out_what_nobody_asked():
    found = judged({"super-resolution": {"physics": 0.3}, "paper's mode": {"physics": 0.3}})
    verdict_, scores, images = evaluation_sections(found, Roles())
    assert [row[0] for row in scores.grids["r² of log10 k"].rows] == list(found.variants)
    assert "hold-out" not in " ".join(scores.grids["r² of log10 k"].head)
    assert scores.grids["Beside it"].rows[0][0].startswith("network on the coarse image")
    assert images.grids[""].head[0] == "images"
    assert verdict_.grids[""].rows


def test_images_that_do_not_percolate_count_as_the_tightest_rock():
    found = judged({"cubic": {"physics": 0.2}})
    found.rows["physics"][1, :3] = -np.inf
    assert found.predicted("cubic", "physics")[:3].tolist() == [FLOOR] * 3
    assert found.scores("cubic", "physics")["floored"] == 3


def test_tables_hold_every_rock_in_every_variant(tmp_path, rocks, usable):
    found = evaluate_permeability(
        rocks, usable[:2], {"nearest": "nearest"}, tmp_path, factor=2, floor=FLOOR, progress=False
    )
    table = found.table()
    assert table.num_rows == 4
    assert table["variant"].to_pylist() == ["high resolution"] * 2 + ["nearest"] * 2
    assert (tmp_path / "evaluation.csv").read_text().count("\n") == 5
