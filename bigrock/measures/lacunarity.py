"""Lacunarity: how unevenly a phase, or the grey values, fill boxes of each size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from bigrock.engine.reduction import Reduction
from bigrock.geometry import Shape
from bigrock.kernels.box_counting_axes import shortest_side
from bigrock.kernels.box_counting_fit import dyadic_sizes, sorted_sizes
from bigrock.kernels.gliding_box import BoxMasses, GlidingBoxes, check_fit, greatest_mass
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["GreyLacunarity", "Lacunarity", "gliding_sizes"]

_LARGEST = 16
_UNITS: Mapping[str, str] = {"sizes": "voxels", "boxes": "boxes"}


@dataclass(frozen=True)
class Lacunarity(Measure):
    """Gliding-box lacunarity of the phase: the curve ``lacunarity`` against ``sizes``, and ``boxes``.

    Λ(r) = E[M²] / E[M]² over all boxes of r × r × r voxels that lie in the volume, or inside the
    field of view, as `bigrock.kernels.lacunarity` has it. Exact for any blocks. Reads a halo of the
    largest size less one around every block: with large sizes, take large blocks.

    Parameters
    ----------
    sizes : tuple of int, optional
        Edges of the boxes in voxels; by default 2, 4, 8 and 16, up to a quarter of the shortest axis.
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    Examples
    --------
    >>> import bigrock, numpy
    >>> result = bigrock.measure(numpy.indices((6, 6, 6)).sum(0) % 2 == 0, Lacunarity(sizes=(1, 2)))
    >>> result["lacunarity"]["lacunarity"].tolist()
    [2.0, 1.0]
    """

    name: ClassVar[str] = "lacunarity"
    units: ClassVar[Mapping[str, str]] = _UNITS

    sizes: tuple[int, ...] | None = None
    field: FieldOfView | None = None

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the masses of the boxes."""
        return (GlidingBoxes(gliding_sizes(self.sizes, facts.shape), field=self.field),)

    def within(self, field: FieldOfView) -> Self:
        """Return the measure of the boxes that lie inside a field of view."""
        return replace(self, field=field)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        return _curve(found.results[0])


@dataclass(frozen=True)
class GreyLacunarity(Measure):
    """Gliding-box lacunarity of the grey values as masses: ``lacunarity`` against ``sizes``, and ``boxes``.

    As `Lacunarity`, of the voxels as they are stored (bool, uint8, uint16 or uint32). Exact for any
    blocks.

    Parameters
    ----------
    sizes : tuple of int, optional
        Edges of the boxes in voxels; by default 2, 4, 8 and 16, up to a quarter of the shortest axis.

    Examples
    --------
    >>> import bigrock, numpy
    >>> grey = numpy.full((8, 8, 8), 7, numpy.uint8)
    >>> bigrock.measure(grey, GreyLacunarity())["grey_lacunarity"]["lacunarity"].tolist()
    [1.0]
    """

    name: ClassVar[str] = "grey_lacunarity"
    of: ClassVar[Any] = "values"
    units: ClassVar[Mapping[str, str]] = _UNITS

    sizes: tuple[int, ...] | None = None

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the masses of the boxes."""
        greatest_mass(facts.dtype)
        return (GlidingBoxes(gliding_sizes(self.sizes, facts.shape)),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        return _curve(found.results[0])


def gliding_sizes(sizes: tuple[int, ...] | None, shape: Shape) -> tuple[int, ...]:
    """Return sizes of boxes that fit in a volume or slice: those given, or 2, 4, 8 and 16 as far as four fit.

    Raises
    ------
    ParameterError
        If a size that is given is longer than an axis.

    Examples
    --------
    >>> gliding_sizes(None, (40, 100, 100))
    (2, 4, 8)
    """
    if sizes is not None:
        sizes = sorted_sizes(sizes)
        check_fit(sizes, shape)
        return sizes
    shortest = shortest_side(shape)
    return dyadic_sizes(2, min(_LARGEST, shortest // 4)) if shortest > 1 else (1,)


def _curve(masses: BoxMasses) -> dict[str, Any]:
    return {
        "sizes": np.array(masses.sizes),
        "lacunarity": masses.lacunarity(),
        "boxes": np.array([int(n) for n in masses.boxes]),
    }
