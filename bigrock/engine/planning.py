"""What a pass will cost, known before it runs: blocks, tasks, memory, disk, bytes read.

`plan` is what `bigrock plan` prints, and every run makes the same plan first and refuses to start
where the memory or the disk does not suffice.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.engine.executors import Executor
from bigrock.engine.kernel import Kernel
from bigrock.engine.kinds import check_kinds
from bigrock.engine.memory import format_bytes
from bigrock.engine.reduction import Reduction
from bigrock.engine.sizing import batch_size, candidates, first_fitting, read_amplification, shard_dividing
from bigrock.errors import ParameterError, StorageFullError
from bigrock.geometry import BlockGrid, Shape, check_alignment
from bigrock.volumes.layout import Layout, layout_for
from bigrock.volumes.source import Facts, Source, facts_of
from bigrock.volumes.stores import is_local

__all__ = ["Plan", "check_disk", "plan_map", "plan_reduce", "total_halo"]

_RAM_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Plan:
    """The cost of one pass.

    Attributes
    ----------
    shape, block, halo : Shape
        The input, the core of a block in input voxels, and what is read around it.
    blocks, tasks : int
        Units of work, and Dask tasks (batches of blocks).
    workers, threads : int
        Worker processes, and threads in each.
    ram_bytes : int
        Predicted peak of one worker.
    ram_limit_bytes : int
        What a worker may use.
    disk_bytes : int
        The output without compression; 0 for a measurement.
    read_amplification : float
        Voxels decoded per voxel of the input.
    fits : int
        Reads of the volume that come before the pass, to complete its kernel.
    layout : Layout or None
        Chunk and shard of the output.
    """

    shape: Shape
    block: Shape
    halo: Shape
    blocks: int
    tasks: int
    workers: int
    threads: int
    ram_bytes: int
    ram_limit_bytes: int
    disk_bytes: int
    read_amplification: float
    fits: int
    layout: Layout | None

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        own = {name: getattr(self, name) for name in self.__slots__ if name != "layout"}
        layout = self.layout and {"chunk": self.layout.chunk, "shard": self.layout.shard}
        return {**own, "layout": layout}

    def rows(self) -> list[tuple[str, str]]:
        """Return the plan as label and value, for tables."""
        triple = " × ".join
        rows = [
            ("volume", triple(map(str, self.shape)) + f" = {math.prod(self.shape):,} voxels"),
            ("block", triple(map(str, self.block)) + " voxels, halo " + triple(map(str, self.halo))),
            ("blocks", f"{self.blocks:,} in {self.tasks:,} tasks"),
            ("workers", f"{self.workers} × {self.threads} threads"),
            ("memory per worker", f"{format_bytes(self.ram_bytes)} of {format_bytes(self.ram_limit_bytes)}"),
            ("voxels decoded", f"{self.read_amplification:.2f} per voxel of the volume"),
        ]
        if self.disk_bytes:
            rows.append(("disk", f"at most {format_bytes(self.disk_bytes)} (without compression)"))
        if self.fits:
            rows.append(("reads before the pass", str(self.fits)))
        return rows

    def __str__(self) -> str:
        return "\n".join(f"{label:>21}  {value}" for label, value in self.rows())


def plan_map(
    kernel: Kernel,
    source: Source,
    executor: Executor,
    *,
    block: Shape | None = None,
    shard: Shape | None = None,
    ram_bytes: int | None = None,
    pyramid: bool = False,
) -> Plan:
    """Return the plan of a map pass; raise where it cannot run.

    Raises
    ------
    AlignmentError
        If `block` is not a multiple of the output's shard.
    PlanError
        If no block fits in the memory of a worker.
    PhaseError
        If the kernel makes no sense of this kind of volume.
    """
    check_kinds(kernel, facts_of(source))
    limit = ram_bytes or int(executor.ram_bytes * _RAM_SHARE)
    dtype = np.dtype(source.dtype)
    out_dtype, scale = kernel.output_dtype(dtype), kernel.scale
    z, y, x = (n * scale for n in source.shape)
    if block is not None:
        out_block = (block[0] * scale, block[1] * scale, block[2] * scale)
        layout = layout_for((z, y, x), shard=shard or shard_dividing(out_block, (z, y, x)))
        check_alignment(out_block, layout.shard, (z, y, x))
        options = [(block, layout)]
    elif shard is not None:
        layout = layout_for((z, y, x), shard=shard)
        a, b, c = (max(1, s // scale) for s in shard)
        check_alignment((a * scale, b * scale, c * scale), shard, (z, y, x))
        options = [((a, b, c), layout)]
    else:
        options = list(candidates(source, scale, (z, y, x), whole_slices=kernel.whole_slices))
    # A block's coarser levels are made while it is written: an eighth of it, a little more at a time.
    out_bytes = out_dtype.itemsize * scale**3 * (1.25 if pyramid else 1.0)
    scratch = kernel.scratch_bytes(dtype)
    fixed = kernel.worker_bytes(facts_of(source), executor.threads_per_worker)
    block, layout_or_none, ram = first_fitting(
        source, kernel.halo, options, scratch, out_bytes, executor, limit, fixed
    )
    fits = _count_fits(kernel, source)
    disk = math.prod((z, y, x)) * out_dtype.itemsize
    return _plan(source, block, kernel.halo, executor, ram, limit, disk, fits, layout_or_none)


def _count_fits(kernel: Kernel, source: Source) -> int:
    from bigrock.engine.reducing import missing_fits

    return missing_fits(kernel, source)


def plan_reduce(
    reductions: Sequence[Reduction],
    source: Source,
    executor: Executor,
    *,
    through: Kernel | None = None,
    stored: Sequence[Reduction] = (),
    block: Shape | None = None,
    ram_bytes: int | None = None,
) -> Plan:
    """Return the plan of a reduce pass; raise where it cannot run."""
    limit = ram_bytes or int(executor.ram_bytes * _RAM_SHARE)
    z, y, x = map(max, zip(total_halo(reductions, through), total_halo(stored, None), strict=True))
    halo = (z, y, x)
    dtype = np.dtype(source.dtype)
    of_stored = max((r.scratch_bytes(dtype) for r in stored), default=0.0)
    scratch = fixed = 0.0
    whole_slices = through is not None and through.whole_slices
    if through is not None:
        check_kinds(through, facts_of(source))
        if through.scale != 1:
            raise ParameterError(
                f"a measurement cannot run through a kernel of scale {through.scale}: run the kernel first, "
                f"and measure its output."
            )
        out, fixed = (
            through.output_dtype(dtype),
            through.worker_bytes(facts_of(source), executor.threads_per_worker),
        )
        scratch, dtype = through.scratch_bytes(dtype) + out.itemsize, out
    scratch = max(of_stored, scratch + max((r.scratch_bytes(dtype) for r in reductions), default=0.0))
    if block is not None:
        options: list[tuple[Shape, Layout | None]] = [(block, None)]
    else:
        options = [(b, None) for b, _ in candidates(source, 1, source.shape, whole_slices=whole_slices)]
    # A batch combines into one state while two wait for the coordinator, which holds one as well.
    facts = facts_of(source)
    one = sum(r.state_bytes(facts) for r in stored)
    facts = Facts(facts.shape, dtype, facts.voxel_size, facts.kind, facts.classes)
    one += sum(r.state_bytes(facts) for r in reductions)
    states = (4 * executor.threads_per_worker + 2) * one
    block, _, ram = first_fitting(source, halo, options, scratch, 0, executor, limit, states + fixed)
    return _plan(source, block, halo, executor, ram, limit, 0, 0, None)


def total_halo(reductions: Sequence[Reduction], through: Kernel | None) -> Shape:
    """Return the halo of a reduce pass: that of the widest reduction, and of the kernel before it."""
    widest = np.max([r.halo for r in reductions] or [(0, 0, 0)], axis=0)
    z, y, x = (int(h) for h in widest + np.asarray(through.halo if through else (0, 0, 0)))
    return z, y, x


def _plan(
    source: Source,
    block: Shape,
    halo: Shape,
    executor: Executor,
    ram: int,
    limit: int,
    disk: int,
    fits: int,
    layout: Layout | None,
) -> Plan:
    grid = BlockGrid(source.shape, block, halo)
    threads = executor.workers * executor.threads_per_worker
    batch = batch_size(len(grid), math.prod(block), threads)
    return Plan(
        shape=source.shape,
        block=block,
        halo=halo,
        blocks=len(grid),
        tasks=-(-len(grid) // batch),
        workers=executor.workers,
        threads=executor.threads_per_worker,
        ram_bytes=ram,
        ram_limit_bytes=limit,
        disk_bytes=disk,
        read_amplification=read_amplification(grid, source.read_unit),
        fits=fits,
        layout=layout,
    )


def check_disk(place: str, needed_bytes: float) -> None:
    """Refuse a run whose output, compressed to a tenth, would not fit on a local disk.

    A tenth is what masks reach; less is certain to fail, and how much more a scan takes only its
    voxels tell. A disk that fills up during a run stops it with the same error, and what is done
    is kept.

    Raises
    ------
    StorageFullError
        With the free space, the least that is needed, and the size without compression.
    """
    if not is_local(place):
        return
    folder = Path(place)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed_bytes / 10:
        raise StorageFullError(
            f"{folder} has {format_bytes(free)} free, and {place} takes {format_bytes(needed_bytes)} without "
            f"compression, at least a tenth of that with it: the disk would fill up. Choose another destination."
        )
