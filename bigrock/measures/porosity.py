"""Total porosity: how much of the volume is pore."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block
from bigrock.measures.definition import Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["PoreCount", "Porosity"]


@dataclass(frozen=True)
class PoreCount(Reduction):
    """Number of pore voxels of a mask; exact.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> PoreCount().block(np.ones((2, 2, 2), bool), BlockGrid((2, 2, 2), (2, 2, 2))[0])
    8
    """

    def block(self, array: npt.NDArray[Any], block: Block) -> int:
        """Return the count of the core."""
        return int(np.count_nonzero(array[block.trim]))

    def combine(self, a: int, b: int) -> int:
        """Return the sum."""
        return a + b


@dataclass(frozen=True)
class Porosity(Measure):
    """Total porosity: ``total`` (fraction), ``pore_voxels``, ``voxels``, ``pore_volume``, ``bulk_volume`` (m³ or None).

    Exact. Of a class, `total` is its volume fraction; inside a field of view, the fraction of it.

    Examples
    --------
    >>> import bigrock
    >>> bigrock.measure(np.eye(2, dtype=bool)[None], "porosity")["porosity"]["total"]
    0.5
    """

    name: ClassVar[str] = "porosity"
    units: ClassVar[Mapping[str, str]] = {
        "total": "fraction",
        "pore_voxels": "voxels",
        "voxels": "voxels",
        "pore_volume": "m³",
        "bulk_volume": "m³",
    }

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the count of pore voxels."""
        return (PoreCount(),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        pore = found.results[0]
        voxels = math.prod(facts.shape) if found.whole is None else found.whole[0]
        voxel_m3 = None if facts.voxel_size is None else math.prod(facts.voxel_size)
        return {
            "total": pore / voxels,
            "pore_voxels": pore,
            "voxels": voxels,
            "pore_volume": None if voxel_m3 is None else pore * voxel_m3,
            "bulk_volume": None if voxel_m3 is None else voxels * voxel_m3,
        }
