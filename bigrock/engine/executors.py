"""Who runs the batches: this thread, a pool of threads, or a Dask cluster; one interface for all.

A pass submits batches and is told when they end; how many it keeps in flight is bounded, so a
graph of a million blocks never exists at once. On a cluster the pass itself is one task and every
batch is a task that depends on it: when the worker that holds the pass dies, the scheduler makes
it again elsewhere.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from bigrock.engine.memory import available_bytes, cores
from bigrock.engine.shipping import ship
from bigrock.engine.streams import BatchResult, Work, run_batch
from bigrock.errors import ParameterError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Executor", "ExecutorLike", "executor_for"]

ExecutorLike = Any
"""None, "serial", "threads", a number of threads, or a `distributed.Client`."""


class Executor(Protocol):
    """Runs batches of one pass."""

    name: str
    workers: int
    threads_per_worker: int
    ram_bytes: int

    def start(self, work: Work) -> None:
        """Make the pass known to the workers."""

    def submit(self, ids: Sequence[int], retries: int, overlap: bool, done: Callable[[Any], None]) -> None:
        """Run a batch; call `done` with its future when it ends, from any thread."""

    def stop(self) -> None:
        """Drop what has not started; wait for the blocks that threads of this process have begun."""


class _Serial:
    """Batches run in the calling thread, blocks one by one: for debugging."""

    name, workers, threads_per_worker = "serial", 1, 1

    def __init__(self) -> None:
        self.ram_bytes = available_bytes()

    def start(self, work: Work) -> None:
        self._work = work

    def submit(self, ids: Sequence[int], retries: int, overlap: bool, done: Callable[[Any], None]) -> None:
        future: Future[BatchResult] = Future()
        try:
            future.set_result(run_batch(self._work, ids, retries, overlap=False))
        except Exception as error:
            future.set_exception(error)
        done(future)

    def stop(self) -> None:
        return None


class _Threads:
    """Batches run on threads of this process: the default."""

    name, workers = "threads", 1

    def __init__(self, threads: int | None = None) -> None:
        self.threads_per_worker = threads or cores()
        self.ram_bytes = available_bytes()

    def start(self, work: Work) -> None:
        self._work = work
        self._stopping = Event()
        self._pool = ThreadPoolExecutor(self.threads_per_worker, "bigrock")

    def submit(self, ids: Sequence[int], retries: int, overlap: bool, done: Callable[[Any], None]) -> None:
        stopped = self._stopping.is_set
        self._pool.submit(run_batch, self._work, ids, retries, overlap, stopped).add_done_callback(done)

    def stop(self) -> None:
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


class _Cluster:
    """Batches are tasks of a `distributed.Client`."""

    name = "dask"

    def __init__(self, client: Client) -> None:
        self._client = client
        client.wait_for_workers(1)
        info = client.scheduler_info(n_workers=-1)["workers"].values()
        self.workers = len(info)
        self.threads_per_worker = max(w["nthreads"] for w in info)
        limits = [w["memory_limit"] for w in info if w["memory_limit"]]
        self.ram_bytes = min(limits) if limits else available_bytes() // self.workers
        self._futures: set[Any] = set()

    def start(self, work: Work) -> None:
        ship(self._client, getattr(work, "folders", {}))
        # Not scattered: scattered data that dies with its worker cannot be made again, a task can.
        self._work = self._client.submit(pickle.loads, pickle.dumps(work), pure=False, key=None)
        # What cannot be unpickled there (a module that is missing) would fail batch after batch.
        error = self._work.exception()
        if error is not None:
            raise error

    def submit(self, ids: Sequence[int], retries: int, overlap: bool, done: Callable[[Any], None]) -> None:
        future = self._client.submit(run_batch, self._work, list(ids), retries, overlap, pure=False)
        self._futures.add(future)

        def forget(finished: Any) -> None:
            self._futures.discard(finished)
            done(finished)

        future.add_done_callback(forget)

    def stop(self) -> None:
        self._client.cancel(list(self._futures))
        del self._work


def executor_for(executor: ExecutorLike = None) -> Executor:
    """Return the executor that a user's choice means.

    Parameters
    ----------
    executor : None, "serial", "threads", int or distributed.Client
        None takes the Dask client that is current (made by `bigrock.cluster` or by the user), and
        threads of this process where there is none. A number is a number of threads.

    Raises
    ------
    ParameterError
        If it is none of these.

    Examples
    --------
    >>> executor_for("serial").workers
    1
    """
    if executor is None:
        client = _current_client()
        return _Threads() if client is None else _Cluster(client)
    if executor == "serial":
        return _Serial()
    if executor == "threads":
        return _Threads()
    if isinstance(executor, int) and not isinstance(executor, bool) and executor > 0:
        return _Threads(executor)
    if hasattr(executor, "scheduler_info"):
        return _Cluster(executor)
    raise ParameterError(
        f"executor {executor!r} is not known. Give 'serial', 'threads', a positive number of threads, "
        f"a distributed.Client, or None."
    )


def _current_client() -> Client | None:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        client: Client = distributed.default_client()
    except ValueError:
        return None
    return client
