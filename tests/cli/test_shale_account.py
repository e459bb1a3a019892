"""`bigrock shale account`: numbers, files, and several stacks."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import bigrock
from bigrock.cli.shale_account import account
from bigrock.datasets import Shale
from bigrock.geometry import Region
from bigrock.workflows.shale.accounting import account as account_of

app = typer.Typer()
app.command("account")(account)


@pytest.fixture(scope="module")
def stacks(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("stacks")
    paths = []
    for level in ("easy", "hard"):
        truth = Shale((8, 32, 32), level=level, seed=1).truth
        path = folder / f"{level}.zarr"
        voxels = bigrock.ArraySource(truth.read(Region.whole(truth.shape)), truth.voxel_size)
        bigrock.import_volume(voxels, path, classes=truth.classes, progress=False)
        paths.append(path)
    return paths


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--quiet"])


def test_json_is_what_the_library_tells(stacks):
    result = run(stacks[0], "--depth", "2900 m", "--json")
    assert result.exit_code == 0, result.output
    expected = account_of(stacks[0], sample="easy", depth="2900 m", progress=False).to_dict()
    assert json.loads(result.stdout)["shale"] == json.loads(json.dumps(expected["shale"]))


def test_a_table_shows_all_definitions(stacks):
    result = run(stacks[0], "--organic-porosity", "notes", "--executor", "serial")
    assert result.exit_code == 0
    for word in ("organic_porosity.hosted", "organic_porosity.bulk", "notes", "om_content"):
        assert word in result.stdout


def test_a_folder_gets_files_of_each_stack_and_a_table_of_all(stacks, tmp_path):
    result = run(*stacks, "--depth", "2900 m", "--depth", "2500 m", "--folder", tmp_path / "out")
    assert result.exit_code == 0, result.output
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {
        "maturity.csv",
        *(f"{level}{end}" for level in ("easy", "hard") for end in (".json", ".csv", ".html", "-tables")),
    }
    with (tmp_path / "out" / "maturity.csv").open(encoding="utf-8") as file:
        assert [row["sample"] for row in csv.DictReader(file)] == ["hard", "easy"]


def test_a_depth_is_needed_for_every_stack_or_for_none(stacks):
    result = run(*stacks, "--depth", "2900 m")
    assert (result.exit_code, "2 stacks" in result.stderr) == (2, True)


def test_a_class_that_is_not_there_is_named(stacks):
    result = run(stacks[0], "--organic-pore", "holes")
    assert result.exit_code == 2
    assert "--organic-pore 'holes'" in " ".join(result.stderr.split())
