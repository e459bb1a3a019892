"""Area of the surface between the phase and the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from bigrock.engine.reduction import Reduction
from bigrock.kernels.configurations import ConfigurationCounts, Configurations
from bigrock.kernels.minkowski import area_of_pairs, density_of_pairs, pairs_of, true_pairs_of
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Surface"]


@dataclass(frozen=True)
class Surface(Measure):
    """Surface: ``area``, ``per_bulk_volume``, ``per_pore_volume``, and by voxel faces ``faces.area``.

    By Crofton's formula over 13 directions (`bigrock.kernels.surface_area`): within 1 % on smooth
    surfaces with radii over 8 voxels. Beside it the voxel faces (also ``faces.per_bulk_volume``),
    exact for the voxels and 1.5 times a smooth isotropic surface. Cuts at the border of the
    volume, or of the field of view, are no surface: only pairs of neighbours that are both inside
    count, and specific surface is per pair, direction by direction, so the border has no bias.
    None where the volume is one voxel thick.

    Parameters
    ----------
    inside_field : bool
        Whether there is a field of view; `bigrock.measure` sets it.

    Examples
    --------
    >>> import bigrock, numpy as np
    >>> half = np.arange(8)[:, None, None] < np.full((8, 8), 4)
    >>> bigrock.measure(half, "surface")["surface"]["faces"]["area"]
    49.0
    """

    inside_field: bool = False
    name: ClassVar[str] = "surface"
    units: ClassVar[Mapping[str, str]] = {
        "area": "area",
        "per_bulk_volume": "per length",
        "per_pore_volume": "per length",
    }

    def within(self, field: FieldOfView) -> Self:
        """Return the measure that also sees the solid: its border with the outside tells cuts from surface."""
        return replace(self, inside_field=True)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the count of the 2×2×2 configurations."""
        return (Configurations(),)

    def solid_reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the same of the solid, where there is a field of view."""
        return (Configurations(),) if self.inside_field else ()

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        pore: ConfigurationCounts = found.results[0]
        pairs, inside, voxels = (
            pairs_of(pore.inside),
            [4 * int(pore.inside.sum())] * 13,
            math.prod(facts.shape),
        )
        if found.whole is not None:
            # Pore meets solid or the outside, solid meets pore or the outside, so the outside
            # cancels: (pore|rest + solid|rest - inside|outside) / 2 = pore|solid.
            whole, solid = found.whole[0], pairs_of(found.solid[0].inside)
            rim = pairs_of(whole.inside)
            pairs = [(p + s - r) // 2 for p, s, r in zip(pairs, solid, rim, strict=True)]
            inside, voxels = true_pairs_of(whole.inside), whole.voxels
        voxel = facts.voxel_size or (1.0, 1.0, 1.0)
        known = all(inside)
        area, density = (
            {m: of(pairs, voxel, m) if known else None for m in ("crofton", "faces")}
            for of in (area_of_pairs, lambda n, v, m: density_of_pairs(n, inside, v, m))
        )
        specific, fraction = density["crofton"], pore.voxels / voxels if voxels else 0.0
        return {
            "area": area["crofton"],
            "per_bulk_volume": specific,
            "per_pore_volume": specific / fraction if specific is not None and fraction else None,
            "estimator": "Crofton, 13 directions",
            "faces": {"area": area["faces"], "per_bulk_volume": density["faces"]},
        }
