"""A bundle is complete, says what it is, is refused when it was changed, and runs in MONAI's own tools."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file

import bigrock
from bigrock.errors import BundleError
from bigrock.models import load_bundle, save_bundle, segmentation_kernel
from bigrock.models.cache import forget_networks
from bigrock.volumes import ArraySource


@pytest.fixture
def copied(bundle, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(bundle.folder, tmp_path / "bundle")


def changed(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_what_is_saved_is_what_is_loaded(tmp_path, small, bundle):
    facts = {"voxel_size": (1e-8, 5e-9, 5e-9), "provenance": {"slices": [3, 9]}, "training": {"seed": 1}}
    net = bundle.network()
    saved = save_bundle(tmp_path / "b", net, small, **facts)
    loaded = load_bundle(tmp_path / "b")
    assert load_bundle(loaded) is loaded
    assert loaded == saved
    assert (loaded.config, loaded.classes) == (small, small.classes)
    assert (loaded.halo, loaded.stride) == (20, 4)
    assert (loaded.voxel_size, loaded.provenance, loaded.training) == tuple(facts.values())
    forget_networks()
    image = torch.randn(1, 1, 16, 16)
    with torch.inference_mode():
        assert torch.equal(loaded.network()(image), net(image))


def test_the_weights_are_stored_once_though_monai_names_them_twice(bundle):
    network = bundle.network()
    stored = load_file(f"{bundle.folder}/models/model.safetensors")
    assert sum(a.size for a in stored.values() if a.dtype == np.float32) < 1.1 * sum(
        p.numel() for p in network.parameters()
    )


def test_a_bundle_travels_without_its_weights(bundle):
    bundle.network()
    assert len(pickle.dumps(bundle)) < 2000
    assert bundle.identity() == {"bundle": bundle.digest, "classes": bundle.classes}


def test_saving_again_replaces_the_bundle(copied, small, trained):
    before = load_bundle(copied)
    after = save_bundle(copied, trained(small, seed=5), small)
    assert after.digest != before.digest
    assert load_bundle(copied) == after
    forget_networks()
    with pytest.raises(BundleError, match="different models"):
        before.network()


def test_the_metadata_is_what_monai_asks_for(thick_bundle):
    from monai.bundle import ConfigParser

    metadata = ConfigParser.load_config_file(f"{thick_bundle.folder}/configs/metadata.json")
    asked = "schema version changelog monai_version pytorch_version numpy_version task description authors copyright"
    assert set(asked.split()) <= set(metadata)
    assert metadata["version"] in metadata["changelog"]
    formats = metadata["network_data_format"]
    asked = "type format num_channels spatial_shape dtype value_range is_patch_data channel_def"
    for part in (formats["inputs"]["image"], formats["outputs"]["pred"]):
        assert set(asked.split()) <= set(part)
        assert len(part["channel_def"]) == part["num_channels"]
    assert formats["outputs"]["pred"]["channel_def"] == {"0": "matrix", "1": "organic matter", "2": "pore"}
    assert formats["inputs"]["image"]["channel_def"] == {"0": "slice -1", "1": "slice", "2": "slice +1"}


def test_the_network_fits_what_the_metadata_says_in_the_eyes_of_monai(bundle):
    from monai.bundle import verify_net_in_out

    files = {"meta_file": f"{bundle.folder}/configs/metadata.json"}
    config = f"{bundle.folder}/configs/inference.json"
    verify_net_in_out("network_def", config_file=config, device="cpu", n=2, p=2, any=8, **files)


@pytest.mark.parametrize(
    ("kind", "suffix", "standardize"),
    [("bundle", "tif", None), ("thick_bundle", "npy", None), (None, "tif", "volume")],
)
def test_the_runner_of_monai_gives_the_same_labels(
    request, trained, small, tmp_path, kind, suffix, standardize
):
    if kind is None:
        config = replace(small, standardize=standardize)
        model = save_bundle(tmp_path / "bundle", trained(config), config)
    else:
        model = request.getfixturevalue(kind)
    scan = np.random.default_rng(0).integers(0, 60000, (4, 37, 50)).astype(np.uint16)
    (tmp_path / "slices").mkdir()
    for z, image in enumerate(scan):
        path = tmp_path / "slices" / f"{z:03}.{suffix}"
        tifffile.imwrite(path, image) if suffix == "tif" else np.save(path, image)
    command = [sys.executable, "-m", "monai.bundle", "run"]
    command += ["--config_file", f"{model.folder}/configs/inference.json", "--bundle_root", model.folder]
    command += ["--dataset_dir", str(tmp_path / "slices"), "--output_dir", str(tmp_path / "labels")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    theirs = [np.asarray(Image.open(tmp_path / "labels" / f"{z:03}_labels.png")) for z in range(len(scan))]
    ours = bigrock.run(segmentation_kernel(model), ArraySource(scan), tmp_path / "out.zarr", progress=False)[
        :
    ]
    assert len(np.unique(ours)) == 3
    # Their means and deviations are rounded to float32, so a tie may fall otherwise.
    assert np.mean(np.stack(theirs) != ours) < 1e-3


@pytest.mark.parametrize(
    "name", ["configs/metadata.json", "configs/inference.json", "models/model.safetensors"]
)
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(BundleError, match=f"no model bundle: {name} not found"):
        load_bundle(copied)


def test_no_folder_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="Give the folder that training wrote"):
        load_bundle(tmp_path / "nowhere")


def test_other_weights_are_refused(copied):
    path = copied / "models/model.safetensors"
    weights = load_file(path)
    name = next(name for name, array in weights.items() if array.ndim == 4)
    weights[name] = weights[name] + 1e-6
    save_file(weights, path)
    with pytest.raises(BundleError, match=r"other weights or settings than its digest"):
        load_bundle(copied)


@pytest.mark.parametrize("key", ["halo", "stride"])
def test_a_changed_halo_is_refused(copied, key):
    changed(copied / "configs/metadata.json", lambda m: m["bigrock"].update({key: 1}))
    with pytest.raises(BundleError, match="digest"):
        load_bundle(copied)


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_other_channels_are_refused(copied, part):
    def change(metadata):
        next(iter(metadata["network_data_format"][part].values()))["num_channels"] = 7

    changed(copied / "configs/metadata.json", change)
    with pytest.raises(BundleError, match=r"7 c.*its network has 1 and 3"):
        load_bundle(copied)


def test_another_network_for_monai_is_refused(copied):
    changed(copied / "configs/inference.json", lambda c: c["network_def"].update(filters=[1, 1, 1]))
    with pytest.raises(BundleError, match="defines another network"):
        load_bundle(copied)


@pytest.mark.parametrize("version", [0, 2, None])
def test_another_version_is_refused(copied, version):
    changed(copied / "configs/metadata.json", lambda m: m["bigrock"].update(version=version))
    with pytest.raises(BundleError, match=f"of version {version}, and this bigrock reads version 1"):
        load_bundle(copied)


def test_a_bundle_of_another_program_is_refused(copied):
    changed(copied / "configs/metadata.json", lambda m: m.pop("bigrock"))
    with pytest.raises(BundleError, match="version None"):
        load_bundle(copied)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_that_was_not_written_to_its_end_is_refused(copied, text):
    (copied / "configs/metadata.json").write_text(text)
    with pytest.raises(BundleError):
        load_bundle(copied)


def test_a_description_that_lacks_a_part_is_refused(copied):
    changed(copied / "configs/metadata.json", lambda m: m["bigrock"].pop("halo"))
    with pytest.raises(BundleError, match="changed by hand"):
        load_bundle(copied)


def test_weights_of_another_network_are_refused(tmp_path, small, trained):
    from bigrock.models.weights import load_weights, save_weights

    save_weights(trained(small), tmp_path / "w.safetensors")
    other = trained(replace(small, features=(4, 6, 9)))
    with pytest.raises(BundleError, match="weights of another network"):
        load_weights(other, tmp_path / "w.safetensors")
