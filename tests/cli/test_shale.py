"""`bigrock shale`: the library's answers as JSON or for people, and errors in the words of the options."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app
from bigrock.datasets import Shale


def shale(*arguments: object):
    return CliRunner().invoke(app, ["shale", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shale") / "stack.zarr"
    bigrock.import_volume(Shale((24, 96, 96), level="easy", seed=1), path, progress=False)
    return path


def test_quality_is_told_as_json_and_in_words(stack: Path):
    told = json.loads(shale("quality", stack, "--json").stdout)
    assert told["slices"]["slice"] == list(range(24))
    result = shale("quality", stack, "--executor", "serial", "--quiet")
    assert result.exit_code == 0
    assert "brightness drift" in result.stdout


def test_slices_are_chosen_and_their_interval_printed_in_micrometres(stack: Path):
    told = json.loads(shale("slices", stack, "--train", 4, "--test", 2, "--json").stdout)
    assert told["train"] == [4, 9, 14, 19]
    assert told["interval_m"] == pytest.approx(24e-8 / 5)
    assert "interval 0.048 µm" in shale("slices", stack, "--train", 4, "--test", 2).stdout


def test_slices_are_chosen_by_texture(stack: Path):
    told = json.loads(
        shale("slices", stack, "--train", 4, "--test", 2, "--diverse", "--radius", 15, "--json").stdout
    )
    assert 0 <= told["diversity"]["coverage"]["fraction"] <= 1
    assert "range of fraction" in shale("slices", stack, "--train", 4, "--texture", "--radius", 15).stdout


def test_align_takes_out_a_jump_of_the_stage(tmp_path: Path):
    shale_stack = Shale((16, 160, 160), level="easy", seed=1)
    still = shale_stack.read(bigrock.geometry.Region.whole(shale_stack.shape))
    moved = still.copy()
    moved[8:] = np.roll(moved[8:], (5, -4), axis=(1, 2))
    source = bigrock.ArraySource(moved, shale_stack.voxel_size)
    bigrock.import_volume(source, tmp_path / "jumped.zarr", progress=False)
    made = shale("align", tmp_path / "jumped.zarr", tmp_path / "aligned.zarr", "--json", "--quiet")
    assert json.loads(made.stdout)["shape"] == [16, 155, 156]
    aligned = bigrock.open_volume(tmp_path / "aligned.zarr")[:]
    # Beside what was rolled in from the other side.
    assert np.array_equal(aligned[:, :, 4:], still[:, :155, 8:])


def test_labels_are_evaluated_in_words_as_json_and_as_a_page(stack: Path, tmp_path: Path):
    truth = Shale((24, 96, 96), level="easy", seed=1).truth
    bigrock.import_volume(truth, tmp_path / "truth.zarr", progress=False)
    wrong = truth.read(bigrock.geometry.Region.whole(truth.shape)).copy()
    wrong[5][wrong[5] == 2] = 1
    source = bigrock.ArraySource(wrong, truth.voxel_size, kind="labels", classes=truth.classes)
    bigrock.import_volume(source, tmp_path / "wrong.zarr", progress=False)
    both = (tmp_path / "wrong.zarr", tmp_path / "truth.zarr")
    told = json.loads(shale("evaluate", *both, "--slices", "5,9", "--json").stdout)
    assert told["slices"] == [5, 9]
    assert told["by_slice"]["5"]["iou"]["organic pore"] == 0
    assert told["by_slice"]["9"]["iou"]["organic pore"] == 1
    written = shale("evaluate", *both, "--slices", 9, "--stack", stack, "--folder", tmp_path / "scores")
    assert "porosity bias, relative" in written.stdout, written.stderr
    names = {"evaluation.json", "evaluation.csv", "evaluation.html"}
    assert {path.name for path in (tmp_path / "scores").iterdir()} == names


def test_a_network_is_trained_alone_and_segments_from_its_folder(stack: Path, tmp_path: Path):
    bigrock.import_volume(
        Shale((24, 96, 96), level="easy", seed=1).truth, tmp_path / "labels.zarr", progress=False
    )
    (tmp_path / "short.yaml").write_text(
        "workflow: shale\nsource: a\nfolder: b\nnetwork: {features: [4, 4, 8]}\n"
        "training: {max_epochs: 1, steps_per_epoch: 2, batch: 1, patch: 32, threads: 1}\n"
    )
    given = (stack, tmp_path / "labels.zarr", tmp_path / "model", "--config", tmp_path / "short.yaml")
    told = json.loads(shale("train", *given, "--slices", 3, "--quiet", "--json").stdout)
    assert told["epochs"] == 1
    assert set(told["validation"]["iou"]) == {"matrix", "organic matter", "organic pore", "inorganic pore"}
    made = CliRunner().invoke(
        app, ["segment", "--model", told["model"], str(stack), str(tmp_path / "out.zarr"), "--quiet"]
    )
    assert made.exit_code == 0, made.stderr


def test_annotate_goes_out_and_comes_back(stack: Path, tmp_path: Path):
    folder = tmp_path / "out"
    result = shale("annotate", stack, folder, "--train", 3, "--test", 1, "--radius", 15, "--json")
    told = json.loads(result.stdout)
    assert [s["role"] for s in told["slices"]].count("train") == 3
    path = folder / "slice_00012_labels.tif"
    labels = tifffile.imread(path)
    labels[tuple(np.argwhere(labels == 3)[0])] = 2
    tifffile.imwrite(path, labels)
    back = json.loads(shale("annotate", stack, "--import", folder, "--json").stdout)
    assert back["total"]["pores_changed"] == 1
    assert "% of the pore pixels changed, 100 % annotated" in shale("annotate", "--import", folder).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("slices", "STACK", "--train", 30), "too short for 30 training"),
        (("annotate", "STACK"), "STACK and FOLDER are needed"),
        (("train", "STACK", "STACK", "model", "--slices", "25"), "the labels hold 10"),
        (("annotate", "--import", "nowhere"), "has no readable manifest.json"),
        (("annotate", "STACK", "out", "--classes", 7), "--classes 7 has no class table"),
        (("annotate", "STACK", "out", "--import", "nowhere"), "takes the painted folder itself"),
        (("quality", "STACK", "--block", "a"), "--block 'a' is not"),
    ],
)
def test_errors_speak_of_options_and_write_nothing(stack: Path, tmp_path: Path, arguments, told, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = shale(*(stack if a == "STACK" else a for a in arguments), *(["--quiet"]))
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_step():
    text = shale("--help").stdout
    assert all(name in text for name in ("quality", "slices", "annotate"))


@pytest.mark.parametrize(
    ("arguments", "continues"),
    [
        (("train", "a", "b", "model"), True),
        (("run", "a", "--labels", "b", "--out", "job"), True),
        (("sweep", "a", "b"), True),
        (("demo",), True),
        (("evaluate", "a", "b"), False),
    ],
)
def test_an_interruption_says_that_what_was_trained_is_kept(arguments, continues: bool, monkeypatch):
    def interrupt(*given: object, **options: object):
        raise KeyboardInterrupt

    monkeypatch.setattr("bigrock.volumes.open_volume", interrupt)
    monkeypatch.setattr("bigrock.open_volume", interrupt)
    monkeypatch.setattr("bigrock.workflows.shale.running.run_shale", interrupt)
    monkeypatch.setattr("bigrock.workflows.shale.shale_demo", interrupt)
    result = shale(*arguments)
    assert result.exit_code == 1
    assert ("the same command continues it" in result.stderr) == continues
    assert ("Nothing was written" in result.stderr) != continues


def test_other_slices_in_a_trained_folder_are_named_in_words(stack: Path, tmp_path: Path):
    truth = Shale((24, 96, 96), level="easy", seed=1).truth
    bigrock.import_volume(truth, tmp_path / "truth.zarr", progress=False)
    config = tmp_path / "short.yaml"
    config.write_text(
        "workflow: shale\nsource: a\nfolder: b\nnetwork: {features: [4, 4, 8]}\n"
        "training: {max_epochs: 1, steps_per_epoch: 1, batch: 1, patch: 16}\n"
    )
    given = ("train", stack, tmp_path / "truth.zarr", tmp_path / "model", "--config", config, "--quiet")
    assert shale(*given, "--slices", 3).exit_code == 0
    refused = shale(*given, "--slices", 2)
    assert refused.exit_code == 1
    told = " ".join(refused.stderr.split())
    assert "a training with other slices: its weights" in told
    assert "with --no-resume, or in another folder" in told
    assert shale(*given, "--slices", 2, "--no-resume").exit_code == 0
