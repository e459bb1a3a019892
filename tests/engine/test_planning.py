"""Plans: what is stated before a pass runs, and what is refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_kernels import Copied, Enlarge, Median

from bigrock.engine import plan
from bigrock.engine.planning import check_disk
from bigrock.engine.sizing import batch_size, read_amplification
from bigrock.errors import PlanError, StorageFullError
from bigrock.geometry import BlockGrid
from bigrock.volumes import ArraySource


class Huge(ArraySource):
    """A scan that states a shape, and is never read."""

    def __init__(self, shape, dtype="uint16", unit=(64, 64, 64)):
        super().__init__(np.zeros((1, 1, 1), dtype))
        object.__setattr__(self, "stated", shape)
        object.__setattr__(self, "unit", unit)

    shape = property(lambda self: self.stated)
    read_unit = property(lambda self: self.unit)


def test_a_plan_states_blocks_tasks_memory_and_disk():
    the_plan = plan(Median((7, 7, 7)), Huge((2048, 2048, 2048)), executor=4, ram="16 GiB")
    assert (the_plan.block, the_plan.halo, the_plan.blocks) == ((256,) * 3, (7, 7, 7), 512)
    assert the_plan.tasks == 512 // 4
    assert the_plan.disk_bytes == 2 * 2048**3
    assert the_plan.ram_bytes < the_plan.ram_limit_bytes == 16 * 2**30
    assert json.loads(json.dumps(the_plan.to_dict()))["layout"] == {"chunk": [64] * 3, "shard": [256] * 3}
    assert "256 × 256 × 256 voxels, halo 7 × 7 × 7" in str(the_plan)


def test_the_block_shrinks_with_the_memory_until_none_fits():
    volume = Huge((1024,) * 3)
    edges = [plan(Copied(), volume, executor=2, ram=f"{mib} MiB").block[0] for mib in (2000, 500, 400, 360)]
    assert edges == sorted(edges, reverse=True)
    assert edges[0] == 256 > edges[-1]
    with pytest.raises(PlanError, match="Give more memory"):
        plan(Copied(), volume, executor=2, ram="300 MiB")


def test_more_threads_take_more_memory_and_larger_scales_more_disk():
    one, two = (plan(Copied(), Huge((1024,) * 3), executor=n, block=(256,) * 3) for n in (1, 2))
    assert one.ram_bytes < two.ram_bytes < 2 * one.ram_bytes
    assert plan(Enlarge(2), Huge((1024,) * 3), executor=1).disk_bytes == 8 * one.disk_bytes


@given(st.integers(1, 10**7), st.integers(1, 2**27), st.integers(1, 64))
def test_batches_are_neither_too_small_for_the_scheduler_nor_too_few_for_the_workers(blocks, voxels, threads):
    batch = batch_size(blocks, voxels, threads)
    assert 1 <= batch <= 128
    assert batch == 1 or (batch * voxels <= 2**26 and -(-blocks // batch) >= 8 * threads)


@given(
    st.tuples(*[st.integers(1, 40)] * 3),
    st.tuples(*[st.integers(1, 20)] * 3),
    st.tuples(*[st.integers(0, 5)] * 3),
    st.tuples(*[st.integers(1, 9)] * 3),
)
def test_the_read_amplification_is_what_blocks_decode(shape, block, halo, unit):
    decoded = 0
    for b in BlockGrid(shape, block, halo):
        spans = [
            min(n, -(-hi // u) * u) - lo // u * u
            for lo, hi, u, n in zip(b.read.start, b.read.stop, unit, shape, strict=True)
        ]
        decoded += int(np.prod(spans))
    assert read_amplification(BlockGrid(shape, block, halo), unit) == pytest.approx(decoded / np.prod(shape))


def test_known_amplifications_of_a_halo_of_32_are_the_ones_that_were_measured():
    grid = BlockGrid((256 * 64,) * 3, (256,) * 3, (32,) * 3)
    factors = [read_amplification(grid, (chunk,) * 3) for chunk in (32, 64, 128, 256)]
    assert factors == pytest.approx([1.95, 3.4, 8, 27], rel=0.05)


def test_pages_that_are_decoded_as_one_are_read_by_one_block():
    the_plan = plan(Copied(), Huge((600, 1500, 1500), unit=(1, 1500, 1500)), executor=1, ram="8 GiB")
    assert the_plan.block[1] >= 1500
    assert the_plan.block[2] >= 1500
    assert the_plan.read_amplification == 1


@pytest.mark.parametrize(("ram", "at_most"), [("32 GiB", 1), ("16 GiB", 2), ("4 GiB", 8), ("2 GiB", 16)])
def test_pages_too_large_for_the_memory_are_decoded_as_seldom_as_it_allows(ram, at_most):
    the_plan = plan(Copied(), Huge((4000, 4000, 4000), unit=(1, 4000, 4000)), executor=2, ram=ram)
    assert the_plan.ram_bytes <= the_plan.ram_limit_bytes
    assert 1 <= the_plan.read_amplification <= at_most
    assert min(the_plan.layout.shard[1:]) >= 256, "small shards are millions of files"


def test_a_disk_that_is_certain_to_fill_up_is_refused(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10**9})
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    check_disk(str(tmp_path / "a" / "b.zarr"), 9 * 10**9)
    with pytest.raises(StorageFullError, match="Choose another destination"):
        check_disk(str(tmp_path / "a" / "b.zarr"), 11 * 10**9)
    check_disk("s3://bucket/b.zarr", 10**18)
