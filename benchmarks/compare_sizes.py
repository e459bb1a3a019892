"""Distances, local thickness and pores beside edt and PoreSpy: same masks, same process, equal results.

    python benchmarks/compare_sizes.py [--quick] [--json FILE]

The figures are ratios of CPU time, medians of rounds in which both take turns (one round of what
takes many seconds), on one thread, compiled before. "Out of core" is a block of a larger volume as
the engine runs it: a core with its halo, read from a stored volume; the read counts for bigrock and
not for the peer, which is given the core in memory. "Of limit" is the time of copying the mask over
that of the kernel. Peak memory is what a process of its own took beyond its input. Exits with 1
where a result that should be equal differs: distances and thickness with the peers, pores between
blocks and the whole.
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

import edt
import numpy as np
import porespy
from scipy import ndimage

import bigrock
from bigrock.geometry import Block, Region
from bigrock.kernels import Distance, PoreRegions, distance, local_thickness, pores
from bigrock.volumes import ArraySource

porespy.settings.tqdm["disable"] = True


def rock(side: int, sigma: float = 4, phi: float = 0.25) -> np.ndarray:
    """Return blobs of pore, a few voxels wide."""
    field = ndimage.gaussian_filter(
        np.random.default_rng(1).standard_normal((side,) * 3, np.float32), sigma, mode="wrap"
    )
    return np.asarray(field > np.quantile(field[::2, ::2, ::2], 1 - phi))


def turns(run: dict[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Return median CPU seconds of each, taking turns, and their last results."""
    spent: dict[str, list[float]] = {name: [] for name in run}
    result = {}
    for _ in range(rounds):
        for name, function in run.items():
            begin = time.process_time()
            result[name] = function()
            spent[name].append(time.process_time() - begin)
    return {name: statistics.median(times) for name, times in spent.items()}, result


def row(what: str, peer: str, run: dict[str, Callable[[], Any]], goal: float, rounds: int, size: int) -> dict:
    """Return one line: nanoseconds per voxel of both, and how many times faster bigrock is."""
    took, result = turns(run, rounds)
    theirs, ours = took["peer"], took["bigrock"]
    line = {"what": what, "peer": peer, "peer_ns": theirs / size * 1e9, "bigrock_ns": ours / size * 1e9}
    line |= {"ratio": theirs / ours, "goal": goal, "of_limit": copy_s(size) / ours}
    return line | {"result": result}


def copy_s(size: int) -> float:
    """Return CPU seconds of copying so many bytes."""
    data = np.ones(size, np.uint8)
    into = data.copy()
    took, _ = turns({"copy": lambda: np.copyto(into, data)}, 5)
    return took["copy"]


def distances(side: int, rounds: int) -> list[dict]:
    """Compare the distance of an array, and of a block with halo from a stored volume, with edt of the core."""
    margin = 32
    mask = rock(side + 2 * margin)
    core = np.ascontiguousarray(mask[margin:-margin, margin:-margin, margin:-margin])
    lines = []
    run = {"peer": lambda: edt.edt(core, parallel=1), "bigrock": lambda: distance(core)}
    lines.append(row("distance, in memory", "edt", run, 1.0, rounds, core.size))
    found = lines[-1].pop("result")
    lines[-1]["equal"] = bool(np.allclose(found["peer"], found["bigrock"], rtol=3e-7))
    with tempfile.TemporaryDirectory() as folder:
        volume = bigrock.import_volume(ArraySource(mask), f"{folder}/mask.zarr", progress=False)
        kernel = Distance(margin=margin).given(volume)
        start, stop = (margin,) * 3, (side + margin,) * 3
        block = Block(0, Region(start, stop), Region.whole(volume.shape), (10**6,) * 3)
        run = {
            "peer": lambda: edt.edt(core, parallel=1),
            "bigrock": lambda: kernel(volume.read(block.read), block),
        }
        lines.append(
            row("distance, a block out of core, with its read", "edt", run, 1 / 1.5, rounds, core.size)
        )
        found = lines[-1].pop("result")
    whole = edt.edt(mask, parallel=1)[block.core.slices]
    lines[-1]["equal"] = bool(np.allclose(whole, found["bigrock"], rtol=3e-7))
    return lines


