"""Super-resolution of blocks that have a halo on all sides, beside the bare forward pass and MONAI's sliding window.

    python benchmarks/compare_superresolve.py [--quick] [--json FILE]

The default network (×4), one thread each, CPU time per voxel of the block, median of rounds in which all take turns.
The goal is 1.4 times the cost of the bare forward, which computes a block and no halo. The last column is the largest
difference from the block and its halo in one pass.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.inferers import sliding_window_inference

from bigrock.geometry import Block, Region
from bigrock.models import (
    SuperResolutionConfig,
    build_super_resolution_net,
    save_bundle,
    super_resolution_kernel,
)
from bigrock.models.threads import one_thread

GOAL = 1.4
ROI = 48


def forward(net: Callable[[torch.Tensor], torch.Tensor], image: np.ndarray) -> np.ndarray:
    """Return what a network makes of a coarse image."""
    with torch.inference_mode(), one_thread():
        return net(torch.from_numpy(image)[None, None]).clamp(0, 1)[0, 0].numpy()


def compare(edges: list[int], rounds: int) -> list[dict[str, Any]]:
    """Return a row per contender: CPU seconds per million coarse voxels, and how far it is from one pass."""
    torch.manual_seed(0)
    config = SuperResolutionConfig(scale=4)
    net = build_super_resolution_net(config).eval()
    with tempfile.TemporaryDirectory() as place:
        bundle = save_bundle(f"{place}/bundle", net, config)
        kernel = super_resolution_kernel(bundle, dtype="float32", backend="cpu")
        halo = bundle.halo
        grey = np.random.default_rng(0).random((max(edges) + 2 * halo,) * 3, np.float32)

        def bare() -> np.ndarray:
            return forward(net, grey[(slice(0, edges[0]),) * 3])

        def ours(edge: int) -> np.ndarray:
            core = Region((halo,) * 3, (halo + edge,) * 3)
            held = core.grow((halo,) * 3, grey.shape)
            return kernel(grey[held.slices], Block(0, core, held, grey.shape))

        def monai() -> np.ndarray:
            given = grey[(slice(0, edges[0] + 2 * halo),) * 3]
            made = forward(
                lambda image: sliding_window_inference(image, (ROI,) * 3, 1, net, overlap=0.25), given
            )
            return made[(slice(4 * halo, -4 * halo),) * 3]

        run: dict[str, tuple[Callable[[], np.ndarray], int]] = {
            f"bare forward, {edges[0]}³": (bare, edges[0]),
            **{f"bigrock, block of {edge}³": (partial(ours, edge), edge) for edge in edges},
            f"MONAI sliding window, {ROI}³": (monai, edges[0]),
        }
        spent: dict[str, list[float]] = {name: [] for name in run}
        made = {}
        for _ in range(rounds):
            for name, (function, _) in run.items():
                begin = time.process_time()
                made[name] = function()
                spent[name].append(time.process_time() - begin)
        one_pass = forward(net, grey[(slice(0, edges[0] + 2 * halo),) * 3])
    one_pass = one_pass[(slice(4 * halo, -4 * halo),) * 3]
    rows = []
    for name, times in spent.items():
        seconds = statistics.median(times) / run[name][1] ** 3 * 1e6
        same = made[name][tuple(slice(0, n) for n in one_pass.shape)]
        apart = None if name.startswith("bare") else float(np.abs(same - one_pass).max())
        rows.append({"name": name, "cpu_s_per_mvoxel": seconds, "apart": apart})
    return [row | {"of_bare": row["cpu_s_per_mvoxel"] / rows[0]["cpu_s_per_mvoxel"]} for row in rows]


def main() -> None:
    """Compare and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller blocks, one round")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    rows = compare([24, 32] if options.quick else [64, 96, 128], 1 if options.quick else 3)
    print(f"{'':28} {'CPU s/Mvoxel':>13} {'of bare':>8} {'goal':>5} {'apart':>8}")
    for row in rows:
        apart = "" if row["apart"] is None else f"{row['apart']:.1e}"
        goal = f"{GOAL:.1f}" if row["name"].startswith("bigrock") else ""
        print(f"{row['name']:28} {row['cpu_s_per_mvoxel']:13.2f} {row['of_bare']:8.2f} {goal:>5} {apart:>8}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
