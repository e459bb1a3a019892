"""The four Minkowski functionals of the phase."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from bigrock.engine.reduction import Reduction
from bigrock.kernels.configurations import Configurations
from bigrock.kernels.configurations_tables import checked_connectivity
from bigrock.kernels.minkowski import functionals_of
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Minkowski"]


@dataclass(frozen=True)
class Minkowski(Measure):
    """Minkowski functionals: ``volume``, ``surface``, ``mean_curvature``, ``total_curvature``.

    And ``euler`` = total curvature / 4π, a sum of shares and no integer; the same per bulk volume
    under ``density``; and M0 … M3 in the normalisation of Mecke. Volume and total curvature are
    exact, surface and mean curvature approximate (`bigrock.kernels.minkowski_functionals`). The
    2×2×2 cells wholly inside the volume, and the field of view, are counted, so borders add nothing.

    Parameters
    ----------
    connectivity : {26, 6}
        Of the phase.
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    Raises
    ------
    ParameterError
        If the connectivity is neither.

    References
    ----------
    .. [1] Ohser J., Mücklich F., "Statistical Analysis of Microstructures in Materials Science",
       Wiley, 2000.
    .. [2] Mecke K. R., Lecture Notes in Physics 554, 2000.

    Examples
    --------
    >>> import bigrock, numpy as np
    >>> voxel = np.zeros((3, 3, 3), bool)
    >>> voxel[1, 1, 1] = True
    >>> bigrock.measure(voxel, "minkowski")["minkowski"]["euler"]
    1.0
    """

    connectivity: int = 26
    field: FieldOfView | None = None
    name: ClassVar[str] = "minkowski"
    units: ClassVar[Mapping[str, str]] = {
        "volume": "volume",
        "surface": "area",
        "mean_curvature": "length",
        "density.volume": "fraction",
        "density.surface": "per length",
        "density.mean_curvature": "per area",
        "density.total_curvature": "per volume",
        "density.euler": "per volume",
        "mecke.M0": "volume",
        "mecke.M1": "area",
        "mecke.M2": "length",
    }

    def __post_init__(self) -> None:
        checked_connectivity(self.connectivity, 3)

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of the 2×2×2 cells that lie in the field of view."""
        return replace(self, field=field)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the count of the 2×2×2 configurations."""
        return (Configurations(self.field),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        voxel = facts.voxel_size or (1.0, 1.0, 1.0)
        functionals = functionals_of(found.results[0], voxel, connectivity=self.connectivity)
        names = ("volume", "surface", "mean_curvature", "total_curvature", "euler")
        totals = {name: getattr(functionals, name) for name in names}
        voxels = math.prod(facts.shape) if found.whole is None else found.whole[0].voxels
        bulk = dict.fromkeys(names, int(found.results[0].inside.sum())) | {"volume": voxels}
        density = {
            name: total / (bulk[name] * math.prod(voxel)) if bulk[name] else None
            for name, total in totals.items()
        }
        mecke = dict(zip(("M0", "M1", "M2", "M3"), functionals.mecke, strict=True))
        return {**totals, "density": density, "mecke": mecke}
