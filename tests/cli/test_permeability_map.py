"""`bigrock permeability map` and `demo`: JSON or words, errors in the words of the options, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app
from bigrock.datasets import rock


def run(*arguments: object):
    return CliRunner().invoke(app, ["permeability", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cores")
    mask = rock(0, edge=(32, 16, 16), family="blobs", porosity=0.4, scale=0.5)
    grey = mask.astype(np.uint8)
    for name, image, voxel in (
        ("mask", mask, (2e-6,) * 3),
        ("grey", grey, (2e-6,) * 3),
        ("bare", mask, None),
    ):
        bigrock.import_volume(bigrock.ArraySource(image, voxel), folder / f"{name}.zarr", progress=False)
    labels = bigrock.ArraySource(grey, (2e-6,) * 3, kind="labels", classes={"solid": 0, "pore": 1})
    bigrock.import_volume(labels, folder / "labels.zarr", progress=False)
    return folder


def test_a_mask_is_mapped_by_physics_and_told_as_json_and_in_words(place: Path, tmp_path: Path):
    asked = (
        "map",
        place / "mask.zarr",
        "--out",
        tmp_path / "map",
        "--window",
        16,
        "--axes",
        "z",
        "--rev-sample",
        0,
    )
    told = json.loads(run(*asked, "--quiet", "--json").stdout)
    assert (told["method"], told["counts"]) == ("physics", [2, 1, 1])
    k = told["permeability"]["z"]["darcy_m2"]
    stored = bigrock.open_volume(tmp_path / "map" / "permeability-z.zarr")[:].ravel()
    assert k == pytest.approx(2 / (1 / stored).sum(), rel=1e-6)
    again = run(*asked, "--quiet")
    assert again.exit_code == 0
    assert "k along z, upscaled" in again.stdout
    assert "not reached: of no size are there 8 cubes" in " ".join(again.stdout.split())
    assert "mD" in again.stdout
    assert str(tmp_path / "map" / "report.html") in again.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("core", "options", "code", "told"),
    [
        ("bare.zarr", (), 1, "has no voxel size"),
        ("grey.zarr", (), 2, "which value is pore is never guessed"),
        ("mask.zarr", ("--window", 64), 2, "larger than the volume"),
        ("mask.zarr", ("--window", 0), 2, "--window 0 and --step 0 make no lattice"),
        ("mask.zarr", ("--window", 16, "--step", 0), 2, "--window 16 and --step 0 make no lattice"),
        ("labels.zarr", (), 2, "bigrock run LABELS MASK --kernel 'select-class value=1'"),
        ("mask.zarr", ("--method", "surrogate"), 2, "there is nothing to predict k"),
        ("mask.zarr", ("--surrogate", "nowhere"), 1, "nowhere is no model bundle"),
        ("mask.zarr", ("--bc", "open"), 2, "'open' is not known"),
        ("mask.zarr", ("--axes", "z, w"), 2, "--axes 'zw' names no axes"),
        ("mask.zarr", ("--value-range", "a"), 2, "--value-range 'a' is not two numbers"),
        ("none.zarr", (), 1, "none.zarr"),
    ],
)
def test_errors_speak_of_options_and_write_nothing(place: Path, tmp_path: Path, core, options, code, told):
    result = run("map", place / core, "--out", tmp_path / "map", *options, "--quiet")
    assert result.exit_code == code
    assert told in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_demo_refuses_what_it_cannot_use(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    for arguments, told in (
        (("--out", tmp_path), "holds other files"),
        (("--out", tmp_path / "demo", "--seed", -1), "--seed -1 is negative"),
        (("--out", tmp_path / "demo", "--rocks", tmp_path / "nowhere"), "holds no set of rocks"),
    ):
        result = run("demo", *arguments, "--quick", "--quiet")
        assert result.exit_code in (1, 2)
        assert told in " ".join(result.stderr.split())
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
