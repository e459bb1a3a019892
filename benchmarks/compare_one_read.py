"""Everything in one read of a grey volume, beside the best separate peers in sequence, and beside the read alone.

    python benchmarks/compare_one_read.py [--quick] [--edge 256] [--rounds 5] [--json FILE]

Ours: histogram, threshold, components with all their statistics, 2×2×2 configurations (Euler
number 6 and 26, surface), box counts of phase and interface, and the box sums of REV (porosity of
every 16³ box; a line more tells what χ and surface of every box add), by one `bigrock.reduce` over
a stored uint8 volume. Peers, on the
array in memory, after the same read: `numpy.bincount`, comparison, cc3d with its statistics,
`skimage.measure.euler_number`, PoreSpy's `boxcount` at as many sizes as it takes by default
(interface only), numpy sums of 16³ boxes (porosity only). Their results must agree with ours. A
second ratio has `skimage.measure.block_reduce` in the place of PoreSpy, dyadic sizes, phase only.

Two layouts: zstd in chunks of 128³, and bigrock's own. CPU time, medians of rounds in which all
take turns, one thread each, after compiling. The physical limit is the read alone. Exits with 1
where results differ.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

BOX = 16
PORESPY, BLOCK_REDUCE = "PoreSpy boxcount", "skimage block_reduce"


def grey_rock(edge: int) -> np.ndarray:
    """Return pores (grey 90) in a matrix (150), blurred, with noise of 18 grey levels; 22 % pore."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(1)
    field = gaussian_filter(rng.standard_normal((edge,) * 3, dtype=np.float32), 4)
    grey = np.where(field < np.quantile(field[::4, ::4, ::4], 0.22), np.float32(90), np.float32(150))
    grey = gaussian_filter(grey, 1) + rng.normal(0, 9, grey.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def stored(grey: np.ndarray, path: Path, layout: str) -> Any:
    """Return the rock as a volume in one of the two layouts."""
    import zarr
    from zarr.codecs import ZstdCodec

    from bigrock.geometry import BlockGrid
    from bigrock.volumes import create_volume
    from bigrock.volumes.formats import open_source

    if layout == "zstd 128³":
        chunks = (min(128, grey.shape[0]),) * 3
        array = zarr.create_array(
            path, shape=grey.shape, dtype="uint8", chunks=chunks, compressors=ZstdCodec(level=1)
        )
        array[:] = grey
        return open_source(path)
    volume = create_volume(path, grey.shape, "uint8", voxel_size="2 um")
    for block in BlockGrid(grey.shape, volume.write_unit):
        volume.write(block.core, grey[block.core.slices])
    return volume


def ours(volume: Any, threshold: int, block: Any, *, volume_only: bool = True) -> dict[str, Any]:
    """Return everything from one read."""
    from bigrock.engine import reduce
    from bigrock.kernels import GreyHistogram, Threshold
    from bigrock.kernels.box_counting import BoxCounting
    from bigrock.kernels.box_sums import BoxSums
    from bigrock.kernels.configurations import Configurations
    from bigrock.kernels.labelling_reduction import Components
    from bigrock.kernels.minkowski import euler_of

    wanted = [Components(26), Configurations(), BoxCounting(), BoxSums(BOX, volume_only=volume_only)]
    parts, configurations, boxes, sums, histogram = reduce(
        volume,
        wanted,
        through=Threshold(threshold),
        stored=[GreyHistogram()],
        executor="serial",
        block=block,
        progress=False,
    )
    return {
        "total": histogram.total,
        "components": len(parts),
        "largest": int(parts.voxels.max()),
        "euler": euler_of(configurations, 26),
        "boxes": [int(n) for n in boxes.phase],
        "rev": sums.over(1)[..., 0],
    }


def read_alone(volume: Any, block: Any) -> int:
    """Return how many voxels were read, block by block, as our pass reads them."""
    from bigrock.geometry import BlockGrid

    return sum(volume.read(part.core).size for part in BlockGrid(volume.shape, block))


def peers(grey: np.ndarray, threshold: int, spent: dict[str, list[float]]) -> dict[str, Any]:
    """Return the same numbers by one package after the other; note the CPU time of each."""
    import cc3d
    from porespy.metrics import boxcount
    from skimage.measure import block_reduce, euler_number

    def timed(name: str, function: Callable[[], Any]) -> Any:
        begin = time.process_time()
        result = function()
        spent.setdefault(name, []).append(time.process_time() - begin)
        return result

    def components() -> Any:
        labels, count = cc3d.connected_components(mask, connectivity=26, return_N=True)
        return count, cc3d.statistics(labels)["voxel_counts"][1:]

    n = grey.shape[0] // BOX
    histogram = timed("numpy bincount", lambda: np.bincount(grey.ravel(), minlength=256))
    mask = timed("numpy comparison", lambda: grey <= threshold)
    count, voxels = timed("cc3d + statistics", components)
    euler = timed("skimage euler_number", lambda: euler_number(mask, connectivity=3))
    few = np.unique(np.logspace(1, np.log10(grey.shape[0]), 10).astype(int))
    timed(PORESPY, lambda: boxcount(mask, bins=few))
    sizes = 2 ** np.arange(grey.shape[0].bit_length())
    counted = timed(BLOCK_REDUCE, lambda: [block_reduce(mask, int(s), np.max).sum() for s in sizes])
    rev = timed(
        "numpy box sums",
        lambda: mask.reshape(n, BOX, n, BOX, n, BOX).sum(axis=(1, 3, 5)),
    )
    return {
        "total": int(histogram.sum()),
        "components": int(count),
        "largest": int(voxels.max()),
        "euler": int(euler),
        "boxes": [int(count) for count in counted],
        "rev": rev,
    }


def agree(a: dict[str, Any], b: dict[str, Any]) -> dict[str, bool]:
    """Return which numbers are equal."""
    return {name: bool(np.array_equal(a[name], b[name])) for name in a}


def compare(edge: int, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each layout."""
    grey, threshold, rows = grey_rock(edge), 119, []
    with tempfile.TemporaryDirectory() as temporary:
        for layout in ("zstd 128³", "bigrock"):
            volume = stored(grey, Path(temporary, f"{layout}.zarr"), layout)
            block = (min(256, edge),) * 3
            spent: dict[str, list[float]] = {}
            contenders = {
                "one read": partial(ours, volume, threshold, block),
                "one read, χ by box": partial(ours, volume, threshold, block, volume_only=False),
                "the read alone": partial(read_alone, volume, block),
                "peers": partial(peers, grey, threshold, spent),
            }
            found = {name: run() for name, run in contenders.items()}
            spent.clear()
            for _ in range(rounds):
                for name, run in contenders.items():
                    begin = time.process_time()
                    run()
                    spent.setdefault(name, []).append(time.process_time() - begin)
            rows.append(row_of(layout, spent, agree(found["one read"], found["peers"]), grey.size))
    return rows


def row_of(layout: str, spent: dict[str, list[float]], equal: dict[str, bool], voxels: int) -> dict[str, Any]:
    """Return medians and the ratios of them."""
    seconds = {name: statistics.median(times) for name, times in spent.items()}
    every = seconds.pop("peers") + seconds["the read alone"]
    ours = seconds["one read"]
    return {
        "layout": layout,
        "seconds": seconds,
        "equal": equal,
        "with PoreSpy": (every - seconds[BLOCK_REDUCE]) / ours,
        "with block_reduce": (every - seconds[PORESPY]) / ours,
        "of the read": ours / seconds["the read alone"],
        "ns_per_voxel": ours / voxels * 1e9,
    }


def show(row: dict[str, Any]) -> None:
    """Print the times of one layout, and the two ratios beside their goals."""
    print(f"\n{row['layout']}: one read {row['ns_per_voxel']:.2f} ns a voxel")
    for name, seconds in sorted(row["seconds"].items(), key=lambda item: item[1]):
        print(f"  {name:22} {seconds * 1e3:9.1f} ms CPU")
    print(f"  faster than the peers in sequence {row['with PoreSpy']:5.1f}x (goal >= 15x)")
    print(f"  … with block_reduce for PoreSpy   {row['with block_reduce']:5.1f}x")
    print(f"  times the read alone              {row['of the read']:5.1f}x (goal <= 3.5x)")
    print(f"  equal: {row['equal']}", flush=True)


def main() -> int:
    """Run the comparison, print it, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a smaller volume, fewer rounds")
    parser.add_argument("--edge", type=int, default=256, help="edge of the volume; a multiple of 16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = compare(*(128, 2) if options.quick else (options.edge, options.rounds))
    for row in rows:
        show(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(all(row["equal"].values()) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