def thickness(side: int, rounds: int) -> list[dict]:
    """Compare local thickness with two methods of PoreSpy, on narrow and wide pores."""
    lines = []
    for sigma in (2.0, 4.0, 7.0):
        mask = rock(side, sigma)
        for method, goal in (("dt", 10.0), ("bf", 10.0)):
            run = {
                "peer": lambda m=mask, k=method: porespy.filters.local_thickness(m, method=k),
                "bigrock": lambda m=mask: local_thickness(m)[0],
            }
            most = local_thickness(mask)[0].max()
            what = f"local thickness, radii to {most}"
            lines.append(row(what, f"PoreSpy {method}", run, goal, rounds, mask.size))
            found = lines[-1].pop("result")
            lines[-1]["equal"] = bool(np.array_equal(found["peer"], found["bigrock"]))
    return lines


def pore_spaces(side: int) -> list[dict]:
    """Compare pores with SNOW: time, peak memory, number of regions; and blocks with the whole."""
    mask = rock(side)
    run = {"peer": lambda: porespy.filters.snow_partitioning(mask), "bigrock": lambda: pores(mask)}
    line = row("pores", "PoreSpy SNOW", run, 10.0, 1, mask.size)
    found = line.pop("result")
    labels, network = found["bigrock"]
    line["regions"] = [int(found["peer"].regions.max()), len(network.pores)]
    line["peak_bytes_per_voxel"] = [peak(name, side) for name in ("snow", "pores")]
    with tempfile.TemporaryDirectory() as folder:
        stored = bigrock.pores(
            mask, f"{folder}/pores.zarr", block=(64, 64, 64), shard=(64, 64, 64), progress=False
        )
        line["equal"] = bool(np.array_equal(stored[:], labels))
    regions = PoreRegions(float(distance(mask).max()))
    block = Block(0, Region.whole(mask.shape), Region.whole(mask.shape), mask.shape)
    both = row(
        "pores without labels",
        "PoreSpy SNOW",
        {"peer": lambda: None, "bigrock": lambda: regions.block(mask, block)},
        10.0,
        3,
        mask.size,
    )
    both.pop("result")
    both |= {
        "peer_ns": line["peer_ns"],
        "ratio": line["peer_ns"] / both["bigrock_ns"],
        "equal": line["equal"],
    }
    return [line, both]


def peak(name: str, side: int) -> float:
    """Return the bytes per voxel that a process takes at most beyond its input and libraries."""
    run = {"snow": "porespy.filters.snow_partitioning(mask)", "pores": "pores(mask)"}[name]
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from compare_sizes import porespy, pores, rock
small = rock(48); mask = small; {run}
mask = rock({side})
status = lambda key: next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith(key)) * 1024
open('/proc/self/clear_refs', 'w').write('5')
before = status('VmRSS'); {run}
print((status('VmHWM') - before) / mask.size)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return round(float(found.stdout.split()[-1]), 1)


def show(line: dict) -> None:
    """Print a line of the table."""
    print(
        f"{line['what']:46} {line['peer']:13} {line['peer_ns']:8.0f} ns {line['bigrock_ns']:7.1f} ns "
        f"{line['ratio']:6.2f}x {line['goal']:5.2f}x {line['of_limit']:8.2%}  {line['equal']}",
        flush=True,
    )
    if "regions" in line:
        print(
            f"  regions {line['regions']}, peak bytes per voxel {line['peak_bytes_per_voxel']} (SNOW, bigrock)"
        )


def main() -> int:
    """Run all comparisons, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller masks, fewer rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    side, rounds = (64, 1) if options.quick else (256, 5)
    warm = rock(40)
    local_thickness(warm), pores(warm), distance(warm), porespy.filters.local_thickness(warm)
    print(f"{'':46} {'peer':13} {'peer':>11} {'bigrock':>10} {'ratio':>7} {'goal':>6} {'of limit':>8}  equal")
    lines = []
    for part in (
        lambda: distances(side, rounds),
        lambda: thickness(min(side, 160), min(rounds, 3)),
        lambda: pore_spaces(min(side, 200)),
    ):
        for line in part():
            lines.append(line)
            show(line)
    if options.json:
        options.json.write_text(json.dumps(lines, indent=1))
    return 0 if all(line["equal"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
