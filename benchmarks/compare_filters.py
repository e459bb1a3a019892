"""Filters and morphology beside scipy, scikit-image and edt: same image, same process, one thread each.

    python benchmarks/compare_filters.py [--quick] [--json FILE]

Ratios of CPU time, each the median of rounds in which both take turns; compilation is done before.
No ratio is promised but this: never slower than the peer by more than a tenth. "of copy" is the time of a
plain copy of the image as a share of ours: the limit of the memory. "blocks" is the time of 64³
blocks with their halos against the image at once. Exits with 1 where results differ or the peer is faster.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import edt
import numpy as np
from scipy import ndimage
from skimage.morphology import ball
from skimage.restoration import denoise_nl_means

from bigrock.engine import Kernel
from bigrock.geometry import BlockGrid
from bigrock.kernels import (
    Closing,
    Dilation,
    Erosion,
    Gaussian,
    Median,
    NonLocalMeans,
    Opening,
)

BLOCK = (64, 64, 64)


@dataclass(frozen=True)
class Case:
    """What is compared; `same` is the largest difference allowed, None where definitions differ."""

    name: str
    kernel: Kernel
    image: np.ndarray
    peer_name: str
    peer: Callable[[np.ndarray], np.ndarray]
    same: float | None = 0.0


def rock(shape: tuple[int, ...]) -> np.ndarray:
    """Return blobs of pore (grey 90) in a matrix (150), blurred, with noise of 18 grey levels."""
    rng = np.random.default_rng(1)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 4)
    grey = np.where(field > np.quantile(field, 0.75), 90.0, 150.0)
    return np.clip(ndimage.gaussian_filter(grey, 1) + rng.normal(0, 18, shape), 0, 255).astype(np.uint8)


def median_cases(grey: np.ndarray, small: np.ndarray) -> list[Case]:
    """Medians in slices and cubes, of three types."""

    def peer(radius: int, ndim: int) -> Callable[[np.ndarray], np.ndarray]:
        size = (2 * radius + 1 if ndim == 3 else 1, 2 * radius + 1, 2 * radius + 1)
        return lambda image: ndimage.median_filter(image, size=size, mode="nearest")

    return [
        Case(f"median {radius}, {ndim}-D {dtype}", Median(radius, ndim), image, "scipy", peer(radius, ndim))
        for dtype in ("uint8", "uint16", "float32")
        for radius, ndim, image in (
            (1, 2, grey.astype(dtype)),
            (1, 3, grey.astype(dtype)),
            (3, 2, small.astype(dtype)),
            (2, 3, small.astype(dtype)),
        )
    ]


def gaussian_cases(grey: np.ndarray) -> list[Case]:
    """Gaussians; equal to scipy within float32 rounding."""

    def peer(sigma: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda image: ndimage.gaussian_filter(image, sigma, output=np.float32, mode="nearest")

    return [
        Case(f"gaussian {sigma:g} {dtype}", Gaussian(sigma), grey.astype(dtype), "scipy", peer(sigma), 0.05)
        for dtype in ("uint8", "uint16", "float32")
        for sigma in (0.7, 2.0)
    ]


def non_local_cases(small: np.ndarray) -> list[Case]:
    """Non-local means; scikit-image's fast mode takes a smaller patch, so images differ."""

    def peer(search: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda image: denoise_nl_means(
            image.astype(np.float32),
            patch_size=3,
            patch_distance=search,
            h=0.8 * 18,
            sigma=18,
            fast_mode=True,
            preserve_range=True,
        )

    return [
        Case(f"non-local means {s}", NonLocalMeans(1, s, sigma=18.0), small, "scikit-image", peer(s), None)
        for s in (2, 3)
    ]


def morphology_cases(mask: np.ndarray) -> list[Case]:
    """Balls: scipy with a footprint where it is small, distance thresholds of edt where it is large."""

    def far(image: np.ndarray, radius: int) -> np.ndarray:
        return edt.edtsq(image, black_border=False, parallel=1) > radius * radius

    def opened(image: np.ndarray, radius: int) -> np.ndarray:
        return ~far(~far(image, radius), radius)

    cases = []
    for radius in (1, 2):
        footprint = ball(radius).astype(bool)
        cases += [
            Case(
                f"erosion {radius}",
                Erosion(radius),
                mask,
                "scipy",
                lambda m, f=footprint: ndimage.binary_erosion(m, f, border_value=1),
            ),
            Case(
                f"dilation {radius}",
                Dilation(radius),
                mask,
                "scipy",
                lambda m, f=footprint: ndimage.binary_dilation(m, f),
            ),
        ]
    for radius in (3, 10, 25):
        cases.append(
            Case(f"opening {radius}", Opening(radius), mask, "edt", lambda m, r=radius: opened(m, r))
        )
    cases.append(Case("closing 10", Closing(10), mask, "edt", lambda m: ~opened(~m, 10)))
    return cases


def whole(kernel: Kernel, image: np.ndarray) -> np.ndarray:
    """Return what a kernel makes of an image at once."""
    return kernel(image, BlockGrid(image.shape, image.shape)[0])


def blocks(kernel: Kernel, image: np.ndarray) -> np.ndarray:
    """Return what a kernel makes of an image block by block."""
    out = np.empty(image.shape, kernel.output_dtype(image.dtype))
    for block in BlockGrid(image.shape, BLOCK, kernel.halo):
        out[block.core.slices] = kernel(np.ascontiguousarray(image[block.read.slices]), block)
    return out


def compare(case: Case, rounds: int) -> dict[str, object]:
    """Return CPU nanoseconds per voxel and ratios of one case."""
    image = case.image
    run = {
        "peer": lambda: case.peer(image),
        "ours": lambda: whole(case.kernel, image),
        "blocks": lambda: blocks(case.kernel, image),
        "copy": lambda: image.copy(),
    }
    run["ours"]()
    spent: dict[str, list[float]] = {key: [] for key in run}
    result = {}
    for _ in range(rounds):
        for key, function in run.items():
            begin = time.process_time()
            result[key] = function()
            spent[key].append((time.process_time() - begin) / image.size * 1e9)
    ns = {key: statistics.median(values) for key, values in spent.items()}
    apart = np.abs(result["peer"].astype(np.float64) - result["ours"]).max()
    return {
        "what": case.name,
        "peer": case.peer_name,
        "peer_ns": round(ns["peer"], 2),
        "bigrock_ns": round(ns["ours"], 2),
        "ratio": round(ns["peer"] / ns["ours"], 2),
        "of_copy": round(ns["copy"] / ns["ours"], 3),
        "blocks": round(ns["blocks"] / ns["ours"], 2),
        "equal": case.same is None or bool(apart <= case.same),
        "block_is_whole": bool(np.array_equal(result["blocks"], result["ours"])),
    }


def main() -> int:
    """Run all comparisons, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller images, fewer rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    side, rounds = (80, 1) if options.quick else (160, 3)
    grey = rock((side, side, side))
    small = np.ascontiguousarray(grey[: side // 4, : side // 2, : side // 2])
    mask = ndimage.gaussian_filter(grey, 2) > 128
    cases = [
        *median_cases(grey, small),
        *gaussian_cases(grey),
        *non_local_cases(small),
        *morphology_cases(mask),
    ]
    print(
        f"{'':22} {'peer':13} {'peer':>10} {'bigrock':>10} {'ratio':>7} {'of copy':>8} {'blocks':>7}  equal"
    )
    rows = []
    for case in cases:
        row = compare(case, rounds)
        rows.append(row)
        print(
            f"{row['what']:22} {row['peer']:13} {row['peer_ns']:7.1f} ns {row['bigrock_ns']:7.2f} ns "
            f"{row['ratio']:6.1f}x {row['of_copy']:7.1%} {row['blocks']:6.2f}x  "
            f"{row['equal']} {row['block_is_whole']}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    right = all(row["equal"] and row["block_is_whole"] for row in rows)
    return 0 if right and all(row["ratio"] > 0.9 for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
