"""Flow and conduction through the pores of an image: the physics that networks are trained on and judged by.

`permeability` solves Stokes flow, and its boundary conditions are stated in `bigrock.flow.domain`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.flow.kozeny import kozeny_carman, surface_per_bulk
    from bigrock.flow.measuring import ConvergenceWarning, permeability
    from bigrock.flow.results import AxisPermeability, Permeability

__all__ = [
    "AxisPermeability",
    "ConvergenceWarning",
    "Permeability",
    "kozeny_carman",
    "permeability",
    "surface_per_bulk",
]

_HOME = {
    "AxisPermeability": "results",
    "ConvergenceWarning": "measuring",
    "Permeability": "results",
    "kozeny_carman": "kozeny",
    "permeability": "measuring",
    "surface_per_bulk": "kozeny",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
