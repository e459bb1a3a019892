"""``bigrock permeability train``, ``finetune`` and ``predict``: from a set of rocks to a permeability."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from typer.testing import CliRunner

from bigrock.cli import app
from bigrock.datasets import make_rocks
from bigrock.models import load_bundle
from bigrock.volumes import ArraySource, open_volume

LABELS = {"tolerance": 0.05}


def call(*arguments: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rocks, a configuration, and both networks."""
    place = tmp_path_factory.mktemp("permeability")
    make_rocks(place / "rocks.zarr", count=16, edge=16, seed=1, progress=False, voxel_size="2 um", **LABELS)
    loop = "{max_epochs: 1, steps_per_epoch: 2, batch: 2, device: cpu, threads: 1}"
    (place / "job.yaml").write_text(
        f"""
workflow: permeability
rocks: {place}/rocks.zarr
super_resolution: {{scale: 2, features: 8, blocks: 1}}
super_resolution_training: {loop}
surrogate: {{architecture: darcy, features: [4, 8], head: 8, members: 2}}
surrogate_training: {loop}
fine_tuning: {loop}
"""
    )
    for kind in ("super-resolution", "surrogate"):
        call("permeability", "train", kind, "-c", place / "job.yaml", "-o", place / kind, "-q")
    return place


def test_training_scores_on_rocks_that_were_not_seen(folder: Path, tmp_path: Path) -> None:
    common = ("-c", folder / "job.yaml", "--json", "-q")
    found = json.loads(
        call("permeability", "train", "super-resolution", *common, "-o", tmp_path / "sr").stdout
    )
    assert found["task"] == "super-resolution"
    assert found["test"].keys() == {"psnr", "psnr_nearest", "psnr_trilinear", "psnr_cubic"}
    assert load_bundle(tmp_path / "sr").digest == load_bundle(folder / "super-resolution").digest
    assert load_bundle(tmp_path / "sr").voxel_size == pytest.approx((4e-6, 4e-6, 4e-6))
    other = call("permeability", "train", "direct", *common, "--seed", 3, "-o", tmp_path / "direct")
    scores = json.loads(other.stdout)["test"]
    assert scores.keys() > {"r2", "rmse_log10", "r2_porosity", "r2_kozeny_carman", "out_of_distribution"}
    assert load_bundle(tmp_path / "direct").config.edge == 8  # type: ignore[union-attr]


def test_tuning_makes_another_bundle_with_its_origin(folder: Path, tmp_path: Path) -> None:
    models = ("--super-resolution", folder / "super-resolution", "--surrogate", folder / "surrogate")
    shown = call(
        "permeability",
        "finetune",
        *models,
        "-c",
        folder / "job.yaml",
        "--fidelity",
        0,
        "-o",
        tmp_path / "t",
        "-q",
    ).stdout
    assert "test PSNR, dB" in shown
    assert "validation validation" not in shown
    assert "validation loss" in shown
    tuned = load_bundle(tmp_path / "t")
    plain = load_bundle(folder / "super-resolution")
    assert tuned.digest != plain.digest
    assert tuned.training["settings"]["fidelity"] == 0
    assert tuned.provenance["tuned"]["super-resolution"] == plain.digest
    assert tuned.provenance["split"]["by"] == "group"


def test_networks_are_judged_on_the_test_rocks_and_the_page_is_written(folder: Path, tmp_path: Path) -> None:
    models = ("--super-resolution", folder / "super-resolution", "--surrogate", folder / "surrogate")
    tune = ("permeability", "finetune", *models, "-c", folder / "job.yaml", "--sees", "fraction", "-q")
    call(*tune, "-o", tmp_path / "tuned")
    assert load_bundle(tmp_path / "tuned").training["settings"]["sees"] == "fraction"
    command = (
        "permeability",
        "evaluate",
        *models,
        "--tuned",
        tmp_path / "tuned",
        "-c",
        folder / "job.yaml",
        "-q",
    )
    told = json.loads(call(*command, "-o", tmp_path / "judged", "--json").stdout)
    ways = ["high resolution", "nearest", "trilinear", "cubic", "super-resolution", "fine-tuned"]
    assert list(told["variants"]) == ways
    for way in ways:
        assert ("physics" in told["variants"][way]["scores"]) is (
            way not in ("high resolution", "nearest", "trilinear")
        )
    assert told["rocks"] == 3
    assert "super-resolution → fine-tuned" in told["verdict"]["Does tuning help?"]
    page = (tmp_path / "judged" / "report.html").read_text()
    assert "Does tuning help thresholded images?" in page
    assert "porosity and surface, true image" in page
    other = tmp_path / "other.yaml"
    other.write_text((folder / "job.yaml").read_text() + "split: {seed: 7}\n")
    leak = call(*command[:-3], "-c", other, "-q", "-o", tmp_path / "leak", code=2)
    assert "trained with another split of the rocks (seed 0 then, 7 now)" in " ".join(leak.stderr.split())
    assert not (tmp_path / "leak").exists()
    again = call(*command, "-o", tmp_path / "judged").stdout
    assert "fine-tuned" in again
    assert again.strip().endswith("judged/report.html")


