"""How many slices are enough: fixed test slices, several seeds, a stated rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from bigrock.datasets import Shale
from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.workflows.shale.annotated import annotated_slices
from bigrock.workflows.shale.sweep_slices import sweep_parts
from bigrock.workflows.shale.sweeping import Sweep, recommended, sweep

SHALE = Shale((32, 64, 64), level="easy", seed=1)
CLASSES = SHALE.truth.classes
VOXEL = (1e-8, 5e-9, 5e-9)
CONFIG: dict[str, Any] = {
    "selection": {"test": 3},
    "network": {"features": [4, 4, 8]},
    "training": {"max_epochs": 2, "steps_per_epoch": 3, "batch": 2, "patch": 32, "threads": 1},
}


def swept(out: Path) -> Sweep:
    return sweep(
        SHALE, SHALE.truth, out, classes=CLASSES, counts=(2, 4), seeds=(0, 1), config=CONFIG, progress=False
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return swept(tmp_path_factory.mktemp("sweeps") / "sweep")


def test_there_is_a_row_for_each_number_and_seed(found: Sweep) -> None:
    rows = found.table.to_pylist()
    assert [(r["n"], r["seed"]) for r in rows] == [(2, 0), (2, 1), (4, 0), (4, 1)]
    assert {f"iou {name}" for name in CLASSES} <= set(rows[0])
    np.testing.assert_allclose([r["interval_um"] for r in rows], [0.32 / 3] * 2 + [0.32 / 5] * 2)
    assert all(r["seconds"] > 0 and r["epochs"] == 2 and 0 <= r["mean_iou"] <= 1 for r in rows)


def test_test_and_validation_slices_are_the_same_for_all_and_trained_on_by_none(found: Sweep) -> None:
    parts = found.parts
    assert parts[2].test == parts[4].test
    assert parts[2].validation == parts[4].validation
    trained = {*parts[2].training, *parts[4].training}
    assert not trained & {*parts[2].test, *parts[2].validation}


def test_tables_figure_and_json_lie_in_the_folder(found: Sweep) -> None:
    assert pq.read_table(found.folder / "sweep.parquet").equals(found.table)
    assert csv.read_csv(found.folder / "sweep.csv").num_rows == 4
    assert (found.folder / "sweep.png").read_bytes()[1:4] == b"PNG"
    told = json.loads((found.folder / "sweep.json").read_text())
    assert told["recommended"] == found.recommended in (2, 4)
    assert "one standard error" in told["rule"]


def test_a_sweep_that_is_called_again_trains_nothing_anew(found: Sweep) -> None:
    again = swept(found.folder)
    assert again.table.equals(found.table)


def test_a_sweep_runs_where_the_settings_say_and_never_on_a_file(tmp_path: Path) -> None:
    config = {**CONFIG, "run": {"executor": "2"}}
    given = {"classes": CLASSES, "counts": (2,), "seeds": (0,), "progress": False}
    again = sweep(SHALE, SHALE.truth, tmp_path / "sweep", config=config, **given)
    assert again.table["n"].to_pylist() == [2]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(VolumeExistsError, match="is a file"):
        sweep(SHALE, SHALE.truth, tmp_path / "file", config=config, **given)


def test_the_fewest_slices_within_one_standard_error_are_recommended() -> None:
    def rows(values: dict[int, list[float]]) -> list[dict[str, Any]]:
        return [{"n": n, "validation_iou": v} for n, each in values.items() for v in each]

    assert recommended(rows({2: [0.5, 0.52], 4: [0.7, 0.74], 6: [0.7, 0.8]})) == 4
    assert recommended(rows({2: [0.5], 4: [0.7], 6: [0.71]})) == 6
    assert recommended(rows({2: [0.7], 4: [0.7]})) == 2


def test_a_stack_that_is_too_short_is_refused() -> None:
    labels = {z: np.zeros((8, 8), np.uint8) for z in range(16)}
    known = annotated_slices(labels, (16, 8, 8), {"matrix": 0, "pore": 1})
    with pytest.raises(ParameterError, match="Sweep fewer numbers"):
        sweep_parts(known, [2, 3, 4, 5, 6])


def test_training_slices_that_nobody_annotated_are_refused(tmp_path: Path) -> None:
    labels = {z: np.zeros((64, 64), np.uint8) for z in (1, 2, 3)}
    with pytest.raises(ParameterError, match="nobody annotated"):
        sweep(SHALE, labels, tmp_path / "s", classes=CLASSES, counts=(2,), config=CONFIG, progress=False)
    assert not (tmp_path / "s").exists()
