"""Passes that run in processes of their own, for their memory, their workers and what those load.

python passes.py NAME '{"keyword": "value"}'
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

import bigrock
from bigrock.models import load_bundle, segmentation_kernel
from bigrock.volumes import ArraySource, open_volume


def peak_bytes():
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def measured_run(source, model, dest, executor, window_voxels):
    """Print planned and reached peak of a segmentation."""
    kernel = segmentation_kernel(load_bundle(model), window_voxels=window_voxels, backend="cpu")
    volume = open_volume(source)
    planned = bigrock.plan(kernel, volume, executor=executor)
    before = peak_bytes()
    bigrock.run(kernel, volume, dest, executor=executor, progress=False)
    figures = {"planned": planned.ram_bytes, "peak": peak_bytes(), "before": before, "block": planned.block}
    print(json.dumps(figures))


def count_networks():
    """Return how many networks a process holds, and where the bundle was found."""
    from bigrock.models import cache

    return len(cache._networks)


def hide(folder):
    """Make a process believe that it does not see a folder."""
    from bigrock.engine import shipping

    shipping._sees = lambda path: path != folder and Path(path).is_dir()


def cluster_run(model, dest, workers, hidden):
    """Print what the workers of a cluster have loaded after a segmentation, whether they see the folder or not."""
    scan = ArraySource(np.random.default_rng(0).integers(0, 255, (12, 40, 40)).astype(np.uint8))
    kernel = segmentation_kernel(load_bundle(model), backend="cpu")
    with bigrock.cluster(workers=workers, threads=2, dashboard_address=":0") as client:
        if hidden:
            client.run(hide, model)
        out = bigrock.run(
            kernel, scan, dest, block=(1, 20, 20), shard=(1, 20, 20), executor=client, progress=False
        )
        held = list(client.run(count_networks).values())
    print(json.dumps({"held": held, "labels": np.bincount(out[:].ravel()).tolist()}))


if __name__ == "__main__":
    globals()[sys.argv[1]](**json.loads(sys.argv[2]))
