"""How much memory a pass takes, and how much there is.

The model counts the arrays that exist at once. Per thread, reading, computing and writing overlap:
one block is read while another is computed and a third is written. So at once there are two inputs,
one scratch, two outputs, and the encoded form of one output. `OVERHEAD` is what was measured on top
(buffers of the codecs, slack of the allocator), `BASE_BYTES` what a worker takes without any block.

Measured on Linux (VmHWM less what the process had before, against the count of the model, in MiB;
noise that does not compress, 32 blocks of 256³ uint16): identity copy, one thread 190 of 160, two
threads 326 of 320; float32 output, one thread 370 of 320 (its kernel makes a copy); 8 bytes of
scratch per voxel 346 of 288.
In blocks of 128³ the pools of the libraries weigh more: 88 of 40, and 183 of 80 for float32; that
is covered by the base, of which an interpreter with the engine loaded takes 74, and 300 while
numba compiles. `tests/engine/test_memory.py` repeats this in small.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from bigrock.errors import ParameterError

__all__ = [
    "BASE_BYTES",
    "OVERHEAD",
    "available_bytes",
    "cores",
    "format_bytes",
    "parse_bytes",
    "thread_bytes",
]

BASE_BYTES = 350 * 2**20
"""Interpreter, libraries and compiled kernels of a worker before its first block."""

OVERHEAD = 1.4
"""Peak over the arrays that can be counted."""


def thread_bytes(input_bytes: float, scratch_bytes: float, output_bytes: float) -> int:
    """Return the peak of one thread that streams blocks: two inputs, one scratch, two outputs and one encoded.

    Parameters
    ----------
    input_bytes, scratch_bytes, output_bytes : float
        Of the largest block: what it reads, what its kernel takes beside, what it writes.
    """
    return int(OVERHEAD * (2 * input_bytes + scratch_bytes + 3 * output_bytes))


def cores() -> int:
    """Return how many cores this process may use (affinity and cgroup quota considered)."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(count, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        return count


def available_bytes() -> int:
    """Return the memory that this process may use: of the machine, or its cgroup's limit."""
    total = psutil.virtual_memory().total
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return min(total, int(Path(name).read_text()))
        except (OSError, ValueError):
            continue
    return int(total)


def parse_bytes(value: str | float) -> int:
    """Return a size in bytes from a number or a text such as ``"1 GiB"`` or ``"500 MB"``.

    Raises
    ------
    ParameterError
        If the text is no size, or not a positive one.

    Examples
    --------
    >>> parse_bytes("1.5 GiB")
    1610612736
    """
    from dask.utils import parse_bytes as dask_parse

    try:
        size = int(dask_parse(value)) if value else 0
    except ValueError:
        size = 0
    if size <= 0:
        raise ParameterError(
            f"size {value!r} is not a positive number of bytes. Write it like '1 GiB' or '500 MB'."
        )
    return size


def format_bytes(count: float) -> str:
    """Return a size for people.

    Examples
    --------
    >>> format_bytes(1610612736)
    '1.50 GiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            digits = 0 if unit == "B" or abs(count) >= 100 else 2
            return f"{count:.{digits}f} {unit}"
        count /= 1024
    raise AssertionError("unreachable: the last unit takes every size")
