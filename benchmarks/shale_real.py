"""What the few-slice loop reaches on real grey images: a FIB-SEM stack, and SEM tiles of source rock.

    python benchmarks/shale_real.py [--quick] [--only fibsem tiles] [--epochs 20] [--json FILE]

Neither has the labels that the loop is meant for, so read the figures as what they are.

fibsem: a stack of fly brain (140 × 400 × 400 voxels of 10 nm), which stands in for the imaging. It has no
labels; they are made by a rule in three dimensions: dark is what guarded local Otsu finds in the volume
smoothed over three slices, organelles are the dark bodies that hold a ball of 7 voxels (70 nm), membranes
the rest of it. A 2-D network that learns from six slices must find from one slice what the rule found from
many. It shows that the loop learns on real noise and real shapes; it does not show that the rule is right.

tiles: 101 SEM tiles of source rock with coarse polygons drawn by hand around fractures and dark laminae (mask 0;
what the values mean is not stated). They are 46 rows by 2 columns and a piece of a third, at steps of half a
tile, so that neighbours share pixels: training takes rows 0 to 20, validation 23 to 26, the test rows 29 to
45, of which every second one. They state no pixel size; intervals are counted in tiles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock import ArraySource

ROWS = 46
DARK_RADIUS, BODY_RADIUS = 31, 7


def derived_labels(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the labels of the rule: 0 the rest, 1 membranes, 2 organelles."""
    from scipy import ndimage

    import bigrock
    from bigrock.kernels import LocalOtsu

    smooth = ndimage.gaussian_filter(grey, (1.0, 1.0, 1.0))
    rule = LocalOtsu(radius=DARK_RADIUS, min_contrast=0.5, min_pore_fraction=0.05)
    dark = bigrock.run(rule, ArraySource(smooth), "memory://dark.zarr", overwrite=True, progress=False)[:]
    inside = ndimage.distance_transform_edt(dark) > BODY_RADIUS
    bodies = (ndimage.distance_transform_edt(~inside) <= BODY_RADIUS + 1) & dark
    return dark.astype(np.uint8) + bodies


def fibsem(data: Path, quick: bool) -> dict[str, Any]:
    import tifffile

    grey = tifffile.imread(data / "fibsem_flyem" / "grey_140x400x400_u8.tif")
    if quick:
        grey = grey[:40, :96, :96]
    labels = derived_labels(grey)
    classes = {"rest": 0, "membrane": 1, "organelle": 2}
    share = {name: float((labels == value).mean()) for name, value in classes.items()}
    return {
        "stack": ArraySource(grey, (1e-8,) * 3),
        "labels": ArraySource(labels, (1e-8,) * 3, kind="labels", classes=classes),
        "classes": classes,
        "slices": 3 if quick else 6,
        "share": share,
    }


def tiles(data: Path, quick: bool) -> dict[str, Any]:
    import tifffile

    folder = data / "sem_sourcerock_tiles"
    grey = tifffile.imread(folder / "tiles_101_u8.tif")
    marked = (tifffile.imread(folder / "masks_101_u8.tif") == 0).astype(np.uint8)
    # Every part takes rows two apart, which share no pixel; the first column has all rows.
    parts = {"training": [0, 5, 7, 11, 14, 20], "validation": [23, 25], "test": list(range(29, ROWS, 2))}
    if quick:
        grey, marked = grey[:, :96, :96], marked[:, :96, :96]
    classes = {"rest": 0, "marked": 1}
    return {
        "stack": ArraySource(grey, (1e-9,) * 3),
        "labels": ArraySource(marked, (1e-9,) * 3, kind="labels", classes=classes),
        "classes": classes,
        "slices": parts,
        "share": {name: float((marked == value).mean()) for name, value in classes.items()},
    }


def measured(name: str, data: Path, folder: Path, epochs: int, quick: bool) -> dict[str, Any]:
    from bigrock.workflows.shale import segment_from_slices

    given = {"fibsem": fibsem, "tiles": tiles}[name](data, quick)
    # The classes are not pores: none of them has a porosity.
    config: dict[str, Any] = {"baselines": True, "pores": [], "training": {"max_epochs": epochs}}
    if quick:
        short = {"max_epochs": 2, "steps_per_epoch": 4, "batch": 2, "patch": 32}
        config |= {"network": {"features": [4, 4, 8]}, "training": short}
    job = {name: given[name] for name in ("slices", "classes")}
    found = segment_from_slices(given["stack"], given["labels"], folder, config=config, progress=False, **job)
    told = found.metrics
    return {
        "stack": name,
        "share": given["share"],
        "slices": told["slices"],
        "iou": told["iou"],
        "interior_iou": told["interior_iou"],
        "iou_random_forest": told["random_forest"]["iou"],
        "pixel_accuracy": told["pixel_accuracy"],
        "epochs": told["epochs"],
        "seconds": told["seconds"],
    }


def show(row: dict[str, Any]) -> None:
    parts = row["slices"]
    print(f"{row['stack']}: {len(parts['training'])} training and {len(parts['test'])} test slices, at least "
          f"{parts['nearest_test']} apart; {row['epochs']} epochs, {row['seconds']['training']:.0f} s")  # fmt: skip
    for name, value in row["iou"].items():
        inside, forest = row["interior_iou"][name], row["iou_random_forest"][name]
        print(f"    {name:10} {100 * row['share'][name]:5.1f} %  IoU {number(value)}  "
              f"(off the borders {number(inside)})  random forest {number(forest)}")  # fmt: skip


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small pieces, hardly any training")
    parser.add_argument("--only", nargs="+", choices=["fibsem", "tiles"], default=["fibsem", "tiles"])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the jobs here; a later call goes on")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in given.only:
            rows.append(
                measured(name, given.data, (given.folder or Path(scratch)) / name, given.epochs, given.quick)
            )
            show(rows[-1])
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
