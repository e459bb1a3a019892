"""The 1515 outputs of a DeePore sample: names, units, and what values are possible."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["DEEPORE_OUTPUTS", "DEEPORE_PROPERTIES", "POINTS", "Property", "column_names", "property_named"]

DEEPORE_OUTPUTS = 1515
POINTS = 100
"""Values of a function or distribution."""

_ANY = math.inf
_SIDE = 256.0
_DIAGONAL = _SIDE * math.sqrt(3)
_SPHERE = 1.01
"""A sphere has sphericity 1; one per cent is left to the estimator of its surface."""


@dataclass(frozen=True, slots=True)
class Property:
    """One of the 15 numbers, or one of the 15 functions and distributions of 100 points each.

    Attributes
    ----------
    name : str
        What it is.
    first, size : int
        Its columns of ``Y``: `size` of them from `first`.
    px : int
        The exponent of its unit: 2 for px², −1 for 1/px, 0 for ratios and counts.
    low, high : float
        Values outside cannot be: a length beyond the sample, a fraction beyond 1.
    argument : str
        Of what it is a function: wetting saturation, lag in px, or cumulative probability.
    """

    name: str
    first: int
    size: int
    px: int
    low: float
    high: float
    argument: str = ""

    @property
    def unit(self) -> str:
        """Its unit in pixels, such as ``px2``; empty for ratios and counts."""
        return {0: "", 1: "px", 2: "px2", -1: "1/px", -3: "1/px3"}[self.px]

    @property
    def points(self) -> list[float]:
        """Where the function is given: 0.01 … 1.00, or lags of 0.5 … 50 px."""
        step = 0.5 if self.argument == "lag" else 0.01
        return [round(step * (i + 1), 2) for i in range(self.size)] if self.size > 1 else []


_NUMBERS: tuple[tuple[str, int, float, float], ...] = (
    ("permeability", 2, 0, _ANY),
    ("formation_factor", 0, 1, _ANY),
    ("cementation_factor", 0, 0, _ANY),
    ("pore_density", -3, 0, 1),
    ("tortuosity", 0, 1, _ANY),
    ("coordination_number", 0, 0, _ANY),
    ("throat_radius", 1, 0, _SIDE),
    ("pore_radius", 1, 0, _SIDE),
    ("throat_length", 1, 0, _DIAGONAL),
    ("aspect_ratio", 0, 0, _ANY),
    # A checkerboard of voxels has three faces per voxel, and nothing has more.
    ("specific_surface", -1, 0, 3),
    ("pore_sphericity", 0, 0, _SPHERE),
    ("grain_sphericity", 0, 0, _SPHERE),
    ("grain_radius", 1, 0, _SIDE),
    ("relative_young_modulus", 0, 0, 1),
)
_FUNCTIONS: tuple[tuple[str, int, float, float, str], ...] = (
    ("leverett_j", 0, 0, _ANY, "saturation"),
    ("wetting_relative_permeability", 0, 0, 1, "saturation"),
    ("non_wetting_relative_permeability", 0, 0, 1, "saturation"),
    ("two_point_correlation", 0, 0, 1, "lag"),
    ("pore_radius_distribution", 1, 0, _SIDE, "probability"),
    ("throat_radius_distribution", 1, 0, _SIDE, "probability"),
    ("throat_length_distribution", 1, 0, _DIAGONAL, "probability"),
    ("pore_inscribed_radius_distribution", 1, 0, _SIDE, "probability"),
    ("throat_inscribed_radius_distribution", 1, 0, _SIDE, "probability"),
    ("throat_average_distance_distribution", 1, 0, _SIDE, "probability"),
    ("throat_permeability_distribution", 2, 0, _ANY, "probability"),
    ("coordination_number_distribution", 0, 0, _ANY, "probability"),
    ("pore_sphericity_distribution", 0, 0, _SPHERE, "probability"),
    ("grain_sphericity_distribution", 0, 0, _SPHERE, "probability"),
    ("grain_radius_distribution", 1, 0, _SIDE, "probability"),
)

DEEPORE_PROPERTIES: tuple[Property, ...] = (
    *(Property(name, i, 1, px, low, high) for i, (name, px, low, high) in enumerate(_NUMBERS)),
    *(
        Property(name, len(_NUMBERS) + POINTS * i, POINTS, px, low, high, argument)
        for i, (name, px, low, high, argument) in enumerate(_FUNCTIONS)
    ),
)
"""All of them, in the order of the columns."""

_BY_NAME = {p.name: p for p in DEEPORE_PROPERTIES}


def property_named(name: str) -> Property | None:
    """Return a property by its name, or None."""
    return _BY_NAME.get(name)


def column_names() -> list[str]:
    """Return the names of the 1515 columns of ``Y``; points of a function have its argument behind.

    Examples
    --------
    >>> names = column_names()
    >>> len(names), names[0], names[15], names[-1], names[315]
    (1515, 'permeability', 'leverett_j@0.01', 'grain_radius_distribution@1', 'two_point_correlation@0.5')
    """
    names = []
    for item in DEEPORE_PROPERTIES:
        names += [f"{item.name}@{x:g}" for x in item.points] or [item.name]
    return names
