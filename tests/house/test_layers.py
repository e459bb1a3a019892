"""Imports point downwards: a package may import only what it stands on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import bigrock

PACKAGE = Path(bigrock.__file__).parent
GROUND = {"errors", "units", "geometry"}
CONTRACTS = {"engine.kernel", "engine.reduction", "volumes.source"}
ALLOWED = {
    "errors": set(),
    "units": {"errors"},
    "geometry": {"errors"},
    "volumes": GROUND,
    "engine": GROUND | {"volumes"},
    # Pure array functions; the three contracts are what makes them kernels and reductions.
    "kernels": {"errors", "geometry"} | CONTRACTS,
    # Physics of images: arrays in, numbers out.
    "flow": GROUND | {"kernels"},
    # Networks as kernels: they stand on the same contracts.
    "models": GROUND | {"kernels", "engine.shipping"} | CONTRACTS,
    "training": GROUND | {"volumes", "kernels", "models", "flow", "datasets"},
    "transfer": GROUND | {"volumes", "engine"},
    "datasets": GROUND | {"volumes", "engine", "kernels", "flow"},
    "measures": GROUND | {"volumes", "engine", "kernels"},
    "report": GROUND | {"volumes", "engine", "kernels", "measures"},
    "workflows": GROUND
    | {"volumes", "engine", "kernels", "flow", "models", "training", "transfer", "datasets", "measures"}
    | {"report"},
    "cli": GROUND
    | {"volumes", "engine", "kernels", "flow", "models", "training", "transfer", "datasets", "measures"}
    | {"report", "workflows"},
}


def imports_of(path: Path) -> Iterator[str]:
    """Yield every bigrock module that a file imports, inside functions as well, without ``bigrock.``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name.removeprefix("bigrock.") for a in node.names if a.name.startswith("bigrock."))
        elif isinstance(node, ast.ImportFrom) and node.module == "bigrock":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bigrock."):
            yield str(node.module).removeprefix("bigrock.")


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_package_has_a_rule() -> None:
    found = {package_of(p) for p in PACKAGE.rglob("*.py")} - {"__init__", "__main__"}
    assert found == set(ALLOWED)


def test_imports_point_downwards() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        own = package_of(path)
        if own in ("__init__", "__main__"):
            continue
        for name in imports_of(path):
            top = name.split(".")[0]
            allowed = ALLOWED[own] | {own, "__version__"}
            if top not in allowed and name not in allowed:
                wrong.append(f"{path.relative_to(PACKAGE)} imports bigrock.{name}")
    assert wrong == []


def test_the_engine_imports_no_science() -> None:
    science = {"kernels", "measures", "models", "training", "flow", "datasets", "workflows"}
    assert not ALLOWED["engine"] & science


def test_relative_imports_are_not_used() -> None:
    wrong = [
        str(path)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert wrong == []
