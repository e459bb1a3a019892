"""Where a job runs: the executor and the backend that a text names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bigrock.engine.kernel import Kernel
from bigrock.errors import EngineError, ParameterError
from bigrock.volumes.source import Source

__all__ = ["executing", "for_backend"]

_ADDRESS = re.compile(r"^[a-z]+://")


@contextmanager
def executing(executor: str | int | None) -> Iterator[Any]:
    """Yield what `bigrock.run` takes as its executor, from what a user writes.

    Parameters
    ----------
    executor : str, int or None
        "serial", "threads", a number of threads (also as text), or the address of a Dask scheduler
        such as ``"tcp://head:8786"``, to which a client is connected inside the ``with`` block.

    Yields
    ------
    None, str, int or distributed.Client

    Raises
    ------
    ParameterError
        If it is none of these.
    EngineError
        If no scheduler answers at the address.

    Examples
    --------
    >>> with executing("2") as executor:
    ...     executor
    2
    """
    if executor is None or executor in ("serial", "threads"):
        yield executor
    elif isinstance(executor, int) or executor.isdecimal():
        if int(executor) < 1:
            raise ParameterError(
                f"executor {executor}: no thread would run. Give a positive number of threads."
            )
        yield int(executor)
    elif _ADDRESS.match(executor):
        with _connected(executor) as client:
            yield client
    else:
        raise ParameterError(
            f"executor {executor!r} is not known. Use serial, threads, a number of threads, or the address of a "
            "Dask scheduler such as tcp://head:8786."
        )


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        # Not the default client: one that failed to connect would stay so, and later passes would take it.
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EngineError(
            f"no Dask scheduler answers at {address} ({error}). Start one with 'dask scheduler', or leave the "
            "executor out to run on threads."
        ) from error
    with client:
        yield client


def for_backend(kernel: Kernel, source: Source, backend: str, **options: Any) -> Kernel:
    """Return the kernel as it runs on a backend: itself on the CPU; fitted and wrapped for the GPU.

    Parameters
    ----------
    kernel : Kernel
        One kernel or a chain.
    source : Source
        The volume that it will run over, which it is fitted to.
    backend : {"auto", "cpu", "gpu"}
        "auto" takes a usable GPU where there is one.
    **options
        For `bigrock.fit`: executor, ram, progress.

    Returns
    -------
    Kernel

    Raises
    ------
    BackendError
        If "gpu" is asked for and cannot be used.

    Examples
    --------
    >>> import numpy as np, bigrock
    >>> scan = bigrock.ArraySource(np.zeros((4, 4, 4), np.uint8))
    >>> for_backend(bigrock.kernels.Threshold(100), scan, "cpu")
    Threshold(value=100, pore='dark')
    """
    from bigrock.engine.reducing import fit
    from bigrock.kernels.backend import resolve
    from bigrock.kernels.device import on_backend

    if resolve(backend).name == "cpu":
        return kernel
    return on_backend(fit(kernel, source, **options), backend)
