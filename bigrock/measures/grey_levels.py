"""Histogram and statistics of the values as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from bigrock.engine.reduction import Reduction
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.kernels.histogram import GreyHistogram
from bigrock.measures.definition import Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["GreyLevels"]


@dataclass(frozen=True)
class GreyLevels(Measure):
    """Histogram and statistics of the stored values: ``mean``, ``std``, ``min``, ``max``, ``quantiles``, ``otsu``…

    Exact; as `Histogram.to_dict`, with the ``counts`` of the ``values``.

    Examples
    --------
    >>> import bigrock
    >>> bigrock.measure(np.full((1, 2, 2), 7, np.uint8), "histogram")["histogram"]["mean"]
    7.0
    """

    name: ClassVar[str] = "histogram"
    of: ClassVar[Literal["values", "phase"]] = "values"
    units: ClassVar[Mapping[str, str]] = {
        "total": "voxels",
        "counts": "voxels",
        **dict.fromkeys(
            ("min", "max", "mean", "std", "otsu", "contrast", "values", "quantiles"), "grey level"
        ),
    }

    field_of_view: FieldOfView | None = None

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the histogram."""
        return (GreyHistogram(self.field_of_view),)

    def within(self, field: FieldOfView) -> GreyLevels:
        """Return the measure of the values inside a field of view."""
        return replace(self, field_of_view=field)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        described = found.results[0].to_dict()
        return described | {name: np.asarray(described[name]) for name in ("values", "counts")}
