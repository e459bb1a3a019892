"""One core per thread of a pass: torch must not start threads of its own beside those of the executor.

An executor runs as many blocks at once as it has threads, and each has one core. If torch answered
each with a team of its own, they would wait for one another, and the sums of a convolution could be
split otherwise on another machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["one_thread"]

_lock = Lock()
_inside = 0
_before = 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch in the calling thread alone, inside the ``with`` block; any number of threads may.

    Yields
    ------
    None

    Examples
    --------
    >>> import torch
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    import torch

    global _inside, _before
    # The number is one of the thread that sets it, and what new threads begin with.
    with _lock:
        if not _inside:
            _before = torch.get_num_threads()
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            torch.set_num_threads(_before)
