"""Rows of numbers from tasks: the same for any executor, kept through a kill, refused with other settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigrock.errors import ResumeError, RunError, VolumeExistsError
from bigrock.geometry import Block, BlockGrid
from bigrock.workflows.permeability.rows import RowLog, numbered, run_rows

KIND = np.dtype([("edge", "<i8"), ("start", "<i8", 3), ("square", "<f8")])


@dataclass(frozen=True)
class Squares:
    """Task n gives the rows 2n and 2n + 1; `broken` ones fail."""

    tasks: int
    marks: Path
    broken: frozenset[int] = frozenset()

    @property
    def grid(self) -> BlockGrid:
        return numbered(self.tasks)

    def keys(self, task: int) -> list[tuple[int, ...]]:
        return [(n, n, n, n) for n in (2 * task, 2 * task + 1)]

    def read(self, block: Block) -> int:
        return block.id

    def compute(self, block: Block, task: int) -> Any:
        if task in self.broken:
            raise OSError("broken")
        (self.marks / f"{task}").touch()
        return np.array([(n, (n, n, n), n * n) for n in (2 * task, 2 * task + 1)], KIND)

    def write(self, block: Block, result: Any, kept: list[Any]) -> None:
        kept.append(result)


def log_in(folder: Path, seed: int = 0, **options: Any) -> RowLog:
    return RowLog(folder / "log", "rows", KIND, ("edge", "start"), {"seed": seed}, **options)


@pytest.mark.parametrize("executor", ["serial", 1, 3])
def test_rows_are_the_same_for_any_executor(tmp_path, executor):
    rows = run_rows(Squares(9, tmp_path), log_in(tmp_path), executor=executor, progress=False)
    assert rows["square"].tolist() == [float(n * n) for n in range(18)]


def test_rows_are_told_by_key_and_not_as_they_arrived(tmp_path):
    log = log_in(tmp_path)
    for n in (12, 3, 100, 7):
        log.add([np.array([(n, (0, n, 0), n * n)], KIND)])
    assert log.rows()["edge"].tolist() == [3, 7, 12, 100]


def test_tasks_that_are_done_are_not_run_again(tmp_path):
    with pytest.raises(RunError, match="2 of 9 blocks failed"):
        run_rows(Squares(9, tmp_path, frozenset({3, 7})), log_in(tmp_path), retries=0, progress=False)
    for mark in tmp_path.iterdir():
        if mark.is_file():
            mark.unlink()
    rows = run_rows(Squares(9, tmp_path), log_in(tmp_path), progress=False)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["3", "7"]
    assert len(rows) == 18


def test_a_row_that_was_cut_off_is_dropped_and_its_task_run_again(tmp_path):
    run_rows(Squares(4, tmp_path), log_in(tmp_path), progress=False)
    file = tmp_path / "log" / "rows.bin"
    file.write_bytes(file.read_bytes()[:-5])
    assert len(log_in(tmp_path).rows()) == 7
    rows = run_rows(Squares(4, tmp_path), log_in(tmp_path), progress=False)
    assert sorted(rows["square"].tolist()) == [float(n * n) for n in range(8)]


def test_progress_counts_tasks_and_voxels(tmp_path):
    events: list[Any] = []
    run_rows(Squares(3, tmp_path), log_in(tmp_path), executor="serial", progress=events.append)
    assert (events[-1].done, events[-1].total) == (3, 3)
    assert events[-1].voxels == sum(n**3 for n in range(6))


def test_other_settings_and_finished_runs_are_refused(tmp_path):
    run_rows(Squares(2, tmp_path), log_in(tmp_path), progress=False)
    with pytest.raises(ResumeError, match="seed: 0 then, 1 now"):
        log_in(tmp_path, seed=1)
    with pytest.raises(VolumeExistsError, match="already"):
        log_in(tmp_path, resume=False)
    assert log_in(tmp_path, seed=1, overwrite=True).known() == set()


def test_nothing_is_written_before_the_first_row(tmp_path):
    log = log_in(tmp_path)
    assert (log.known(), list(tmp_path.iterdir())) == (set(), [])


def test_rows_of_another_layout_are_refused_and_kept(tmp_path):
    log = log_in(tmp_path)
    log.add([np.array([(1, (0, 0, 0), 1.0)], KIND)])
    held = (tmp_path / "log" / "rows.bin").read_bytes()
    wider = np.dtype([*KIND.descr, ("cube", "<f8")])
    with pytest.raises(ResumeError, match="columns"):
        RowLog(tmp_path / "log", "rows", wider, ("edge", "start"), {"seed": 0})
    assert (tmp_path / "log" / "rows.bin").read_bytes() == held
