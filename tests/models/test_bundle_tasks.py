"""Bundles of every task run in MONAI's own tools, and are refused where they are not what they say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

import bigrock
from bigrock.errors import BundleError
from bigrock.models import (
    SuperResolutionConfig,
    SurrogateConfig,
    build_super_resolution_net,
    build_surrogate_net,
    load_bundle,
    predict_permeability,
    save_bundle,
    super_resolution_kernel,
)
from bigrock.volumes import ArraySource

EDGE = 16


def made(folder, task):
    torch.manual_seed(0)
    if task == "super-resolution":
        config = SuperResolutionConfig(scale=2, features=8, blocks=1, value_range=(210, 40))
        return save_bundle(folder, build_super_resolution_net(config), config)
    config = SurrogateConfig(
        EDGE, architecture=task, features=(4, 8), head=8, members=2, log10_k_mean=-1.5, log10_k_std=0.8
    )
    return save_bundle(folder, build_surrogate_net(config), config)


@pytest.fixture(scope="module", params=["super-resolution", "conv3d", "darcy"])
def bundle(request, tmp_path_factory):
    return made(tmp_path_factory.mktemp("bundle"), request.param)


@pytest.fixture
def copied(bundle, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(bundle.folder, tmp_path / "bundle")


def changed(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_the_runner_of_monai_gives_the_same(bundle, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "volumes").mkdir()
    volumes = [rng.integers(20, 240, (EDGE,) * 3).astype(np.uint8) for _ in range(2)]
    if bundle.task == "permeability":
        volumes = [volume > 99 for volume in volumes]
    for number, volume in enumerate(volumes):
        np.save(tmp_path / "volumes" / f"{number}.npy", volume.astype(np.float32))
    command = [sys.executable, "-m", "monai.bundle", "run", "--bundle_root", bundle.folder]
    command += ["--config_file", f"{bundle.folder}/configs/inference.json"]
    command += ["--dataset_dir", str(tmp_path / "volumes"), "--output_dir", str(tmp_path / "results")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if bundle.task == "permeability":
        theirs = [np.load(tmp_path / "results" / f"{i}_log10_k.npy").mean() for i in range(2)]
        ours = predict_permeability(bundle, np.stack(volumes), voxel_size=1e-6, backend="cpu")
        np.testing.assert_allclose(theirs, np.log10(ours.k_voxel2), rtol=1e-4)
        return
    kernel = super_resolution_kernel(bundle, dtype="float32", backend="cpu")
    for number, volume in enumerate(volumes):
        out = bigrock.run(kernel, ArraySource(volume), tmp_path / f"{number}.zarr", progress=False)
        theirs = np.load(tmp_path / "results" / f"{number}_fine.npy")
        np.testing.assert_allclose(theirs, out[:], atol=1e-5)


def test_the_metadata_names_the_task_and_what_goes_in_and_out(bundle):
    from monai.bundle import ConfigParser

    metadata = ConfigParser.load_config_file(f"{bundle.folder}/configs/metadata.json")
    formats = metadata["network_data_format"]
    assert metadata["bigrock"]["task"] == bundle.task
    assert formats["inputs"]["image"]["channel_def"] == {"0": "pore fraction"}
    pred = formats["outputs"]["pred"]
    assert len(pred["channel_def"]) == pred["num_channels"] == bundle.config.outputs
    config = ConfigParser()
    config.read_config(f"{bundle.folder}/configs/inference.json")
    net = config.get_parsed_content("network_def")
    assert sum(p.numel() for p in net.parameters()) == sum(p.numel() for p in bundle.network().parameters())


def test_weights_of_another_network_are_refused(tmp_path, copied):
    config = SuperResolutionConfig(scale=4, features=8, blocks=2)
    other = save_bundle(tmp_path / "other", build_super_resolution_net(config), config)
    shutil.copy(f"{other.folder}/models/model.safetensors", copied / "models/model.safetensors")
    with pytest.raises(BundleError, match="other weights or settings than its digest"):
        load_bundle(copied)


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_other_channels_are_refused(copied, part):
    def change(metadata):
        next(iter(metadata["network_data_format"][part].values()))["num_channels"] = 7

    changed(copied / "configs/metadata.json", change)
    with pytest.raises(BundleError, match="7 channels"):
        load_bundle(copied)


@pytest.mark.parametrize("task", ["segmentation", "magic"])
def test_another_task_is_refused(copied, task):
    changed(copied / "configs/metadata.json", lambda m: m["bigrock"].update(task=task))
    with pytest.raises(BundleError, match="changed by hand"):
        load_bundle(copied)


def test_settings_that_were_changed_are_refused(copied):
    key, value = {
        "super-resolution": ("value_range", [0, 255]),
        "permeability": ("log10_k_mean", 0.0),
    }[load_bundle(copied).task]
    changed(copied / "configs/metadata.json", lambda m: m["bigrock"]["config"].update({key: value}))
    with pytest.raises(BundleError, match="digest"):
        load_bundle(copied)


def test_another_network_for_monai_is_refused(copied):
    changed(copied / "configs/inference.json", lambda c: c["network_def"].update(features=99))
    with pytest.raises(BundleError, match="defines another network"):
        load_bundle(copied)


def test_a_bundle_of_labels_has_a_class_table_and_others_have_none(bundle):
    with pytest.raises(BundleError, match="one for segmentation is needed"):
        _ = bundle.classes
    assert bundle.identity() == {"bundle": bundle.digest}
