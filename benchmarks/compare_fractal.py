"""Box counts and lacunarity beside PoreSpy, scikit-image and scipy: same data, same process, equal results.

    python benchmarks/compare_fractal.py [--quick] [--json FILE]

Figures are CPU time of one thread, medians of rounds in which both take turns; compilation is done
before. "share" is the time of one plain read of the voxels (`numpy.count_nonzero` of their bytes)
over the time of bigrock: how near it comes to the bandwidth of the memory. Exits with 1 where the
results differ.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import porespy
from scipy import ndimage
from skimage.measure import block_reduce

from bigrock.geometry import BlockGrid
from bigrock.kernels import BoxCounting, box_count, differential_box_count, lacunarity

WINDOWS = (2, 4, 8, 16, 32, 64)


def rock(side: int) -> np.ndarray:
    """Return blobs of pore, a fifth of the volume."""
    field = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((side,) * 3), 3)
    return field > np.quantile(field, 0.8)


def grey(mask: np.ndarray) -> np.ndarray:
    """Return a noisy scan of a mask."""
    noise = np.random.default_rng(2).normal(0, 18, mask.shape)
    return np.clip(np.where(mask, 90, 150) + noise, 0, 255).astype(np.uint8)


def by_porespy(mask: np.ndarray, sizes: np.ndarray) -> list[int]:
    return [int(n) for n in porespy.metrics.boxcount(mask, sizes).count]


def by_block_reduce(image: np.ndarray, sizes: tuple[int, ...]) -> list[int]:
    found = []
    for size in sizes:
        height = size * 256 / min(image.shape)
        high, low = (np.ceil(block_reduce(image, (size,) * 3, f) / height) for f in (np.max, np.min))
        found.append(int((high - low + 1).sum()))
    return found


def by_uniform_filter(mask: np.ndarray, sizes: tuple[int, ...]) -> list[float]:
    image, found = mask.astype(np.float32), []
    for size in sizes:
        o = size // 2
        inside = tuple(slice(o, o + n - size + 1) for n in mask.shape)
        mass = ndimage.uniform_filter(image, size, mode="constant")[inside].astype(np.float64)
        found.append(float((mass * mass).mean() / mass.mean() ** 2))
    return found


def spent(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return CPU seconds and the result."""
    begin = time.process_time()
    result = function()
    return time.process_time() - begin, result


def compare(
    name: str,
    image: np.ndarray,
    ours: Callable[[], Any],
    peer: Callable[[], Any] | None,
    goal: float | None,
    rounds: int,
) -> dict[str, Any]:
    """Return milliseconds of both, their ratio, the share of the bandwidth, and whether they agree."""
    ours()
    voxels = image.view(bool) if image.itemsize == 1 else image
    times: dict[str, list[float]] = {"ours": [], "peer": [], "read": []}
    found: dict[str, Any] = {}
    for _ in range(rounds):
        for key, function in (("read", lambda: np.count_nonzero(voxels)), ("ours", ours), ("peer", peer)):
            if function is not None:
                seconds, found[key] = spent(function)
                times[key].append(seconds)
    median = {key: statistics.median(values) for key, values in times.items() if values}
    equal = None
    if peer is not None:
        equal = bool(np.allclose(found["ours"], found["peer"], rtol=1e-3 if "lacunarity" in name else 0))
    return {
        "name": name,
        "edge": image.shape[0],
        "peer_ms": round(median["peer"] * 1e3, 1) if peer else None,
        "bigrock_ms": round(median["ours"] * 1e3, 2),
        "ns_per_voxel": round(median["ours"] / image.size * 1e9, 2),
        "ratio": round(median["peer"] / median["ours"], 1) if peer else None,
        "goal": goal,
        "share": round(median["read"] / median["ours"], 3),
        "equal": equal,
    }


def cases(quick: bool) -> list[tuple[Any, ...]]:
    """Return name, data, our function, the peer, the goal and the rounds of every comparison."""
    side, small = (128, 64) if quick else (256, 128)
    mask, little = rock(side), rock(side)[:small, :small, :small].copy()
    image = grey(mask)
    part = mask if quick else mask[:192, :192, :192].copy()
    ten = np.unique(np.logspace(1, np.log10(side), 10).astype(int))
    dyadic = 2 ** np.arange(1, small.bit_length() - 1)
    columns = tuple(2**k for k in range(1, 7) if side % 2**k == 0)
    block = BlockGrid(mask.shape, mask.shape)[0]
    slow, rounds = (1, 3) if quick else (3, 5)

    def interface(volume: np.ndarray, sizes: np.ndarray) -> Callable[[], list[int]]:
        return lambda: box_count(volume, sizes=sizes.tolist(), kind="interface").counts.tolist()

    return [
        ("box counts, 10 sizes, PoreSpy", mask, interface(mask, ten), lambda: by_porespy(mask, ten), 8, slow),
        (
            "box counts, dyadic, PoreSpy",
            little,
            interface(little, dyadic),
            lambda: by_porespy(little, dyadic),
            100,
            slow,
        ),
        ("box counts, dyadic from 1", mask, lambda: box_count(mask), None, None, rounds),
        (
            "box counts of every slice",
            mask,
            lambda: BoxCounting(axis=0).block(mask, block),
            None,
            None,
            rounds,
        ),
        (
            "differential, block_reduce",
            image,
            lambda: differential_box_count(image, sizes=columns).counts.tolist(),
            lambda: by_block_reduce(image, columns),
            100,
            slow,
        ),
        (
            "lacunarity, 6 sizes, uniform_filter",
            part,
            lambda: lacunarity(part, sizes=WINDOWS).tolist(),
            lambda: by_uniform_filter(part, WINDOWS),
            12,
            slow,
        ),
        ("grey lacunarity, 6 sizes", image, lambda: lacunarity(image, sizes=WINDOWS), None, None, rounds),
    ]


def main() -> int:
    """Run all comparisons, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller volumes, fewer rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    porespy.settings.tqdm["disable"] = True
    rows = []
    print(f"{'':36} edge {'peer':>10} {'bigrock':>10} per voxel {'ratio':>8} {'goal':>5}  share  equal")
    for case in cases(options.quick):
        row = compare(*case)
        rows.append(row)
        peer, ratio, goal, equal = (
            "–" if row[k] is None else f"{row[k]:.0f}{unit}"
            for k, unit in (("peer_ms", " ms"), ("ratio", "x"), ("goal", "x"), ("equal", ""))
        )
        print(
            f"{row['name']:36} {row['edge']:4} {peer:>10} {row['bigrock_ms']:7.2f} ms {row['ns_per_voxel']:6.2f} ns "
            f"{ratio:>8} {goal:>5} {row['share']:6.2f}  {equal if row['equal'] is None else row['equal']}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 1 if any(row["equal"] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
