"""Euler number of the phase: how it hangs together, in one number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from bigrock.engine.reduction import Reduction
from bigrock.kernels.configurations import Configurations
from bigrock.kernels.configurations_tables import checked_connectivity
from bigrock.kernels.minkowski import euler_of
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Euler"]


@dataclass(frozen=True)
class Euler(Measure):
    """Euler number χ = objects − tunnels + cavities: ``chi``, ``chi_per_volume``, ``chi_26``, ``chi_6``.

    Exact. What lies outside the volume, or the field of view, counts as not of the phase. With 26
    for the phase, its complement has 6, and the other way round. A well connected pore space has a
    negative number: each redundant loop counts −1.

    Parameters
    ----------
    connectivity : {26, 6}
        Of `chi`; both are given under their own names.
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    Raises
    ------
    ParameterError
        If the connectivity is neither.

    References
    ----------
    .. [1] Vogel H.-J., Roth K., "Quantitative morphology and network representation of soil pore
       structure", Adv. Water Resour. 24, 2001.

    Examples
    --------
    >>> import bigrock, numpy as np
    >>> bigrock.measure(np.ones((4, 4, 4), bool), "euler", pore=True)["euler"]["chi"]
    1
    """

    connectivity: int = 26
    field: FieldOfView | None = None
    name: ClassVar[str] = "euler"
    units: ClassVar[Mapping[str, str]] = {"chi_per_volume": "per volume"}

    def __post_init__(self) -> None:
        checked_connectivity(self.connectivity, 3)

    def within(self, field: FieldOfView) -> Self:
        """Return the measure with the field of view, so that it shares its counts with the others."""
        return replace(self, field=field)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the count of the 2×2×2 configurations."""
        return (Configurations(self.field),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        counts = found.results[0]
        chi = {connectivity: euler_of(counts, connectivity) for connectivity in (26, 6)}
        voxels = math.prod(facts.shape) if found.whole is None else found.whole[0].voxels
        volume = voxels * math.prod(facts.voxel_size or (1.0, 1.0, 1.0))
        return {
            "chi": chi[self.connectivity],
            "chi_per_volume": chi[self.connectivity] / volume if volume else None,
            "connectivity": self.connectivity,
            "chi_26": chi[26],
            "chi_6": chi[6],
        }
