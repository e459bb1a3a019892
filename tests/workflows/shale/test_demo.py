"""The shale demo: the whole loop on a stack made on the spot, and its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bigrock.cli import app

KEYS = {
    "iou", "iou_random_forest", "pore_iou", "porosity_bias", "organic_porosity", "om_content",
    "corrected_share", "train_seconds", "slices_per_second", "forward_slices_per_second",
}  # fmt: skip
QUICK = ("--level", "easy", "--train-slices", "4", "--seed", "1", "--quick", "--quiet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demos") / "shale"
    told = CliRunner().invoke(app, ["shale", "demo", *QUICK, "--out", str(out)], catch_exceptions=False)
    assert told.exit_code == 0, told.stderr
    assert told.stdout.strip().splitlines()[-1] == str(out / "report.html")
    return out


def test_the_figures_are_those_that_are_promised(folder: Path) -> None:
    told = json.loads((folder / "shale.json").read_text())
    assert set(told) == KEYS
    classes = {"matrix", "organic matter", "organic pore", "inorganic pore"}
    assert set(told["iou"]) == set(told["iou_random_forest"]) == classes
    assert set(told["organic_porosity"]) == {"hosted", "bulk", "notes"}
    assert told["iou"]["matrix"] > 0.5
    for name in ("train_seconds", "slices_per_second", "forward_slices_per_second"):
        assert told[name] > 0


def test_stack_truth_labels_model_and_page_lie_in_the_folder(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"scan.zarr", "truth.zarr", "segmentation.zarr", "model", "report.html", "metrics.json"} <= names
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"random_forest", "otsu"} <= set(metrics)
    assert len(metrics["slices"]["training"]) == 4


def test_the_same_demo_again_gives_the_same_figures(folder: Path) -> None:
    before = json.loads((folder / "shale.json").read_text())
    told = CliRunner().invoke(
        app, ["shale", "demo", *QUICK, "--out", str(folder), "--json"], catch_exceptions=False
    )
    assert json.loads(told.stdout) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--level", "harder"), "level 'harder' is not known"),
        (("--train-slices", "0"), "selection.training"),
        (("--train-slices", "40"), "40 training slices are asked for"),
        (("--train-slices", "23"), "too short"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_made(
    arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    place = tmp_path / "demo"
    found = CliRunner().invoke(app, ["shale", "demo", "--quick", "--quiet", "--out", str(place), *arguments])
    assert found.exit_code == 2
    assert told in " ".join(found.stderr.split())
    assert not place.exists()
