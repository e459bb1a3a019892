"""A scan far larger than its memory limit: import, local Otsu, measure, with the memory of each step.

    python benchmarks/larger_than_memory.py --out /data/big --gib 16 --ram "1 GiB"

Each step runs in a process of its own, so that its peak (VmHWM, the most that was ever resident)
is its own, and is repeated on a volume eight times smaller: the two peaks should be alike. The
scan is a sandstone of 256³ voxels, 16 bit, repeated along every axis, and imported as a file is:
region by region, so that no step ever sees the whole.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TILE = 256
UINT16 = np.dtype(np.uint16)


@dataclass(frozen=True, eq=False)
class Repeated:
    """A source that repeats one block of rock along every axis."""

    shape: tuple[int, int, int]
    rock: np.ndarray
    dtype: np.dtype[Any] = UINT16
    voxel_size: tuple[float, float, float] = (2.25e-6,) * 3
    read_unit: tuple[int, int, int] = (1, 1, 1)

    def read(self, region: Any) -> np.ndarray:
        index = [np.arange(a, b) % TILE for a, b in zip(region.start, region.stop, strict=True)]
        return self.rock[np.ix_(*index)]

    def identity(self) -> dict[str, Any]:
        return {"repeated": TILE, "shape": list(self.shape)}


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def edge_of(gib: float) -> tuple[int, int, int]:
    voxels = gib * 2**30 / UINT16.itemsize
    edge = round(voxels ** (1 / 3) / TILE) * TILE
    z = round(voxels / edge**2 / TILE) * TILE
    return z, edge, edge


def step(name: str, folder: Path, shape: tuple[int, int, int], ram: str, threads: int) -> dict[str, float]:
    import bigrock as br

    start = time.perf_counter()
    planned = 0
    scan, mask = folder / "scan.zarr", folder / "mask.zarr"
    value = 0.0
    if name == "import":
        rock = br.datasets.Sandstone((TILE,) * 3, dtype="uint16")
        tile = rock.read(br.volumes.Region.whole(rock.shape))
        br.import_volume(Repeated(shape, tile), scan, ram=ram, executor=threads)
    elif name == "local-otsu":
        kernel = br.kernels.LocalOtsu(radius=15)
        planned = br.plan(kernel, br.open_volume(scan), ram=ram, executor=threads).ram_bytes
        br.run(kernel, br.open_volume(scan), mask, ram=ram, executor=threads)
    else:
        values = br.measure(br.open_volume(mask), ["porosity", "profiles"], ram=ram, executor=threads)
        value = float(values["porosity"]["total"])
    seconds = time.perf_counter() - start
    voxels = shape[0] * shape[1] * shape[2]
    return {
        "seconds": round(seconds, 1),
        "mvoxel_per_s": round(voxels / seconds / 1e6, 1),
        "peak_mib": round(peak_bytes() / 2**20),
        "planned_mib": round(planned / 2**20),
        "porosity": value,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gib", type=float, default=16)
    parser.add_argument("--ram", default="1 GiB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        shape = edge_of(options.gib)
        print(json.dumps(step(options.step, options.out, shape, options.ram, options.threads)))
        return
    for gib in (options.gib / 8, options.gib):
        folder = options.out / f"{gib:g}GiB"
        print(f"{gib:g} GiB, {' x '.join(map(str, edge_of(gib)))} voxels, limit {options.ram}", flush=True)
        for name in ("import", "local-otsu", "measure"):
            command = [
                sys.executable,
                __file__,
                "--out",
                str(folder),
                "--gib",
                str(gib),
                "--ram",
                options.ram,
            ]
            command += ["--threads", str(options.threads), "--step", name]
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"  {name:<11} {result.stdout.strip().splitlines()[-1]}", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
