"""`bigrock measure`: settings of measures, classes, files, a page, and help that lists what there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

import bigrock
from bigrock.cli import app
from bigrock.measures import MEASURES
from bigrock.measures.registry import summaries

LABELS = np.random.default_rng(5).integers(0, 4, (12, 40, 48), np.uint8)


def measure(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["measure", *map(str, arguments)], catch_exceptions=False)


def json_of(*arguments: object) -> Any:
    result = measure(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.zarr"
    classes = {"pore": 0, "clay": 1, "quartz": 2}
    source = bigrock.ArraySource(LABELS)
    bigrock.import_volume(source, path, classes=classes, voxel_size="2 um", progress=False)
    return path


def test_classes_are_measured_one_by_one(labels: Path) -> None:
    every = json_of(labels, "porosity", "--classes", "all")["porosity"]
    assert {name: found["total"] for name, found in every.items()} == {
        name: np.mean(value == LABELS) for value, name in enumerate(("pore", "clay", "quartz"))
    }
    for some in (("--classes", "clay,0"), ("--classes", "clay", "--classes", "0")):
        assert list(json_of(labels, "porosity", *some)["porosity"]) == ["clay", "pore"]


def test_a_measure_takes_settings_and_refuses_others(labels: Path) -> None:
    result = measure(labels, "porosity sizes=3")
    assert result.exit_code == 2
    assert "porosity has no setting 'sizes'" in result.stderr
    result = measure(labels, "porosty")
    assert result.exit_code == 2
    assert "did you mean porosity" in result.stderr


def test_a_field_of_view_is_found_given_or_read(tmp_path: Path) -> None:
    y, x = np.ogrid[:80, :80]
    circle = (y - 38) ** 2 + (x - 41) ** 2 <= 33**2
    grey = np.where(circle, np.random.default_rng(0).normal(120, 30, (6, 80, 80)).clip(40, 255), 0)
    scan, mask = tmp_path / "core.zarr", tmp_path / "round.zarr"
    for path, voxels in ((scan, grey.astype(np.uint8)), (mask, np.repeat(circle[None], 6, axis=0))):
        bigrock.import_volume(bigrock.ArraySource(voxels), path, voxel_size="2 um", progress=False)
    command = (scan, "porosity", "histogram", "--through", "threshold value=100", "--field-of-view")
    given, read, found = (json_of(*command, field) for field in ("38,41,33", mask, "auto"))
    assert given["porosity"] == read["porosity"]
    assert given["porosity"]["voxels"] == given["histogram"]["total"] == 6 * circle.sum()
    assert found["porosity"]["voxels"] == pytest.approx(6 * circle.sum(), rel=0.1)
    assert found["volume"]["field_of_view"]["name"] == "Cylinder"
    result = measure(scan, "porosity", "--through", "threshold value=100", "--field-of-view", "1,2")
    assert (result.exit_code, "Y,X,RADIUS" in result.stderr) == (2, True)
    result = measure(scan, "porosity", "--through", "threshold value=100", "--field-of-view", "900,900,5")
    assert (result.exit_code, "holds no voxel" in result.stderr) == (2, True)
    result = measure(scan, "porosity", "--through", "threshold value=100", "--field-of-view", "nowhere.zarr")
    assert result.exit_code == 1
    assert "nothing is stored at" in result.stderr


def test_errors_name_options(labels: Path) -> None:
    result = measure(labels, "porosity", "--pore", "clay", "--classes", "all")
    assert result.exit_code == 2
    assert "--pore 'clay' and --classes 'all' are both given" in result.stderr
    result = measure(labels, "porosity", "--pore", "calcite")
    assert "--pore 'calcite' is not a class of the volume" in result.stderr


def test_numbers_are_written_as_parquet(labels: Path, tmp_path: Path) -> None:
    found = json_of(labels, "porosity", "--parquet", tmp_path / "numbers")
    kept = pyarrow.parquet.read_table(tmp_path / "numbers" / "measurements.parquet").to_pylist()
    values = {row["quantity"]: row["value"] for row in kept if row["measure"] == "porosity"}
    assert values["total"] == found["porosity"]["total"]


def test_a_page_is_written_as_well(labels: Path, tmp_path: Path) -> None:
    json_of(labels, "porosity", "profiles", "--report", tmp_path / "page.html")
    assert "Porosity profiles" in (tmp_path / "page.html").read_text(encoding="utf-8")
    result = measure(labels, "--report", tmp_path / "page.pdf")
    assert result.exit_code == 2
    assert "--report" in result.stderr


def test_the_help_lists_every_measure_with_its_settings() -> None:
    result = CliRunner().invoke(app, ["measure", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    for name, told in summaries().items():
        [line] = [line for line in result.stdout.splitlines() if line.split()[:1] == [name]]
        assert told in line
    assert set(summaries()) == set(MEASURES)
