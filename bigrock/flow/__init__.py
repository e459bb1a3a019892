"""Flow and conduction through the pores of an image: the physics that networks are trained on and judged by.

`permeability` solves Stokes flow, and its boundary conditions are stated in `bigrock.flow.domain`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.flow.conduction import AxisFormationFactor, FormationFactor, formation_factor
    from bigrock.flow.kozeny import kozeny_carman, surface_per_bulk
    from bigrock.flow.measuring import ConvergenceWarning, permeability
    from bigrock.flow.results import AxisPermeability, Permeability
    from bigrock.flow.upscaling import AxisUpscaled, Upscaled, upscale

__all__ = [
    "AxisFormationFactor",
    "AxisPermeability",
    "AxisUpscaled",
    "ConvergenceWarning",
    "FormationFactor",
    "Permeability",
    "Upscaled",
    "formation_factor",
    "kozeny_carman",
    "permeability",
    "surface_per_bulk",
    "upscale",
]

_HOME = {
    "AxisFormationFactor": "conduction",
    "AxisPermeability": "results",
    "AxisUpscaled": "upscaling",
    "ConvergenceWarning": "measuring",
    "FormationFactor": "conduction",
    "Permeability": "results",
    "Upscaled": "upscaling",
    "formation_factor": "conduction",
    "kozeny_carman": "kozeny",
    "permeability": "measuring",
    "surface_per_bulk": "kozeny",
    "upscale": "upscaling",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
