"""What surrogates of the flow solver know of textures that they have never seen, and of ones that they have.

    python benchmarks/surrogates.py --rocks PATH [--quick] [--plain] [--folds 0 1 2] [--folder DIR] [--json FILE]

PATH is a labelled set (`bigrock permeability prepare PATH --count 600 --edge 64 --axes z --seed 0`). Its families are
dealt into three folds; for each, networks learn from the families of the other two, and tell log10 k of all rocks of
the fold. So every rock is judged by networks that have seen none of its kind. Beside it, the same networks where all
families are learnt from and a fifth of the rocks is kept for the test; and regressions on porosity and surface.
Networks are shown each rock and its mirror image (`mirrored=True`), which has the same permeability; with --plain the
rock alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.datasets import RockSet, RockSplit, open_rocks
from bigrock.models import SurrogateConfig, predict_permeability, supports_bf16
from bigrock.training import SurrogateTraining, fit_baseline, regression_scores, rocks_of, train_surrogate

GOAL = 0.92
KINDS: dict[str, dict[str, Any]] = {
    "Darcy's law through cells": {"architecture": "darcy", "features": (8, 16), "head": 32},
    "three-dimensional": {"architecture": "conv3d", "features": (8, 16, 32, 48)},
    "views, slices as channels": {"views": "channels"},
}


def told(
    rocks: RockSet, parts: RockSplit, folder: Path, quick: bool, mirrored: bool
) -> dict[str, np.ndarray]:
    """Return log10 k of the test rocks by everything that has learnt from the others, by name."""
    learnt, held = rocks_of(rocks, parts.train), rocks_of(rocks, parts.validation)
    tested, voxel = rocks.take(parts.test), rocks.voxel_size
    short = {"max_epochs": 1, "steps_per_epoch": 2} if quick else {"max_epochs": 24}
    how: dict[str, Any] = {
        "device": "cpu",
        "threads": 1,
        "precision": "bf16" if supports_bf16() else "float32",
    }
    found = {
        f"regression, {kind}": fit_baseline(learnt, kind).log10_k(tested)
        for kind in ("porosity", "porosity and surface")
    }
    for name, options in KINDS.items():
        made = train_surrogate(
            learnt, held, SurrogateConfig(rocks.edge, **options), SurrogateTraining(**short, **how),
            folder=folder / name, voxel_size=voxel,
        )  # fmt: skip
        k = [
            predict_permeability(made.bundle, image, voxel_size=voxel, axis="z", mirrored=mirrored)
            for image in tested
        ]
        found[name] = np.log10([float(one.k_voxel2[0]) for one in k])
    return found


def scores(rocks: RockSet, indices: np.ndarray, log10_k: np.ndarray) -> dict[str, Any]:
    """Return r², RMSE and bias of log10 k."""
    return regression_scores(rocks.k_voxel2[indices, 0], 10.0**log10_k)


def show(name: str, row: dict[str, Any]) -> None:
    """Print a row."""
    print(
        f"    {name:32} r² {row['r2']:.3f}  RMSE {row['rmse_log10']:.3f}  bias {row['bias_log10']:+.3f}",
        flush=True,
    )


def main() -> None:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rocks", required=True, help="a labelled set of rocks")
    parser.add_argument("--quick", action="store_true", help="hardly any training: nothing is reached")
    parser.add_argument("--plain", action="store_true", help="show no mirror images")
    parser.add_argument("--folds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, help="keep the networks here; a later call goes on")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rocks = open_rocks(given.rocks)
    families = sorted(set(rocks.families.tolist()))
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        parts = rocks.split(seed=0)
        print(f"all families learnt from, {len(parts.test)} test rocks:")
        for name, log10_k in told(rocks, parts, folder / "all", given.quick, not given.plain).items():
            result[f"seen: {name}"] = scores(rocks, parts.test, log10_k)
            show(name, result[f"seen: {name}"])
        pooled: dict[str, list[np.ndarray]] = {}
        indices = []
        for fold in given.folds:
            names = families[fold::3]
            parts = rocks.split(seed=0, held_out_families=names)
            indices.append(parts.test)
            print(f"never seen: {', '.join(names)} ({len(parts.test)} rocks):")
            for name, log10_k in told(
                rocks, parts, folder / f"fold{fold}", given.quick, not given.plain
            ).items():
                pooled.setdefault(name, []).append(log10_k)
                show(name, scores(rocks, parts.test, log10_k))
    tested = np.concatenate(indices)
    print(f"families that were never seen, {len(tested)} rocks (goal of r²: {GOAL}):")
    for name, several in pooled.items():
        result[f"unseen: {name}"] = scores(rocks, tested, np.concatenate(several))
        show(name, result[f"unseen: {name}"])
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
