"""How long the edges of a voxel are, in numbers that distances can be computed from exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bigrock.errors import ParameterError
from bigrock.geometry import Shape

__all__ = ["VOXELS", "Metric"]

_STEPS = 1 << 24


@dataclass(frozen=True, slots=True)
class Metric:
    """Squared edges of a voxel, in units of the smallest edge; made by `Metric.of`.

    Attributes
    ----------
    weights : tuple
        Squared edge along z, y, x, at least 1: integers, or floats that are multiples of 2**-24.
    unit : float
        Length of the smallest edge.

    Examples
    --------
    >>> Metric.of((10e-9, 5e-9, 5e-9)).weights
    (4.0, 1.0, 1.0)
    """

    weights: tuple[float, float, float] = (1, 1, 1)
    unit: float = 1.0

    @classmethod
    def of(cls, voxel_size: float | Sequence[float] | None, ndim: int = 3) -> Metric:
        """Return the metric of a voxel edge, or of edges along the axes.

        Raises
        ------
        ParameterError
            If an edge is not a positive number, or their number is not that of the axes.
        """
        if voxel_size is None:
            return cls()
        edges = [float(e) for e in (voxel_size if isinstance(voxel_size, Sequence) else [voxel_size] * ndim)]
        if len(edges) != ndim or not all(math.isfinite(e) and e > 0 for e in edges):
            raise ParameterError(
                f"voxel_size {voxel_size!r} is no size of a voxel. Give one positive length, or one per axis."
            )
        smallest = min(edges)
        # Multiples of a power of two: sums of them are exact, so a distance does not depend on the
        # order in which it is put together.
        squares = [round((e / smallest) ** 2 * _STEPS) / _STEPS for e in [smallest] * (3 - ndim) + edges]
        z, y, x = squares if max(squares) > 1 else (1, 1, 1)
        return cls((z, y, x), smallest)

    @property
    def whole(self) -> bool:
        """Whether all edges are equal, so that squares are whole numbers."""
        return self.weights == (1, 1, 1)

    def reach(self, length: float) -> Shape:
        """Return the voxels along each axis that lie within `length`, a multiple of the smallest edge."""
        z, y, x = (math.ceil(length / math.sqrt(w)) for w in self.weights)
        return z, y, x


VOXELS = Metric()
"""Distances in voxels."""
