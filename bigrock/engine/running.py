"""`run` and `plan`: what users call to apply a kernel, and to know what that costs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from bigrock.engine.executors import ExecutorLike, executor_for
from bigrock.engine.kernel import Kernel
from bigrock.engine.mapping import Output, RunOptions, map_pass
from bigrock.engine.memory import parse_bytes
from bigrock.engine.planning import Plan, plan_map
from bigrock.engine.progress import ProgressLike
from bigrock.engine.settings import json_value
from bigrock.geometry import Shape
from bigrock.volumes import Source, Volume

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["plan", "run"]


def run(
    kernel: Kernel,
    volume: Source,
    dest: str | os.PathLike[str] | Store,
    *,
    resume: bool = True,
    overwrite: bool = False,
    block: Shape | None = None,
    shard: Shape | None = None,
    executor: ExecutorLike = None,
    ram: str | float | None = None,
    retries: int = 2,
    pyramid: bool = False,
    progress: ProgressLike = None,
    config: dict[str, Any] | None = None,
) -> Volume:
    """Return the volume that `kernel` makes of `volume`, computed out of core and stored at `dest`.

    One read of the input and one write of the output; kernels that must see the volume first
    (``Standardize()``, `LocalOtsu` of 16-bit scans) are fitted by one more read each. The result
    is the same bytes whatever the blocks, executor and interruptions.

    Parameters
    ----------
    kernel : Kernel
        One kernel, or several joined by ``|``.
    volume : Source
        A `Volume`, an `ArraySource`, or a scan opened by `bigrock.volumes.formats.open_source`.
    dest : str, path-like or zarr Store
        A new place for the output.
    resume : bool
        Continue an interrupted run with the same settings; blocks that are done are not run again.
        A finished run with the same settings is returned as it is.
    overwrite : bool
        Delete what is stored at `dest`.
    block : tuple of int, optional
        Core of a block in input voxels; a multiple of the output's shard. Chosen by memory otherwise.
    shard : tuple of int, optional
        The output's write unit.
    executor : optional
        None (the current Dask client, else threads), "serial", "threads", a number of threads, or
        a `distributed.Client`.
    ram : str or float, optional
        Memory that a worker may use, such as ``"4 GiB"``; 80 % of what there is otherwise.
    retries : int
        How often a failing block is tried again before the run goes on without it.
    pyramid : bool
        Store coarser levels as well.
    progress : callable, bool, optional
        Called with `Progress` events; True for a bar; by default a bar where there is a terminal.
    config : dict, optional
        Stored in the output's history.

    Returns
    -------
    Volume

    Raises
    ------
    VolumeExistsError
        If something else is stored at `dest`.
    ResumeError
        If `dest` holds an interrupted run with other settings; names the fields.
    AlignmentError, PlanError, StorageFullError
        Before anything runs, if the blocks, the memory or the disk do not suffice.
    PhaseError
        Before anything runs, if the kernel makes no sense of this kind of volume: a threshold of a mask.
    RunError
        At the end, if blocks failed after every retry. The others are done and kept.

    Examples
    --------
    >>> import numpy as np, bigrock
    >>> from bigrock.volumes import ArraySource
    >>> scan = ArraySource(np.arange(4096, dtype=np.uint8).reshape(16, 16, 16))
    >>> mask = run(bigrock.kernels.Threshold(100), scan, "memory://run-example.zarr", progress=False)
    >>> mask.kind, int(mask[:].sum())
    ('mask', 1616)
    """
    options = RunOptions(resume, overwrite, block, shard, executor, ram, retries, pyramid, progress)
    entry = {"config": json_value(config)} if config else {}
    return map_pass(kernel, volume, dest, options, Output(entry=entry))


def plan(
    kernel: Kernel,
    volume: Source,
    *,
    block: Shape | None = None,
    shard: Shape | None = None,
    executor: ExecutorLike = None,
    ram: str | float | None = None,
) -> Plan:
    """Return what `run` would cost: blocks, tasks, memory per worker, disk, voxels decoded.

    Reads no voxel.

    Parameters
    ----------
    kernel, volume, block, shard, executor, ram
        As for `run`.

    Returns
    -------
    Plan
        Prints as a table; ``.to_dict()`` for JSON.

    Raises
    ------
    AlignmentError, PlanError, PhaseError
        As `run` would.

    Examples
    --------
    >>> import numpy as np, bigrock
    >>> from bigrock.volumes import ArraySource
    >>> scan = ArraySource(np.zeros((256, 256, 256), np.uint8))
    >>> plan(bigrock.kernels.LocalOtsu(radius=15), scan, executor="serial").blocks
    8
    """
    limit = None if ram is None else parse_bytes(ram)
    return plan_map(kernel, volume, executor_for(executor), block=block, shard=shard, ram_bytes=limit)
