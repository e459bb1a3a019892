"""Run one batch of blocks on a worker: read the next block while this one is computed and the last is written.

A block that fails does not stop its batch. It is tried again on its own, and reported as failed
when every retry failed; blocks that ran out of memory are handed back, to be run in smaller
batches without the overlap.
"""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from bigrock.errors import BackendError, ParameterError, SourceError, StorageFullError
from bigrock.geometry import Block, BlockGrid

__all__ = ["BatchLostError", "BatchResult", "Failure", "Work", "fatal_error", "run_batch"]

_RETRY_PAUSE_S = 0.1


class Work(Protocol):
    """What a pass does with a block; picklable, and the same on every worker.

    A pass whose workers must read local folders names them in an attribute ``folders`` (see `ship`).
    """

    @property
    def grid(self) -> BlockGrid:
        """All blocks."""

    def read(self, block: Block) -> Any:
        """Return the voxels of `block.read`."""

    def compute(self, block: Block, array: Any) -> Any:
        """Return the result of a block."""

    def write(self, block: Block, result: Any, kept: list[Any]) -> None:
        """Store the result, or combine it with what the batch has `kept`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A block that failed after every retry."""

    block: int
    error: str
    trace: str
    fatal: BaseException | None = None


@dataclass(slots=True)
class BatchResult:
    """What a batch did: finished blocks, failed ones, and those to be run again with less memory."""

    done: list[int] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    out_of_memory: list[int] = field(default_factory=list)
    voxels: int = 0
    kept: list[Any] = field(default_factory=list)


class BatchLostError(Exception):
    """What the batch has kept cannot be trusted any more: the batch must be run again as a whole."""


def _never() -> bool:
    return False


def run_batch(
    work: Work,
    ids: Sequence[int],
    retries: int = 2,
    overlap: bool = True,
    stopped: Callable[[], bool] = _never,
) -> BatchResult:
    """Return what became of the blocks `ids`.

    Parameters
    ----------
    work : Work
        The pass.
    ids : sequence of int
        Block ids, in the order in which to run them.
    retries : int
        How often a failing block is tried again.
    overlap : bool
        Read and write on threads of their own beside the computation.
    stopped : callable
        Asked before every block; once it says True, the blocks left are in no list of the result.
    """
    result = BatchResult()
    if overlap and len(ids) > 1:
        again = _overlapped(work, ids, result, stopped)
    else:
        again = [(block_id, retries + 1, None) for block_id in ids]
    for block_id, attempts, error in again:
        if stopped():
            break
        if isinstance(error, MemoryError):
            result.out_of_memory.append(block_id)
        else:
            _alone(work, block_id, retries if attempts is None else attempts, error, result)
        if result.failed and result.failed[-1].fatal is not None:
            break
    return result


Again = tuple[int, int | None, BaseException | None]


def _overlapped(
    work: Work, ids: Sequence[int], result: BatchResult, stopped: Callable[[], bool]
) -> list[Again]:
    """Run a batch with reads ahead and writes behind; return the blocks that must be tried again."""
    again: list[Again] = []
    writing: tuple[Block, Future[None]] | None = None

    def settle(block: Block, future: Future[None]) -> None:
        try:
            future.result()
        except BatchLostError:
            raise
        except Exception as error:
            again.append((block.id, None, _released(error)))
        else:
            _finished(block, result)

    with ThreadPoolExecutor(1, "bigrock-read") as reader, ThreadPoolExecutor(1, "bigrock-write") as writer:
        block = work.grid[ids[0]]
        ahead = reader.submit(work.read, block)
        for k, block_id in enumerate(ids):
            if stopped() or (again and fatal_error(again[-1][2]) is not None):
                break
            this, reading = block, ahead
            if k + 1 < len(ids):
                block = work.grid[ids[k + 1]]
                ahead = reader.submit(work.read, block)
            try:
                value = work.compute(this, reading.result())
            except Exception as error:
                again.append((block_id, None, _released(error)))
                continue
            finally:
                del reading
            if writing is not None:
                settle(*writing)
            writing = (this, writer.submit(work.write, this, value, result.kept))
            del value
        if writing is not None:
            settle(*writing)
    return again


def _released(error: Exception) -> Exception:
    """Return the error without the voxels that the frames of its traceback would keep alive."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    return error


def _alone(
    work: Work, block_id: int, attempts: int, error: BaseException | None, result: BatchResult
) -> None:
    """Run one block by itself, up to `attempts` times; `error` is that of the attempt before."""
    block = work.grid[block_id]
    for attempt in range(attempts):
        if error is not None:
            if _hopeless(error):
                break
            time.sleep(_RETRY_PAUSE_S * 2**attempt)
        try:
            work.write(block, work.compute(block, work.read(block)), result.kept)
        except MemoryError:
            result.out_of_memory.append(block_id)
            return
        except BatchLostError:
            raise
        except Exception as failure:
            error = _released(failure)
        else:
            _finished(block, result)
            return
    if error is not None:
        trace = "".join(traceback.format_exception(error))
        result.failed.append(Failure(block_id, f"{type(error).__name__}: {error}", trace, fatal_error(error)))


def _finished(block: Block, result: BatchResult) -> None:
    result.done.append(block.id)
    result.voxels += block.core.voxels


def _hopeless(error: BaseException) -> bool:
    """Return whether trying again cannot help: the input or the parameters are wrong, or the disk is full."""
    return isinstance(error, SourceError | ParameterError) or fatal_error(error) is not None


def fatal_error(error: BaseException | None) -> BaseException | None:
    """Return the error that must stop the whole run at once, if this is one."""
    if isinstance(error, StorageFullError | SourceError | BackendError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFullError(
            f"no space is left at the destination ({error}). Blocks finished so far are kept: "
            f"free some space and run the same command again to resume."
        )
    return None
