"""Segmentation out of core beside the network's bare forward pass and MONAI's sliding window.

    python benchmarks/compare_inference.py [--quick] [--json FILE]

The same network and slices, one thread each, CPU time, median of rounds in which all take turns. The
goal is 0.7 of the bare forward's rate, everything included: reading, standardising, windows, writing.
"whole" cuts nothing, "windows" cuts slices into windows of a quarter of a slice. The last column is
the share of labels that differ from those of whole slices: 0 for bigrock, or the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.inferers import sliding_window_inference

import bigrock
from bigrock.geometry import Region
from bigrock.kernels import standardize
from bigrock.models import SegmentationConfig, build_segmentation_net, save_bundle, segmentation_kernel
from bigrock.models.threads import one_thread
from bigrock.volumes import create_volume

GOAL = 0.7


def model(folder: Path) -> Any:
    """Return a bundle of the default network, with batch norms that have seen data."""
    torch.manual_seed(0)
    config = SegmentationConfig({"matrix": 0, "organic matter": 1, "organic pore": 2, "inorganic pore": 3})
    net = build_segmentation_net(config)
    with torch.no_grad():
        for _ in range(3):
            net(2 * torch.randn(2, 1, 64, 64))
    return save_bundle(folder / "bundle", net, config)


def contenders(bundle: Any, scan: Any, grey: np.ndarray, folder: Path) -> dict[str, Callable[[], np.ndarray]]:
    """Return what is compared, by name; each gives labels."""
    net, side = bundle.network(), scan.shape[1]

    def slice_by_slice(function: Callable[[torch.Tensor], torch.Tensor]) -> np.ndarray:
        labels = []
        with torch.inference_mode(), one_thread():
            for image in grey:
                given = torch.from_numpy(image)[None, None].to(memory_format=torch.channels_last)
                labels.append(function(given).argmax(1).to(torch.uint8).numpy())
        return np.concatenate(labels)

    def ours(**options: Any) -> np.ndarray:
        kernel = segmentation_kernel(bundle, backend="cpu", **options)
        out = bigrock.run(kernel, scan, folder / "out.zarr", executor=1, overwrite=True, progress=False)
        return np.asarray(out[:])

    roi = (side // 2, side // 2)
    return {
        "bare forward": lambda: slice_by_slice(net),
        "bigrock, whole": ours,
        "bigrock, windows": lambda: ours(window_voxels=(side // 2) ** 2),
        "MONAI window": lambda: slice_by_slice(
            lambda image: sliding_window_inference(image, roi, 4, net, overlap=0.25, mode="gaussian")
        ),
    }


def compare(shape: tuple[int, int, int], rounds: int) -> list[dict[str, Any]]:
    """Return a row per contender."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        scan = create_volume(folder / "scan.zarr", shape, "uint8")
        scan.write(Region.whole(shape), np.random.default_rng(0).integers(0, 255, shape, np.uint8))
        run = contenders(model(folder), scan, standardize(scan[:]), folder)
        spent: dict[str, list[float]] = {name: [] for name in run}
        labels = {name: function() for name, function in run.items()}
        for _ in range(rounds):
            for name, function in run.items():
                begin = time.process_time()
                function()
                spent[name].append(time.process_time() - begin)
    truth = labels["bare forward"]
    bare = statistics.median(spent["bare forward"])
    rows = []
    for name, times in spent.items():
        taken = statistics.median(times)
        row = {"name": name, "slices_per_s": shape[0] / taken, "of_bare": bare / taken}
        rows.append(row | {"differ": float(np.mean(labels[name] != truth))})
    return rows


def main() -> int:
    """Compare, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a smaller stack, fewer rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    shape, rounds = ((4, 384, 384), 3) if options.quick else ((16, 640, 640), 3)
    rows = compare(shape, rounds)
    print(
        f"{'x'.join(map(str, shape)):18} {'slices/CPU s':>13} {'of bare':>8} {'goal':>5} {'labels differ':>14}"
    )
    for row in rows:
        goal = f"{GOAL:.1f}" if row["name"] == "bigrock, whole" else ""
        print(
            f"{row['name']:18} {row['slices_per_s']:13.2f} {row['of_bare']:8.2f} {goal:>5} {row['differ']:14.2e}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(row["differ"] == 0 for row in rows if row["name"].startswith("bigrock")) else 1


if __name__ == "__main__":
    sys.exit(main())
