"""Coarse pyramid levels: those that are too small for a block to write by itself.

A block writes the levels whose shards it owns while it writes its core, so the full resolution is
never read again. The levels after those are made here, each from the one before, which by then is
at least 64 times smaller than the volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from bigrock.engine.driver import drive
from bigrock.engine.executors import Executor
from bigrock.engine.sizing import batch_size
from bigrock.geometry import Block, BlockGrid, z_order
from bigrock.volumes import Volume
from bigrock.volumes.downsample import halve

__all__ = ["finish_pyramid"]


@dataclass(frozen=True)
class _LevelWork:
    """Level `level` from level ``level - 1``; the grid is that of the coarser one."""

    volume: Volume
    level: int
    grid: BlockGrid

    def read(self, block: Block) -> npt.NDArray[Any]:
        z, y, x = self.volume.levels[self.level - 1].shape
        return self.volume.read_level(self.level - 1, block.core.scaled(2).grow((0, 0, 0), (z, y, x)))

    def compute(self, block: Block, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return halve(array, "mean" if self.volume.kind == "grey" else "mode")

    def write(self, block: Block, result: npt.NDArray[Any], kept: list[Any]) -> None:
        self.volume.write_level(self.level, block.core, result)


def finish_pyramid(volume: Volume, executor: Executor) -> None:
    """Write the levels that no block owns."""
    for level in range(volume.own_levels, len(volume.levels)):
        array = volume.levels[level]
        z, y, x = array.shape
        a, b, c = array.shards or array.chunks
        grid = BlockGrid((z, y, x), (a, b, c))
        threads = executor.workers * executor.threads_per_worker
        batch = batch_size(len(grid), 8 * a * b * c, threads)
        work = _LevelWork(volume, level, grid)
        drive(work, z_order(grid.counts), executor, batch=batch, retries=2, on_result=lambda result: None)
