"""The permeability demo: every figure that the issue names, a page, and a second call that trains nothing."""

from __future__ import annotations

import json

import pytest

from bigrock.datasets import make_rocks
from bigrock.errors import ParameterError, ResumeError, VolumeExistsError
from bigrock.workflows.permeability import permeability_demo

KEYS = (
    "surrogate_r2", "psnr_cubic", "psnr_sr", "r2_cubic", "r2_sr", "r2_finetuned", "r2_paper_mode", "r2_hr", "r2_bypass",
    "holdout_r2_sr", "holdout_r2_finetuned", "physics_r2_sr", "physics_r2_finetuned", "physics_r2_paper_mode",
    "physics_r2_voxels_only", "physics_rmse_change_ci95", "seconds",
)  # fmt: skip


def test_the_demo_writes_every_figure_and_a_page_and_goes_on_where_it_stopped(tmp_path):
    found = permeability_demo(tmp_path / "demo", quick=True, progress=False)
    told = json.loads(found.file.read_text())
    assert [key for key in KEYS if key not in told] == []
    assert len(told["physics_rmse_change_ci95"]) == 2
    assert told["map"]["windows"] == 2
    page = found.report.read_text()
    for heading in (
        "Verdict",
        "Permeability of the test rocks",
        "The core: map and truth",
        "Upscaled permeability",
    ):
        assert heading in page
    assert "paper&#39;s mode" in page
    weights = {p: p.stat().st_mtime_ns for p in (tmp_path / "demo" / "models").rglob("checkpoint.pt")}
    again = permeability_demo(tmp_path / "demo", quick=True, progress=False)
    assert {p: p.stat().st_mtime_ns for p in weights} == weights
    drop = ("wall_seconds_of_this_call", "training_cpu_seconds_of_this_call")
    assert {k: v for k, v in again.figures.items() if k not in drop} == {
        k: v for k, v in found.figures.items() if k not in drop
    }


def test_rocks_of_another_extent_are_refused(tmp_path):
    made = make_rocks(tmp_path / "rocks.zarr", count=2, edge=8, labels=None, progress=False)
    with pytest.raises(ParameterError, match="have 8 voxels along each axis"):
        permeability_demo(tmp_path / "demo", rocks=made.path, quick=True, progress=False)
    for few in (0, 4, 20.5):
        with pytest.raises(ParameterError, match=f"rocks={few} are too few"):
            permeability_demo(tmp_path / "demo", rocks=few, quick=True, progress=False)
    small = make_rocks(
        tmp_path / "four.zarr", count=4, edge=16, labels=lambda m, a: [m.mean()], progress=False
    )
    with pytest.raises(ParameterError, match="would be empty"):
        permeability_demo(tmp_path / "demo", rocks=small.path, quick=True, progress=False)
    assert not (tmp_path / "demo").exists()


def test_a_demo_with_other_settings_is_not_mixed_with_the_first(tmp_path):
    mark = {"demo": "permeability", "seed": 0, "quick": True, "edge": 16, "rocks": 30}
    (tmp_path / "permeability-demo.json").write_text(json.dumps(mark))
    for other in ({"seed": 1, "quick": True}, {"quick": False}, {"quick": True, "rocks": 40}):
        with pytest.raises(ResumeError, match=r"holds another demo \(.* then, .* now"):
            permeability_demo(tmp_path, progress=False, **other)
    assert [p.name for p in tmp_path.iterdir()] == ["permeability-demo.json"]
    assert json.loads((tmp_path / "permeability-demo.json").read_text()) == mark


def test_a_folder_of_networks_is_not_taken_for_a_demo(tmp_path):
    (tmp_path / "models").mkdir()
    with pytest.raises(VolumeExistsError, match="holds other files"):
        permeability_demo(tmp_path, quick=True, progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ["models"]
