"""Processes: the same bytes as threads, also when workers die; what they cannot see is refused."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from passes import scan
from test_resuming import digests
from toy_kernels import Blocks, Median, Slow, Total, TotalOfLargest, noted

import bigrock
from bigrock.engine import reduce, run
from bigrock.errors import ParameterError, RunError
from bigrock.volumes import ArraySource, create_volume, open_volume

VOXELS = scan((60, 64, 70))
# What distributed leaves behind when its workers are killed is not ours to close.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def client():
    with bigrock.cluster(workers=2, threads=1, dashboard_address=":0") as client:
        yield client


@pytest.fixture
def volume(tmp_path):
    run(Median((0, 0, 1)), ArraySource(VOXELS), tmp_path / "in.zarr", shard=(16,) * 3, executor="threads")
    return open_volume(tmp_path / "in.zarr")


def test_processes_write_the_same_bytes_as_threads(client, volume, tmp_path):
    options = {"block": (16, 32, 16), "shard": (16, 16, 16), "pyramid": True}
    run(Median((1, 2, 1)), volume, tmp_path / "threads.zarr", executor="threads", **options)
    out = run(Median((1, 2, 1)), volume, tmp_path / "processes.zarr", executor=client, **options)
    assert digests(tmp_path / "processes.zarr") == digests(tmp_path / "threads.zarr")
    assert out.complete


def test_processes_measure_the_same_numbers_as_threads(client, volume):
    reductions = [Total(), TotalOfLargest((1, 2, 3)), Blocks()]
    # The client is current, so that it need not be named.
    assert reduce(volume, reductions, block=(8,) * 3) == reduce(
        volume, reductions, block=(8,) * 3, executor="serial"
    )


def test_workers_that_are_killed_cost_their_batch_and_change_no_byte(client, volume, tmp_path):
    log = str(tmp_path / "log")
    kernel, options = Slow(log, 0.04), {"block": (16,) * 3, "shard": (16,) * 3}
    pids = list(client.run(os.getpid).values())
    killed = []

    def kill():
        while len(noted(log)) < 15:
            time.sleep(0.01)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
            time.sleep(0.3)

    killer = threading.Thread(target=kill)
    killer.start()
    out = run(kernel, volume, tmp_path / "out.zarr", executor=client, **options)
    killer.join()
    assert len(killed) == 2
    tries = noted(log)
    assert set(tries) == set(range(80))
    # Two batches of five were on each worker at most.
    assert len(tries) <= 80 + 2 * 2 * 5
    np.testing.assert_array_equal(out[:], 255 - volume[:])
    run(kernel, volume, tmp_path / "calm.zarr", executor="threads", **options)
    assert digests(tmp_path / "out.zarr") == digests(tmp_path / "calm.zarr")


def test_a_volume_in_memory_is_refused_because_other_processes_cannot_see_it(client, volume, tmp_path):
    with pytest.raises(ParameterError, match="empty volume"):
        run(Median(), volume, "memory://nobody-sees-this", executor=client, overwrite=True)
    hidden = create_volume("memory://nobody-sees-that", (9, 9, 9), "uint8")
    with pytest.raises(ParameterError, match="empty volume"):
        reduce(hidden, [Total()], executor=client)


def test_a_kernel_that_the_workers_do_not_have_is_refused_at_once(client, volume, tmp_path):
    namespace = {"__name__": "not_there"}
    exec("from toy_kernels import Copied\nclass Missing(Copied):\n    pass", namespace)
    import sys
    import types

    module = types.ModuleType("not_there")
    module.Missing = namespace["Missing"]
    sys.modules["not_there"] = module
    try:
        with pytest.raises(ModuleNotFoundError, match="not_there"):
            run(module.Missing(), volume, tmp_path / "out.zarr", executor=client)
    finally:
        del sys.modules["not_there"]


def test_failing_blocks_on_processes_are_listed_as_on_threads(client, tmp_path):
    from toy_kernels import Sick

    (tmp_path / "sick").write_text("4")
    kernel = Sick(str(tmp_path / "sick"), str(tmp_path / "log"))
    with pytest.raises(
        RunError, match=r"1 of 12 blocks failed after every retry .block 4: ValueError: block 4 is sick"
    ):
        run(kernel, ArraySource(VOXELS), tmp_path / "out.zarr", executor=client, block=(32,) * 3, retries=0)
