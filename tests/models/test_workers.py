"""Memory is as planned; workers of a cluster load a model once each, and get it where they do not see it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bigrock
from bigrock.engine import shipping
from bigrock.errors import EngineError
from bigrock.models import CPU_FEATURES, SegmentationConfig, save_bundle, segmentation_kernel
from bigrock.volumes import ArraySource, create_volume

HERE = Path(__file__).parent


def measured(name, **options):
    command = [sys.executable, str(HERE / "passes.py"), name, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def default_bundle(tmp_path_factory, trained):
    config = SegmentationConfig({"matrix": 0, "pore": 1}, neighbours=1, features=CPU_FEATURES)
    return save_bundle(tmp_path_factory.mktemp("default"), trained(config), config)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    volume = create_volume(tmp_path_factory.mktemp("scan") / "scan.zarr", (8, 1024, 1024), "uint8")
    volume.write(
        bigrock.geometry.Region.whole(volume.shape),
        np.random.default_rng(0).integers(0, 255, volume.shape, np.uint8),
    )
    return volume


@pytest.mark.parametrize(("executor", "window"), [(1, 2**20), (2, 2**18)])
def test_a_segmentation_keeps_to_its_plan(scan, default_bundle, tmp_path, executor, window):
    figures = measured(
        "measured_run",
        source=scan.path,
        model=default_bundle.folder,
        dest=str(tmp_path / "out.zarr"),
        executor=executor,
        window_voxels=window,
    )
    assert figures["peak"] <= figures["planned"]
    assert figures["planned"] < 2.5 * figures["peak"]


@pytest.mark.parametrize(("workers", "hidden"), [(2, False), (1, True)], ids=["shared file system", "sent"])
def test_each_worker_of_a_cluster_loads_the_model_once(bundle, tmp_path, workers, hidden):
    place = str(tmp_path / "out.zarr")
    figures = measured("cluster_run", model=bundle.folder, dest=place, workers=workers, hidden=hidden)
    assert sorted(figures["held"]) in ([0, 1], [1] * workers)
    array = np.random.default_rng(0).integers(0, 255, (12, 40, 40)).astype(np.uint8)
    here = bigrock.run(
        segmentation_kernel(bundle), ArraySource(array), tmp_path / "here.zarr", progress=False
    )
    assert figures["labels"] == np.bincount(here[:].ravel()).tolist()


class Blind:
    """A cluster whose workers see nothing."""

    def run(self, function, *arguments):
        return {"worker": False}


def test_a_folder_that_is_too_large_to_send_is_refused(tmp_path, monkeypatch):
    (tmp_path / "weights").write_bytes(b"x" * 100)
    monkeypatch.setattr(shipping, "_LARGEST", 50)
    with pytest.raises(EngineError, match="all machines see it under the same path"):
        shipping.ship(Blind(), {"key": str(tmp_path)})


def test_outside_of_a_cluster_a_folder_is_where_it_is(tmp_path):
    assert shipping.local_folder(str(tmp_path), "key") == tmp_path
    assert shipping.local_folder("/nowhere", "key") == Path("/nowhere")
