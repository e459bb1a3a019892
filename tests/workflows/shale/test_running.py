"""The whole shale job: quality, labels, training, segmentation, scores, accounting, page."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app
from bigrock.datasets import Shale
from bigrock.errors import BigrockError, ParameterError
from bigrock.workflows.shale import ShaleResult, ShaleSettings, prepare_annotation, run_shale

SHALE = Shale((24, 64, 64), level="easy", seed=1)
CLASSES = SHALE.truth.classes
SHORT: dict[str, Any] = {
    "selection": {"training": 4, "test": 3},
    "network": {"features": [4, 4, 8]},
    "training": {"max_epochs": 2, "steps_per_epoch": 4, "batch": 2, "patch": 32, "threads": 1},
    "report": {"figures": False},
}
SETTINGS = ShaleSettings(**SHORT)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ShaleResult:
    folder = tmp_path_factory.mktemp("jobs") / "job"
    return run_shale(SHALE, SHALE.truth, folder, settings=SETTINGS, progress=False)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    bigrock.import_volume(SHALE, folder / "stack.zarr", progress=False)
    bigrock.import_volume(SHALE.truth, folder / "labels.zarr", progress=False)
    (folder / "shale.yaml").write_text(
        "workflow: shale\nsource: stack\nfolder: out\n" + json.dumps(SHORT)[1:-1]
    )
    lines = [f"{name}: {json.dumps(value)}" for name, value in SHORT.items()]
    (folder / "shale.yaml").write_text("\n".join(["workflow: shale", "source: a", "folder: b", *lines]))
    return folder


def cli(*arguments: object) -> Any:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "120"})


def test_one_call_leaves_labels_model_numbers_and_page(result: ShaleResult) -> None:
    names = {p.name for p in result.folder.iterdir()}
    wanted = {"scan.zarr", "segmentation.zarr", "model", "quality.json", "metrics.json"}
    assert wanted | {"account.json", "account.csv", "report.html"} <= names
    quality = json.loads((result.folder / "quality.json").read_text())
    assert quality["shape"] == list(SHALE.shape)
    page = html.unescape((result.folder / "report.html").read_text(encoding="utf-8"))
    assert "Stack quality" in page
    assert all(warning in page for warning in quality["warnings"])
    page = result.report.read_text()
    assert "Organic porosity" in page
    assert "inorganic pore" in page


def test_the_account_is_that_of_the_segmentation(result: ShaleResult) -> None:
    labels = result.few.volume[:]
    assert result.account is not None
    om, organic = (labels == CLASSES["organic matter"]).sum(), (labels == CLASSES["organic pore"]).sum()
    assert result.account["om_content"] == pytest.approx(om / labels.size)
    if om + organic:
        assert result.account["organic_porosity"]["hosted"] == pytest.approx(organic / (om + organic))


def test_the_same_call_again_trains_and_segments_nothing(result: ShaleResult) -> None:
    kept = [
        result.folder / "segmentation.zarr" / "zarr.json",
        result.folder / "model" / "training" / "checkpoint.pt",
    ]
    before = [path.stat().st_mtime_ns for path in kept]
    again = run_shale(SHALE, SHALE.truth, result.folder, settings=SETTINGS, progress=False)
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert again.few.metrics == result.few.metrics


def test_two_classes_have_scores_and_no_account(tmp_path: Path) -> None:
    whole = SHALE.truth.read(bigrock.geometry.Region.whole(SHALE.shape))
    pores = bigrock.ArraySource((whole > 1).astype(np.uint8), SHALE.voxel_size, kind="labels")
    settings = ShaleSettings(**SHORT, classes={"solid": 0, "pore": 1}, quality=False)
    found = run_shale(SHALE, pores, tmp_path / "two", settings=settings, progress=False)
    assert found.account is None
    assert set(found.few.metrics["iou"]) == {"solid", "pore"}


def test_the_command_asks_for_paint_first_and_goes_on_with_it(stored: Path, tmp_path: Path) -> None:
    command = (
        "shale",
        "run",
        stored / "stack.zarr",
        "--out",
        tmp_path / "job",
        "--config",
        stored / "shale.yaml",
    )
    first = cli(*command, "--quiet")
    assert first.exit_code == 0, first.stderr
    assert "slices to annotate lie in" in first.stdout
    assert not (tmp_path / "job" / "model").exists()
    second = cli(*command, "--quiet", "--json")
    if second.exit_code:  # labels to begin with may lack a class; paint it
        assert "annotated" in second.stderr
    else:
        assert json.loads(second.stdout)["organic_porosity"]["definition"] == "hosted"


def test_the_command_runs_with_labels_and_the_bundle_segments_from_its_folder(
    stored: Path, tmp_path: Path
) -> None:
    told = cli(
        "shale", "run", stored / "stack.zarr", "--labels", stored / "labels.zarr", "--out", tmp_path / "job",
        "--config", stored / "shale.yaml", "--quiet", "--json",
    )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    outcome = json.loads(told.stdout)
    assert set(outcome["iou"]) == set(CLASSES)
    again = cli(
        "segment", "--model", outcome["model"], stored / "stack.zarr", tmp_path / "again.zarr", "--quiet"
    )
    assert again.exit_code == 0, again.stderr
    labels = bigrock.open_volume(tmp_path / "again.zarr")
    assert labels.classes == CLASSES
    segmented = bigrock.open_volume(tmp_path / "job" / "segmentation.zarr")
    np.testing.assert_array_equal(labels[:], segmented[:])


def test_files_are_taken_as_they_are_and_a_voxel_size_is_an_option(stored: Path, tmp_path: Path) -> None:
    whole = bigrock.geometry.Region.whole(SHALE.shape)
    tifffile.imwrite(tmp_path / "stack.tif", SHALE.read(whole))
    tifffile.imwrite(tmp_path / "labels.tif", SHALE.truth.read(whole))
    told = cli(
        "shale", "run", tmp_path / "stack.tif", "--labels", tmp_path / "labels.tif", "--out", tmp_path / "job",
        "--voxel-size", "10, 5, 5 nm", "--config", stored / "shale.yaml", "--quiet", "--json",
    )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    assert bigrock.open_volume(tmp_path / "job" / "scan.zarr").voxel_size == SHALE.voxel_size
    assert set(json.loads(told.stdout)["iou"]) == set(CLASSES)


def test_named_slices_and_a_sweep_are_part_of_the_job(tmp_path: Path) -> None:
    parts = {"training": [3, 8, 14, 20], "validation": [11], "test": [6, 17]}
    wanted = {**SHORT, "selection": {"slices": parts, "test": 2}, "sweep": {"counts": [2, 3]}}
    settings = ShaleSettings(**wanted, quality=False)
    found = run_shale(SHALE, SHALE.truth, tmp_path / "job", settings=settings, progress=False)
    assert {name: found.few.metrics["slices"][name] for name in parts} == parts
    assert found.sweep is not None
    assert found.sweep.table["n"].to_pylist() == [2, 3]
    assert found.to_dict()["recommended_slices"] == found.sweep.recommended
    assert "How many slices are enough" in found.report.read_text()


LABELS = SHALE.truth.read(bigrock.geometry.Region.whole(SHALE.shape))
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "too few slices": ({"selection": {"training": 30}}, "30 training slices are asked for"),
    "test = train": (
        {"selection": {"slices": {"training": [3, 8], "test": [8]}}},
        "slice 8 is given for training",
    ),
    "value outside the table": ({"labels": np.where(LABELS == 2, 9, LABELS)}, "the labels hold 9"),
    "class that nobody annotated": (
        {"labels": np.where(LABELS == 2, 3, LABELS)},
        "annotated as organic pore",
    ),
    "nothing annotated": ({"labels": np.full_like(LABELS, 255)}, "no pixel of the labels is annotated"),
    "all of a slice ignored": (
        {"labels": {3: np.full((64, 64), 255, np.uint8)}},
        "slice 3 hold no annotated pixel",
    ),
    "labels of another shape": ({"labels": LABELS[:9]}, "have the shape"),
    "no voxel size": ({"scan": {"voxel_size": None}}, "has no voxel size"),
    "a sweep of a stack too short for it": ({"sweep": {"counts": list(range(2, 15))}}, "Sweep fewer numbers"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_refused_before_a_file_is_imported(case: str, tmp_path: Path) -> None:
    given, told = WRONG[case]
    tifffile.imwrite(tmp_path / "stack.tif", SHALE.read(bigrock.geometry.Region.whole(SHALE.shape)))
    labels = given.get("labels", LABELS)
    if isinstance(labels, np.ndarray):
        tifffile.imwrite(tmp_path / "labels.tif", labels.astype(np.uint8))
        labels = tmp_path / "labels.tif"
    voxel = {"scan": {"voxel_size": "10, 5, 5 nm"}}
    settings = ShaleSettings(**{**SHORT, **voxel, **{k: v for k, v in given.items() if k != "labels"}})
    with pytest.raises(BigrockError, match=told):
        run_shale(tmp_path / "stack.tif", labels, tmp_path / "job", settings=settings, progress=False)
    assert not (tmp_path / "job").exists()


def test_a_painter_is_offered_slices_by_texture_or_by_name(tmp_path: Path) -> None:
    named = {"training": [5, 9], "validation": [7], "test": [2]}
    for selection, wanted in (
        ({"slices": named}, {2, 5, 7, 9}),
        ({"training": 2, "test": 1, "diverse": True}, None),
    ):
        settings = ShaleSettings(selection=selection)
        made = prepare_annotation(SHALE, tmp_path / f"{len(selection)}", settings, progress=False)
        assert made is not None
        assert len(made.slices) == (5 if wanted is None else 4)
        assert wanted is None or set(made.slices) == wanted


def test_without_labels_python_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no labels are given"):
        run_shale(SHALE, None, tmp_path / "job", settings=SETTINGS, progress=False)


def test_a_stack_is_needed() -> None:
    told = cli("shale", "run")
    assert told.exit_code == 2
    assert "STACK and --out are needed" in told.stderr
