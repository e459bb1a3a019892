"""Connected components beside cc3d and dask-image: same mask, equal results, one run.

    python benchmarks/compare_components.py [--quick] [--edge 512] [--rounds 5] [--json FILE]

In memory: statistics of all components (ours with moments and exposed faces) beside
`cc3d.statistics(cc3d.connected_components(mask))`, and labels beside `cc3d.connected_components`;
CPU time, medians of rounds in which both take turns, after compiling.

Out of core: every contender in a process of its own, on a stored mask, one thread; CPU time
(without imports and compiling), and the peak of memory above what the process had before. cc3d
reads the whole mask; ours reads it block by block. dask-image labels a smaller volume, because its
graph grows with the square of the blocks.

Tasks: how many are scheduled for 8, 64, 512 and 4096 blocks, and how many dask-image makes.

The physical limit is the read alone: of memory, or of the stored chunks. Exits with 1 where results
differ.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from components_alone import BLOCK, blocks_of, step

GOALS = {
    "statistics": 4.0,
    "labels": 1.0,
    "read + statistics": 2.0,
    "labels written": 1.0,
    "dask-image": 25.0,
}


def blobs(edge: int, seed: int = 1) -> np.ndarray:
    """Return a mask of connected pores, 22 % of the volume."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.random.default_rng(seed).standard_normal((edge,) * 3, dtype=np.float32), 3.2)
    return field < np.quantile(field[::4, ::4, ::4], 0.22)


