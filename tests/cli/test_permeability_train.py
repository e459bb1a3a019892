"""``bigrock permeability train``, ``finetune`` and ``predict``: from a set of rocks to a permeability."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
surrogate: {{architecture: conv3d, features: [4, 8], head: 8, members: 2}}
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
    assert found["test"].keys() == {"psnr", "psnr_cubic"}
    assert load_bundle(tmp_path / "sr").digest == load_bundle(folder / "super-resolution").digest
    assert load_bundle(tmp_path / "sr").voxel_size == pytest.approx((4e-6, 4e-6, 4e-6))
    other = call("permeability", "train", "direct", *common, "--seed", 3, "-o", tmp_path / "direct")
    assert json.loads(other.stdout)["test"].keys() > {"r2", "rmse_log10", "out_of_distribution"}
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
    assert "test psnr" in shown
    tuned = load_bundle(tmp_path / "t")
    plain = load_bundle(folder / "super-resolution")
    assert tuned.digest != plain.digest
    assert tuned.training["settings"]["fidelity"] == 0
    assert tuned.provenance["tuned"]["super-resolution"] == plain.digest
    assert tuned.provenance["split"]["by"] == "group"


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "magic", "{0}/rocks.zarr"), "no network of this workflow"),
        (("train", "surrogate"), "no rocks are given"),
        (("train", "surrogate", "{0}/nowhere"), "holds no set of rocks"),
        (("train", "surrogate", "-c", "{0}/other.yaml"), "another workflow"),
        (("finetune", "{0}/rocks.zarr", "--super-resolution", "{0}/surrogate"), "needed here"),
        (("predict", "{0}/rocks.zarr", "-m", "{0}/super-resolution"), "one for permeability is needed"),
    ],
)
def test_what_does_not_fit_is_said(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (folder / "other.yaml").write_text("workflow: segment\nsource: a.tif\nfolder: b\n")
    given = [argument.format(folder) for argument in arguments]
    where = [] if given[0] == "predict" else ["-o", str(tmp_path / "o")]
    result = CliRunner().invoke(app, ["permeability", *given, *where])
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert not (tmp_path / "o").exists()
