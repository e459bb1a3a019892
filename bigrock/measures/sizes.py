"""Pore sizes: the distribution of local thickness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from bigrock.engine.reduction import Reduction
from bigrock.kernels.distances_largest import LargestDistance
from bigrock.kernels.thickness import thickness_diameters
from bigrock.kernels.thickness_counts import ThicknessCounts
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Sizes"]


@dataclass(frozen=True)
class Sizes(Measure):
    """Pore-size distribution: diameters of the largest balls that fit into the phase, by volume.

    From `bigrock.kernels.local_thickness`, whose classes are whole radii in voxels (of the smallest
    edge), without storing it. ``diameter`` are the diameters of the classes, ``fraction`` the share
    of each in the phase, ``cumulative`` the share up to and with it. ``d10``, ``d50`` (the median)
    and ``d90`` are the smallest diameters with a cumulative share of 10, 50 and 90 %, ``mode`` the
    most frequent one, ``mean`` and ``std`` by volume. ``inscribed`` is the diameter of the largest
    ball, twice the largest distance, which is not rounded to a class. Exact. Takes one read more,
    beforehand, which finds that.

    Parameters
    ----------
    largest : float, optional
        Largest distance in voxels (of the smallest edge); set by `bigrock.measure`.
    field : FieldOfView, optional
        Set by `bigrock.measure`. What is outside is no background, as beyond the border of a volume.

    References
    ----------
    .. [1] Hildebrand T., Rüegsegger P., "A new method for the model-independent assessment of
       thickness in three-dimensional images", Journal of Microscopy 185(1), 1997.

    Examples
    --------
    >>> import bigrock
    >>> slits = np.array([[[False, True, False, True, True, True, False]]])
    >>> sizes = bigrock.measure(slits, "sizes", progress=False)["sizes"]
    >>> sizes["diameter"].tolist(), sizes["fraction"].tolist(), sizes["d50"]
    ([2.0, 4.0], [0.25, 0.75], 4.0)
    """

    largest: float | None = None
    field: FieldOfView | None = None

    name: ClassVar[str] = "sizes"
    relative: ClassVar[bool] = False
    units: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("diameter", "d10", "d50", "d90", "mode", "mean", "std", "inscribed"), "length"
        ),
        "fraction": "fraction",
        "cumulative": "fraction",
        "voxels": "voxels",
    }  # fmt: skip

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of what is inside."""
        return replace(self, field=field)

    def fitting(self, facts: Facts) -> LargestDistance | None:
        """Return the reduction that finds the largest distance, or None where it is known."""
        if self.largest is not None:
            return None
        return LargestDistance(facts.voxel_size, field=self.field)

    def fitted(self, result: float) -> Sizes:
        """Return the measure that knows the largest distance."""
        return replace(self, largest=result)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the counts of every class."""
        return (ThicknessCounts(facts.voxel_size, self.largest, self.field),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        counts = found.results[0][1:]
        diameters = thickness_diameters(len(counts), facts.voxel_size)[1:]
        total = int(counts.sum())
        unit = min(facts.voxel_size or (1.0,))
        known = total > 0 and self.largest is not None and math.isfinite(self.largest)
        shares, upto = counts / max(total, 1), np.cumsum(counts) / max(total, 1)
        at = {
            name: float(diameters[np.searchsorted(upto, q)]) if known else None
            for name, q in (("d10", 0.1), ("d50", 0.5), ("d90", 0.9))
        }
        mean = math.fsum(diameters * shares)
        return {
            **at,
            "mode": float(diameters[np.argmax(counts)]) if known else None,
            "mean": mean if known else None,
            "std": math.sqrt(math.fsum((diameters - mean) ** 2 * shares)) if known else None,
            "inscribed": 2 * unit * float(self.largest or 0) if known else None,
            "diameter": diameters,
            "voxels": counts,
            "fraction": shares,
            "cumulative": upto,
        }
