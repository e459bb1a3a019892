"""`bigrock shale`: the library's answers as JSON or for people, and errors in the words of the options."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app
from bigrock.datasets import Shale


def shale(*arguments: object):
    return CliRunner().invoke(app, ["shale", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shale") / "stack.zarr"
    bigrock.import_volume(Shale((24, 96, 96), level="easy", seed=1), path, progress=False)
    return path


def test_quality_is_told_as_json_and_in_words(stack: Path):
    told = json.loads(shale("quality", stack, "--json").stdout)
    assert told["slices"]["slice"] == list(range(24))
    result = shale("quality", stack, "--executor", "serial", "--quiet")
    assert result.exit_code == 0
    assert "brightness drift" in result.stdout


def test_slices_are_chosen_and_their_interval_printed_in_micrometres(stack: Path):
    told = json.loads(shale("slices", stack, "--train", 4, "--test", 2, "--json").stdout)
    assert told["train"] == [4, 9, 14, 19]
    assert told["interval_m"] == pytest.approx(24e-8 / 5)
    assert "interval 0.048 µm" in shale("slices", stack, "--train", 4, "--test", 2).stdout


def test_slices_are_chosen_by_texture(stack: Path):
    told = json.loads(
        shale("slices", stack, "--train", 4, "--test", 2, "--diverse", "--radius", 15, "--json").stdout
    )
    assert 0 <= told["diversity"]["coverage"]["fraction"] <= 1
    assert "range of fraction" in shale("slices", stack, "--train", 4, "--texture", "--radius", 15).stdout


def test_annotate_goes_out_and_comes_back(stack: Path, tmp_path: Path):
    folder = tmp_path / "out"
    result = shale("annotate", stack, folder, "--train", 3, "--test", 1, "--radius", 15, "--json")
    told = json.loads(result.stdout)
    assert [s["role"] for s in told["slices"]].count("train") == 3
    path = folder / "slice_00012_labels.tif"
    labels = tifffile.imread(path)
    labels[tuple(np.argwhere(labels == 3)[0])] = 2
    tifffile.imwrite(path, labels)
    back = json.loads(shale("annotate", stack, "--import", folder, "--json").stdout)
    assert back["total"]["pores_changed"] == 1
    assert "% of the pore pixels changed, 100 % annotated" in shale("annotate", "--import", folder).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("slices", "STACK", "--train", 30), "too short for 30 training"),
        (("annotate", "STACK"), "STACK and FOLDER are needed"),
        (("annotate", "--import", "nowhere"), "has no readable manifest.json"),
        (("annotate", "STACK", "out", "--classes", 7), "--classes 7 has no class table"),
        (("annotate", "STACK", "out", "--import", "nowhere"), "takes the painted folder itself"),
        (("quality", "STACK", "--block", "a"), "--block 'a' is not"),
    ],
)
def test_errors_speak_of_options_and_write_nothing(stack: Path, tmp_path: Path, arguments, told, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = shale(*(stack if a == "STACK" else a for a in arguments), *(["--quiet"]))
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_step():
    text = shale("--help").stdout
    assert all(name in text for name in ("quality", "slices", "annotate"))
