from __future__ import annotations

import numpy as np
import pytest

from bigrock.datasets import Sandstone
from bigrock.report.provenance import history_steps
from bigrock.report.results import read_results
from bigrock.report.tables import Row, result_tables, volume_rows
from bigrock.volumes import ArraySource

UNITS = {
    "porosity": {"total": "fraction", "pore_volume": "m³", "pore_voxels": "voxels"},
    "profiles": {"mean": "fraction"},
    "pores": {"median_diameter": "length", "largest": "length"},
    "flow": {"permeability": "m²"},
}


def test_numbers_are_shown_with_units_that_suit_them():
    tables = result_tables(
        {
            "porosity": {"total": 0.19951, "pore_volume": 2.86e-11, "pore_voxels": 2511234},
            "profiles": {"z": {"mean": 0.25}},
            "pores": {"median_diameter": 3.1e-6, "largest": np.float64(2e-9)},
            "flow": {"permeability": 9.869233e-13},
        },
        UNITS,
    )
    assert tables["porosity"] == [
        Row("total", "19.95", "%"),
        Row("pore volume", "0.0286", "mm³"),
        Row("pore voxels", "2 511 234", "voxels"),
    ]
    assert tables["profiles"] == [Row("z · mean", "25", "%")]
    assert tables["pores"] == [Row("median diameter", "3.1", "µm"), Row("largest", "2", "nm")]
    assert tables["flow"][0].value == "9.869e-13 m² = 1 D = 1000 mD"


def test_measures_that_nobody_knows_yet_are_shown_too():
    tables = result_tables(
        {
            "connectivity": {"percolates": {"z": True, "x": False}, "components": np.uint64(7)},
            "fractal": {"dimension": 2.7268, "sizes": [1, 2, 4], "counts": list(range(100))},
            "note": "made by hand",
            "rev": [{"side": 10}, {"side": 20}],
            "nothing": {"known": None},
        }
    )
    assert tables["connectivity"] == [
        Row("percolates · z", "yes"),
        Row("percolates · x", "no"),
        Row("components", "7"),
    ]
    assert tables["fractal"] == [Row("dimension", "2.7268"), Row("sizes", "1, 2, 4")]
    assert tables["note"] == [Row("value", "made by hand")]
    assert tables["rev"] == [Row("1 · side", "10"), Row("2 · side", "20")]
    assert tables["nothing"] == [Row("known", "–")]


def test_a_history_is_spelled_out():
    history = [
        {
            "step": "import",
            "time": "2026-01-02T03:04:05+00:00",
            "bigrock": "0.1.0",
            "source": "/data/scan.raw",
            "stated_voxel_size": [2.25e-6] * 3,
            "input": {"path": "/data/scan.raw", "bytes": 4096},
        },
        {
            "step": "run",
            "time": "yesterday",
            "kernel": {
                "name": "Chain",
                "version": 1,
                "stages": [
                    {
                        "name": "Standardize",
                        "version": 2,
                        "mean": {"array": [9], "dtype": "float64", "sha256": "ab12"},
                    },
                    {"name": "LocalOtsu", "radius": 31, "guard": None},
                ],
            },
            "config": {"run": {"resume": True, "tolerance": 1e-7}},
        },
    ]
    first, second = history_steps(history)
    assert (first.title, first.time, first.version) == ("import", "2026-01-02 03:04:05 UTC", "0.1.0")
    assert first.rows == (
        Row("source", "/data/scan.raw"),
        Row("stated voxel size", "2.25 µm"),
        Row("input · path", "/data/scan.raw"),
        Row("input · bytes", "4096"),
    )
    assert second.time == "yesterday"
    assert second.rows[0].value == (
        "Standardize(mean=[9 float64, sha256 ab12]), code version 2 | LocalOtsu(radius=31, guard=not stated)"
    )
    assert second.rows[1:] == (Row("config · run · resume", "yes"), Row("config · run · tolerance", "1e-07"))


def test_facts_of_a_volume_name_what_is_not_known():
    rows = {row.name: row.value for row in volume_rows("scan", ArraySource(np.zeros((2, 3, 4), np.uint8)))}
    assert rows["voxel size"] == "not stated"
    assert "physical extent (z, y, x)" not in rows
    rows = {
        row.name: row.value
        for row in volume_rows("scan", Sandstone((100, 200, 400), voxel_size="10, 5, 5 nm"))
    }
    assert rows["physical extent (z, y, x)"] == "1 µm × 1 µm × 2 µm"


def test_results_of_several_volumes_are_joined():
    mask = {
        "porosity": {"total": 0.2},
        "profiles": {"z": {"position": [1e-6], "porosity": [0.2], "mean": 0.2}},
        "histogram": {"values": [0, 1], "counts": [4, 1], "mean": 0.2},
        "volume": {
            "kind": "mask",
            "voxel_size_m": [1e-6] * 3,
            "path": "/a/mask.zarr",
            "pore": "mask value True",
        },
        "units": {"porosity": {"total": "fraction"}},
    }
    scan = {
        "histogram": {"values": [0, 1, 2], "counts": [4, 1, 9], "otsu": 1, "mean": 1.4},
        "volume": {"kind": "grey", "path": "/a/scan.zarr"},
    }
    results = read_results([mask, scan])
    assert results.porosity == 0.2
    assert results.metres
    assert results.histogram["otsu"] == 1
    assert list(results.tables) == ["porosity", "profiles", "histogram", "histogram of scan"]
    assert results.tables["porosity"][-1] == Row("counted as pore", "mask value True")
    assert results.tables["histogram of scan"] == [Row("otsu", "1"), Row("mean", "1.4")]


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_no_results_are_no_tables(nothing):
    assert read_results(nothing).tables == {}
