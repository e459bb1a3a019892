"""`bigrock permeability prepare`: sets of rocks from the command line, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from bigrock.cli import app
from bigrock.datasets import make_rocks, open_rocks, rock


def prepare(*arguments: object) -> Any:
    command = ["permeability", "prepare", *map(str, arguments), "--quiet"]
    return CliRunner().invoke(app, command, env={"COLUMNS": "200"})


@pytest.fixture
def deepore(tmp_path: Path) -> Path:
    path = tmp_path / "DeePore_Dataset.h5"
    pores = np.stack([rock(i, edge=16, family="pack", porosity=0.3) for i in range(4)])
    y = np.full((4, 1515, 1), 0.5)
    y[3, 0] = 0
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=~pores[..., None], chunks=(1, 16, 16, 16, 1), compression=5)
        file.create_dataset("Y", data=y, chunks=(1, 1515, 1), compression=5)
    return path


def test_synthetic_rocks_have_stokes_labels_and_are_those_of_the_library(tmp_path):
    options = ("--count", 3, "--edge", 16, "--seed", 2, "--families", "pack,channels,grains")
    result = prepare(tmp_path / "r.zarr", *options, "--json")
    assert result.exit_code == 0, result.output
    told, found = json.loads(result.stdout), open_rocks(tmp_path / "r.zarr")
    assert (told["rocks"], told["edge"], told["voxel_size_m"]) == (3, 16, [2e-6] * 3)
    assert told["families"] == {"channels": 1, "grains": 1, "pack": 1}
    hint = prepare(tmp_path / "r.zarr", *options).stdout.splitlines()[-1]
    assert hint == f"bigrock permeability train surrogate {tmp_path}/r.zarr --out surrogate"
    assert told["k_m2"]["y"] is None
    assert told["k_m2"]["z"]["min"] == pytest.approx(np.nanmin(found.k_m2[:, 0]))
    by_library = make_rocks(
        tmp_path / "same.zarr",
        count=3,
        edge=16,
        seed=2,
        families=["pack", "channels", "grains"],
        progress=False,
    )
    np.testing.assert_array_equal(found.take(range(3)), by_library.take(range(3)))
    np.testing.assert_array_equal(found.k_voxel2, by_library.k_voxel2)


def test_a_table_is_printed_and_the_same_command_finds_the_set_finished(tmp_path):
    options = (tmp_path / "r.zarr", "--count", 2, "--edge", 16, "--labels", "none")
    for _ in range(2):
        result = prepare(*options)
        assert result.exit_code == 0, result.output
        assert "2 of 16³ voxels" in result.stdout
        hint = result.stdout.splitlines()[-1]
        assert hint == f"bigrock permeability train super-resolution {tmp_path}/r.zarr --out super-resolution"
    assert "2 rocks have no positive permeability" in result.stderr
    again = prepare(*options, "--no-resume")
    assert again.exit_code == 2 or again.exit_code == 1
    assert "exists already" in again.stderr
    assert "--overwrite" in again.stderr


def test_a_deepore_file_is_repacked(tmp_path, deepore):
    result = prepare(tmp_path / "d.zarr", "--deepore", deepore, "--voxel-size", "5 um", "--json")
    assert result.exit_code == 0, result.output
    found = open_rocks(tmp_path / "d.zarr")
    assert json.loads(result.stdout)["families"] == {"deepore": 3}
    np.testing.assert_allclose(found.k_m2[:, 0], 0.5 * 25e-12)
    (tmp_path / "parents.txt").write_text("7\n7\n8\n9\n")
    options = ("--deepore", deepore, "--everything", "--parents", tmp_path / "parents.txt", "--axes", "x")
    result = prepare(tmp_path / "all.zarr", *options)
    assert result.exit_code == 0, result.output
    assert "1 rocks have no positive permeability" in result.stderr
    assert open_rocks(tmp_path / "all.zarr").groups.tolist() == [7, 7, 8, 9]


@pytest.mark.parametrize("axes", ["zx", "z,x", "z, x"])
def test_axes_are_named_with_or_without_commas(tmp_path, axes):
    result = prepare(tmp_path / "r.zarr", "--count", 1, "--edge", 16, "--axes", axes)
    assert result.exit_code == 0, result.output
    assert np.isnan(open_rocks(tmp_path / "r.zarr").k_voxel2[0]).tolist() == [False, True, False]


def test_what_is_no_set_of_rocks_is_said_to_be_none_and_is_kept(tmp_path):
    import bigrock

    volume, file = tmp_path / "mask.zarr", tmp_path / "m.npy"
    bigrock.import_volume(bigrock.ArraySource(np.ones((8, 8, 8), bool)), volume, progress=False)
    np.save(file, np.zeros(3))
    held = file.read_bytes()
    for more in ((), ("--overwrite",), ("--no-resume",)):
        result = prepare(volume, "--count", 1, "--edge", 16, *more)
        assert (result.exit_code, "is no set of rocks" in result.stderr) == (1, True), result.output
        assert "--overwrite" not in result.stderr
        result = prepare(file, "--count", 1, "--edge", 16, *more)
        assert (result.exit_code, "m.npy is a file. Choose another destination" in result.stderr) == (1, True)
    assert bigrock.open_volume(volume)[:].all()
    assert file.read_bytes() == held


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--count", 0), "count 0"),
        (("--families", "granite"), "granite"),
        (("--axes", "w"), "not some of z, y, x"),
        (
            ("--labels", "guess"),
            "--labels 'guess' is not 'stokes', 'network', a function, or None (--labels none)",
        ),
        (("--bc", "open"), "--bc 'open' is not known"),
        (("--tolerance", 3), "--tolerance 3.0 is not between 0 and 1"),
        (("--everything",), "--everything needs --deepore"),
        (("--voxel-size", "1, 1, 2 um"), "not cubic"),
        (("--deepore", "none.h5"), "nothing at"),
        (("--deepore", "none.h5", "--count", 3), "--count is for synthetic rocks"),
        (("--deepore", "none.h5", "--labels", "none"), "has labels"),
        (("--deepore", "none.h5", "--axes", "z,y"), "one direction"),
        (("--deepore", "none.h5", "--parents", "none.txt"), "not a text file"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(tmp_path, options, words):
    result = prepare(tmp_path / "r.zarr", *options)
    assert result.exit_code in (1, 2)
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert not (tmp_path / "r.zarr").exists()
