"""Pores and throats, without a volume of labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from bigrock.engine.reduction import Reduction
from bigrock.kernels.basins_network import PoreRegions
from bigrock.kernels.distances_largest import LargestDistance
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.measures.pores_tables import pore_tables
from bigrock.volumes.source import Facts

__all__ = ["Pores"]


@dataclass(frozen=True)
class Pores(Measure):
    """Pores and throats: number, sizes, coordination, and a table of each.

    The watershed of `bigrock.kernels.pores`, over blocks and without storing labels; rows of the
    tables ``pores`` and ``throats`` (see `pore_tables`) are the labels of `bigrock.pores`. Medians are
    by number. Exact. Takes one read more, beforehand, which finds the largest distance.

    Parameters
    ----------
    min_depth, max_throat : float
        What a pore is, as for `bigrock.kernels.pores`.
    largest : float, optional
        Largest distance in voxels (of the smallest edge); set by `bigrock.measure`.
    field : FieldOfView, optional
        Set by `bigrock.measure`. What is outside is no background, as beyond the border of a volume.

    References
    ----------
    .. [1] Gostick J.T., "Versatile and efficient pore network extraction method using marker-based
       watershed segmentation", Phys. Rev. E 96, 2017.

    Examples
    --------
    >>> import bigrock
    >>> hourglass = np.ones((1, 7, 9), bool)
    >>> hourglass[:, 0], hourglass[:, -1] = False, False
    >>> hourglass[:, [1, 2, 4, 5], 4] = False
    >>> found = bigrock.measure(hourglass, "pores", progress=False, pore=True)["pores"]
    >>> found["number"], found["coordination"], found["median_throat_diameter"]
    (2, 1.0, 2.0)
    """

    min_depth: float = 0.5
    max_throat: float = 0.9
    largest: float | None = None
    field: FieldOfView | None = None

    name: ClassVar[str] = "pores"
    relative: ClassVar[bool] = False
    units: ClassVar[Mapping[str, str]] = {
        "median_equivalent_diameter": "length",
        "median_inscribed_diameter": "length",
        "median_throat_diameter": "length",
    }

    def __post_init__(self) -> None:
        PoreRegions(0.0, self.min_depth, self.max_throat)

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of what is inside."""
        return replace(self, field=field)

    def fitting(self, facts: Facts) -> LargestDistance | None:
        """Return the reduction that finds the largest distance, or None where it is known."""
        if self.largest is not None:
            return None
        return LargestDistance(facts.voxel_size, field=self.field)

    def fitted(self, result: float) -> Pores:
        """Return the measure that knows the largest distance."""
        return replace(self, largest=result)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the reduction that finds the pores."""
        return (PoreRegions(self.largest, self.min_depth, self.max_throat, facts.voxel_size, self.field),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities; where there is no background, nothing is known."""
        network = found.results[0]
        known = self.largest is not None and math.isfinite(self.largest)
        pores, throats = pore_tables(network, facts.voxel_size)
        unit = "voxels" if facts.voxel_size is None else "m"
        inner = pores["touches_border"].to_numpy() == 0
        return {
            "number": len(network.pores) if known else None,
            "throats_number": len(network.pairs) if known else None,
            "coordination": _mean(network.coordination),
            "coordination_inside": _mean(network.coordination[inner]),
            "median_equivalent_diameter": _median(pores[f"equivalent_diameter_{unit}"]),
            "median_inscribed_diameter": _median(pores[f"inscribed_diameter_{unit}"]),
            "median_throat_diameter": _median(throats[f"inscribed_diameter_{unit}"]),
            "median_aspect_ratio": _median(pores["aspect_ratio"]),
            "pores": pores,
            "throats": throats,
        }


def _mean(values: Any) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _median(column: Any) -> float | None:
    return float(np.median(column.to_numpy())) if len(column) else None
