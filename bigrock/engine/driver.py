"""The run loop: batches out, results in, a bounded number in flight, failures judged once at the end.

Coordinator only. It never touches voxels, and holds eight bytes per block.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.executors import Executor
from bigrock.engine.streams import BatchResult, Failure, Work, fatal_error
from bigrock.errors import RunError

__all__ = ["IN_FLIGHT", "drive"]

IN_FLIGHT = 2
"""Batches per thread that are submitted and not finished."""

_LISTED = 5
_log = logging.getLogger(__name__)

Batch = tuple[npt.NDArray[np.int64], bool]


def drive(
    work: Work,
    order: npt.NDArray[np.int64],
    executor: Executor,
    *,
    batch: int,
    retries: int,
    on_result: Callable[[BatchResult], None],
) -> None:
    """Run every block of `order`; hand each batch's result to `on_result` as it comes.

    Parameters
    ----------
    work : Work
        The pass.
    order : ndarray of int64
        Block ids, in the order in which to start them.
    executor : Executor
        Who runs the batches.
    batch : int
        Blocks per task.
    retries : int
        How often a worker tries a failing block again.
    on_result : callable
        Called in this thread.

    Raises
    ------
    RunError
        At the end, with the blocks that failed; everything else is done by then.
    StorageFullError, SourceError
        At once, where going on is pointless. What the workers finished by then is handed on first.
    """
    loop = _Loop(order, batch, retries, executor, on_result)
    executor.start(work)
    try:
        loop.run()
    except BaseException:
        executor.stop()
        loop.drain()
        raise
    executor.stop()
    if loop.failed:
        raise _run_error(loop.failed, len(order))


class _Loop:
    def __init__(
        self,
        order: npt.NDArray[np.int64],
        batch: int,
        retries: int,
        executor: Executor,
        on_result: Callable[[BatchResult], None],
    ) -> None:
        self.failed: list[Failure] = []
        self._order, self._batch, self._retries = order, batch, retries
        self._executor, self._on_result = executor, on_result
        self._position = 0
        self._again: deque[Batch] = deque()
        self._ended: SimpleQueue[Any] = SimpleQueue()

    def run(self) -> None:
        window = IN_FLIGHT * self._executor.workers * self._executor.threads_per_worker
        flying = 0
        while True:
            while flying < window and (batch := self._next()) is not None:
                self._submit(*batch)
                flying += 1
            if not flying:
                return
            ids, future = self._ended.get()
            flying -= 1
            self._settle(ids, future)

    def drain(self) -> None:
        """Hand on what ended while the loop was being left, so that it is not run again."""
        while not self._ended.empty():
            _, future = self._ended.get()
            if not future.cancelled() and future.exception() is None:
                self._record(future.result())

    def _record(self, result: BatchResult) -> None:
        try:
            self._on_result(result)
        except OSError as error:
            full = fatal_error(error)
            if full is None or full is error:
                raise
            raise full from error

    def _next(self) -> Batch | None:
        if self._again:
            return self._again.popleft()
        ids = self._order[self._position : self._position + self._batch]
        self._position += len(ids)
        return (ids, True) if len(ids) else None

    def _submit(self, ids: npt.NDArray[np.int64], overlap: bool) -> None:
        self._executor.submit(
            ids.tolist(), self._retries, overlap, lambda future: self._ended.put((ids, future))
        )

    def _settle(self, ids: npt.NDArray[np.int64], future: Any) -> None:
        try:
            result: BatchResult = future.result()
        except Exception as error:
            # The worker died, or the task could not be sent: nothing is known of its blocks.
            _log.warning("a batch of %d blocks was lost (%s: %s)", len(ids), type(error).__name__, error)
            result = BatchResult(out_of_memory=ids.tolist())
            if len(ids) == 1:
                result = BatchResult(failed=[Failure(int(ids[0]), f"{type(error).__name__}: {error}", "")])
        self._retry(result, alone=len(ids) == 1)
        self.failed += result.failed
        self._record(result)
        for failure in result.failed:
            _log.debug("block %d failed: %s\n%s", failure.block, failure.error, failure.trace)
            if failure.fatal is not None:
                raise failure.fatal

    def _retry(self, result: BatchResult, alone: bool) -> None:
        """Queue blocks that ran out of memory in two halves, without overlap; give up on a single one."""
        short = np.asarray(result.out_of_memory, np.int64)
        if alone:
            result.failed += [
                Failure(int(i), "MemoryError: the block alone does not fit in memory", "") for i in short
            ]
        elif len(short):
            _log.warning("%d blocks ran out of memory: they run again in smaller batches", len(short))
            self._again += [(half, False) for half in np.array_split(short, 2) if len(half)]


def _run_error(failed: list[Failure], blocks: int) -> RunError:
    listed = "; ".join(f"block {f.block}: {f.error}" for f in failed[:_LISTED])
    more = f"; and {len(failed) - _LISTED} more" if len(failed) > _LISTED else ""
    error = RunError(
        f"{len(failed)} of {blocks} blocks failed after every retry ({listed}{more}). The other blocks are done: "
        f"mend the cause and run the same command again, only the failed blocks are run."
    )
    if failed[0].trace:
        error.add_note(f"The first of them:\n{failed[0].trace}")
    return error
