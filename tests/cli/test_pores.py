"""`bigrock pores`: what the library does, printed for people or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import ndimage
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app
from bigrock.kernels import pores

MASK = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal((30, 40, 48)), 2) > 0


def pores_command(*arguments: object):
    return CliRunner().invoke(app, ["pores", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    path = tmp_path / "mask.zarr"
    bigrock.import_volume(bigrock.ArraySource(MASK), path, voxel_size="2 um", progress=False)
    return path


def test_pores_makes_the_labels_and_writes_the_tables(mask: Path, tmp_path: Path) -> None:
    result = pores_command(mask, tmp_path / "p.zarr", "--min-depth", 1, "--tables", tmp_path / "t", "--json")
    assert result.exit_code == 0
    labels, network = pores(MASK, min_depth=1)
    facts = json.loads(result.stdout)
    assert (facts["kind"], facts["pores"], facts["throats"]) == ("labels", labels.max(), len(network.pairs))
    np.testing.assert_array_equal(bigrock.open_volume(tmp_path / "p.zarr")[:], labels)
    assert pq.read_table(tmp_path / "t-pores.parquet").num_rows == labels.max()
    assert pq.read_table(tmp_path / "t-throats.parquet").num_rows == len(network.pairs)


def test_pores_of_the_other_phase_are_asked_for_by_name(mask: Path, tmp_path: Path) -> None:
    result = pores_command(mask, tmp_path / "p.zarr", "--pore", "solid", "--quiet", "--json")
    assert json.loads(result.stdout)["pores"] == pores(~MASK)[0].max()


def test_pores_refuses_limits_that_divide_nothing(mask: Path, tmp_path: Path) -> None:
    result = pores_command(mask, tmp_path / "p.zarr", "--max-throat", 2)
    assert (result.exit_code, "divide no pores" in result.stderr) == (2, True)
