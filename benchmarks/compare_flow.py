"""Permeability and formation factor beside exact and published values; time and memory on rocks of growing size.

    python benchmarks/compare_flow.py [--quick] [--berea 100|200|400] [--boundary NAME] [--json FILE]

Seconds are processor time of one thread, one axis, compilation not counted; memory is what the peak of a process
of its own rises by. `error` is what the default tolerance leaves, beside one of 1e-5. Exits with 1 where an exact
or published value is missed by more than the stated tolerance.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tifffile

from bigrock.datasets import ROCK_FAMILIES, rock
from bigrock.flow import formation_factor, permeability

Row = dict[str, object]
_SHARED = Path(__file__).parents[2] / "shared" / "data"
_BOUNDARIES = ("sealed", "mirrored", "periodic")
_PUBLISHED = {"z": (1193, 25.22), "y": (1304, 23.99), "x": (1360, 23.12)}


def berea(edge: int) -> np.ndarray | None:
    """Return the segmented Berea sandstone of the shared data, or its middle, where it is there."""
    file = Path(os.environ.get("BIGROCK_TEST_DATA", _SHARED)) / "berea_400" / "berea_400_seg.tif"
    if not file.exists():
        return None
    cut = slice(200 - edge // 2, 200 + edge // 2)
    return np.ascontiguousarray(tifffile.imread(file)[cut, cut, cut] == 0)


def exact(quick: bool) -> Iterator[tuple[str, np.ndarray, str, float, float]]:
    """Yield name, mask, boundary, exact permeability in voxels squared, and the tolerance of the project."""
    for h, allowed in ((4, 0.126), (8, 0.032), (16, 0.009)):
        slit = np.zeros((4, h + 2, 4), bool)
        slit[:, 1:-1] = True
        yield f"slit, {h} voxels", slit, "periodic", h**3 / 12 / (h + 2), allowed
    for a, allowed in ((8, 0.06), (16, 0.016), (32, 0.005)):
        yield f"square duct, {a} voxels", np.ones((4, a, a), bool), "sealed", 0.035144 * a**2, allowed
    for d, allowed in ((10, 0.018), (20, 0.006), (40, 0.002)):
        y, x = np.mgrid[: d + 2, : d + 2] - (d + 1) / 2
        tube = np.repeat((y**2 + x**2 <= d**2 / 4)[None], 4, axis=0)
        yield f"tube, {d} voxels", tube, "periodic", np.pi / 128 * d**4 / tube[0].size, allowed
    n = 32 if quick else 64
    for solid, k in (
        (0.027, 0.141964),
        (0.125, 0.03985),
        (0.216, 0.019152),
        (0.45, 0.003971),
        (0.5236, 0.00252),
    ):
        radius = (3 * solid / 4 / np.pi) ** (1 / 3) * n
        outside = sum((np.mgrid[:n, :n, :n] - (n - 1) / 2) ** 2) >= radius**2
        yield f"cubic spheres, {solid} solid, {n}³", np.asarray(outside), "periodic", k * n**2, 0.04
    for solid, k in ((0.1, 0.040274), (0.3, 0.0097182), (0.5, 0.0018778)):
        y, x = np.mgrid[:64, :64] - 31.5
        between = np.repeat((y**2 + x**2 >= solid / np.pi * 64**2)[:, :, None], 2, axis=2)
        yield f"square cylinders, {solid} solid, 64²", between, "periodic", k * 64**2, 0.02


def against_exact(quick: bool) -> Iterator[Row]:
    """Yield the deviation from exact and published permeabilities."""
    for name, mask, boundary, k, allowed in exact(quick):
        found = permeability(mask, voxel_size="1 um", axis="z", boundary=boundary, tolerance=1e-3)["z"]
        error = found.k_voxel2 / k - 1
        yield {"what": name, "deviation": error, "allowed": allowed, "good": abs(error) <= allowed}


def _peak_bytes() -> int:
    """Return the largest memory that this process had; getrusage would count that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def _solve(mask: np.ndarray, queue: multiprocessing.Queue[float]) -> None:
    permeability(mask[:4, :4, :4] | True, voxel_size="1 um", axis="z")
    before = _peak_bytes()
    permeability(mask, voxel_size="1 um", axis="z")
    queue.put((_peak_bytes() - before) / mask.size)


