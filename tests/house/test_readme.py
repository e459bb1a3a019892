"""The README says what is there: files, commands, names."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

import bigrock
from bigrock.datasets import Sandstone
from bigrock.geometry import Region

ROOT = Path(bigrock.__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_files_that_the_readme_names_exist() -> None:
    named = re.findall(r"`((?:tests|configs|benchmarks|bigrock)/[\w./-]+\.\w+)`", README)
    linked = re.findall(r"\]\(([\w./-]+)\)", README)
    assert named
    assert linked
    assert [p for p in (*named, *linked) if not (ROOT / p).exists()] == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = re.search(r"<!-- test command -->\n```bash\n(.*)\n```", README)
    assert command is not None
    assert "pytest -n 2" in command[1]
    assert "<!-- test command -->" in (ROOT / ".ci" / "run").read_text()


def test_the_names_of_the_api_example_are_public() -> None:
    example = README.split("```python")[1].split("```")[0]
    names = set(re.findall(r"\bbr\.(\w+)", example))
    assert names <= set(bigrock.__all__)


def test_the_examples_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the last lines of the first, which start worker processes and write to a bucket."""
    monkeypatch.chdir(tmp_path)
    scan = Sandstone((104, 96, 96), grain_diameter_voxels=24)
    grey = scan.read(Region.whole(scan.shape))
    tifffile.imwrite("core.tif", (grey // 256).astype(np.uint8) if grey.dtype.itemsize > 1 else grey)
    names: dict[str, object] = {"__name__": "readme"}
    for example in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        exec(compile(example, "README.md", "exec"), names)
    assert Path("report.html").stat().st_size > 50_000
    assert tifffile.imread("pores.tif").shape == scan.shape


def test_the_commands_of_the_readme_exist() -> None:
    from typer.main import get_command

    from bigrock.cli import app

    listed = set(re.findall(r"^bigrock ([a-z-]+)", README, flags=re.MULTILINE))
    assert listed <= set(get_command(app).commands)  # type: ignore[attr-defined]


def test_every_measure_stands_in_the_readme() -> None:
    from bigrock.measures import MEASURES

    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
    assert set(MEASURES) <= set(re.findall(r"`(\w+)`", " ".join(rows)))
