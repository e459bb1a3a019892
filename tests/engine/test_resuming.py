"""Killed, interrupted and failing runs: the same bytes in the end, and nothing done twice."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from passes import scan, slow_run
from toy_kernels import Copied, Median, Sick, Slow, noted
from watched_stores import FlakyStore, FullStore
from zarr.storage import LocalStore

from bigrock.engine import run, streams
from bigrock.engine.donelog import DoneLog
from bigrock.errors import (
    IncompleteVolumeError,
    NonFiniteError,
    ResumeError,
    RunError,
    StorageFullError,
    VolumeExistsError,
)
from bigrock.volumes import ArraySource, create_volume, open_volume
from bigrock.volumes.stores import open_store

HERE = Path(__file__).parent
VOXELS = scan((60, 64, 70))
BLOCKS = 4 * 4 * 5


def digests(folder):
    """Every stored shard of every level, byte for byte."""
    files = (f for f in Path(folder).rglob("*") if f.is_file() and "c" in f.relative_to(folder).parts)
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def start(name, **options):
    return subprocess.Popen([sys.executable, str(HERE / "passes.py"), name, json.dumps(options)])


def wait_for(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < end, "the run did not get on"
        time.sleep(0.01)


def done_in(place):
    entries = sorted((Path(place) / "bigrock-run" / "done").glob("*[0-9]"))
    return [int(i) for entry in entries for i in np.frombuffer(entry.read_bytes(), "<u8")]


@pytest.mark.parametrize("pyramid", [False, True])
def test_a_run_that_is_killed_goes_on_to_the_same_bytes_and_repeats_no_finished_block(tmp_path, pyramid):
    log, dest = str(tmp_path / "log"), tmp_path / "out.zarr"
    process = start("slow_run", dest=str(dest), log=log, seconds=0.03, pyramid=pyramid)
    wait_for(lambda: len(done_in(dest)) >= 12, process)
    process.kill()
    process.wait()
    finished = set(done_in(dest))
    assert 12 <= len(finished) < BLOCKS
    with pytest.raises(IncompleteVolumeError):
        open_volume(dest)
    Path(log).unlink()
    # The settings of the log file and the waiting are part of the kernel's fingerprint.
    slow_run(str(dest), log, 0.03, pyramid=pyramid)
    assert sorted(noted(log)) == sorted(set(range(BLOCKS)) - finished)
    slow_run(str(tmp_path / "whole.zarr"), log, 0.03, pyramid=pyramid)
    assert digests(dest) == digests(tmp_path / "whole.zarr")
    np.testing.assert_array_equal(open_volume(dest)[:], 255 - VOXELS)
    assert done_in(dest) == []


def test_a_run_that_is_killed_at_any_moment_goes_on_to_the_same_voxels(tmp_path):
    log, dest = str(tmp_path / "log"), tmp_path / "out.zarr"
    for pause in (0.0, 0.05, 0.2):
        process = start("slow_run", dest=str(dest), log=log, seconds=0.004)
        wait_for(dest.exists, process)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
    slow_run(str(dest), log, 0.004)
    np.testing.assert_array_equal(open_volume(dest)[:], 255 - VOXELS)


def test_what_a_torn_write_leaves_behind_is_no_obstacle(tmp_path):
    dest = tmp_path / "out.zarr"
    dest.mkdir()
    (dest / "zarr.0123abcd.partial").write_bytes(b'{"zarr_for')
    run(Copied(), ArraySource(VOXELS), dest)
    np.testing.assert_array_equal(open_volume(dest)[:], VOXELS)
    log = DoneLog(open_store(dest))
    log.add([1, 2])
    (dest / "bigrock-run" / "done" / "00000001.0123abcd.partial").write_bytes(b"\x03")
    assert np.flatnonzero(DoneLog(open_store(dest)).done(8)).tolist() == [1, 2]


def test_a_run_that_was_killed_before_it_logged_its_settings_is_begun_anew(tmp_path):
    create_volume(tmp_path / "out.zarr", (9, 9, 9), "uint8", complete=False)
    (tmp_path / "out.zarr" / "0" / "zarr.json").unlink()
    run(Copied(), ArraySource(VOXELS), tmp_path / "out.zarr")
    np.testing.assert_array_equal(open_volume(tmp_path / "out.zarr")[:], VOXELS)


def test_a_finished_run_is_returned_as_it_is(tmp_path):
    log = str(tmp_path / "log")
    for _ in range(2):
        out = run(Slow(log), ArraySource(VOXELS), tmp_path / "out.zarr", block=(32,) * 3)
    assert len(noted(log)) == 12
    np.testing.assert_array_equal(out[:], 255 - VOXELS)


@pytest.fixture
def begun(tmp_path):
    """A run of `Median` that has one block left, and what to change."""
    (tmp_path / "sick").write_text("5")
    kernel = Sick(str(tmp_path / "sick"), str(tmp_path / "log"))
    options = {"kernel": Median() | kernel, "volume": ArraySource(VOXELS), "dest": tmp_path / "out.zarr"}
    options |= {"block": (32,) * 3, "shard": (32,) * 3, "retries": 0}
    with pytest.raises(RunError):
        run(**options)
    return options, kernel


class Newer(Median):
    version = 2


Newer.__name__ = "Median"

OTHER = {
    "kernel.stages[0].radius": lambda sick: {"kernel": Median((2, 2, 2)) | sick},
    "kernel.stages[0].version": lambda sick: {"kernel": Newer() | sick},
    "kernel.name": lambda sick: {"kernel": Median()},
    "block": lambda sick: {"block": (64, 64, 64)},
    "layout.shard": lambda sick: {"shard": (16, 16, 16)},
    "input.sha256": lambda sick: {"volume": ArraySource(VOXELS ^ 1)},
    "shape": lambda sick: {"volume": ArraySource(VOXELS[:50])},
    "voxel_size": lambda sick: {"volume": ArraySource(VOXELS, (1e-6,) * 3)},
    "pyramid": lambda sick: {"pyramid": True},
}


@pytest.mark.parametrize("field", OTHER)
def test_a_run_with_other_settings_is_refused_with_the_field_before_any_block(begun, field):
    options, sick = begun
    tries = noted(sick.log)
    with pytest.raises(ResumeError) as refused:
        run(**(options | OTHER[field](sick)))
    assert f"{field}: " in str(refused.value)
    assert " then, " in str(refused.value)
    assert noted(sick.log) == tries


def test_a_finished_volume_of_other_settings_is_kept(tmp_path):
    run(Median(), ArraySource(VOXELS), tmp_path / "out.zarr")
    with pytest.raises(VolumeExistsError, match=r"kernel.radius: \[1, 1, 1\] then, \[0, 0, 2\] now"):
        run(Median((0, 0, 2)), ArraySource(VOXELS), tmp_path / "out.zarr")


def test_resume_can_be_switched_off(begun):
    options, _ = begun
    with pytest.raises(VolumeExistsError):
        run(**options, resume=False)


def test_failing_blocks_are_retried_set_aside_and_the_only_ones_to_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "_RETRY_PAUSE_S", 0.0)
    sick, log = tmp_path / "sick", tmp_path / "log"
    sick.write_text("3 7 8 9 10 11")
    options = {"block": (32,) * 3, "shard": (32,) * 3, "executor": 2}
    with pytest.raises(RunError) as failed:
        run(Sick(str(sick), str(log)), ArraySource(VOXELS), tmp_path / "out.zarr", **options)
    text = str(failed.value)
    assert text.startswith("6 of 12 blocks failed after every retry (block ")
    assert "ValueError: block 3 is sick" in text or "and 1 more" in text
    assert "run the same command again, only the failed blocks are run" in text
    tries = noted(log)
    assert all(tries.count(i) == (3 if i in (3, 7, 8, 9, 10, 11) else 1) for i in range(12))
    sick.write_text("")
    log.unlink()
    out = run(Sick(str(sick), str(log)), ArraySource(VOXELS), tmp_path / "out.zarr", **options)
    assert sorted(noted(log)) == [3, 7, 8, 9, 10, 11]
    np.testing.assert_array_equal(out[:], VOXELS)


def test_a_store_that_fails_once_for_every_shard_is_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "_RETRY_PAUSE_S", 0.0)
    source, sink = FlakyStore(LocalStore(tmp_path / "in.zarr")), FlakyStore(LocalStore(tmp_path / "out.zarr"))
    run(Copied(), ArraySource(VOXELS), tmp_path / "in.zarr", shard=(32,) * 3)
    out = run(Median(), open_volume(source), sink, shard=(32,) * 3, retries=9)
    assert len(source.failed) == len(sink.failed) == 12 or len(sink.failed) == 24
    once = run(Median(), ArraySource(VOXELS), tmp_path / "once.zarr")
    sink.failed = source.failed = type("All", (), {"__contains__": lambda self, item: True})()
    np.testing.assert_array_equal(out[:], once[:])


def test_a_full_disk_stops_the_run_at_once_and_it_goes_on_when_there_is_space(tmp_path):
    full = FullStore(LocalStore(tmp_path / "out.zarr"), room=5)
    options = {"block": (16,) * 3, "shard": (16,) * 3, "executor": 2}
    with pytest.raises(StorageFullError, match="run the same command again to resume"):
        run(Copied(), ArraySource(VOXELS), full, **options)
    assert full.asked.total() < 30 < BLOCKS
    assert 0 < len(done_in(tmp_path / "out.zarr")) <= 5
    full.room = 10**6
    out = run(Copied(), ArraySource(VOXELS), full, **options)
    np.testing.assert_array_equal(out[:], VOXELS)


def test_what_the_input_makes_impossible_stops_the_run_at_once(tmp_path):
    (tmp_path / "sick").write_text("2")
    kernel = Sick(str(tmp_path / "sick"), str(tmp_path / "log"), NonFiniteError)
    with pytest.raises(NonFiniteError, match="block 2 is sick"):
        run(
            kernel,
            ArraySource(VOXELS),
            tmp_path / "out.zarr",
            block=(16,) * 3,
            shard=(16,) * 3,
            executor="serial",
        )
    assert len(noted(tmp_path / "log")) < BLOCKS


class Interrupt:
    """Sends Ctrl-C to this process when so many blocks are done."""

    def __init__(self, at):
        self.at, self.events = at, []

    def __call__(self, event):
        self.events.append(event)
        if event.done >= self.at:
            self.at = 10**9
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def interruptible():
    """Ctrl-C as in a terminal: a shell that starts tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("executor", ["serial", 2])
