"""The map pass: a kernel over a source, block by block, into a new volume.

`bigrock.run` and `bigrock.import_volume` are this pass with other inputs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import bigrock
from bigrock.engine.destination import logged_run, refuse_input, refuse_other_settings
from bigrock.engine.donelog import DoneLog
from bigrock.engine.driver import drive
from bigrock.engine.executors import Executor, ExecutorLike, executor_for
from bigrock.engine.kernel import Kernel
from bigrock.engine.memory import parse_bytes
from bigrock.engine.planning import Plan, check_disk, plan_map
from bigrock.engine.progress import ProgressLike, reporter
from bigrock.engine.pyramid import finish_pyramid
from bigrock.engine.reducing import fit
from bigrock.engine.settings import json_value, settings_of
from bigrock.engine.sizing import batch_size
from bigrock.engine.streams import BatchResult
from bigrock.geometry import Block, BlockGrid, Shape, z_order
from bigrock.volumes import Kind, Source, Volume, create_volume, facts_of, open_volume, pyramid_levels
from bigrock.volumes.stores import location, open_store

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["MapWork", "Output", "RunOptions", "map_pass"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a map pass runs; the keywords of `run`."""

    resume: bool = True
    overwrite: bool = False
    block: Shape | None = None
    shard: Shape | None = None
    executor: ExecutorLike = None
    ram: str | float | None = None
    retries: int = 2
    pyramid: bool = False
    progress: ProgressLike = None


