"""bigrock: out-of-core processing of rock scans.

Volumes live on disk as chunked OME-Zarr; every operation is a pass over blocks, run by threads or
by a Dask cluster. Public names are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock import datasets, errors, flow, kernels, measures, report, units, volumes, workflows
    from bigrock.engine import Kernel, Plan, Progress, Reduction, fit, plan, reduce, run
    from bigrock.engine.clusters import cluster
    from bigrock.measures import Measurements, label, measure, pores
    from bigrock.report import write_report
    from bigrock.transfer import export_slice, export_volume, import_volume
    from bigrock.volumes import ArraySource, Volume, open_volume

__version__ = "0.1.0"

_HOME = {
    "ArraySource": "volumes",
    "Kernel": "engine",
    "Measurements": "measures",
    "Plan": "engine",
    "Progress": "engine",
    "Reduction": "engine",
    "Volume": "volumes",
    "cluster": "engine.clusters",
    "export_slice": "transfer",
    "export_volume": "transfer",
    "fit": "engine",
    "import_volume": "transfer",
    "label": "measures",
    "measure": "measures",
    "open_volume": "volumes",
    "plan": "engine",
    "pores": "measures",
    "reduce": "engine",
    "run": "engine",
    "write_report": "report",
}
_MODULES = ("datasets", "errors", "flow", "kernels", "measures", "report", "units", "volumes", "workflows")

__all__ = [
    "ArraySource",
    "Kernel",
    "Measurements",
    "Plan",
    "Progress",
    "Reduction",
    "Volume",
    "cluster",
    "datasets",
    "errors",
    "export_slice",
    "export_volume",
    "fit",
    "flow",
    "import_volume",
    "kernels",
    "label",
    "measure",
    "measures",
    "open_volume",
    "plan",
    "pores",
    "reduce",
    "report",
    "run",
    "units",
    "volumes",
    "workflows",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
