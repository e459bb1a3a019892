"""Runs passes over blocks; knows no science.

A map pass (`run`) applies a `Kernel` to every block and stores the cores; a reduce pass (`reduce`)
combines what `Reduction` objects return; `fit` completes a kernel by a reduce pass. `plan` says
what a pass costs. Executors: this thread, threads, or any Dask client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.engine.kernel import Chain, Kernel
    from bigrock.engine.planning import Plan
    from bigrock.engine.progress import Progress
    from bigrock.engine.reducing import fit, reduce
    from bigrock.engine.reduction import Reduction
    from bigrock.engine.running import plan, run

_HOME = {
    "Chain": "kernel",
    "Kernel": "kernel",
    "Plan": "planning",
    "Progress": "progress",
    "Reduction": "reduction",
    "fit": "reducing",
    "plan": "running",
    "reduce": "reducing",
    "run": "running",
}

__all__ = ["Chain", "Kernel", "Plan", "Progress", "Reduction", "fit", "plan", "reduce", "run"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
