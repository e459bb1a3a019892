"""Area of the surface between the phase and the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from bigrock.engine.reduction import Reduction
from bigrock.kernels.configurations import ConfigurationCounts, Configurations
from bigrock.kernels.minkowski import Method, area_of
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Surface"]


@dataclass(frozen=True)
class Surface(Measure):
    """Surface area of the phase: ``area``, ``per_bulk_volume``, ``per_pore_volume``; by faces ``faces.area``.

    By Crofton's formula over 13 directions (`bigrock.kernels.surface_area`): within 1 % on smooth
    surfaces with radii over 8 voxels. Beside it the voxel faces (also ``faces.per_bulk_volume``),
    exact for the voxels and 1.5 times a smooth isotropic surface. Cuts at the border of the
    volume, or of the field of view, are no surface: the 2×2×2 cells wholly inside count, and
    specific surface is per volume of these cells, so the border has no bias. None where there is
    no such cell, as in a single slice.

    Parameters
    ----------
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    Examples
    --------
    >>> import bigrock, numpy as np
    >>> half = np.arange(8)[:, None, None] < np.full((8, 8), 4)
    >>> bigrock.measure(half, "surface")["surface"]["faces"]["area"]
    49.0
    """

    field: FieldOfView | None = None
    name: ClassVar[str] = "surface"
    units: ClassVar[Mapping[str, str]] = {
        "area": "area",
        "per_bulk_volume": "per length",
        "per_pore_volume": "per length",
    }

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of the 2×2×2 cells that lie in the field of view."""
        return replace(self, field=field)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the count of the 2×2×2 configurations."""
        return (Configurations(self.field),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        pore: ConfigurationCounts = found.results[0]
        voxels = math.prod(facts.shape) if found.whole is None else found.whole[0].voxels
        voxel = facts.voxel_size or (1.0, 1.0, 1.0)
        window = int(pore.inside.sum()) * math.prod(voxel)
        methods: tuple[Method, ...] = ("crofton", "faces")
        area = {m: area_of(pore.inside, voxel, m) if window else None for m in methods}
        density = {m: None if a is None else a / window for m, a in area.items()}
        specific, fraction = density["crofton"], pore.voxels / voxels if voxels else 0.0
        return {
            "area": area["crofton"],
            "per_bulk_volume": specific,
            "per_pore_volume": specific / fraction if specific is not None and fraction else None,
            "estimator": "Crofton, 13 directions",
            "faces": {"area": area["faces"], "per_bulk_volume": density["faces"]},
        }
