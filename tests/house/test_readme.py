"""The README says what is there: files, commands, names."""

from __future__ import annotations

import re
from pathlib import Path

import bigrock

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


def test_the_commands_of_the_readme_exist() -> None:
    from typer.main import get_command

    from bigrock.cli import app

    listed = set(re.findall(r"^bigrock ([a-z-]+)", README, flags=re.MULTILINE))
    assert listed <= set(get_command(app).commands)  # type: ignore[attr-defined]
