"""A Dask cluster for bigrock's passes: local processes, or one that runs already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bigrock.engine.memory import cores

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["cluster"]


@contextmanager
def cluster(
    address: str | None = None,
    *,
    workers: int | None = None,
    threads: int = 1,
    memory: str | float = "auto",
    **options: Any,
) -> Iterator[Client]:
    """Yield a Dask client that every pass inside the ``with`` block uses.

    Not needed on one machine: threads of this process are the default and start at once. Processes
    pay where a kernel holds Python's lock; a scheduler's address brings in other machines.

    Parameters
    ----------
    address : str, optional
        A scheduler that runs already, such as ``"tcp://head:8786"``. Paths must mean the same there.
    workers : int, optional
        Local worker processes; one per core by default.
    threads : int
        Threads in each local worker.
    memory : str or float
        Memory of each local worker, such as ``"4 GiB"``.
    **options
        For `distributed.LocalCluster` (``dashboard_address``…) or `distributed.Client`.

    Yields
    ------
    distributed.Client
        Current inside the block.

    Examples
    --------
    >>> with cluster(workers=1, dashboard_address=None) as client:  # doctest: +SKIP
    ...     bigrock.run(kernel, volume, "out.zarr")
    """
    from distributed import Client, LocalCluster

    if address is not None:
        with Client(address, **options) as client:
            yield client
        return
    # Each worker gets `threads` cores: the codec's threads must not add to them.
    before = os.environ.get("RAYON_NUM_THREADS")
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    try:
        with (
            LocalCluster(
                n_workers=workers or cores(), threads_per_worker=threads, memory_limit=memory, **options
            ) as local,
            Client(local) as client,
        ):
            yield client
    finally:
        if before is None:
            del os.environ["RAYON_NUM_THREADS"]
        else:
            os.environ["RAYON_NUM_THREADS"] = before
