"""The command line as a whole: help, exit codes, clean errors, and a start without heavy packages."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app


def commands_of(group: Any, path: str = "") -> dict[str, Any]:
    """Every command by its words, those of groups as well."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        found |= commands_of(command, words) if hasattr(command, "commands") else {words: command}
    return found


COMMANDS = commands_of(get_command(app))


def bigrock_process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bigrock", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)  # type: ignore[call-overload,no-any-return]


def test_the_commands_are_those_that_are_documented() -> None:
    documented = {"import", "info", "plan", "run", "measure", "export", "report", "demo", "cluster", "label"}
    shale = {"quality", "align", "slices", "annotate", "train", "evaluate", "run", "sweep", "account", "demo"}
    permeability = {"solve", "prepare", "train", "finetune", "evaluate", "predict", "map", "demo"}
    more = {"validate", "gpu-check", "pores", "segment", "superresolve"}
    grouped = {f"shale {name}" for name in shale} | {f"permeability {name}" for name in permeability}
    assert set(COMMANDS) == documented | more | grouped


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples_and_json(name: str) -> None:
    result = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert f"bigrock {name} " in result.stdout + " "
    for option in ("--json", "--debug"):
        assert option in result.stdout


def test_the_examples_of_the_help_are_commands_that_parse() -> None:
    import shlex

    for name, command in COMMANDS.items():
        lines = [line for line in command.epilog.splitlines() if line.startswith("bigrock ")]
        assert lines
        for line in lines:
            program, *words = shlex.split(line)
            used = len(name.split())
            assert (program, words[:used]) == ("bigrock", name.split())
            command.make_context(name, words[used:])


def test_help_loads_no_heavy_package() -> None:
    code = (
        "import sys\nfrom bigrock.cli import app\n"
        "try:\n    app(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'zarr', 'dask', 'distributed', 'torch', 'numba', 'numpy', 'scipy', 'matplotlib'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.stdout == f"bigrock {bigrock.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["info", "nowhere.zarr"], 1, "nothing is stored at"),
        (["run", "nowhere.zarr", "out.zarr", "-k", "threshold value=1"], 1, "nothing is stored at"),
        (["run", "nowhere.zarr", "out.zarr", "-k", "shake"], 2, "kernel 'shake' is not known"),
        (["run"], 2, "needs a volume"),
        (["run", "--config", "nowhere.yaml"], 2, "cannot be read"),
        (["run", "--config", "nowhere.yaml", "--ram", "1 GiB"], 2, "--ram beside --config"),
        (["plan", "nowhere.zarr"], 2, "no kernel is named"),
        (["import", "nowhere.tif", "out.zarr"], 1, "nowhere.tif"),
        (["import", "nowhere.raw", "out.zarr", "--shape", "1,2"], 2, "--shape '1,2'"),
        (["import", "nowhere.raw", "out.zarr", "--class", "pore"], 2, "NAME=VALUE"),
        (["import", "nowhere.raw", "out.zarr", "--scale", "low"], 2, "two numbers"),
        (["import", "nowhere.raw", "out.zarr", "--executor", "fast"], 2, "executor 'fast'"),
        (["report", "nowhere.zarr", "--out", "page.pdf"], 2, ".html"),
        (["demo", "--voxel-size", "2 um"], 2, "--input SCAN"),
        (["demo", "--input", "nowhere.tif", "--voxel-size", "3"], 2, "scan.voxel_size"),
        (["info"], 2, "PATH"),
        (["shake"], 2, "shake"),
        (["info", "--surprise"], 2, "--surprise"),
    ],
)
def test_an_error_is_a_message_on_stderr_and_an_exit_code(
    arguments: list[str], code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == code
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_expected_is_a_short_message_and_debug_shows_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **options: object) -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr("bigrock.volumes.open_volume", fail)
    result = CliRunner().invoke(app, ["info", "core.zarr"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: RuntimeError: out of cheese\nhint: ")
    assert "--debug" in result.stderr
    with pytest.raises(RuntimeError, match="cheese"):
        CliRunner().invoke(app, ["info", "core.zarr", "--debug"], catch_exceptions=False)


@pytest.mark.parametrize("how", ["interrupted", "terminated"])
def test_an_interruption_exits_with_1_and_says_whether_it_can_be_continued(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*given: object, **options: object) -> None:
        signal.raise_signal(signal.SIGINT if how == "interrupted" else signal.SIGTERM)

    monkeypatch.setattr("bigrock.volumes.open_volume", interrupt)
    result = CliRunner().invoke(app, ["run", "core.zarr", "out.zarr", "-k", "threshold value=1"])
    assert result.exit_code == 1
    assert "the same command continues it" in result.stderr
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    result = CliRunner().invoke(app, ["measure", "core.zarr"])
    assert result.exit_code == 1
    assert result.stderr == "error: interrupted. Nothing was written.\n"


def test_a_terminated_run_leaves_what_was_finished_and_is_continued(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 255, (96, 256, 256), np.uint8)
    scan, pores = tmp_path / "core.zarr", tmp_path / "pores.zarr"
    bigrock.import_volume(bigrock.ArraySource(voxels), scan, voxel_size="1 um", progress=False)
    command = ["run", str(scan), str(pores), "-k", "local-otsu radius=31", "--block", "32,64,64", "-q"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bigrock", *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    while process.poll() is None and not any(pores.glob("0/c/*/*/*")):
        time.sleep(0.02)
    process.terminate()
    stdout, stderr = process.communicate(timeout=120)
    if process.returncode == 0:
        pytest.skip("the run had ended before it was terminated")
    assert (process.returncode, stdout) == (1, "")
    assert stderr.startswith("error: interrupted. What was finished is kept")
    assert bigrock_process(*command).returncode == 0
    assert bigrock.open_volume(pores).complete


def test_a_process_fails_without_a_traceback(tmp_path: Path) -> None:
    result = bigrock_process("info", "nowhere.zarr", "--json", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: nothing is stored at")
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" in bigrock_process("info", "nowhere.zarr", "--debug", cwd=tmp_path).stderr


def test_a_process_prints_json_alone_to_stdout(tmp_path: Path) -> None:
    np.save(tmp_path / "core.npy", np.arange(4096, dtype=np.uint16).reshape(16, 16, 16))
    result = bigrock_process("import", "core.npy", "core.zarr", "--json", cwd=tmp_path)
    assert result.returncode == 0
    assert json.loads(result.stdout)["shape"] == [16, 16, 16]
    assert result.stderr.startswith("warning: no voxel size")
