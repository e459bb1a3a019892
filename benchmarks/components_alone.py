"""One contender of `compare_components.py` in a process of its own: what it took, as JSON.

python benchmarks/components_alone.py CONTENDER FOLDER CONNECTIVITY
"""

from __future__ import annotations

import functools
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = (128, 128, 128)


def peak_bytes(name: str = "VmHWM") -> int:
    # Not ru_maxrss: a new process inherits that of its parent.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(name))


@functools.cache
def warm(folder: Path) -> None:
    """Load and compile everything on a volume of nothing."""
    import bigrock

    tiny = bigrock.ArraySource(np.random.default_rng(0).random((9, 9, 9)) < 0.3)
    bigrock.label(tiny, "memory://warm.zarr", block=(4, 4, 4), executor="serial", progress=False)
    bigrock.open_volume(folder / "mask.zarr")[:1, :1, :1]


def step(contender: str, folder: Path, connectivity: int) -> dict[str, Any]:
    """Run one contender in this process, and return what it took and the sizes that it found."""
    import cc3d

    import bigrock
    from bigrock.kernels import Components
    from bigrock.volumes import Region, create_volume

    warm(folder)
    mask, out = bigrock.open_volume(folder / "mask.zarr"), folder / f"{contender}.zarr"
    shutil.rmtree(out, ignore_errors=True)
    before, cpu, wall = peak_bytes("VmRSS"), time.process_time(), time.perf_counter()
    how: dict[str, Any] = {"block": BLOCK, "executor": "serial", "progress": False}
    found = None
    if contender == "read":
        for block in blocks_of(mask.shape):
            mask.read(block.core)
    elif contender == "statistics":
        [sums] = bigrock.reduce(mask, [Components(connectivity)], **how)
        found = sums.voxels
    elif contender == "cc3d statistics":
        labels = cc3d.connected_components(mask[:], connectivity=connectivity, out_dtype=np.uint32)
        found = cc3d.statistics(labels)["voxel_counts"][1:]
    elif contender == "labels":
        bigrock.label(mask, out, connectivity=connectivity, **how)
    elif contender == "cc3d labels":
        labels = cc3d.connected_components(mask[:], connectivity=connectivity, out_dtype=np.uint32)
        sink = create_volume(out, mask.shape, "uint32", kind="labels", shard=BLOCK)
        for block in blocks_of(mask.shape):
            sink.write(Region(block.core.start, block.core.stop), labels[block.core.slices])
    elif contender == "dask-image":
        import dask
        from dask_image.ndmeasure import label

        structure = np.ones((3, 3, 3)) if connectivity == 26 else None
        with dask.config.set(scheduler="synchronous"):
            labels, _ = label(mask.to_dask(), structure)
            labels.to_zarr(str(out))
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "above_bytes": peak_bytes() - before,
        "peak_bytes": peak_bytes(),
        "sizes": None if found is None else [len(found), int(found.max()), int(found.sum())],
    }


def blocks_of(shape: tuple[int, int, int]) -> Any:
    """Return the blocks of a volume."""
    from bigrock.geometry import BlockGrid

    return BlockGrid(shape, BLOCK)


if __name__ == "__main__":
    print(json.dumps(step(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
