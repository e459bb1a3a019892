"""What super-resolution and its tuning reach on synthetic rocks, by networks and by physics, against the targets.

    python benchmarks/permeability.py [--quick] [--seeds 0 1 2] [--rocks PATH] [--folder DIR] [--json FILE]

Every run is `bigrock permeability demo`: rocks of 64³ labelled by Stokes flow, made coarse 4 times, super-resolved,
tuned on permeability through masks, in the paper's mode (grey images, no voxels) and (the control) on voxels alone;
r² of log10 k on test rocks by the surrogate that guided the tuning, by a hold-out, and by Stokes flow in masks in
which each coarse voxel keeps its pore fraction, and in thresholded images. With --rocks all seeds share a labelled
set, and differ in its split, in weights and samples. About 40 minutes of one core a run; with --folder a later call
goes on where one stopped.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.training import paired_bootstrap
from bigrock.workflows.permeability import PermeabilityDemo, PermeabilityEvaluation, permeability_demo

# What a figure must reach, of the figures of one run; the two intervals must lie below 0.
TARGETS: dict[str, Any] = {
    "surrogate_r2": lambda told: told["surrogate_r2"] >= 0.92,
    "psnr_sr": lambda told: told["psnr_sr"] >= told["psnr_cubic"] + 1,
    "porosity_error_sr": lambda told: told["porosity_error_sr"] <= told["porosity_error_cubic"] / 2,
    "r2_finetuned": lambda told: told["r2_finetuned"] >= told["r2_hr"] - 0.03,
    "r2_mask_finetuned": lambda told: told["r2_mask_finetuned"] >= told["r2_hr"] - 0.03,
    "physics_r2_finetuned": lambda told: told["physics_r2_finetuned"] >= 0.94,
    "holdout_r2_finetuned": lambda told: told["holdout_r2_finetuned"] >= 0.85,
    "physics_rmse_change_ci95": lambda told: told["physics_rmse_change_ci95"][1] < 0,
    "physics_rmse_change_against_control_ci95": lambda told: told["physics_rmse_change_against_control_ci95"][1] < 0,
    "seconds": lambda told: told["seconds"] <= 1800,
}  # fmt: skip
WORDS = {
    "surrogate_r2": "≥ 0.92",
    "psnr_sr": "≥ cubic + 1 dB",
    "porosity_error_sr": "≤ half of cubic's",
    "r2_finetuned": "≥ r2_hr − 0.03",
    "r2_mask_finetuned": "≥ r2_hr − 0.03",
    "physics_r2_finetuned": "≥ 0.94",
    "holdout_r2_finetuned": "≥ 0.85",
    "physics_rmse_change_ci95": "below 0",
    "physics_rmse_change_against_control_ci95": "below 0",
    "seconds": "≤ 1800",
}


def measured(
    folder: Path, seed: int, rocks: str | None, quick: bool, executor: str | None
) -> PermeabilityDemo:
    """Run one demo, or read what an earlier call has left of it."""
    wanted = int(executor) if executor is not None and executor.isdecimal() else executor
    return permeability_demo(folder, seed=seed, rocks=rocks, quick=quick, executor=wanted, progress=False)


def numbers(told: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in told.items() if isinstance(value, int | float) and name != "seed"}


def show(told: dict[str, Any]) -> None:
    print(f"seed {told['seed']}:")
    for name, value in told.items():
        if isinstance(value, int | float | list) and name != "seed":
            reached = ""
            if name in TARGETS:
                reached = f"  target {WORDS[name]}: {'reached' if TARGETS[name](told) else 'MISSED'}"
            print(f"    {name:42} {value}{reached}")
    print(f"    {'training_seconds':42} {told['training_seconds']}")
    core = {name: value for name, value in told["map"].items() if "log10" in name}
    print(f"    {'map of the core against the truth':42} {core}", flush=True)


def summary(rows: list[dict[str, Any]]) -> None:
    print(f"\nmean ± deviation of {len(rows)} seeds")
    for name in numbers(rows[0]):
        values = [row[name] for row in rows]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        reached = ""
        if name in TARGETS:
            hits = sum(TARGETS[name](row) for row in rows)
            reached = f"  target {WORDS[name]}: reached by {hits} of {len(rows)}"
        print(f"    {name:42} {statistics.mean(values):.4f} ± {spread:.4f}{reached}")


def pooled(judged: list[PermeabilityEvaluation], shared: bool) -> None:
    """Print the changes of the error over the test rocks of all seeds together; a rock is drawn with all its rows."""
    truth = np.concatenate([one.truth for one in judged])
    parts = [one.rows["rock"][0] + (0 if shared else 10**6 * i) for i, one in enumerate(judged)]
    rocks = np.concatenate(parts)
    print(f"\nall seeds together: {len(rocks)} rows of {len(np.unique(rocks))} rocks")
    for by in ("physics", "physics_threshold", "holdout_mask", "holdout"):
        for before, after in (
            ("super-resolution", "fine-tuned"),
            ("voxels only", "fine-tuned"),
            ("super-resolution", "paper's mode"),
            ("voxels only", "paper's mode"),
            ("super-resolution", "voxels only"),
            ("cubic", "super-resolution"),
        ):
            log10_k = [
                np.concatenate([one.predicted(name, by) for one in judged]) for name in (before, after)
            ]
            told = paired_bootstrap(truth, *log10_k, groups=rocks)
            print(
                f"    {by:18} {before:>16} → {after:16} RMSE {told.difference:+.4f} "
                f"(95 %: {told.low:+.4f} … {told.high:+.4f}), closer on {told.closer} of {len(truth)}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny rocks: nothing is reached")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rocks", help="a labelled set of 64³ rocks; otherwise each run makes its own")
    parser.add_argument("--folder", type=Path, help="keep the demos here; a later call goes on")
    parser.add_argument("--executor", help="threads for solving, as for bigrock (default: all cores)")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows, judged = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in [given.seeds[0]] if given.quick else given.seeds:
            folder = (given.folder or Path(scratch)) / f"seed{seed}"
            found = measured(folder, seed, given.rocks, given.quick, given.executor)
            rows.append({"seed": seed, **found.figures})
            judged.append(found.evaluation)
            show(rows[-1])
    summary(rows)
    pooled(judged, given.rocks is not None)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
