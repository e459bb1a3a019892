"""Workers that one command starts and another uses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

import bigrock
from bigrock.cli import app


def test_a_run_uses_the_workers_of_a_cluster_command(tmp_path: Path) -> None:
    grey = np.random.default_rng(2).integers(0, 255, (20, 150, 40), np.uint8)
    bigrock.import_volume(bigrock.ArraySource(grey), tmp_path / "core.zarr", progress=False)
    command = [sys.executable, "-m", "bigrock", "cluster", "--workers", "1", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "}\n")) + "}"
        cluster = json.loads(told)
        run = ["run", tmp_path / "core.zarr", tmp_path / "mask.zarr", "--kernel", "threshold value=90"]
        arguments = [*map(str, run), "--executor", cluster["address"]]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    assert (cluster["workers"], result.exit_code, code) == (1, 0, 0)
    np.testing.assert_array_equal(bigrock.open_volume(tmp_path / "mask.zarr")[:], grey <= 90)