def bytes_per_voxel(mask: np.ndarray) -> float:
    """Return by how much the peak of a process rises that solves one axis, per voxel."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_solve, args=(mask, queue))
    process.start()
    found = float(queue.get())
    process.join()
    return found


def rocks(quick: bool) -> Iterator[Row]:
    """Yield time, error and memory on made-up rocks of every family, and on larger ones."""
    sizes = [(64, family) for family in ROCK_FAMILIES] + (
        [] if quick else [(128, f) for f in ROCK_FAMILIES[:3]]
    )
    for edge, family in sizes:
        mask = rock(1, edge=edge, family=family)
        found = permeability(mask, voxel_size="1 um", axis="z")["z"]
        row: Row = {"what": f"{family} {edge}³", "porosity": float(mask.mean()), "k_voxel2": found.k_voxel2}
        row |= {"seconds": found.seconds, "iterations": found.iterations}
        if edge == 64 and found.percolates:
            tight = permeability(mask, voxel_size="1 um", axis="z", tolerance=1e-5)["z"]
            row["error"] = found.k_voxel2 / tight.k_voxel2 - 1
        else:
            row["bytes_per_voxel"] = bytes_per_voxel(mask)
        yield row


def cut_voxels(boundaries: Sequence[str]) -> Iterator[Row]:
    """Yield the permeability of the middle 100³ of Berea along x, and of the same with every voxel cut into 8."""
    mask = berea(100)
    if mask is None:
        return
    for finer in (1, 2):
        fine = np.kron(mask, np.ones((finer,) * 3, bool))
        for boundary in boundaries:
            found = permeability(fine, voxel_size=5.345e-6 / finer, axis="x", boundary=boundary)["x"]
            told = {"k_md": found.k_md, "seconds": found.seconds, "iterations": found.iterations}
            yield {"what": f"Berea 100³ x, {boundary}, cut {finer}"} | told


def sandstone(edge: int, boundaries: Sequence[str]) -> Iterator[Row]:
    """Yield permeability and formation factor of Berea; the published ones are those of the whole image."""
    mask = berea(edge)
    if mask is None:
        return
    for axis, (k, factor) in _PUBLISHED.items():
        for boundary in boundaries:
            found = permeability(mask, voxel_size="5.345 um", axis=axis, boundary=boundary)[axis]
            deviation = found.k_md / k - 1
            row: Row = {
                "what": f"Berea {edge}³ {axis}, {boundary}",
                "k_md": found.k_md,
                "deviation": deviation,
            }
            yield row | {"seconds": found.seconds, "iterations": found.iterations}
        electric = formation_factor(mask, axis=axis)[axis]
        yield {
            "what": f"Berea {edge}³ {axis}, formation factor",
            "formation_factor": electric.formation_factor,
            "deviation": electric.formation_factor / factor - 1,
            "seconds": electric.seconds,
            "iterations": electric.iterations,
        }


def main() -> int:
    """Run all, print a line each, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="no rocks larger than 64³, no Berea")
    parser.add_argument(
        "--berea", type=int, choices=(100, 200, 400), default=200, help="edge of the sandstone"
    )
    parser.add_argument("--boundary", action="append", choices=_BOUNDARIES, help="of Berea (default: each)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    permeability(np.ones((4, 4, 4), bool), voxel_size="1 um")
    formation_factor(np.ones((4, 4, 4), bool))
    rows = []
    parts = [against_exact(options.quick), rocks(options.quick)]
    boundaries = options.boundary or _BOUNDARIES
    if not options.quick:
        parts.append(cut_voxels(boundaries) if options.berea == 100 else sandstone(options.berea, boundaries))
    for part in parts:
        for row in part:
            rows.append(row)
            told = (
                f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items() if k != "what"
            )
            print(f"{row['what']:36} {'  '.join(told)}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(row.get("good", True) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
