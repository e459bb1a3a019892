"""Every asv benchmark runs: each method once, with the first of its parameters."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import bigrock

FOLDER = Path(bigrock.__file__).parent.parent / "benchmarks"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def benchmarks() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("bench_*.py")):
        for name, thing in vars(load(path)).items():
            if inspect.isclass(thing) and any(
                m.startswith(("time_", "peakmem_", "track_")) for m in dir(thing)
            ):
                yield pytest.param(thing, id=f"{path.stem}.{name}")


def first_parameters(suite: Any) -> tuple[Any, ...]:
    params = getattr(suite, "params", ())
    if not params:
        return ()
    return tuple(p[0] for p in params) if isinstance(params[0], list | tuple) else (params[0],)


def test_there_is_a_benchmark_for_the_engine_and_for_local_otsu() -> None:
    assert {"bench_engine.py", "bench_otsu.py"} <= {p.name for p in FOLDER.glob("*.py")}


@pytest.mark.parametrize("suite", list(benchmarks()))
def test_every_benchmark_runs(suite: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "TMPDIR", str(tmp_path))
    instance, parameters = suite(), first_parameters(suite)
    if hasattr(instance, "setup"):
        instance.setup(*parameters)
    try:
        for name in dir(instance):
            if name.startswith(("time_", "peakmem_", "track_")):
                getattr(instance, name)(*parameters)
    finally:
        if hasattr(instance, "teardown"):
            instance.teardown(*parameters)