def test_a_permeability_is_told_of_a_volume_and_of_a_set(folder: Path, tmp_path: Path) -> None:
    model = ("--model", folder / "surrogate")
    every = json.loads(call("permeability", "predict", folder / "rocks.zarr", *model, "--json").stdout)
    assert len(every["predictions"]) == 16 * 3
    from bigrock.datasets import open_rocks
    from bigrock.transfer import import_volume

    np.save(tmp_path / "r.npy", open_rocks(folder / "rocks.zarr").image(0))
    import_volume(tmp_path / "r.npy", tmp_path / "r.zarr", voxel_size="2 um", progress=False)
    one = json.loads(call("permeability", "predict", tmp_path / "r.zarr", *model, "--json").stdout)
    for found, expected in zip(one["predictions"], every["predictions"][:3], strict=True):
        assert found["axis"] == expected["axis"]
        assert found["k_m2"] == pytest.approx(expected["k_m2"], rel=1e-4)
    assert " mD" in call("permeability", "predict", tmp_path / "r.zarr", *model, "--axis", "z").stdout
    import_volume(
        ArraySource(np.zeros((16,) * 3, bool)), tmp_path / "0.zarr", voxel_size="2 um", progress=False
    )
    shown = call("permeability", "predict", tmp_path / "0.zarr", *model, "--axis", "z")
    assert "does not percolate" in shown.stdout
    [none] = json.loads(
        call("permeability", "predict", tmp_path / "0.zarr", *model, "--axis", "z", "--json").stdout
    )["predictions"]
    assert (none["k_m2"], none["percolates"], none["log10_std"]) == (0.0, False, None)
    import_volume(
        ArraySource(np.ones((16, 20, 16), bool)), tmp_path / "l.zarr", voxel_size="1 um", progress=False
    )
    larger = call("permeability", "predict", tmp_path / "l.zarr", *model, code=2)
    assert "bigrock permeability map" in larger.stderr


def test_a_training_is_replaced_only_where_that_is_asked(folder: Path, tmp_path: Path) -> None:
    command = (
        "permeability",
        "train",
        "super-resolution",
        "-c",
        folder / "job.yaml",
        "-q",
        "-o",
        tmp_path / "sr",
    )
    call(*command)
    held = load_bundle(tmp_path / "sr").digest
    call(*command)
    refused = call(*command, "--no-resume", code=1)
    assert "holds such a training already. Choose another folder, or --overwrite." in refused.stderr
    other = call(*command, "--seed", 1, code=1)
    assert "with --overwrite, or in another folder" in " ".join(other.stderr.split())
    assert load_bundle(tmp_path / "sr").digest == held
    call(*command, "--seed", 1, "--overwrite")
    assert load_bundle(tmp_path / "sr").digest != held
    tuned = ("permeability", "finetune", "-c", folder / "job.yaml", "--super-resolution", tmp_path / "sr")
    assert "holds other files" in call(*tuned, "-o", folder, code=1).stderr


def relabelled(folder: Path, path: Path, change: Any) -> Path:
    """Return a copy of the rocks with other permeabilities."""
    shutil.copytree(folder / "rocks.zarr", path)
    labels = zarr.open_group(path, mode="r+")["k_voxel2"]
    labels[:] = change(np.asarray(labels))  # type: ignore[index]
    return path


def test_what_is_left_out_is_printed(folder: Path, tmp_path: Path) -> None:
    def change(k: np.ndarray) -> np.ndarray:
        k[[1, 4], 0], k[2, 0] = np.nan, 0
        return k

    some, job = relabelled(folder, tmp_path / "some.zarr", change), tmp_path / "job.yaml"
    parts = "split: {train: 0.5, validation: 0.25, test: 0.25}\n"
    job.write_text((folder / "job.yaml").read_text() + parts)
    command = ("permeability", "train", "surrogate", some, "-c", job, "-q", "-o", tmp_path / "su")
    assert "2 not labelled, 1 that do not percolate" in call(*command).stdout
    told = json.loads(call(*command, "--json").stdout)
    assert told["left_out"] == {"not labelled": 2, "not percolating": 1}


