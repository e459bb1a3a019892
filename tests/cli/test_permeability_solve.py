"""`bigrock permeability solve`: what the library does, printed for people or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app
from bigrock.flow import permeability

DUCT = np.pad(np.ones((6, 10, 12), bool), [(0, 0), (2, 2), (2, 2)])


def solve(*arguments: object) -> Any:
    return CliRunner().invoke(
        app, ["permeability", "solve", *map(str, arguments)], catch_exceptions=False, env={"COLUMNS": "200"}
    )


def stored(path: Path, image: Any, **options: Any) -> Path:
    bigrock.import_volume(bigrock.ArraySource(image), path, progress=False, **options)
    return path


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    return stored(tmp_path / "mask.zarr", DUCT, voxel_size="2 um")


def test_solve_prints_what_the_library_finds_as_json(mask: Path) -> None:
    result = solve(mask, "--json")
    assert result.exit_code == 0
    told, expected = json.loads(result.stdout), permeability(DUCT, voxel_size="2 um")
    for axis in "zyx":
        assert told[axis]["k_m2"] == pytest.approx(expected[axis].k_m2)
        assert told[axis]["percolates"] is (axis == "z")
    asked = {"k_m2", "k_darcy", "k_md", "kozeny_carman_m2", "percolates", "residual", "seconds"}
    assert asked <= set(told["z"])


def test_solve_prints_a_table_with_kozeny_carman_beside_it(mask: Path) -> None:
    told = solve(mask, "--bc", "mirrored", "--threads", 3).stdout
    assert "Kozeny-Carman" in told
    assert told.count("does not percolate") == 2
    assert "mirrored borders" in told


def test_the_pore_class_of_labels_is_named(tmp_path: Path) -> None:
    labels = stored(
        tmp_path / "labels.zarr",
        np.where(DUCT, 3, 1).astype(np.uint8),
        voxel_size="2 um",
        classes={"clay": 1, "void": 3},
    )
    told = json.loads(solve(labels, "--pore", "void", "--axis", "z", "--json").stdout)
    assert told["z"]["k_voxel2"] == pytest.approx(permeability(DUCT, voxel_size="1 um")["z"].k_voxel2)
    unnamed = solve(labels)
    assert (unnamed.exit_code, "which voxels are pore is not known" in unnamed.stderr) == (2, True)


def test_what_is_missing_is_said(tmp_path: Path, mask: Path) -> None:
    unsized = solve(stored(tmp_path / "unsized.zarr", DUCT))
    assert (unsized.exit_code, "has no voxel size" in unsized.stderr) == (1, True)
    grey = solve(stored(tmp_path / "grey.zarr", DUCT.astype(np.uint8), voxel_size="1 um"))
    assert (grey.exit_code, "Threshold it first" in grey.stderr) == (2, True)
    flat = solve(stored(tmp_path / "flat.zarr", DUCT, voxel_size="2, 1, 1 um"))
    assert (flat.exit_code, "no cubes" in flat.stderr) == (2, True)
    odd = solve(mask, "--bc", "open")
    assert (odd.exit_code, odd.stderr[:29]) == (2, "error: --bc 'open' is not kno")
    assert (
        "error: --threads 0 is no positive whole number. Give 1 or more."
        in solve(mask, "--threads", 0).stderr
    )
    assert "through" not in grey.stderr


def test_a_volume_that_does_not_fit_in_memory_is_refused_with_the_memory_it_takes(mask: Path) -> None:
    result = solve(mask, "--ram", "100 kB")
    assert (result.exit_code, "KiB of memory" in result.stderr) == (1, True)


@pytest.mark.filterwarnings("default")
def test_a_mask_whose_solid_may_be_pore_is_doubted(tmp_path: Path) -> None:
    result = solve(stored(tmp_path / "solid.zarr", ~DUCT | (DUCT.cumsum(2) > 2), voxel_size="2 um"))
    assert result.exit_code == 0
    assert "few rocks reach: mask value True was counted as pore" in result.stderr
    assert "with --pore" in result.stderr


@pytest.mark.filterwarnings("default")
def test_a_flow_that_did_not_converge_is_printed_with_a_warning(mask: Path) -> None:
    result = solve(mask, "--axis", "z", "--max-iterations", 1)
    assert (result.exit_code, "not converged" in result.stdout) == (0, True)
    assert "Allow more iterations" in result.stderr
