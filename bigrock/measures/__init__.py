"""Numbers of a volume, any number of them in one read.

`measure` is the entry; every measure is one `Measure` class in `bigrock.measures.registry`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.measures.chords import Chords
    from bigrock.measures.component_tables import component_table, read_component_table
    from bigrock.measures.connectivity import Connectivity
    from bigrock.measures.correlation import Correlation
    from bigrock.measures.definition import FieldOfView, Found, Measure
    from bigrock.measures.euler import Euler
    from bigrock.measures.fractal import DifferentialFractal, Fractal
    from bigrock.measures.grey_levels import GreyLevels
    from bigrock.measures.labelling import label
    from bigrock.measures.lacunarity import GreyLacunarity, Lacunarity
    from bigrock.measures.measurements import Measurements
    from bigrock.measures.measuring import PolarityWarning, measure
    from bigrock.measures.minkowski import Minkowski
    from bigrock.measures.pores_labelling import pores
    from bigrock.measures.pores_measure import Pores
    from bigrock.measures.pores_tables import pore_tables, read_pore_tables
    from bigrock.measures.porosity import Porosity
    from bigrock.measures.profiles import Profiles
    from bigrock.measures.registry import MEASURES
    from bigrock.measures.rev import Rev
    from bigrock.measures.sizes import Sizes
    from bigrock.measures.slice_texture import SliceTexture
    from bigrock.measures.surface import Surface

__all__ = [
    "MEASURES",
    "Chords",
    "Connectivity",
    "Correlation",
    "DifferentialFractal",
    "Euler",
    "FieldOfView",
    "Found",
    "Fractal",
    "GreyLacunarity",
    "GreyLevels",
    "Lacunarity",
    "Measure",
    "Measurements",
    "Minkowski",
    "PolarityWarning",
    "Pores",
    "Porosity",
    "Profiles",
    "Rev",
    "Sizes",
    "SliceTexture",
    "Surface",
    "component_table",
    "label",
    "measure",
    "pore_tables",
    "pores",
    "read_component_table",
    "read_pore_tables",
]

_HOME = {
    "Chords": "chords",
    "Connectivity": "connectivity",
    "Correlation": "correlation",
    "DifferentialFractal": "fractal",
    "Euler": "euler",
    "FieldOfView": "definition",
    "Found": "definition",
    "Fractal": "fractal",
    "GreyLacunarity": "lacunarity",
    "GreyLevels": "grey_levels",
    "Lacunarity": "lacunarity",
    "MEASURES": "registry",
    "Measure": "definition",
    "Measurements": "measurements",
    "Minkowski": "minkowski",
    "PolarityWarning": "measuring",
    "Pores": "pores_measure",
    "Porosity": "porosity",
    "Profiles": "profiles",
    "Rev": "rev",
    "Sizes": "sizes",
    "SliceTexture": "slice_texture",
    "Surface": "surface",
    "component_table": "component_tables",
    "label": "labelling",
    "measure": "measuring",
    "pore_tables": "pores_tables",
    "pores": "pores_labelling",
    "read_component_table": "component_tables",
    "read_pore_tables": "pores_tables",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
