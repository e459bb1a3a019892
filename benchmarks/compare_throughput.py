"""The engine beside a plain loop over zarr blocks, and what a million blocks cost the coordinator.

    python benchmarks/compare_throughput.py [--quick] [--edge 512] [--repeats 5] [--json FILE]

Copy: an identity pass and the import of a raw file, against a pool of as many threads that reads
and writes the same blocks of the same layout through the same codec pipeline. Time: the runs of
all contenders take turns, and medians are compared. Memory: the peak of a process of its own.

Dispatch: `drive` with work that does nothing, over 10^6 blocks: time of the coordinator per block,
and how much its peak memory grows; on threads, and on a cluster of two processes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

THREADS = 2
BLOCK = (128, 128, 128)


@dataclass(frozen=True)
class NoWork:
    """A pass that does nothing, over a grid that is not there."""

    grid: Any

    def read(self, block):
        return None

    def compute(self, block, array):
        return None

    def write(self, block, result, kept):
        return None


def peak_bytes() -> int:
    # Not ru_maxrss: a new process inherits that of its parent.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def make_scan(folder: Path, edge: int) -> None:
    """A grey scan with noise, as a volume and as a raw file."""
    from scipy.ndimage import gaussian_filter

    from bigrock.geometry import BlockGrid
    from bigrock.volumes import create_volume

    grains = gaussian_filter(np.random.default_rng(0).normal(size=BLOCK).astype(np.float32), 3)
    noise = np.random.default_rng(1).normal(0, 300, BLOCK)
    tile = (grains / grains.std() * 4000 + 30000 + noise).clip(0, 65535).astype(np.uint16)
    volume = create_volume(folder / "scan.zarr", (edge,) * 3, "uint16", shard=BLOCK)
    raw = np.memmap(folder / "scan.raw", np.uint16, "w+", shape=(edge,) * 3)
    for block in BlockGrid((edge,) * 3, BLOCK):
        volume.write(block.core, tile[tuple(slice(0, n) for n in block.core.shape)])
        raw[block.core.slices] = tile[tuple(slice(0, n) for n in block.core.shape)]
    raw.flush()


def contender(name: str, folder: Path) -> tuple[float, float]:
    """Run one contender, return its wall and CPU seconds."""
    from bigrock.engine import run
    from bigrock.geometry import BlockGrid
    from bigrock.transfer import import_volume
    from bigrock.transfer.importing import Copy
    from bigrock.volumes import create_volume, open_volume

    scan, out = open_volume(folder / "scan.zarr"), folder / "out.zarr"
    shutil.rmtree(out, ignore_errors=True)
    start, cpu = time.perf_counter(), time.process_time()
    if name == "run":
        run(Copy(), scan, out, block=BLOCK, shard=BLOCK, executor=THREADS, progress=False)
    elif name == "import":
        options = {
            "shape": scan.shape,
            "dtype": "uint16",
            "pyramid": False,
            "block": BLOCK,
            "executor": THREADS,
        }
        import_volume(folder / "scan.raw", out, **options, progress=False)
    else:
        sink = create_volume(out, scan.shape, scan.dtype, shard=BLOCK).array
        raw = np.memmap(folder / "scan.raw", np.uint16, "r", shape=scan.shape)
        source = scan.array if name == "plain zarr copy" else raw
        with ThreadPoolExecutor(THREADS) as pool:

            def copy(block):
                sink[block.core.slices] = np.ascontiguousarray(source[block.core.slices])

            list(pool.map(copy, BlockGrid(scan.shape, BLOCK)))
    return time.perf_counter() - start, time.process_time() - cpu


def compare_copies(edge: int, repeats: int) -> list[dict[str, Any]]:
    pairs = (("run", "plain zarr copy"), ("import", "plain raw to zarr"))
    names = [name for pair in pairs for name in pair]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_scan(folder, edge)
        for name in names:
            contender(name, folder)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        cpu: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(repeats):
            for name in names:
                wall, used = contender(name, folder)
                seconds[name].append(wall)
                cpu[name].append(used)
        peaks = {name: in_own_process("peak", name, str(folder))["peak_bytes"] for name in names}
    rows = []
    for ours, plain in pairs:
        median = {name: statistics.median(seconds[name]) for name in (ours, plain)}
        used = {name: statistics.median(cpu[name]) for name in (ours, plain)}
        rows.append(
            {
                "ours": ours,
                "peer": plain,
                "edge": edge,
                "seconds": round(median[ours], 3),
                "peer_seconds": round(median[plain], 3),
                "time_ratio": round(median[ours] / median[plain], 3),
                "cpu_seconds": round(used[ours], 3),
                "peer_cpu_seconds": round(used[plain], 3),
                "cpu_ratio": round(used[ours] / used[plain], 3),
                "peak_mib": peaks[ours] // 2**20,
                "peer_peak_mib": peaks[plain] // 2**20,
            }
        )
    return rows


def dispatch(kind: str, blocks: int) -> dict[str, Any]:
    """Plan and drive a pass over so many blocks that does nothing."""
    from contextlib import ExitStack

    import bigrock
    from bigrock.engine.driver import drive
    from bigrock.engine.executors import executor_for
    from bigrock.engine.sizing import batch_size
    from bigrock.geometry import BlockGrid, z_order

    edge = round(blocks ** (1 / 3))
    with ExitStack() as stack:
        if kind == "cluster":
            client = stack.enter_context(bigrock.cluster(workers=2, threads=1, dashboard_address=None))
            executor = executor_for(client)
        else:
            executor = executor_for(THREADS)
        before, start = peak_bytes(), time.perf_counter()
        cpu, process_cpu = time.thread_time(), time.process_time()
        grid = BlockGrid((edge * 64,) * 3, (64,) * 3, (4, 4, 4))
        order = z_order(grid.counts)
        planned = time.perf_counter() - start
        done = [0]
        threads = executor.workers * executor.threads_per_worker
        batch = batch_size(len(grid), 64**3, threads)

        def count(result):
            done[0] += len(result.done)

        drive(NoWork(grid), order, executor, batch=batch, retries=0, on_result=count)
        # The loop runs in this thread. The process also holds the threads that run the blocks, or
        # the scheduler and the communication of the cluster.
        wall, cpu = time.perf_counter() - start, time.thread_time() - cpu
        process_cpu = time.process_time() - process_cpu
    assert done[0] == edge**3
    return {
        "executor": kind,
        "blocks": edge**3,
        "tasks": -(-(edge**3) // batch),
        "planning_s": round(planned, 3),
        "wall_us_per_block": round(wall / edge**3 * 1e6, 2),
        "coordinator_cpu_us_per_block": round(cpu / edge**3 * 1e6, 2),
        "process_cpu_us_per_block": round(process_cpu / edge**3 * 1e6, 2),
        "peak_growth_mib": (peak_bytes() - before) // 2**20,
    }


def in_own_process(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--step", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def step(arguments: list[str]) -> dict[str, Any]:
    if arguments[0] == "dispatch":
        return dispatch(arguments[1], int(arguments[2]))
    contender(arguments[1], Path(arguments[2]))
    return {"peak_bytes": peak_bytes()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small: shows that it runs, measures nothing")
    parser.add_argument("--edge", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--blocks", type=int, default=10**6)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(step(options.step)))
        return
    edge, repeats, blocks = (
        (256, 1, 10**4) if options.quick else (options.edge, options.repeats, options.blocks)
    )
    report = {
        "copy": compare_copies(edge, repeats),
        "dispatch": [in_own_process("dispatch", kind, str(blocks)) for kind in ("threads", "cluster")],
    }
    for rows in report.values():
        for row in rows:
            print("  ".join(f"{key}={value}" for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
