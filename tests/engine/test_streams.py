"""One batch: overlap, retries, blocks handed back, nothing held for longer than needed."""

from __future__ import annotations

import errno
import gc
import weakref

import numpy as np
import pytest

from bigrock.engine import streams
from bigrock.engine.streams import BatchLostError, run_batch
from bigrock.errors import ParameterError, SourceError, StorageFullError
from bigrock.geometry import BlockGrid

OVERLAP = pytest.mark.parametrize("overlap", [False, True])


class Scripted:
    """A pass whose steps fail as the script says: {(step, block): [errors, one per try]}."""

    def __init__(self, script=(), blocks=6):
        self.grid = BlockGrid((blocks, 1, 1), (1, 1, 1))
        self.script = {key: list(errors) for key, errors in dict(script).items()}
        self.tries = []

    def _step(self, step, block):
        self.tries.append((step, block.id))
        errors = self.script.get((step, block.id))
        if errors:
            error = errors.pop(0)
            if error is not None:
                raise error

    def read(self, block):
        self._step("read", block)
        return np.full(4, block.id)

    def compute(self, block, array):
        self._step("compute", block)
        return array * 10

    def write(self, block, result, kept):
        self._step("write", block)
        assert (result == block.id * 10).all()
        kept.append(block.id)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(streams, "_RETRY_PAUSE_S", 0.0)


@OVERLAP
def test_every_block_is_read_computed_and_written_once(overlap):
    work = Scripted()
    result = run_batch(work, range(6), overlap=overlap)
    assert result.done == result.kept == list(range(6))
    assert (result.failed, result.out_of_memory, result.voxels) == ([], [], 6)
    assert sorted(work.tries) == sorted((step, i) for step in ("read", "compute", "write") for i in range(6))


@OVERLAP
@pytest.mark.parametrize("step", ["read", "compute", "write"])
def test_a_block_that_fails_twice_is_done_at_the_third_try(step, overlap):
    work = Scripted({(step, 2): [OSError("lost"), ValueError("odd")]})
    result = run_batch(work, range(6), retries=2, overlap=overlap)
    assert sorted(result.done) == sorted(result.kept) == list(range(6))
    assert result.failed == []
    assert work.tries.count((step, 2)) == 3


@OVERLAP
@pytest.mark.parametrize("step", ["read", "compute", "write"])
def test_a_block_that_always_fails_is_set_aside_and_the_rest_is_done(step, overlap):
    work = Scripted({(step, 0): [ValueError("no")] * 9, (step, 3): [ValueError("never")] * 9})
    result = run_batch(work, range(6), retries=2, overlap=overlap)
    assert sorted(result.done) == [1, 2, 4, 5]
    assert sorted((f.block, f.error, f.fatal) for f in result.failed) == [
        (0, "ValueError: no", None),
        (3, "ValueError: never", None),
    ]
    assert "in _step" in result.failed[0].trace
    assert work.tries.count((step, 3)) == 3


@OVERLAP
def test_blocks_out_of_memory_are_handed_back_at_once(overlap):
    work = Scripted({("compute", 1): [MemoryError()] * 9, ("read", 4): [MemoryError()] * 9})
    result = run_batch(work, range(6), overlap=overlap)
    assert sorted(result.done) == [0, 2, 3, 5]
    assert sorted(result.out_of_memory) == [1, 4]
    assert work.tries.count(("compute", 1)) == 1


@OVERLAP
@pytest.mark.parametrize("error", [ParameterError("wrong"), SourceError("not finite")])
def test_what_trying_again_cannot_help_is_tried_once(error, overlap):
    work = Scripted({("compute", 2): [error] * 9})
    result = run_batch(work, range(6), overlap=overlap)
    assert work.tries.count(("compute", 2)) == 1
    assert [f.block for f in result.failed] == [2]


@OVERLAP
def test_a_full_disk_ends_the_batch_at_once(overlap):
    full = OSError(errno.ENOSPC, "No space left on device")
    work = Scripted({("write", 2): [full] * 9}, blocks=50)
    result = run_batch(work, range(50), overlap=overlap)
    assert sorted(result.done) == sorted(result.kept)
    assert {0, 1} <= set(result.done) <= {0, 1, 3, 4}
    [failure] = result.failed
    assert isinstance(failure.fatal, StorageFullError)
    assert "resume" in str(failure.fatal)


@OVERLAP
def test_a_batch_that_is_stopped_leaves_the_blocks_that_it_has_not_begun(overlap):
    work = Scripted()
    result = run_batch(work, range(6), overlap=overlap, stopped=lambda: len(work.tries) >= 5)
    assert 0 < len(result.done) < 6
    assert (result.failed, result.out_of_memory) == ([], [])


@OVERLAP
def test_a_batch_whose_kept_results_cannot_be_trusted_is_given_up_as_a_whole(overlap):
    with pytest.raises(BatchLostError):
        run_batch(Scripted({("write", 3): [BatchLostError("half combined")]}), range(6), overlap=overlap)


class Holding(Scripted):
    """Fails on every block, and knows which arrays are alive."""

    def __init__(self):
        super().__init__(blocks=8)
        self.alive = []

    def read(self, block):
        array = np.zeros(1000)
        self.alive.append(weakref.ref(array))
        return array

    def compute(self, block, array):
        gc.collect()
        held = sum(ref() is not None for ref in self.alive)
        assert held <= 2, f"{held} inputs are held"
        raise KeyError(block.id)


@OVERLAP
def test_failed_blocks_do_not_keep_their_voxels_alive(overlap):
    result = run_batch(Holding(), range(8), retries=1, overlap=overlap)
    assert {f.error.split(":")[0] for f in result.failed} == {"KeyError"}
