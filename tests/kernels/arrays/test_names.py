"""Every array function that a kernel calls is there, with these keywords, wherever kernels run.

cupy imports without a device, so what it lacks is found without one. What is asked for as
``xp.name`` (or ``namespace(array).name``) must be in cupy, in numpy and in the standard; what is
imported from ``cupyx`` must be there.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import array_api_strict
import numpy as np
import pytest

import bigrock.kernels

cupy = pytest.importorskip("cupy", reason="cupy is not installed: pip install 'bigrock[test]'")

KERNELS = Path(bigrock.kernels.__file__).parent
MODULES = sorted(KERNELS.rglob("*.py"))
EVERYWHERE = (cupy, np, array_api_strict)


def faults(source: str) -> list[str]:
    """Return what `source` asks of an array module, or of cupyx, that is not to be had."""
    tree = ast.parse(source)
    from_cupyx = dict(_imports_from_cupyx(tree))
    found = []
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        call = calls.get(id(node))
        if isinstance(node, ast.Attribute) and _is_namespace(node.value):
            found += [fault for module in EVERYWHERE if (fault := _fault(module, node.attr, call))]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = from_cupyx.get(node.value.id)
            if isinstance(module, ModuleType) and (fault := _fault(module, node.attr, call)):
                found.append(fault)
        elif isinstance(node, ast.Name) and call is not None and node.id in from_cupyx:
            found += _wrong_keywords(from_cupyx[node.id], node.id, call)
    return found


def _is_namespace(node: ast.expr) -> bool:
    """Whether an expression is ``xp`` or ``namespace(...)``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "namespace"
    return isinstance(node, ast.Name) and node.id == "xp"


def _imports_from_cupyx(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cupyx"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                thing = getattr(module, alias.name, None)
                yield alias.asname or alias.name, thing or importlib.import_module(inner)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("cupyx"):
                    assert alias.asname, f"give {alias.name} a short name, so that its calls are found"
                    yield alias.asname, importlib.import_module(alias.name)


def _fault(module: ModuleType, name: str, call: ast.Call | None) -> str:
    if not hasattr(module, name):
        return f"{module.__name__} has no {name}"
    wrong = [] if call is None else _wrong_keywords(getattr(module, name), f"{module.__name__}.{name}", call)
    return "; ".join(wrong)


def _wrong_keywords(function: Any, name: str, call: ast.Call) -> list[str]:
    """Return what is wrong with the keywords of a call, and with the number of its arguments."""
    keywords = [k.arg for k in call.keywords if k.arg is not None]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Element-wise functions and some of numpy tell their arguments in the docstring only.
        text = re.split(r"\n\s*\n", inspect.getdoc(function) or "")[0]
        return [f"{name} takes no {k}=" for k in keywords if not re.search(rf"\b{k}=", text)]
    starred = any(isinstance(a, ast.Starred) for a in call.args) or len(keywords) < len(call.keywords)
    bind = signature.bind_partial if starred else signature.bind
    try:
        bind(*[None for a in call.args if not isinstance(a, ast.Starred)], **dict.fromkeys(keywords))
    except TypeError as error:
        return [f"{name}: {error}"]
    return []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(KERNELS)))
def test_every_array_function_that_a_kernel_calls_exists_with_its_keywords(path):
    assert faults(path.read_text()) == []


def test_some_kernels_are_written_for_any_array_module():
    asking = [p for p in MODULES if "xp." in p.read_text()]
    assert len(asking) >= 4


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("xp.cumsum(a, axis=0)", "array_api_strict has no cumsum"),
        ("xp.unstack(a)", "cupy has no unstack"),
        ("xp.bincount", "array_api_strict has no bincount"),
        ("namespace(a).bincount(a)", "array_api_strict has no bincount"),
        ("xp.clip(a, min=0, max=5)", "cupy.clip: .*min"),
        ("xp.clip(a, 0)", "cupy.clip: missing a required argument"),
        ("xp.sum(a, where=b)", "array_api_strict.sum: .*where"),
        ("xp.maximum(a, b, casting='no')", "array_api_strict.maximum: .*casting"),
        ("xp.sqrt(a, device=None)", r"cupy.sqrt takes no device="),
        ("xp.concat(a, b, c, d, e)", "concat: too many positional"),
        ("import cupyx.scipy.ndimage as ndi\nndi.labels(a)", "cupyx.scipy.ndimage has no labels"),
        ("from cupyx.scipy import ndimage\nndimage.label(a, shape=b)", "ndimage.label: .*shape"),
        ("from cupyx.scipy.ndimage import label as l\nl(a, shape=b)", "l: .*shape"),
    ],
)
def test_a_name_or_a_keyword_that_is_not_there_is_found(source, message):
    found = faults(source)
    assert found
    assert any(re.search(message, fault) for fault in found), found


@pytest.mark.parametrize(
    "source",
    [
        "xp.cumulative_sum(a, axis=0, include_initial=True)",
        "xp.zeros((3, 4), dtype=xp.uint8)",
        "xp.concat([a, b], axis=1)",
        "xp.full(*args, **options)",
        "xp.maximum(a, 1)",
        "from cupyx.scipy import ndimage\nndimage.label(a, structure=b)",
        "np.cumsum(a)",
    ],
)
def test_what_is_there_is_not_complained_of(source):
    assert faults(source) == []
