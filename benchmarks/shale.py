"""What few slices reach on the synthetic shale: IoU beside a random forest and local Otsu, against the targets.

    python benchmarks/shale.py [--quick] [--levels easy middle hard] [--seeds 0 1 2] [--slices 6] [--json FILE]

Every run is `bigrock shale demo`: a stack of 96 × 256 × 256 voxels, a network trained on some of its
slices, the whole stack segmented, five other slices scored. The random forest learns from the same
slices; Otsu are the labels to begin with (guarded local Otsu, pores parted by what they lie in).
"majority" are the labels after a vote of each slice with the one above and the one below. Several
numbers of slices give IoU against n. About four minutes of one core a run; a folder that is kept is
not computed again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

TARGETS = {
    "easy": {"matrix": 0.90, "organic matter": 0.90, "organic pore": 0.90, "inorganic pore": 0.90},
    "middle": {"matrix": 0.99, "organic pore": 0.80, "inorganic pore": 0.92, "pore": 0.88},
    "hard": {},
}
RATE_TARGET, BIAS_TARGET = 0.7, 0.03


def measured(folder: Path, level: Any, slices: int, seed: int, quick: bool) -> dict[str, Any]:
    """Run one demo, return its figures with those of Otsu and the time of its steps."""
    from bigrock.workflows.shale import shale_demo

    found = shale_demo(folder, level=level, train_slices=slices, seed=seed, quick=quick, progress=False)
    metrics = found.result.few.metrics
    more = {
        "majority": majority(found.result.few),
        "iou_otsu": metrics["otsu"]["iou"],
        "interior_iou": metrics["interior_iou"],
        "epochs": metrics["epochs"],
    }
    bias = metrics["porosity_bias"]
    interval = [bias["relative_low"], bias["relative_high"]]
    return {"level": level, "n": slices, "seed": seed, **found.figures, **more, "bias_interval": interval}


def majority(few: Any) -> dict[str, Any]:
    """Return the scores of the labels after a vote over three slices."""
    import bigrock
    from bigrock.kernels import MajorityAlongZ
    from bigrock.workflows.shale.scoring import score_slices

    classes = few.volume.classes
    voted = bigrock.run(MajorityAlongZ(1), few.volume, "memory://voted.zarr", overwrite=True, progress=False)
    predicted = {z: voted[z] for z in few.truth}
    pores = [value for name, value in classes.items() if name.endswith("pore")]
    told = score_slices(few.truth, predicted, classes, pores)
    return {name: told[name] for name in ("iou", "pore_iou")}


def show(row: dict[str, Any]) -> None:
    forest, otsu = row["iou_random_forest"], row["iou_otsu"]
    print(
        f"{row['level']}, n = {row['n']}, seed {row['seed']}: {row['epochs']} epochs, {row['train_seconds']:.0f} s"
    )
    for name, value in row["iou"].items():
        beside = f"random forest {number(forest[name])}  otsu {number(otsu[name])}  "
        beside += f"majority {number(row['majority']['iou'][name])}"
        print(
            f"    {name:15} IoU {number(value)}  (off the borders {number(row['interior_iou'][name])})  {beside}"
        )
    low, high = row["bias_interval"]
    print(f"    all pores       IoU {number(row['pore_iou'])}  porosity bias {number(row['porosity_bias'])} "
          f"({number(low)} … {number(high)})  target ±{BIAS_TARGET}")  # fmt: skip
    rates = row["slices_per_second"], row["forward_slices_per_second"]
    print(f"    inference {rates[0]:.1f} slices/s, bare forward {rates[1]:.1f}: "
          f"{rates[0] / rates[1]:.2f} (target {RATE_TARGET})")  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> None:
    for level, n in sorted({(row["level"], row["n"]) for row in rows}):
        each = [row for row in rows if (row["level"], row["n"]) == (level, n)]
        print(f"\n{level}, n = {n}: mean ± deviation of {len(each)} seeds")
        for name in each[0]["iou"]:
            target, forest = TARGETS[level].get(name), [row["iou_random_forest"][name] for row in each]
            print(f"    {name:15} {spread([row['iou'][name] for row in each])}  "
                  f"random forest {spread(forest)}  target {number(target)}")  # fmt: skip
        for name, target in (("pore_iou", TARGETS[level].get("pore")), ("porosity_bias", BIAS_TARGET)):
            print(f"    {name:15} {spread([row[name] for row in each])}  target {number(target)}")
        print(f"    training        {spread([row['train_seconds'] for row in each])} s")


def spread(values: list[float]) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.4f} ± {deviation:.4f}"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tiny stack: nothing is reached")
    parser.add_argument("--levels", nargs="+", default=["easy", "middle", "hard"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--slices", nargs="+", type=int, default=[6])
    parser.add_argument("--folder", type=Path, help="keep the demos here; a later call goes on")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    levels, seeds = (["easy"], [0]) if given.quick else (given.levels, given.seeds)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for level in levels:
            for n in given.slices:
                for seed in seeds:
                    folder = (given.folder or Path(scratch)) / f"{level}-n{n}-seed{seed}"
                    rows.append(measured(folder, level, n, seed, given.quick))
                    show(rows[-1])
    summary(rows)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
