"""`bigrock label`: what the library does, printed for people or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import cc3d
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app

MASK = np.random.default_rng(5).random((12, 40, 48)) < 0.2


def label_command(*arguments: object):
    return CliRunner().invoke(app, ["label", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    path = tmp_path / "pores.zarr"
    bigrock.import_volume(bigrock.ArraySource(MASK), path, voxel_size="2 um", progress=False)
    return path


def test_label_makes_the_labels_and_writes_the_table(mask: Path, tmp_path: Path) -> None:
    table = tmp_path / "components.parquet"
    result = label_command(mask, tmp_path / "l.zarr", "--connectivity", 6, "--table", table, "--json")
    assert result.exit_code == 0
    expected, count = cc3d.connected_components(MASK, connectivity=6, return_N=True)
    facts = json.loads(result.stdout)
    assert (facts["kind"], facts["dtype"], facts["components"]) == ("labels", "uint32", count)
    np.testing.assert_array_equal(bigrock.open_volume(tmp_path / "l.zarr")[:], expected)
    assert pq.read_table(table).num_rows == count
    np.testing.assert_allclose(
        pq.read_table(table)["volume_m3"], pq.read_table(table)["voxels"].to_numpy() * 8e-18
    )


def test_label_prints_how_many_there_are(mask: Path, tmp_path: Path) -> None:
    told = label_command(mask, tmp_path / "l.zarr", "--block", 64, "--executor", "serial", "--quiet").stdout
    assert f"{cc3d.connected_components(MASK).max():,}" in told
    assert "label (LabelComponents)" in told


def test_label_refuses_grey_levels_and_unknown_connectivities(mask: Path, tmp_path: Path) -> None:
    grey = tmp_path / "grey.zarr"
    bigrock.import_volume(bigrock.ArraySource(np.zeros((4, 4, 4), np.uint8)), grey, progress=False)
    result = label_command(grey, tmp_path / "l.zarr")
    assert (result.exit_code, "Threshold it first" in result.stderr) == (2, True)
    assert label_command(mask, tmp_path / "l.zarr", "--connectivity", 8).exit_code == 2


def test_the_pores_of_a_segmented_image_are_labelled_whatever_their_value(tmp_path: Path) -> None:
    image = tmp_path / "segmented.zarr"
    values = np.where(MASK, 0, 255).astype(np.uint8)
    bigrock.import_volume(bigrock.ArraySource(values), image, pore=0, progress=False)
    refused = label_command(image, tmp_path / "l.zarr")
    assert (refused.exit_code, "--pore" in refused.stderr) == (2, True)
    made = label_command(image, tmp_path / "l.zarr", "--pore", "pore")
    assert made.exit_code == 0
    assert bigrock.open_volume(tmp_path / "l.zarr").history[-1]["source"] == str(image)
    np.testing.assert_array_equal(
        bigrock.open_volume(tmp_path / "l.zarr")[:], cc3d.connected_components(MASK)
    )