@dataclass(frozen=True, slots=True)
class Output:
    """What a map pass says of its output where the input does not: units, meaning, provenance."""

    step: str = "run"
    voxel_size: Sequence[str | float] | str | float | None = None
    kind: Kind | None = None
    classes: dict[str, int] | None = None
    entry: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MapWork:
    """A map pass, as workers see it: read with halo, compute, write the core."""

    source: Source
    kernel: Kernel
    sink: Volume
    grid: BlockGrid

    @property
    def folders(self) -> dict[str, str]:
        """Folders that workers must read."""
        return self.kernel.folders()

    def read(self, block: Block) -> npt.NDArray[Any]:
        """Return the voxels of the block and its halo."""
        return self.source.read(block.read)

    def compute(self, block: Block, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the kernel's result for the core."""
        return self.kernel(array, block)

    def write(self, block: Block, result: npt.NDArray[Any], kept: list[Any]) -> None:
        """Store the core, in the shards that belong to this block alone."""
        self.sink.write(block.core.scaled(self.kernel.scale), result)


def map_pass(
    kernel: Kernel, source: Source, dest: str | os.PathLike[str] | Store, options: RunOptions, output: Output
) -> Volume:
    """Return the finished output of a map pass.

    Everything that can be refused is refused before the first voxel is read: what is stored at the
    destination, other settings, alignment, memory, disk. Raises as `bigrock.run` does.
    """
    place, store = location(dest), open_store(dest)
    refuse_input(place, (getattr(source, "path", None), output.entry.get("source")))
    logged, replace = logged_run(store, place, resume=options.resume, overwrite=options.overwrite)
    fingerprint = _asked(kernel, source, options, output)
    if logged is not None:
        refuse_other_settings(dest, place, logged, fingerprint)
    log, executor = DoneLog(store), executor_for(options.executor)
    the_plan = _plan_like(kernel, source, executor, options, logged)
    fingerprint |= _cut(the_plan)
    if logged is None:
        check_disk(place, the_plan.disk_bytes)
    else:
        refuse_other_settings(dest, place, logged, fingerprint)
        sink = open_volume(dest, mode="r+", partial=True)
        if sink.complete:
            log.finish()
            return sink
    how = {"executor": options.executor, "ram": options.ram, "progress": options.progress}
    fitted = fit(kernel, source, **how, block=the_plan.block if kernel.same_blocks else None)
    fingerprint["fitted"] = settings_of(fitted)
    if fitted.halo != kernel.halo:
        # What was found decides how far blocks must read, and so which blocks fit in memory.
        the_plan = _plan_like(fitted, source, executor, options, logged)
        fingerprint |= _cut(the_plan)
    if logged is None:
        sink = _create(fitted, source, dest, the_plan, options, output, fingerprint, replace)
        log.begin(fingerprint)
    else:
        refuse_other_settings(dest, place, logged, fingerprint)
    grid = _grid(the_plan)
    work = MapWork(source, fitted.laid_down(sink, grid).given(source), sink, grid)
    _execute(work, the_plan, executor, options, log, output.step)
    finish_pyramid(sink, executor)
    sink.update(complete=True, gapless=True)
    log.finish()
    return open_volume(dest)


def _grid(the_plan: Plan) -> BlockGrid:
    return BlockGrid(the_plan.shape, the_plan.block, the_plan.halo)


def _plan_like(
    kernel: Kernel, source: Source, executor: Executor, options: RunOptions, logged: dict[str, Any] | None
) -> Plan:
    """Return the plan; a run that is resumed keeps the blocks it was begun with."""
    block, shard = options.block, options.shard
    if logged is not None and block is None and shard is None:
        block, shard = tuple(logged["block"]), tuple(logged["layout"]["shard"])
    limit = None if options.ram is None else parse_bytes(options.ram)
    return plan_map(
        kernel, source, executor, block=block, shard=shard, ram_bytes=limit, pyramid=options.pyramid
    )


def _asked(kernel: Kernel, source: Source, options: RunOptions, output: Output) -> dict[str, Any]:
    """Return everything but the blocks that decides the bytes of the output, and is known at once."""
    return {
        "kernel": settings_of(kernel),
        "input": json_value(source.identity()),
        "shape": list(source.shape),
        "pyramid": options.pyramid,
        "voxel_size": json_value(output.voxel_size or source.voxel_size),
        "kind": output.kind,
        "classes": output.classes or {},
    }


def _cut(the_plan: Plan) -> dict[str, Any]:
    assert the_plan.layout is not None
    layout = {"chunk": list(the_plan.layout.chunk), "shard": list(the_plan.layout.shard)}
    return {"block": list(the_plan.block), "layout": layout}


def _create(
    kernel: Kernel,
    source: Source,
    dest: str | os.PathLike[str] | Store,
    the_plan: Plan,
    options: RunOptions,
    output: Output,
    fingerprint: dict[str, Any],
    replace: bool,
) -> Volume:
    facts = facts_of(source)
    z, y, x = (n * kernel.scale for n in facts.shape)
    voxel = output.voxel_size or (facts.voxel_size and tuple(v / kernel.scale for v in facts.voxel_size))
    kind = output.kind or ("labels" if output.classes else kernel.output_kind(facts.kind))
    classes = output.classes
    if classes is None:
        classes = kernel.output_classes(facts.classes) if kind == "labels" else {}
    entry = {
        "step": output.step,
        "bigrock": bigrock.__version__,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "input": fingerprint["input"],
        "kernel": fingerprint["fitted"],
        "block": fingerprint["block"],
        **({"source": source.path} if isinstance(source, Volume) else {}),
        **output.entry,
    }
    assert the_plan.layout is not None
    return create_volume(
        dest,
        (z, y, x),
        kernel.output_dtype(facts.dtype),
        voxel_size=voxel,
        kind=kind,
        classes=classes,
        levels=pyramid_levels((z, y, x)) if options.pyramid else 1,
        chunk=the_plan.layout.chunk,
        shard=the_plan.layout.shard,
        history=[*getattr(source, "history", ()), entry],
        complete=False,
        overwrite=replace,
    )


def _execute(
    work: MapWork, the_plan: Plan, executor: Executor, options: RunOptions, log: DoneLog, title: str
) -> None:
    """Run the blocks that the log does not have, in Z-order, and log them as they end."""
    finished = log.done(len(work.grid))
    order = z_order(work.grid.counts)
    order = order[~finished[order]]
    already = int(finished.sum())
    threads = executor.workers * executor.threads_per_worker
    tally = {"done": already, "failed": 0, "voxels": 0}
    with reporter(options.progress, title, len(work.grid), already) as report:

        def on_result(result: BatchResult) -> None:
            log.add(result.done)
            tally["done"] += len(result.done)
            tally["failed"] += len(result.failed)
            tally["voxels"] += result.voxels
            report(tally["done"], tally["failed"], tally["voxels"])

        batch = batch_size(len(work.grid), int(np.prod(work.grid.block)), threads)
        drive(work, order, executor, batch=batch, retries=options.retries, on_result=on_result)
