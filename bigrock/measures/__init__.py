"""Numbers of a volume, any number of them in one read.

`measure` is the entry; every measure is one `Measure` class in `bigrock.measures.registry`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.measures.component_tables import component_table, read_component_table
    from bigrock.measures.connectivity import Connectivity
    from bigrock.measures.definition import FieldOfView, Found, Measure
    from bigrock.measures.fractal import DifferentialFractal, Fractal
    from bigrock.measures.grey_levels import GreyLevels
    from bigrock.measures.labelling import label
    from bigrock.measures.lacunarity import GreyLacunarity, Lacunarity
    from bigrock.measures.measurements import Measurements
    from bigrock.measures.measuring import measure
    from bigrock.measures.porosity import PolarityWarning, Porosity
    from bigrock.measures.profiles import Profiles
    from bigrock.measures.registry import MEASURES
    from bigrock.measures.slice_texture import SliceTexture

__all__ = [
    "MEASURES",
    "Connectivity",
    "DifferentialFractal",
    "FieldOfView",
    "Found",
    "Fractal",
    "GreyLacunarity",
    "GreyLevels",
    "Lacunarity",
    "Measure",
    "Measurements",
    "PolarityWarning",
    "Porosity",
    "Profiles",
    "SliceTexture",
    "component_table",
    "label",
    "measure",
    "read_component_table",
]

_HOME = {
    "Connectivity": "connectivity",
    "DifferentialFractal": "fractal",
    "FieldOfView": "definition",
    "Found": "definition",
    "Fractal": "fractal",
    "GreyLacunarity": "lacunarity",
    "GreyLevels": "grey_levels",
    "Lacunarity": "lacunarity",
    "MEASURES": "registry",
    "Measure": "definition",
    "Measurements": "measurements",
    "PolarityWarning": "porosity",
    "Porosity": "porosity",
    "Profiles": "profiles",
    "SliceTexture": "slice_texture",
    "component_table": "component_tables",
    "label": "labelling",
    "measure": "measuring",
    "read_component_table": "component_tables",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
