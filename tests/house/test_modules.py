"""The size and shape of the source: small modules, short functions, no prints, no leftovers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import bigrock

PACKAGE = Path(bigrock.__file__).parent
ROOT = PACKAGE.parent
SOURCES = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}


def test_modules_are_at_most_500_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text().splitlines())) > 500}
    assert long == {}


def test_modules_of_the_package_are_at_most_300_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in PACKAGE.rglob("*.py")
        if (n := len(p.read_text().splitlines())) > 300
    }
    assert long == {}


def statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its signature and docstring."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_of_the_package_are_at_most_40_lines() -> None:
    long = [
        f"{path.relative_to(PACKAGE)}:{node.name} ({statements(node)})"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and statements(node) > 40
    ]
    assert long == []


def test_no_module_is_named_for_nothing() -> None:
    assert [p for p in PACKAGE.rglob("*") if p.stem in BANNED_NAMES] == []


def test_the_package_never_prints() -> None:
    prints = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert prints == []


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [str(p.relative_to(ROOT)) for p in PACKAGE.rglob("*.py") if marks.search(p.read_text())]
    assert found == []


def test_the_top_level_holds_only_what_the_design_names() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        names = {p.name for p in ROOT.iterdir()} - {"build", "bigrock.egg-info", "bigrock-demo"}
    else:
        names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    allowed = {"pyproject.toml", "bigrock", "benchmarks", "configs", "tests", "README.md", "LICENSE"}
    assert {n for n in names if not n.startswith(".")} <= allowed


def test_importing_bigrock_loads_no_heavy_package() -> None:
    code = (
        "import sys, bigrock, bigrock.kernels, bigrock.measures; "
        "heavy = {'torch', 'monai', 'dask', 'distributed', 'numba', 'matplotlib', 'scipy', 'skimage', 'h5py'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
