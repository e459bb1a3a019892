"""asv: planning, dispatch without work, and the throughput of a pass that copies."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from bigrock.engine import plan, run
from bigrock.engine.driver import drive
from bigrock.engine.executors import executor_for
from bigrock.geometry import BlockGrid, z_order
from bigrock.transfer.importing import Copy
from bigrock.volumes import ArraySource, create_volume, open_volume


class NoWork:
    """A pass that does nothing, over a grid that is not there."""

    def __init__(self, grid):
        self.grid = grid

    def read(self, block):
        return None

    def compute(self, block, array):
        return None

    def write(self, block, result, kept):
        return None


class Planning:
    """The order of blocks, and a plan of a volume in memory."""

    params = (10, 100)
    param_names = ("blocks_per_axis",)

    def time_z_order(self, edge):
        z_order((edge, edge, edge))

    def peakmem_z_order(self, edge):
        z_order((edge, edge, edge))

    def time_plan(self, edge):
        plan(Copy(), ArraySource(np.zeros((edge,) * 3, np.uint8)), executor=2)


class Dispatch:
    """10^5 blocks that do nothing."""

    params = ("serial", "threads")
    param_names = ("executor",)

    def time_blocks(self, executor):
        grid = BlockGrid((6400, 6400, 640), (64, 64, 64))
        work = NoWork(grid)
        drive(
            work,
            z_order(grid.counts),
            executor_for(executor),
            batch=128,
            retries=0,
            on_result=lambda result: None,
        )


class MapPass:
    """A copy of 64 MiB, through the engine and without it."""

    def setup(self):
        self.folder = Path(tempfile.mkdtemp())
        tile = np.random.default_rng(0).normal(30000, 300, (128,) * 3).astype(np.uint16)
        volume = create_volume(self.folder / "in.zarr", (256, 256, 512), "uint16", shard=(128,) * 3)
        for block in BlockGrid(volume.shape, (128,) * 3):
            volume.write(block.core, tile)
        self.volume = open_volume(self.folder / "in.zarr")

    def teardown(self):
        shutil.rmtree(self.folder)

    def time_copy(self):
        options = {"block": (128,) * 3, "executor": 2, "overwrite": True, "progress": False}
        run(Copy(), self.volume, self.folder / "out.zarr", **options)

    def time_copy_without_engine(self):
        out = create_volume(
            self.folder / "plain.zarr", self.volume.shape, "uint16", shard=(128,) * 3, overwrite=True
        )
        for block in BlockGrid(self.volume.shape, (128,) * 3):
            out.array[block.core.slices] = self.volume.array[block.core.slices]
