"""`reduce` and `fit`: numbers from a volume, many kinds in one read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.driver import drive
from bigrock.engine.executors import ExecutorLike, executor_for
from bigrock.engine.kernel import Chain, Kernel, stage_facts, stages_of
from bigrock.engine.kinds import check_kinds
from bigrock.engine.memory import parse_bytes
from bigrock.engine.planning import plan_reduce, total_halo
from bigrock.engine.progress import ProgressLike, reporter
from bigrock.engine.reduction import Reduction, of_one_block
from bigrock.engine.sizing import batch_size
from bigrock.engine.streams import BatchLostError, BatchResult
from bigrock.engine.through import Through
from bigrock.geometry import Block, BlockGrid, Region, Shape, z_order
from bigrock.volumes.source import Facts, Source, facts_of

__all__ = ["fit", "missing_fits", "reduce"]


@dataclass(frozen=True)
class ReduceWork:
    """A reduce pass, as workers see it: read with halo, count the core, combine within the batch."""

    source: Source
    reductions: tuple[Reduction, ...]
    through: Kernel | None
    grid: BlockGrid
    stored: tuple[Reduction, ...] = ()

    @property
    def folders(self) -> dict[str, str]:
        """Folders that workers must read."""
        return {} if self.through is None else self.through.folders()

    def read(self, block: Block) -> npt.NDArray[Any]:
        """Return the voxels of the block and its halo."""
        return self.source.read(block.read)

    def compute(self, block: Block, array: npt.NDArray[Any]) -> list[Any]:
        """Return the state of every reduction, each given its own halo; last those of stored voxels."""
        states = _states(self.stored, array, block, block.read)
        held = block.read
        if self.through is not None:
            held = block.core.grow(total_halo(self.reductions, None), block.volume)
            array = self.through(array, Block(block.id, held, block.read, block.volume))
        return _states(self.reductions, array, block, held) + states

    def write(self, block: Block, result: list[Any], kept: list[Any]) -> None:
        """Combine the block's states with those of its batch.

        Raises
        ------
        BatchLostError
            If that fails half way: some states may hold the block already, so trying the block
            again would count it twice.
        """
        try:
            _combine(self.reductions + self.stored, kept, result)
        except Exception as error:
            raise BatchLostError(
                f"{type(error).__name__} while combining block {block.id}: {error}"
            ) from error


def _states(
    reductions: Sequence[Reduction], array: npt.NDArray[Any], block: Block, held: Region
) -> list[Any]:
    """Return the states of a block; the array holds the region `held`."""
    states = []
    with of_one_block():
        for reduction in reductions:
            part = Block(block.id, block.core, block.core.grow(reduction.halo, block.volume), block.volume)
            states.append(reduction.block(array[part.read.within(held)], part))
    return states


def _combine(reductions: Sequence[Reduction], kept: list[Any], states: list[Any]) -> None:
    """Combine `states` into `kept`, in place; the first states are taken as they are."""
    if not kept:
        kept.extend(states)
        return
    kept[:] = [r.combine(a, b) for r, a, b in zip(reductions, kept, states, strict=True)]


def reduce(
    source: Source,
    reductions: Sequence[Reduction],
    *,
    through: Kernel | None = None,
    stored: Sequence[Reduction] = (),
    executor: ExecutorLike = None,
    block: Shape | None = None,
    ram: str | float | None = None,
    retries: int = 2,
    progress: ProgressLike = None,
    title: str = "measure",
) -> list[Any]:
    """Return the finished result of every reduction, from one read of the volume.

    Parameters
    ----------
    source : Source
        A `Volume`, an `ArraySource`, or an opened scan.
    reductions : sequence of Reduction
        Any number; each sees the same blocks with its own halo.
    through : Kernel, optional
        A fitted kernel of scale 1, applied to each block before the reductions see it.
    stored : sequence of Reduction
        Further ones, which see the voxels as they are stored, in the same read.
    executor, block, ram, retries, progress
        As for `bigrock.run`; any `block` gives the same result.
    title : str
        Shown by the progress bar.

    Returns
    -------
    list
        In the order of `reductions`, then of `stored`.

    Raises
    ------
    RunError
        If blocks failed after every retry: a number from a part of the volume would be wrong.
    PlanError
        If no block fits in memory.
    PhaseError
        Before anything is read, if `through` makes no sense of this kind of volume.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.kernels import GreyHistogram
    >>> from bigrock.volumes import ArraySource
    >>> [histogram] = reduce(ArraySource(np.full((8, 8, 8), 7, np.uint8)), [GreyHistogram()])
    >>> histogram.total
    512
    """
    runner = executor_for(executor)
    limit = None if ram is None else parse_bytes(ram)
    plan = plan_reduce(
        reductions, source, runner, through=through, stored=stored, block=block, ram_bytes=limit
    )
    grid = BlockGrid(plan.shape, plan.block, plan.halo)
    seen_source = Through(source, through) if through else source
    work = ReduceWork(
        source,
        tuple(r.given(seen_source) for r in reductions),
        through and through.given(source),
        grid,
        tuple(r.given(source) for r in stored),
    )
    every = work.reductions + work.stored
    states: list[Any] = []
    tally = {"done": 0, "failed": 0, "voxels": 0}
    with reporter(progress, title, len(grid), 0) as report:

        def on_result(result: BatchResult) -> None:
            if result.kept:
                _combine(every, states, result.kept)
            tally["done"] += len(result.done)
            tally["failed"] += len(result.failed)
            tally["voxels"] += result.voxels
            report(tally["done"], tally["failed"], tally["voxels"])

        batch = batch_size(len(grid), int(np.prod(grid.block)), runner.workers * runner.threads_per_worker)
        drive(work, z_order(grid.counts), runner, batch=batch, retries=retries, on_result=on_result)
    seen = [_facts_after(source, through)] * len(reductions) + [facts_of(source)] * len(stored)
    return [r.finish(state, facts) for r, state, facts in zip(every, states, seen, strict=True)]


def fit(kernel: Kernel, source: Source, **options: Any) -> Kernel:
    """Return the kernel completed by what it must know of the whole volume.

    Costs one read per stage of a chain that needs one, and none where nothing is missing.

    Parameters
    ----------
    kernel : Kernel
        One kernel, or a chain; later stages are fitted to the output of the earlier ones.
    source : Source
        The volume that the kernel will run over.
    **options
        As for `reduce`.

    Raises
    ------
    PhaseError
        Before anything is read, if a stage makes no sense of the kind of volume that it is given.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.kernels import GlobalOtsu
    >>> from bigrock.volumes import ArraySource
    >>> scan = ArraySource(np.array([[[10, 10, 90, 90]]], np.uint8))
    >>> float(fit(GlobalOtsu(), scan).threshold)
    10.0
    """
    check_kinds(kernel, facts_of(source))
    done: tuple[Kernel, ...] = ()
    for stage in stages_of(kernel):
        through = Chain(done) if done else None
        reduction = stage.fitting(_facts_after(source, through))
        if reduction is not None:
            title = f"fit {type(stage).__name__}"
            [result] = reduce(source, [reduction], through=through, title=title, **options)
            stage = stage.fitted(result)
        done = (*done, stage)
    return Chain(done) if len(done) > 1 else done[0]


def missing_fits(kernel: Kernel, source: Source) -> int:
    """Return how many reads `fit` would take."""
    stages = stages_of(kernel)
    return sum(
        stage.fitting(_facts_after(source, Chain(stages[:i]) if i else None)) is not None
        for i, stage in enumerate(stages)
    )


def _facts_after(source: Source, kernel: Kernel | None) -> Facts:
    """Return the facts of what `kernel` would make of `source`."""
    facts = facts_of(source)
    return facts if kernel is None else stage_facts(kernel, facts)
