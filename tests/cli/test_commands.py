"""Every command does what the library does, and prints it for people or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner, Result

import bigrock
from bigrock.cli import app

GREY = np.random.default_rng(5).integers(0, 200, (12, 40, 48), np.uint8)


def bigrock_command(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def json_of(*arguments: object) -> Any:
    result = bigrock_command(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "core.zarr"
    bigrock.import_volume(bigrock.ArraySource(GREY), path, voxel_size="2.25 um", progress=False)
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.zarr"
    classes = {"pore": 0, "clay": 1, "quartz": 2}
    bigrock.import_volume(bigrock.ArraySource(GREY % 4), path, classes=classes, progress=False)
    return path


def test_import_makes_the_volume_of_a_tiff(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "core.tif", GREY)
    dest = tmp_path / "core.zarr"
    facts = json_of(
        "import", tmp_path / "core.tif", dest, "--voxel-size", "10, 5, 5 nm", "--crop", "2:, :, 0:32"
    )
    assert facts["shape"] == [10, 40, 32]
    assert facts["voxel_size_m"] == [1e-8, 5e-9, 5e-9]
    np.testing.assert_array_equal(bigrock.open_volume(dest)[:], GREY[2:, :, :32])


def test_import_reads_raw_files_with_all_that_must_be_said_of_them(tmp_path: Path) -> None:
    wide = (GREY.astype(np.uint16) * 16).astype(">u2")
    (tmp_path / "core.raw").write_bytes(b"head" + wide.tobytes(order="F"))
    raw = ("--shape", "12,40,48", "--dtype", ">u2", "--offset", 4, "--order", "F")
    scaled = ("--convert", "uint8", "--scale", "0,4080", "--no-pyramid", "--quiet")
    facts = json_of(
        "import", tmp_path / "core.raw", tmp_path / "core.zarr", *raw, *scaled, "--voxel-size", "1 um"
    )
    assert (facts["shape"], facts["dtype"], len(facts["levels"])) == ([12, 40, 48], "uint8", 1)
    np.testing.assert_array_equal(bigrock.open_volume(tmp_path / "core.zarr")[:], GREY)


def test_import_takes_a_class_table(tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", GREY % 4)
    classes = ("--class", "pore=0", "--class", "quartz=2")
    facts = json_of("import", tmp_path / "labels.npy", tmp_path / "l.zarr", *classes, "--voxel-size", "1 um")
    assert (facts["kind"], facts["classes"]) == ("labels", {"pore": 0, "quartz": 2})


def test_import_says_that_a_voxel_size_is_missing(tmp_path: Path) -> None:
    np.save(tmp_path / "core.npy", GREY)
    result = bigrock_command("import", tmp_path / "core.npy", tmp_path / "core.zarr")
    assert result.exit_code == 0
    assert "--voxel-size" in result.stderr


def test_info_prints_what_a_volume_holds(scan: Path) -> None:
    facts = json_of("info", scan)
    assert (facts["shape"], facts["dtype"], facts["kind"]) == ([12, 40, 48], "uint8", "grey")
    assert (facts["complete"], facts["history"][0]["step"]) == (True, "import")
    told = bigrock_command("info", scan).stdout
    assert "12 × 40 × 48" in told
    assert "2.25 µm" in told


def test_info_describes_a_scan_that_is_no_volume_yet(tmp_path: Path) -> None:
    np.save(tmp_path / "core.npy", GREY)
    assert json_of("info", tmp_path / "core.npy")["volume"] is False
    assert "bigrock import" in bigrock_command("info", tmp_path / "core.npy").stdout


def test_info_says_that_a_volume_was_not_finished(scan: Path) -> None:
    bigrock.open_volume(scan, mode="r+").update(complete=False)
    assert json_of("info", scan)["complete"] is False
    assert "interrupted" in bigrock_command("info", scan).stdout


def test_plan_prints_the_plan_of_the_library(scan: Path) -> None:
    kernel = bigrock.kernels.LocalOtsu(radius=5)
    plan = bigrock.plan(kernel, bigrock.open_volume(scan), executor="serial", ram="2 GiB")
    printed = json_of(
        "plan", scan, "--kernel", "local-otsu radius=5", "--executor", "serial", "--ram", "2 GiB"
    )
    assert printed == json.loads(json.dumps(plan.to_dict()))
    assert "memory per worker" in bigrock_command("plan", scan, "-k", "local-otsu radius=5").stdout


def test_run_stores_what_the_kernel_makes(scan: Path, tmp_path: Path) -> None:
    facts = json_of("run", scan, tmp_path / "mask.zarr", "--kernel", "threshold value=90", "--executor", "1")
    assert (facts["kind"], facts["history"][-1]["config"]) == ("mask", {"kernel": "threshold value=90"})
    np.testing.assert_array_equal(bigrock.open_volume(tmp_path / "mask.zarr")[:], GREY <= 90)


def test_run_continues_and_overwrites_as_the_library_does(scan: Path, tmp_path: Path) -> None:
    dest = tmp_path / "mask.zarr"
    first = ("run", scan, dest, "--kernel", "threshold value=90")
    other = ("run", scan, dest, "--kernel", "threshold value=80")
    assert [bigrock_command(*first).exit_code for _ in range(2)] == [0, 0]
    assert bigrock_command(*first, "--no-resume").exit_code == 1
    refused = bigrock_command(*other)
    assert refused.exit_code == 1
    assert "value: 90.0 then, 80.0 now" in refused.stderr
    assert bigrock_command(*other, "--overwrite").exit_code == 0
    np.testing.assert_array_equal(bigrock.open_volume(dest)[:], GREY <= 80)


def test_run_with_a_configuration_file_does_the_whole_job(scan: Path, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    text = f"workflow: segment\nsource: {scan}\nfolder: {tmp_path}/a\nlocal_otsu: {{radius: 5}}\n"
    file.write_text(text + "report: {figures: false}\n")
    outcome = json_of("run", "--config", file)
    assert Path(outcome["report"]) == tmp_path / "a" / "report.html"
    mask = bigrock.open_volume(outcome["pores"])
    assert mask.history[-1]["config"]["local_otsu"]["radius"] == 5
    assert outcome["porosity"] == mask[:].mean()
    elsewhere = json_of("run", scan, tmp_path / "b", "--config", file)
    assert Path(elsewhere["folder"]) == tmp_path / "b"


def test_measure_prints_numbers_and_writes_files(labels: Path, tmp_path: Path) -> None:
    files = ("--csv", tmp_path / "rock.csv", "--out", tmp_path / "rock.json")
    found = json_of("measure", labels, "porosity", *files)
    assert found["porosity"]["total"] == np.mean(GREY % 4 == 0)
    assert json.loads((tmp_path / "rock.json").read_text()) == found
    assert (tmp_path / "rock.csv").read_text().startswith("measure,quantity,value,unit")
    clay = json_of("measure", labels, "porosity", "--pore", "clay")
    both = json_of("measure", labels, "porosity", "--pore", "clay", "--pore", "0")
    assert clay["porosity"]["total"] == np.mean(GREY % 4 == 1)
    assert both["porosity"]["total"] == np.mean(GREY % 4 < 2)
    assert "porosity" in bigrock_command("measure", labels).stdout


def test_measure_chooses_what_the_volume_allows(scan: Path, labels: Path) -> None:
    assert "histogram" in json_of("measure", scan)
    assert set(json_of("measure", labels)) >= {"porosity", "profiles"}
    through = json_of("measure", scan, "--through", "threshold value=90")
    assert through["porosity"]["total"] == np.mean(GREY <= 90)


@pytest.mark.filterwarnings("always")
def test_a_warning_is_a_line_on_stderr(scan: Path) -> None:
    result = bigrock_command("measure", scan, "--through", "threshold value=190", "--json")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: porosity")
    assert json.loads(result.stdout)["porosity"]["total"] > 0.9


def test_a_place_that_cannot_be_written_is_named_without_a_traceback(scan: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = bigrock_command("run", scan, tmp_path / "file" / "x.zarr", "--kernel", "global-otsu")
    assert result.exit_code == 1
    assert f"{tmp_path}/file" in result.stderr
    assert "Check the path, and whether you may read and write there." in result.stderr
    assert "not expected" not in result.stderr


def test_export_writes_files_and_slices(scan: Path, tmp_path: Path) -> None:
    assert json_of("export", scan, tmp_path / "core.tif")["path"] == str(tmp_path / "core.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "core.tif"), GREY)
    result = bigrock_command("export", scan, tmp_path / "slice.png", "--axis", "y", "--index", 3)
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "slice.png"))
    assert bigrock_command("export", scan, tmp_path / "slice.png").exit_code == 1


def test_report_writes_the_page_once(scan: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.zarr"
    bigrock.run(bigrock.kernels.Threshold(90), bigrock.open_volume(scan), mask, progress=False)
    command = ("report", scan, mask, "--out", tmp_path / "page.html", "--measure", "porosity")
    written = json_of(*command, "--figures", tmp_path / "figures", "--measure", "histogram")
    page = Path(written["report"]).read_text()
    assert f"{100 * np.mean(GREY <= 90):.2f}" in page
    assert written["figures"]
    assert all(Path(path).exists() for path in written["figures"])
    assert bigrock_command(*command).exit_code == 1
    assert bigrock_command(*command, "--overwrite").exit_code == 0


def test_validate_exits_with_1_where_a_file_is_damaged(scan: Path) -> None:
    assert json_of("validate", scan)["valid"] is True
    shard = next(p for p in (scan / "0" / "c").rglob("*") if p.is_file())
    shard.write_bytes(shard.read_bytes()[:-7])
    result = bigrock_command("validate", scan)
    assert result.exit_code == 1
    assert str(shard) in result.stdout.replace("\n", "")


def test_gpu_check_says_why_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    from bigrock.kernels import backend

    missing = backend._Probe(usable=False, device="", reason="there is no CUDA device")
    monkeypatch.setattr(backend, "_probe_gpu", lambda: missing)
    result = bigrock_command("gpu-check", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["usable"], told["passed"]) == (False, False)
    assert "no CUDA device" in told["reason"]