def test_super_resolution_needs_no_permeability(folder: Path, tmp_path: Path) -> None:
    bare = relabelled(folder, tmp_path / "bare.zarr", lambda k: k * np.nan)
    command = ("permeability", "train", "super-resolution", bare, "-c", folder / "job.yaml", "-q", "--json")
    told = json.loads(call(*command, "-o", tmp_path / "sr").stdout)
    assert told["left_out"] == {}
    assert load_bundle(tmp_path / "sr").training["rocks"] == 11
    surrogate = ("permeability", "train", "surrogate", bare, "-c", folder / "job.yaml", "-q")
    assert "nothing to train on" in " ".join(call(*surrogate, "-o", tmp_path / "s", code=2).stderr.split())


@pytest.mark.parametrize("k", [-1.0, np.inf])
def test_permeabilities_that_no_rock_has_are_refused(folder: Path, tmp_path: Path, k: float) -> None:
    odd = relabelled(
        folder, tmp_path / "odd.zarr", lambda held: np.where(np.arange(16)[:, None] == 3, k, held)
    )
    command = ("permeability", "train", "surrogate", odd, "-c", folder / "job.yaml", "-q")
    refused = " ".join(call(*command, "-o", tmp_path / "s", code=2).stderr.split())
    assert f"the permeability of rock 3 along z is {k:g}" in refused


def test_a_volume_becomes_finer(folder: Path, tmp_path: Path) -> None:
    import bigrock
    from bigrock.kernels import Threshold

    grey = np.random.default_rng(0).integers(40, 210, (9, 10, 11)).astype(np.uint8)
    bigrock.run(
        Threshold(120), ArraySource(grey, voxel_size=(4e-6,) * 3), tmp_path / "core.zarr", progress=False
    )
    model = ("--model", folder / "super-resolution", "-q", "--dtype", "float32")
    out = json.loads(
        call("superresolve", tmp_path / "core.zarr", tmp_path / "fine.zarr", *model, "--json").stdout
    )
    assert out["shape"] == [18, 20, 22]
    assert open_volume(tmp_path / "fine.zarr").voxel_size == pytest.approx((2e-6,) * 3)
    call("superresolve", tmp_path / "core.zarr", tmp_path / "m.zarr", *model, "--output", "mask")
    np.testing.assert_array_equal(
        open_volume(tmp_path / "m.zarr")[:], open_volume(tmp_path / "fine.zarr")[:] > 0.5
    )
    (tmp_path / "m.npy").write_bytes(b"held")
    refused = call("superresolve", tmp_path / "core.zarr", tmp_path / "m.npy", *model, code=1)
    assert "m.npy is a file. Choose another destination." in refused.stderr
    assert (tmp_path / "m.npy").read_bytes() == b"held"
    weights = folder / "super-resolution" / "models" / "model.safetensors"
    shutil.copytree(folder / "super-resolution", tmp_path / "odd")
    (tmp_path / "odd" / "models" / weights.name).write_bytes(weights.read_bytes()[:-1])
    odd = call(
        "superresolve", tmp_path / "core.zarr", tmp_path / "o.zarr", "--model", tmp_path / "odd", code=1
    )
    assert "results would not be those of the model" in odd.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "magic", "{0}/rocks.zarr"), "no network of this workflow"),
        (("train", "surrogate"), "no rocks are given"),
        (("train", "surrogate", "{0}/nowhere"), "holds no set of rocks"),
        (("predict", "{0}/nowhere", "-m", "{0}/surrogate"), "nothing is stored at"),
        (("evaluate", "{0}/rocks.zarr", "--super-resolution", "{0}/surrogate"), "needed here"),
        (
            ("finetune", "{0}/rocks.zarr", "--super-resolution", "{0}/super-resolution", "--fidelity", "0"),
            "no surrogate",
        ),
        (("train", "surrogate", "-c", "{0}/text.yaml"), "max_epochs: 'two' is not a number"),
        (("train", "surrogate", "-c", "{0}/other.yaml"), "another workflow"),
        (("train", "surrogate", "{0}/rocks.zarr", "-c", "{0}/shale.yaml"), "of another workflow, shale."),
        (("finetune", "{0}/rocks.zarr", "--super-resolution", "{0}/surrogate"), "needed here"),
        (("predict", "{0}/rocks.zarr", "-m", "{0}/super-resolution"), "one for permeability is needed"),
    ],
)
def test_what_does_not_fit_is_said(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (folder / "shale.yaml").write_text("workflow: shale\n")
    job = (folder / "job.yaml").read_text()
    (folder / "text.yaml").write_text(job.replace("max_epochs: 1", "max_epochs: two"))
    (folder / "other.yaml").write_text("workflow: segment\nsource: a.tif\nfolder: b\n")
    given = [argument.format(folder) for argument in arguments]
    where = [] if given[0] == "predict" else ["-o", str(tmp_path / "o")]
    result = CliRunner().invoke(app, ["permeability", *given, *where])
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert not (tmp_path / "o").exists()