def test_ctrl_c_leaves_no_threads_and_a_run_that_goes_on(tmp_path, executor):
    log = str(tmp_path / "log")
    options = {"block": (16,) * 3, "shard": (16,) * 3, "executor": executor}
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run(Slow(log, 0.002), ArraySource(VOXELS), tmp_path / "out.zarr", progress=Interrupt(20), **options)
    assert not [t.name for t in threading.enumerate() if t.name.startswith("bigrock")]
    assert threading.active_count() <= before + 2
    finished = set(done_in(tmp_path / "out.zarr"))
    assert 20 <= len(finished) < BLOCKS
    Path(log).unlink()
    out = run(Slow(log, 0.002), ArraySource(VOXELS), tmp_path / "out.zarr", **options)
    assert sorted(noted(log)) == sorted(set(range(BLOCKS)) - finished)
    np.testing.assert_array_equal(out[:], 255 - VOXELS)


def test_progress_is_monotone_and_ends_at_the_total(tmp_path):
    events = []
    run(
        Copied(),
        ArraySource(VOXELS),
        tmp_path / "out.zarr",
        block=(16,) * 3,
        shard=(16,) * 3,
        progress=events.append,
    )
    assert {(e.title, e.total, e.failed) for e in events} == {("run", BLOCKS, 0)}
    for earlier, later in pairwise(events):
        assert earlier.done < later.done
        assert earlier.voxels < later.voxels
        assert earlier.seconds <= later.seconds
    assert (events[0].done, events[-1].done, events[-1].voxels) == (0, BLOCKS, VOXELS.size)
