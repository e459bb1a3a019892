"""Porosity of the slices along each axis: does the rock change through the volume."""

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

__all__ = ["AxisCounts", "Profiles"]

Counts = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]


@dataclass(frozen=True)
class AxisCounts(Reduction):
    """Number of pore voxels in every slice along z, y and x of a mask; exact.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> z, y, x = AxisCounts().block(np.ones((2, 3, 4), bool), BlockGrid((2, 3, 4), (2, 3, 4))[0])
    >>> z.tolist(), y.tolist(), x.tolist()
    ([12, 12], [8, 8, 8], [6, 6, 6, 6])
    """

    def state_bytes(self, facts: Facts) -> float:
        """Eight bytes for every slice of every axis."""
        return 8.0 * sum(facts.shape)

    def block(self, array: npt.NDArray[Any], block: Block) -> Counts:
        """Return the counts of the core, each at its place in the volume."""
        from bigrock.kernels.compiled import add_axis_counts

        core = array[block.trim]
        z, y, x = (np.zeros(n, np.uint64) for n in block.volume)
        in_z, in_y, in_x = block.core.slices
        add_axis_counts(core.view(np.uint8), z[in_z], y[in_y], x[in_x])
        return z, y, x

    def combine(self, a: Counts, b: Counts) -> Counts:
        """Return the sum."""
        for mine, other in zip(a, b, strict=True):
            mine += other
        return a


@dataclass(frozen=True)
class Profiles(Measure):
    """Porosity of every slice along each axis: ``porosity`` (fractions) and ``position``.

    With ``mean``, ``std``, ``min`` and ``max`` of each axis. Exact. Positions are the centres of the
    slices in metres, or their numbers where no voxel size is known. Slices without a voxel inside
    the field of view have no porosity (NaN).

    Examples
    --------
    >>> import bigrock
    >>> bigrock.measure(np.eye(2, dtype=bool)[None], "profiles")["profiles"]["x"]["porosity"].tolist()
    [0.5, 0.5]
    """

    name: ClassVar[str] = "profiles"
    units: ClassVar[Mapping[str, str]] = {
        "mean": "fraction",
        "std": "fraction",
        "min": "fraction",
        "max": "fraction",
        "porosity": "fraction",
        "position": "length",
    }

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the counts of every slice."""
        return (AxisCounts(),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        described = {}
        for i, axis in enumerate("zyx"):
            slices = facts.shape[i]
            whole = math.prod(facts.shape) // slices if found.whole is None else found.whole[0][i]
            with np.errstate(invalid="ignore"):
                porosity = found.results[0][i] / whole
            seen = porosity[np.isfinite(porosity)]
            index = np.arange(slices)
            described[axis] = {
                "mean": float(seen.mean()),
                "std": float(seen.std()),
                "min": float(seen.min()),
                "max": float(seen.max()),
                "position": index if facts.voxel_size is None else (index + 0.5) * facts.voxel_size[i],
                "porosity": porosity,
            }
        return described
