"""A pass whose tasks give rows of numbers: dispatched by the engine, appended to a log, resumed after a kill.

Windows of a map and rocks of an evaluation are such tasks. A task is done when its rows are in the log,
which the coordinator alone writes; the same call runs the others only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bigrock.engine.donelog import compare
from bigrock.engine.driver import drive
from bigrock.engine.executors import ExecutorLike, executor_for
from bigrock.engine.progress import ProgressLike, reporter
from bigrock.engine.streams import BatchResult, Work
from bigrock.errors import VolumeExistsError
from bigrock.geometry import BlockGrid

__all__ = ["RowLog", "RowWork", "numbered", "run_rows"]

Rows = npt.NDArray[np.void]
Key = tuple[Any, ...]

_BATCH = 4


class RowWork(Work, Protocol):
    """A pass of the engine whose blocks are numbered tasks, and give rows."""

    def keys(self, task: int) -> Sequence[Key]:
        """Return the keys of the rows that a task gives."""


def numbered(tasks: int) -> BlockGrid:
    """Return a grid of the engine whose block number n is task number n.

    Examples
    --------
    >>> len(numbered(5))
    5
    """
    return BlockGrid((max(1, tasks), 1, 1), (1, 1, 1))


class RowLog:
    """Rows of a structured data type, appended to ``NAME.bin``; beside it the settings of the run, ``NAME.json``.

    Nothing is written until the first rows are there.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    name : str
        Of the files.
    dtype : dtype
        Of a row; has a field ``edge``, voxels along a side of what the row is about.
    key : sequence of str
        Fields that tell a row from the others.
    settings : dict
        Everything that decides the numbers, as JSON.
    resume, overwrite : bool
        Go on with what is there; start anew.

    Raises
    ------
    ResumeError
        If the folder holds a run with other settings.
    VolumeExistsError
        If it holds one, and neither `resume` nor `overwrite` is True.

    Examples
    --------
    >>> import tempfile
    >>> place, kind = Path(tempfile.mkdtemp()), np.dtype([("edge", "i8"), ("k", "f8")])
    >>> log = RowLog(place, "rows", kind, ["edge"], {"seed": 0})
    >>> log.add([np.array([(7, 0.5)], kind)])
    >>> RowLog(place, "rows", kind, ["edge"], {"seed": 0}).rows()["k"].tolist(), log.known()
    ([0.5], {(7,)})
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        dtype: np.dtype[Any],
        key: Sequence[str],
        settings: dict[str, Any],
        *,
        resume: bool = True,
        overwrite: bool = False,
    ) -> None:
        self._bin, self._told = folder / f"{name}.bin", folder / f"{name}.json"
        self._dtype, self._key = dtype, list(key)
        # Rows of another layout would be read as nonsense.
        columns = {"columns": [[n, dtype[n].str, *dtype[n].shape] for n in dtype.names or ()]}
        self._settings = json.dumps(settings | columns, indent=1) + "\n"
        self._begun = self._told.exists() and not overwrite
        if self._begun and not resume:
            raise VolumeExistsError(
                f"{folder} holds such a run already. Choose another folder, or overwrite=True (--overwrite)."
            )
        if self._begun:
            compare(json.loads(self._told.read_text()), json.loads(self._settings), str(folder))

    def rows(self) -> Rows:
        """Return every row once, by key; one that a kill cut off is dropped, of two with one key the later counts."""
        data = self._bin.read_bytes() if self._begun else b""
        whole = len(data) // self._dtype.itemsize * self._dtype.itemsize
        if whole < len(data):
            self._bin.write_bytes(data[:whole])
        rows = np.frombuffer(data[:whole], self._dtype)
        place = {key: i for i, key in enumerate(self._keys(rows))}
        # Not as they arrived: sums over rows would differ in the last digit between executors.
        return rows[[place[key] for key in sorted(place)]]

    def known(self) -> set[Key]:
        """Return the keys of all rows."""
        return set(self._keys(self.rows()))

    def add(self, parts: Sequence[Rows]) -> None:
        """Append rows; the first ones of a run begin its files."""
        if not self._begun:
            self._bin.parent.mkdir(parents=True, exist_ok=True)
            self._bin.write_bytes(b"")
            fresh = self._told.with_suffix(".new")
            fresh.write_text(self._settings)
            fresh.replace(self._told)
            self._begun = True
        with self._bin.open("ab") as file:
            file.write(b"".join(part.tobytes() for part in parts))

    def _keys(self, rows: Rows) -> list[Key]:
        if not len(rows):
            return []
        columns = [rows[name].reshape(len(rows), -1) for name in self._key]
        return list(map(tuple, np.concatenate(columns, axis=1).tolist()))


def run_rows(
    work: RowWork,
    log: RowLog,
    *,
    executor: ExecutorLike = None,
    retries: int = 2,
    progress: ProgressLike = None,
    title: str = "rows",
) -> Rows:
    """Return the rows in the log, after every task that was not done has been run.

    Parameters
    ----------
    work : RowWork
        The tasks.
    log : RowLog
        What an earlier call has done, and where this one appends.
    executor, retries, progress
        As for `bigrock.run`.
    title : str
        Of the progress bar.

    Raises
    ------
    RunError
        If tasks failed after every retry; the others are kept.
    """
    known, tasks = log.known(), len(work.grid)
    left = [i for i in range(tasks) if not known.issuperset(work.keys(i))]
    if left:
        runner = executor_for(executor)
        batch = max(1, min(_BATCH, len(left) // (4 * runner.workers * runner.threads_per_worker)))
        with reporter(progress, title, tasks, tasks - len(left)) as report:
            on_result = _recorder(log, report, tasks - len(left))
            drive(work, np.array(left, np.int64), runner, batch=batch, retries=retries, on_result=on_result)
    return log.rows()


def _recorder(
    log: RowLog, report: Callable[[int, int, int], None], already: int
) -> Callable[[BatchResult], None]:
    tally = {"done": already, "failed": 0, "voxels": 0}

    def on_result(result: BatchResult) -> None:
        if result.kept:
            log.add(result.kept)
        tally["done"] += len(result.done)
        tally["failed"] += len(result.failed)
        tally["voxels"] += sum(int((part["edge"] ** 3).sum()) for part in result.kept)
        report(tally["done"], tally["failed"], tally["voxels"])

    return on_result
