"""How much memory a pass takes, and how much there is.

The model counts the arrays that exist at once and multiplies by what was measured on top of them
(`OVERHEAD`: buffers of the codecs, allocator slack). `tests/engine/test_memory.py` runs passes in
subprocesses and compares prediction and peak.

Per thread, reading, computing and writing overlap: one block is being read while another is
computed and a third is written. So at once there are two inputs, two outputs and one scratch.
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

BASE_BYTES = 400 * 2**20
"""Interpreter, libraries and compiled kernels of a worker before its first block."""

OVERHEAD = 1.4
"""Peak over the arrays that can be counted."""


def thread_bytes(input_bytes: float, scratch_bytes: float, output_bytes: float) -> int:
    """Return the peak of one thread that streams blocks: two inputs, two outputs, one scratch.

    Parameters
    ----------
    input_bytes, scratch_bytes, output_bytes : float
        Of the largest block: what it reads, what its kernel takes beside, what it writes.
    """
    return int(OVERHEAD * (2 * input_bytes + scratch_bytes + 2 * output_bytes))


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
        If the text is no size.

    Examples
    --------
    >>> parse_bytes("1.5 GiB")
    1610612736
    """
    from dask.utils import parse_bytes as dask_parse

    try:
        return int(dask_parse(value))
    except ValueError as error:
        raise ParameterError(
            f"size {value!r} cannot be understood. Write it like '1 GiB' or '500 MB'."
        ) from error


def format_bytes(count: float) -> str:
    """Return a size for people.

    Examples
    --------
    >>> format_bytes(1610612736)
    '1.50 GiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            return (
                f"{count:.0f} {unit}"
                if unit == "B"
                else f"{count:.3g} {unit}"
                if count >= 100
                else f"{count:.2f} {unit}"
            )
        count /= 1024
    raise AssertionError("unreachable: the last unit takes every size")
