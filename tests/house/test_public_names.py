"""What is exported is what is documented, and every public name says all that a user must know."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

import pytest

import bigrock

PUBLIC = (
    "bigrock",
    "bigrock.datasets",
    "bigrock.engine",
    "bigrock.flow",
    "bigrock.geometry",
    "bigrock.kernels",
    "bigrock.measures",
    "bigrock.models",
    "bigrock.report",
    "bigrock.training",
    "bigrock.transfer",
    "bigrock.units",
    "bigrock.volumes",
    "bigrock.volumes.formats",
    "bigrock.workflows",
    "bigrock.workflows.permeability",
    "bigrock.workflows.shale",
)
MODULES = sorted(
    m.name for m in pkgutil.walk_packages(bigrock.__path__, "bigrock.") if not m.name.endswith("__main__")
)
# Values and protocols explain themselves by their attributes.
WITHOUT_EXAMPLE = (tuple, dict, str, float, int)


def public_names() -> list[tuple[str, str]]:
    return [(m, n) for m in PUBLIC for n in importlib.import_module(m).__all__]


def named(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_for_and_what_it_exports(module: str) -> None:
    loaded = importlib.import_module(module)
    assert (loaded.__doc__ or "").strip()
    for name in getattr(loaded, "__all__", ()):
        assert hasattr(loaded, name), f"{module}.__all__ names {name}, which is not there"


def test_every_exception_stands_in_the_tree_of_the_errors_module() -> None:
    classes = {n for n, c in vars(bigrock.errors).items() if inspect.isclass(c) and issubclass(c, Exception)}
    assert bigrock.errors.__doc__ is not None
    assert {n for n in classes if n not in bigrock.errors.__doc__} == set()


def test_every_error_can_be_caught_as_the_builtin_that_fits() -> None:
    for error in vars(bigrock.errors).values():
        if inspect.isclass(error) and issubclass(error, Exception):
            assert issubclass(error, bigrock.errors.BigrockError)


@pytest.mark.parametrize(("module", "name"), public_names(), ids=lambda v: v)
def test_every_public_name_is_documented(module: str, name: str) -> None:
    thing = named(module, name)
    if isinstance(thing, ModuleType) or not callable(thing) or hasattr(thing, "__origin__"):
        return
    doc = inspect.getdoc(thing)
    assert doc, f"{module}.{name} has no docstring"
    if inspect.isfunction(thing) or (inspect.isclass(thing) and not getattr(thing, "_is_protocol", False)):
        check_sections(thing, doc, f"{module}.{name}")


def check_sections(thing: Any, doc: str, name: str) -> None:
    function = inspect.isfunction(thing)
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        return
    parameters = [p for p in inspect.signature(thing).parameters.values() if p.name != "self"]
    if function and len(parameters) > 1:
        assert "Parameters\n-----" in doc, f"{name}: no Parameters section"
    if function and "Returns\n-----" not in doc and "Yields\n-----" not in doc:
        first = doc.split("\n")[0].split()[0]
        assert first in {"Return", "Yield", "Write", "Refuse"}, (
            f"{name}: no Returns section, and it opens with {first!r}"
        )


EXAMPLES = [
    (m, n)
    for m, n in public_names()
    if inspect.isfunction(named(m, n)) and not inspect.isgeneratorfunction(named(m, n))
]


@pytest.mark.parametrize(("module", "name"), EXAMPLES, ids=lambda v: v)
def test_every_public_function_has_an_example(module: str, name: str) -> None:
    assert ">>> " in (inspect.getdoc(named(module, name)) or ""), f"{module}.{name} has no example"


@pytest.mark.parametrize("module", ["bigrock", *MODULES])
def test_the_examples_in_the_docstrings_run(module: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.testmod(importlib.import_module(module), optionflags=flags)
    assert result.failed == 0
