"""The demo as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from bigrock.cli import app
from bigrock.datasets import Sandstone
from bigrock.geometry import Region

QUICK = ("--shape", "48,128,128", "--quiet")


def demo(*arguments: object) -> Result:
    command = ["demo", *map(str, arguments)]
    return CliRunner().invoke(app, command, catch_exceptions=False, env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demos") / "rock"
    assert demo("--out", path, *QUICK).exit_code == 0
    return path


def test_the_last_line_is_the_path_of_the_page(folder: Path) -> None:
    result = demo("--out", folder, *QUICK)
    lines = result.stdout.strip().splitlines()
    assert Path(lines[-1]) == folder / "report.html"
    assert Path(lines[-1]).exists()
    told = dict(re.findall(r"^([a-z][\w ]*?)  +([\d.]+) %", result.stdout, flags=re.MULTILINE))
    assert abs(float(told["porosity"]) - float(told["true porosity"])) < 2


def test_it_prints_one_json_object(folder: Path) -> None:
    told = json.loads(demo("--out", folder, *QUICK, "--json").stdout)
    assert told["iou"] > 0.85
    assert abs(told["porosity"] - told["true_porosity"]) < 0.02
    assert Path(told["report"]) == Path(told["folder"]) / "report.html"
    assert told["seconds"] > 0
    assert list((folder / "figures").glob("*.png"))
    assert json.loads((folder / "pores.json").read_text())["porosity"]["total"] == told["porosity"]


def test_another_demo_in_the_same_folder_is_refused_with_what_to_do(folder: Path) -> None:
    result = demo("--out", folder, *QUICK, "--seed", 7)
    assert result.exit_code == 1
    assert "--overwrite" in result.stderr
    assert "--out" in result.stderr


def test_a_scan_of_the_user_has_no_truth(tmp_path: Path) -> None:
    rock = Sandstone((24, 64, 64), grain_diameter_voxels=14, dtype="uint8")
    (tmp_path / "core.raw").write_bytes(rock.read(Region.whole(rock.shape)).tobytes())
    raw = ("--shape", "24,64,64", "--dtype", "u1", "--voxel-size", "5 um")
    told = demo(
        "--input", tmp_path / "core.raw", "--out", tmp_path / "out", *raw, "--radius", 9, "--json", "--quiet"
    )
    outcome = json.loads(told.stdout)
    assert (outcome["true_porosity"], outcome["iou"]) == (None, None)
    assert 0.1 < outcome["porosity"] < 0.3
    np.testing.assert_allclose(outcome["voxel_size_m"], [5e-6] * 3)


def test_a_process_in_an_empty_folder_leaves_everything_in_a_folder_that_it_names(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bigrock", "demo", *QUICK, "--json"]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ, timeout=300
    )
    assert (result.returncode, result.stderr) == (0, "")
    outcome = json.loads(result.stdout)
    assert [p.name for p in tmp_path.iterdir()] == ["bigrock-demo"]
    assert Path(outcome["folder"]) == tmp_path / "bigrock-demo"
    assert Path(outcome["report"]).exists()
