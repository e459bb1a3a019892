"""Passes that run in processes of their own, so that they can be killed or their memory measured.

python passes.py NAME '{"keyword": "value"}'
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from toy_kernels import AsFloat, Copied, Scratch, Slow

from bigrock.engine import run
from bigrock.volumes import ArraySource, open_volume


def scan(shape):
    return np.random.default_rng(9).integers(0, 255, shape).astype(np.uint8)


def slow_run(dest, log, seconds, executor=2, pyramid=False, shape=(60, 64, 70)):
    kernel = Slow(log, seconds)
    run(
        kernel,
        ArraySource(scan(shape)),
        dest,
        block=(16,) * 3,
        shard=(16,) * 3,
        executor=executor,
        pyramid=pyramid,
    )


def slow_import(source, dest, log, seconds):
    from bigrock.transfer import import_volume
    from bigrock.volumes.formats import open_source

    import_volume(SlowSource(open_source(source), log, seconds), dest, block=(16,) * 3)


class SlowSource:
    """A scan on a slow disk."""

    def __init__(self, scan, log, seconds):
        self.scan, self.log, self.seconds = scan, log, seconds

    def __getattr__(self, name):
        return getattr(self.scan, name)

    def read(self, region):
        import os
        import time

        time.sleep(self.seconds)
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, ("/".join(map(str, region.start)) + "\n").encode())
        os.close(descriptor)
        return self.scan.read(region)


def peak_bytes():
    """The most that was ever resident, by the kernel's own account."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def kernel_of(name):
    if name in ("otsu 2-D", "otsu 3-D"):
        from bigrock.kernels import LocalOtsu

        return LocalOtsu(radius=7) if name == "otsu 2-D" else LocalOtsu(radius=3, ndim=3)
    return {"copy": Copied(), "float": AsFloat(), "scratch": Scratch(8)}[name]


def measured_run(source, dest, kernel, block, executor=2, pyramid=False):
    """Print planned and reached peak of a run."""
    from bigrock.engine import plan

    volume, chosen = open_volume(source), kernel_of(kernel)
    planned = plan(chosen, volume, block=tuple(block), executor=executor).ram_bytes
    before = peak_bytes()
    run(chosen, volume, dest, block=tuple(block), executor=executor, pyramid=pyramid)
    print(json.dumps({"planned": planned, "peak": peak_bytes(), "before": before}))


def measured_reduce(source, block, executor=2):
    from toy_kernels import Blocks, Total

    from bigrock.engine import reduce

    before = peak_bytes()
    reduce(open_volume(source), [Total(), Blocks()], block=tuple(block), executor=executor)
    print(json.dumps({"peak": peak_bytes(), "before": before}))


def measured_measure(source, what, threshold, block, executor=2):
    """Print planned and reached peak of the one read for several measures."""
    import bigrock
    from bigrock.engine.executors import executor_for
    from bigrock.engine.planning import plan_reduce
    from bigrock.kernels import Threshold
    from bigrock.measures.job import Job
    from bigrock.measures.measuring import _facts_seen
    from bigrock.measures.phase import find_phase
    from bigrock.measures.registry import chosen

    volume, through = open_volume(source), Threshold(threshold)
    facts = _facts_seen(volume, through)
    passes = Job(chosen(what), {None: find_phase(facts)}, facts).passes
    options = {"through": through, "block": tuple(block)}
    planned = plan_reduce(passes, volume, executor_for(executor), **options).ram_bytes
    before = peak_bytes()
    bigrock.measure(volume, what, executor=executor, progress=False, **options)
    print(json.dumps({"planned": planned, "peak": peak_bytes(), "before": before}))


if __name__ == "__main__":
    globals()[sys.argv[1]](**json.loads(sys.argv[2]))
