"""Euler number and surface, two-point correlation, chords and REV beside their peers: same mask, same process.

    python benchmarks/compare_topology.py [--quick] [--json FILE]

The figures are ratios of CPU time, each the median of rounds in which both take turns, one thread
each. Compilation is done before. `limit` is the share of the physical limit that is reached: the
time to read the mask once from memory (numpy's bitwise or over it) over the time taken.
Exits with 1 where numbers differ.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import porespy
from scipy import ndimage
from skimage.measure import euler_number as skimage_euler_number

from bigrock.kernels import (
    box_grid,
    chord_lengths,
    configuration_counts,
    euler_number,
    surface_area,
    two_point_correlation,
)
from bigrock.kernels.minkowski import area_of, euler_of

Function = Callable[[], object]
Comparison = tuple[str, Function, Function, Callable[[object, object], bool], float | None]

porespy.settings.ncores = 1


def blobs(side: int) -> np.ndarray:
    """Return pores of about 12 voxels, a quarter of the volume."""
    field = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((side,) * 3), 4, mode="wrap")
    return field > np.quantile(field, 0.75)


def rock(side: int) -> np.ndarray | None:
    """Return a crop of the Berea sandstone of the shared data, where it is there."""
    root = Path(__file__).parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("BIGROCK_TEST_DATA", root)) / "berea_400"
    if not folder.is_dir():
        return None
    import tifffile

    [path] = folder.glob("*.tif")
    return np.ascontiguousarray(tifffile.imread(path)[:side, :side, :side] == 0)


def all_of_one_histogram(mask: np.ndarray) -> tuple[int, int, float]:
    counts = configuration_counts(mask)
    return euler_of(counts, 6), euler_of(counts, 26), area_of(counts.inside, (1.0, 1.0, 1.0), "crofton")


def numpy_axis_pairs(mask: np.ndarray, max_lag: int) -> list[list[int]]:
    lines = [np.moveaxis(mask, axis, 0) for axis in range(3)]
    return [
        [np.count_nonzero(line[: len(line) - lag] & line[lag:]) for lag in range(max_lag + 1)]
        for line in lines
    ]


def same_axes(ours: object, theirs: object) -> bool:
    curves = [c.probability * c.pairs for c in ours.values()]  # type: ignore[attr-defined]
    return all(np.array_equal(np.rint(c), pairs) for c, pairs in zip(curves, theirs, strict=True))


def same_radial(ours: object, theirs: object) -> bool:
    # PoreSpy's bins are [n, n + 1), and it weighs lags, not pairs: the shape is compared, not bits.
    [curve] = ours.values()  # type: ignore[attr-defined]
    known = slice(2, curve.distance.size // 3)
    found = np.interp(curve.distance, theirs.distance, theirs.probability_scaled)  # type: ignore[attr-defined]
    return bool(np.allclose(found[known], curve.probability[known], rtol=0.03))


def numpy_chords(mask: np.ndarray) -> list[np.ndarray]:
    """Return whole chords by length along each axis: run lengths by differences."""
    counts = []
    for axis in range(3):
        lines = np.moveaxis(mask, axis, -1).reshape(-1, mask.shape[axis])
        # Twice padded: what touches the border starts or ends in the padding and is left out.
        edges = np.diff(np.pad(lines, ((0, 0), (1, 1))).astype(np.int8), axis=1).ravel()
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        width = mask.shape[axis] + 1
        whole = (starts % width > 0) & (ends % width < width - 1)
        counts.append(np.bincount((ends - starts)[whole], minlength=width))
    return counts


def numpy_boxes(mask: np.ndarray, size: int) -> np.ndarray:
    n = mask.shape[0] // size
    return mask.reshape(n, size, n, size, n, size).sum((1, 3, 5))


def comparisons(mask: np.ndarray, lag: int) -> list[Comparison]:
    """Return name, ours, theirs, whether results agree, and the goal."""
    return [
        (
            "Euler 6 + 26 + surface / skimage euler_number",
            lambda: all_of_one_histogram(mask),
            lambda: skimage_euler_number(mask, 3),
            lambda a, b: (
                a[1] == b and a[2] == surface_area(mask) and a[0] == euler_number(mask, connectivity=6)
            ),  # type: ignore[index]
            10.0,
        ),
        (
            f"S2 axes, lags to {lag} / numpy",
            lambda: two_point_correlation(mask, max_lag=lag),
            lambda: numpy_axis_pairs(mask, lag),
            same_axes,
            8.0,
        ),
        (
            f"S2 radial, lags to {lag} / PoreSpy",
            lambda: two_point_correlation(mask, max_lag=lag, directions="radial"),
            lambda: porespy.metrics.two_point_correlation(mask),
            same_radial,
            20.0,
        ),
        (
            "chords, 3 axes / numpy runs",
            lambda: chord_lengths(mask),
            lambda: numpy_chords(mask),
            lambda a, b: all(np.array_equal(x.whole, y) for x, y in zip(a.values(), b, strict=True)),  # type: ignore[attr-defined, call-overload]
            None,
        ),
        (
            "REV: porosity, χ, surface of 8³ boxes / numpy porosity",
            lambda: box_grid(mask, size=8),
            lambda: numpy_boxes(mask, 8),
            lambda a, b: np.array_equal(a.sums[..., 0], b),  # type: ignore[attr-defined]
            None,
        ),
    ]


def timed(function: Function) -> tuple[float, object]:
    begin = time.process_time()
    result = function()
    return time.process_time() - begin, result


def compare(name: str, mask: np.ndarray, comparison: Comparison, rounds: int) -> dict[str, object]:
    what, ours, theirs, agree, goal = comparison
    ours()
    spent: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        (a, found), (b, expected) = timed(ours), timed(theirs)
        spent.append((a, b, timed(lambda: np.bitwise_or.reduce(mask.view(np.uint64), axis=None))[0]))
    mine, peer, memory = (statistics.median(column) / mask.size * 1e9 for column in zip(*spent, strict=True))
    return {
        "mask": name,
        "what": what,
        "bigrock_ns": round(mine, 2),
        "peer_ns": round(peer, 2),
        "ratio": round(peer / mine, 2),
        "goal": goal,
        "limit": round(memory / mine, 3),
        "equal": bool(agree(found, expected)),
    }


def main() -> int:
    """Run all comparisons, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller masks, fewer rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    side, rounds = (64, 2) if options.quick else (128, 5)
    noise = np.random.default_rng(2).random((side,) * 3) < 0.4
    masks = {"blobs": blobs(side), "Berea": rock(side), "noise": noise}
    rows = []
    print(f"{'mask':6} {'what':55} {'bigrock':>12} {'peer':>12} {'ratio':>7} {'goal':>5} {'limit':>6}  equal")
    for name, mask in masks.items():
        if mask is None:
            continue
        for comparison in comparisons(mask, side // 2):
            row = compare(name, mask, comparison, rounds)
            rows.append(row)
            goal = "" if row["goal"] is None else f"{row['goal']:.0f}x"
            print(
                f"{name:6} {row['what']:55} {row['bigrock_ns']:7.2f} ns/v {row['peer_ns']:7.1f} ns/v "
                f"{row['ratio']:6.1f}x {goal:>5} {row['limit']:6.3f}  {row['equal']}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(row["equal"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
