"""Local Otsu beside `skimage.filters.rank.otsu`: same image, same process, equal results.

    python benchmarks/compare_local_otsu.py [--quick] [--json FILE]

The figures are ratios of CPU time, each the median of rounds in which both take turns. Both run on
one thread. Compilation is done before. Exits with 1 where a threshold differs. With a stride,
thresholds are exact at every so many voxels only, and the last column is the fraction of voxels that
change sides. The physical limit is a copy of the image: one byte read and one written per voxel.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.filters import rank

from bigrock.kernels.otsu import local_otsu

SQUARES = {7: 6.0, 15: 8.0, 31: 10.0, 63: 12.0}
CUBES = {3: 6.0, 7: 10.0, 15: 20.0}
STRIDES = {(2, 31, 8): 32.0, (2, 63, 16): 32.0, (3, 15, 5): 32.0}


def rock(shape: tuple[int, ...]) -> np.ndarray:
    """Return blobs of pore (grey 90) in a matrix (150), blurred, with noise of 18 grey levels."""
    rng = np.random.default_rng(1)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 4)
    grey = np.where(field > np.quantile(field, 0.75), 90.0, 150.0)
    return np.clip(ndimage.gaussian_filter(grey, 1) + rng.normal(0, 18, shape), 0, 255).astype(np.uint8)


def images(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the images to compare on, by name."""
    blobs = rock(shape)
    sparse = np.where(np.random.default_rng(2).random(shape) < 0.8, 0, blobs).astype(np.uint8)
    return {"blobs": blobs, "constant": np.full(shape, 100, np.uint8), "80 % zeros": sparse}


def compare(
    name: str, image: np.ndarray, radius: int, ndim: int, rounds: int, stride: int = 1
) -> dict[str, object]:
    """Return CPU nanoseconds per voxel of both, their ratio, and how far the thresholds are equal."""
    footprint = np.ones((2 * radius + 1,) * ndim, np.uint8)
    run = {
        "skimage": lambda: rank.otsu(image, footprint),
        "bigrock": lambda: local_otsu(image, radius=radius, ndim=ndim, stride=stride),
    }
    run["bigrock"]()
    spent: dict[str, list[float]] = {key: [] for key in run}
    result = {}
    for _ in range(rounds):
        for key, function in run.items():
            begin = time.process_time()
            result[key] = function()
            spent[key].append((time.process_time() - begin) / image.size * 1e9)
    skimage, bigrock = (statistics.median(spent[key]) for key in run)
    return {
        "image": name,
        "ndim": ndim,
        "radius": radius,
        "skimage_ns": round(skimage, 1),
        "bigrock_ns": round(bigrock, 1),
        "ratio": round(skimage / bigrock, 2),
        "stride": stride,
        "equal": stride > 1 or bool(np.array_equal(result["skimage"], result["bigrock"])),
        "differing": float(((image <= result["skimage"]) != (image <= result["bigrock"])).mean()),
        "of_a_copy": round(copy_ns(image) / bigrock, 4),
    }


def copy_ns(image: np.ndarray) -> float:
    """Return CPU nanoseconds per voxel of a copy of the image."""
    spent, into = [], np.empty_like(image)
    for _ in range(9):
        begin = time.process_time()
        for _ in range(20):
            np.copyto(into, image)
        spent.append((time.process_time() - begin) / 20 / image.size * 1e9)
    return statistics.median(spent)


def show(row: dict[str, object]) -> None:
    """Print a line of the table."""
    window = f"{'square' if row['ndim'] == 2 else 'cube'} {row['radius']}"
    window += f" / {row['stride']}" if row["stride"] != 1 else ""
    told = f"{row['differing']:.2%} differ" if row["stride"] != 1 else row["equal"]
    print(
        f"{row['image']:12} {window:14} {row['skimage_ns']:7.0f} ns {row['bigrock_ns']:7.1f} ns "
        f"{row['ratio']:6.1f}x {row['goal']:4.0f}x {row['of_a_copy']:8.2%}  {told}",
        flush=True,
    )


def main() -> int:
    """Run all comparisons, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller images, fewer rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    side, rounds = (256, 3) if options.quick else (512, 7)
    rows = []
    print(
        f"{'image':12} {'window':14} {'skimage':>10} {'bigrock':>10} {'ratio':>7} {'goal':>5} "
        f"{'of limit':>8}  equal"
    )
    windows = [(2, radius, 1, goal) for radius, goal in SQUARES.items()]
    windows += [(3, radius, 1, goal) for radius, goal in CUBES.items()]
    windows += [(*window, goal) for window, goal in STRIDES.items()]
    for ndim, radius, stride, goal in windows:
        shape = (side, side) if ndim == 2 else (2 * radius + 8, side // 4, side // 4)
        for name, image in images(shape).items():
            if name != "blobs" and stride > 1:
                continue
            row = compare(name, image, radius, ndim, rounds if ndim == 2 else min(rounds, 3), stride)
            rows.append(row | {"goal": goal if name == "blobs" else 1.0})
            show(rows[-1])
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(row["equal"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
