"""Histogram and statistics of the values as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bigrock.kernels.histogram import GreyHistogram, Histogram
from bigrock.measures.definition import Measure
from bigrock.volumes.source import Facts

__all__ = ["HISTOGRAM"]


def _describe(results: Sequence[Histogram], facts: Facts) -> dict[str, Any]:
    described = results[0].to_dict()
    return described | {name: np.asarray(described[name]) for name in ("values", "counts")}


HISTOGRAM = Measure(
    name="histogram",
    of="values",
    reductions=lambda facts: (GreyHistogram(),),
    describe=_describe,
    units={
        "total": "voxels",
        "counts": "voxels",
        **dict.fromkeys(
            ("min", "max", "mean", "std", "otsu", "contrast", "values", "quantiles"), "grey level"
        ),
    },
)
"""As `Histogram.to_dict`: ``mean``, ``std``, ``min``, ``max``, ``quantiles``, ``otsu``, ``values``, ``counts``…"""