def rocks(edge: int) -> dict[str, np.ndarray]:
    """Return the masks to compare on; Berea where the data is."""
    found = {"blobs": blobs(edge)}
    berea = Path(__file__).parents[2] / "shared" / "data" / "berea_400" / "berea_400_seg.tif"
    if berea.exists() and edge > 128:
        import tifffile

        found["Berea 400³"] = tifffile.imread(berea) == 0
    found["noise 0.3116"] = np.random.default_rng(0).random((edge // 2,) * 3) < 0.3116
    return found


def turns(contenders: dict[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the median CPU seconds of each, and what each returned."""
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    result = {name: function() for name, function in contenders.items()}
    for _ in range(rounds):
        for name, function in contenders.items():
            begin = time.process_time()
            function()
            spent[name].append(time.process_time() - begin)
    return {name: statistics.median(seconds) for name, seconds in spent.items()}, result


def in_memory(name: str, mask: np.ndarray, connectivity: int, rounds: int) -> list[dict[str, Any]]:
    import cc3d

    from bigrock.kernels import find_components, label

    def of_cc3d() -> Any:
        return cc3d.connected_components(mask, connectivity=connectivity, out_dtype=np.uint32)

    seconds, result = turns(
        {
            "cc3d": of_cc3d,
            "cc3d + statistics": lambda: cc3d.statistics(of_cc3d()),
            "label": lambda: label(mask, connectivity=connectivity),
            "find_components": lambda: find_components(mask, connectivity=connectivity),
            "read": lambda: np.count_nonzero(mask),
        },
        rounds,
    )
    counts = result["cc3d + statistics"]["voxel_counts"][1:]
    equal = {
        "statistics": np.array_equal(result["find_components"].voxels, counts),
        "labels": np.array_equal(result["label"][0], result["cc3d"]),
    }
    pairs = {"statistics": ("cc3d + statistics", "find_components"), "labels": ("cc3d", "label")}
    return [
        row(what, f"{name}, {connectivity}", seconds[peer], seconds[ours], seconds["read"], equal[what])
        for what, (peer, ours) in pairs.items()
    ]


def row(what: str, case: str, peer: float, ours: float, read: float, equal: bool) -> dict[str, Any]:
    return {
        "what": what,
        "case": case,
        "peer_s": round(peer, 4),
        "ours_s": round(ours, 4),
        "ratio": round(peer / ours, 2),
        "goal": GOALS[what],
        "share_of_read": round(read / ours, 3),
        "equal": bool(equal),
    }


def in_own_process(contender: str, folder: Path, connectivity: int, rounds: int) -> dict[str, Any]:
    """Return the run of a contender with the median CPU time; with no rounds, one in this process."""
    if rounds == 0:
        return step(contender, folder, connectivity)
    program = Path(__file__).with_name("components_alone.py")
    command = [sys.executable, str(program), contender, str(folder), str(connectivity)]
    runs = []
    for _ in range(rounds):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return dict(sorted(runs, key=lambda run: run["cpu_s"])[len(runs) // 2])


def make_mask(folder: Path, edge: int) -> None:
    """Store a mask of blobs: tiles of 256³, mirrored, so that pores go on across them."""
    from bigrock.volumes import create_volume

    tile = blobs(min(edge, 256))
    volume = create_volume(folder / "mask.zarr", (edge,) * 3, "bool", shard=BLOCK)
    n = tile.shape[0]
    for block in blocks_of(volume.shape):
        index = [np.arange(a, b) for a, b in zip(block.core.start, block.core.stop, strict=True)]
        mirrored = [np.where(i // n % 2, n - 1 - i % n, i % n) for i in index]
        volume.write(block.core, tile[np.ix_(*mirrored)])


def out_of_core(folder: Path, edge: int, connectivity: int, rounds: int) -> list[dict[str, Any]]:
    names = ("read", "statistics", "cc3d statistics", "labels", "cc3d labels")
    took = {name: in_own_process(name, folder, connectivity, rounds) for name in names}
    rows = []
    for what, ours, peer in (
        ("read + statistics", "statistics", "cc3d statistics"),
        ("labels written", "labels", "cc3d labels"),
    ):
        mine, other = took[ours], took[peer]
        equal = mine["sizes"] == other["sizes"]
        if ours == "labels":
            equal = same_labels(folder / "labels.zarr", folder / "cc3d labels.zarr")
        made = row(
            what, f"{edge}³, {connectivity}", other["cpu_s"], mine["cpu_s"], took["read"]["cpu_s"], equal
        )
        rows.append(made | memory(mine, other))
    return rows


def memory(mine: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        "ours_mib": mine["peak_bytes"] >> 20,
        "peer_mib": other["peak_bytes"] >> 20,
        "ours_above_mib": mine["above_bytes"] >> 20,
        "peer_above_mib": other["above_bytes"] >> 20,
    }


def same_labels(a: Path, b: Path) -> bool:
    import bigrock

    one, other = bigrock.open_volume(a), bigrock.open_volume(b)
    return all(np.array_equal(one.read(k.core), other.read(k.core)) for k in blocks_of(one.shape))


def beside_dask_image(folder: Path, edge: int, connectivity: int) -> dict[str, Any]:
    import zarr

    took = {n: in_own_process(n, folder, connectivity, 1) for n in ("read", "labels", "dask-image")}
    import bigrock

    theirs = zarr.open_array(str(folder / "dask-image.zarr"), mode="r")[:]
    equal = same_partition(bigrock.open_volume(folder / "labels.zarr")[:], theirs)
    mine, other = took["labels"], took["dask-image"]
    made = row(
        "dask-image", f"{edge}³, {connectivity}", other["cpu_s"], mine["cpu_s"], took["read"]["cpu_s"], equal
    )
    return made | memory(mine, other)


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = np.unique(np.stack([a.ravel(), b.ravel().astype(a.dtype)]), axis=1)
    return bool(len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1])


def tasks(counts: tuple[int, ...], of_dask_image: tuple[int, ...]) -> list[dict[str, Any]]:
    """Count what is scheduled for so many blocks, and the CPU time of all of it per block."""
    import bigrock
    from bigrock.engine import executors
    from bigrock.kernels import Components

    made = []
    for side in counts:
        mask = np.random.default_rng(0).random((16 * side,) * 3) < 0.2
        source, submit = bigrock.ArraySource(mask), executors._Serial.submit
        begin = time.process_time()
        with mock.patch.object(executors._Serial, "submit", autospec=True, side_effect=submit) as spy:
            bigrock.reduce(source, [Components()], block=(16,) * 3, executor="serial", progress=False)
        spent = time.process_time() - begin
        submitted = [len(call.args[1]) for call in spy.call_args_list]
        graph = _graph_size(mask) if side in of_dask_image else None
        made.append(
            {
                "what": "tasks",
                "blocks": side**3,
                "tasks": len(submitted),
                "tasks_per_block": round(len(submitted) / side**3, 4),
                "cpu_us_per_block": round(spent / side**3 * 1e6),
                "dask_image_tasks_per_block": graph and round(graph / side**3, 1),
                "equal": sum(submitted) == side**3,
            }
        )
    return made


def _graph_size(mask: np.ndarray) -> int:
    import dask.array as da
    from dask_image.ndmeasure import label

    labels, _ = label(da.from_array(mask, chunks=16), np.ones((3, 3, 3)))
    return len(dict(labels.__dask_graph__()))


def show(made: dict[str, Any]) -> None:
    told = (
        f"{made['what']:18} {made['case']:18} {made['peer_s']:9.3f} s {made['ours_s']:9.3f} s "
        f"{made['ratio']:6.1f}x {made['goal']:5.0f}x {100 * made['share_of_read']:6.1f} %  {made['equal']}"
    )
    if "ours_mib" in made:
        told += f"  {made['ours_mib']} of {made['peer_mib']} MiB"
        told += f", above the start {made['ours_above_mib']} of {made['peer_above_mib']}"
    print(told, flush=True)


def main() -> int:
    """Run all comparisons, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small: shows that it runs, measures nothing")
    parser.add_argument("--edge", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    edge, rounds = (128, 1) if options.quick else (options.edge, options.rounds)
    print(f"{'':18} {'case':18} {'peer':>11} {'bigrock':>11} {'ratio':>7} {'goal':>6} {'of read':>8}  equal")
    rows: list[dict[str, Any]] = []
    connectivities = (26,) if options.quick else (6, 26)
    for name, mask in rocks(64 if options.quick else 256).items():
        for connectivity in connectivities:
            rows += in_memory(name, mask, connectivity, rounds)
    for made in rows:
        show(made)
    stored = [(edge, False)] if options.quick else [(256, True), (edge, False)]
    for size, with_dask_image in stored:
        with tempfile.TemporaryDirectory() as temporary:
            make_mask(Path(temporary), size)
            for connectivity in connectivities:
                more = out_of_core(
                    Path(temporary), size, connectivity, 0 if options.quick else min(rounds, 3)
                )
                if with_dask_image:
                    more.append(beside_dask_image(Path(temporary), size, connectivity))
                rows += more
                for made in more:
                    show(made)
    for made in tasks((2, 4) if options.quick else (2, 4, 8, 16), (2,) if options.quick else (2, 4)):
        rows.append(made)
        print("  ".join(f"{key}={value}" for key, value in made.items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(made["equal"] for made in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
