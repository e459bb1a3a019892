"""The reduce pass: many numbers in one read, the same whatever the blocks; kernels in between; fitting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from passes import scan
from scipy import ndimage
from toy_kernels import Blocks, Enlarge, Largest, Median, Total, TotalOfLargest
from watched_stores import CountingStore, FlakyStore
from zarr.storage import LocalStore

from bigrock.engine import Kernel, Reduction, fit, plan, reduce, run, streams
from bigrock.errors import ParameterError, PlanError, RunError
from bigrock.volumes import ArraySource, open_volume

VOXELS = scan((50, 33, 40))


def largest(voxels, radius):
    return int(ndimage.maximum_filter(voxels, [2 * r + 1 for r in radius], mode="nearest").astype(int).sum())


@pytest.mark.parametrize("executor", ["serial", "threads", 3])
@pytest.mark.parametrize("block", [None, (50, 33, 40), (16, 16, 16), (7, 33, 13)], ids=str)
def test_reductions_of_different_halos_share_one_read_and_do_not_depend_on_blocks(block, executor):
    radii = [(1, 0, 0), (0, 4, 2), (3, 3, 3)]
    reductions = [Total(), *(TotalOfLargest(radius) for radius in radii)]
    results = reduce(ArraySource(VOXELS), reductions, block=block, executor=executor)
    assert results == [int(VOXELS.astype(int).sum()), *(largest(VOXELS, radius) for radius in radii)]


@pytest.mark.parametrize("block", [None, (16, 8, 64), (7, 33, 13)], ids=str)
def test_reductions_see_a_volume_through_a_kernel_as_if_it_were_stored(tmp_path, block):
    kernel = Median((1, 2, 0)) | Largest((0, 1, 1))
    filtered = run(kernel, ArraySource(VOXELS), tmp_path / "filtered.zarr")[:]
    results = reduce(ArraySource(VOXELS), [TotalOfLargest((2, 0, 1)), Total()], through=kernel, block=block)
    assert results == [largest(filtered, (2, 0, 1)), int(filtered.astype(int).sum())]


def test_every_block_is_counted_exactly_once_even_if_reading_fails_once(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "_RETRY_PAUSE_S", 0.0)
    run(Median(), ArraySource(VOXELS), tmp_path / "in.zarr", shard=(16,) * 3)
    volume = open_volume(FlakyStore(LocalStore(tmp_path / "in.zarr")))
    assert reduce(volume, [Blocks()], block=(16,) * 3) == [list(range(4 * 3 * 3))]


def test_many_reductions_read_every_shard_once(tmp_path):
    run(Median(), ArraySource(VOXELS), tmp_path / "in.zarr", shard=(16,) * 3)
    store = CountingStore(LocalStore(tmp_path / "in.zarr"))
    reduce(open_volume(store), [Total(), Blocks(), Total()], block=(32, 16, 16))
    assert set(store.voxel_gets().values()) == {1}
    assert len(store.voxel_gets()) == 4 * 3 * 3


@dataclass(frozen=True)
class BadCombine(Blocks):
    """Fails once in the middle of a batch, after the reductions before it have taken the block."""

    failures: list

    def combine(self, a, b):
        if self.failures:
            self.failures.pop()
            raise OSError("half way")
        return a + b


def test_a_block_is_not_counted_twice_when_combining_fails_half_way():
    bad = BadCombine([1, 2])
    first, second = reduce(ArraySource(VOXELS), [Blocks(), bad], block=(4, 4, 4), executor=2)
    assert first == second == list(range(13 * 9 * 10))


@dataclass(frozen=True)
class Greedy(Total):
    """Runs out of memory while more than one block is done at a time."""

    taken: list

    def block(self, array, block):
        import threading

        self.taken.append(block.id)
        if threading.current_thread().name.startswith("bigrock") and self.taken.count(block.id) < 2:
            raise MemoryError
        return super().block(array, block)


def test_blocks_out_of_memory_run_again_in_smaller_batches():
    greedy = Greedy([])
    assert reduce(ArraySource(VOXELS), [greedy], block=(4, 4, 4), executor=2) == [
        int(VOXELS.astype(int).sum())
    ]
    assert all(greedy.taken.count(i) == 2 for i in range(13 * 9 * 10))


@dataclass(frozen=True)
class Hopeless(Total):
    def block(self, array, block):
        if block.id == 7:
            raise MemoryError
        return super().block(array, block)


def test_a_block_that_alone_does_not_fit_is_named():
    with pytest.raises(RunError, match="block 7: MemoryError: the block alone does not fit in memory"):
        reduce(ArraySource(VOXELS), [Hopeless()], block=(16, 16, 16))


def test_a_measurement_through_an_enlarging_kernel_is_refused():
    with pytest.raises(ParameterError, match="scale 2"):
        reduce(ArraySource(VOXELS), [Total()], through=Enlarge(2))


@dataclass(frozen=True)
class Wide(Total):
    """States of a gigabyte."""

    def state_bytes(self, facts):
        return 2.0**30


def test_states_count_in_the_plan():
    with pytest.raises(PlanError):
        reduce(ArraySource(VOXELS), [Wide()], ram="2 GiB")


@dataclass(frozen=True)
class Brightest(Reduction):
    def block(self, array, block):
        return int(array[block.trim].max())

    def combine(self, a, b):
        return max(a, b)


@dataclass(frozen=True)
class Normalize(Kernel):
    """Subtracts from the brightest voxel of the volume."""

    brightest: int | None = None

    def fitting(self, facts):
        return Brightest() if self.brightest is None else None

    def fitted(self, result):
        return Normalize(result)

    def __call__(self, array, block):
        assert self.brightest is not None
        return (self.brightest - array[block.trim]).astype(array.dtype)


def test_a_kernel_is_fitted_by_one_read_and_later_stages_to_what_earlier_ones_make(tmp_path):
    source = ArraySource(VOXELS // 2)
    chain = Normalize() | Largest((1, 1, 1)) | Normalize()
    first = source.array.max()
    second = ndimage.maximum_filter(first - source.array, 3, mode="nearest")
    assert plan(chain, source).fits == 2
    fitted = fit(chain, source, block=(16, 16, 16))
    assert [stage.brightest for stage in fitted.stages if isinstance(stage, Normalize)] == [
        first,
        second.max(),
    ]
    assert plan(fitted, source).fits == 0
    out = run(chain, source, tmp_path / "out.zarr")
    np.testing.assert_array_equal(out[:], second.max() - second)
    assert out.history[-1]["kernel"]["stages"][0]["brightest"] == first
    assert Normalize().fit(source) == Normalize(int(first))


def test_a_run_that_must_be_fitted_is_resumed_by_the_kernel_that_was_not_fitted(tmp_path):
    once = run(Normalize(), ArraySource(VOXELS), tmp_path / "out.zarr")
    again = run(Normalize(), ArraySource(VOXELS), tmp_path / "out.zarr")
    np.testing.assert_array_equal(once[:], again[:])


def test_progress_of_a_measurement_ends_at_the_total():
    events = []
    reduce(ArraySource(VOXELS), [Total()], block=(16,) * 3, progress=events.append, title="count")
    assert (events[-1].done, events[-1].total, events[-1].title) == (36, 36, "count")
    assert [e.done for e in events] == sorted(e.done for e in events)
