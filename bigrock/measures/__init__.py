"""Numbers of a volume, any number of them in one read: porosity, profiles, histograms.

`measure` is the entry; every measure is one `Measure` in `bigrock.measures.registry`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.measures.definition import Measure
    from bigrock.measures.measurements import Measurements
    from bigrock.measures.measuring import measure
    from bigrock.measures.porosity import PolarityWarning
    from bigrock.measures.registry import MEASURES

__all__ = ["MEASURES", "Measure", "Measurements", "PolarityWarning", "measure"]

_HOME = {
    "MEASURES": "registry",
    "Measure": "definition",
    "Measurements": "measurements",
    "PolarityWarning": "porosity",
    "measure": "measuring",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
