"""Fractal dimensions: of a phase and its interface by box counting, of grey values by differential box counting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from bigrock.engine.reduction import Reduction
from bigrock.kernels.box_counting import BoxCounting, BoxTally
from bigrock.kernels.box_counting_fit import BoxCounts
from bigrock.kernels.differential_box_counting import DifferentialBoxCounting, grey_bits
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["DifferentialFractal", "Fractal", "inside_field"]

_UNITS: Mapping[str, str] = {
    "sizes": "voxels",
    "counts": "boxes",
    "fit_smallest": "voxels",
    "fit_largest": "voxels",
}


@dataclass(frozen=True)
class Fractal(Measure):
    """Box-counting dimension of ``phase`` and ``interface``: each ``dimension``, ``r2``, ``sizes``, ``counts``, ….

    D = −d log N(ε) / d log ε by least squares from ``fit_smallest`` to ``fit_largest``, with the
    slopes between neighbouring sizes (``local_slopes``), as `bigrock.kernels.box_count` has it.
    Exact for any blocks. Of rock volumes D lies in (2, 3). The interface are the boxes that hold
    both the phase and something else; inside a field of view, something else that lies inside.

    Parameters
    ----------
    sizes : tuple of int, optional
        Edges of the boxes in voxels; by default the powers of two up to the shortest axis.
    fit : (int, int), optional
        Smallest and largest size of the fit; by default up to a quarter of the shortest axis.
    field : FieldOfView, optional
        Set by `bigrock.measure`.

    Examples
    --------
    >>> import bigrock, numpy
    >>> result = bigrock.measure(numpy.ones((16, 16, 16), bool)[:, :8], Fractal(fit=(1, 4)))
    >>> result["fractal"]["phase"]["dimension"], result["fractal"]["interface"]["dimension"]
    (3.0, None)
    """

    name: ClassVar[str] = "fractal"
    units: ClassVar[Mapping[str, str]] = _UNITS

    sizes: tuple[int, ...] | None = None
    fit: tuple[int, int] | None = None
    field: FieldOfView | None = None

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the box counts."""
        return (BoxCounting(self.sizes),)

    def solid_reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the box counts of the rest, from which the interface inside a field of view follows."""
        return () if self.field is None else (BoxCounting(self.sizes),)

    def within(self, field: FieldOfView) -> Self:
        """Return the measure for the voxels inside a field of view."""
        return replace(self, field=field)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        tally = inside_field(found, 0)
        return {kind: quantities(tally.fitted(kind, fit=self.fit)) for kind in ("phase", "interface")}


@dataclass(frozen=True)
class DifferentialFractal(Measure):
    """Differential box-counting dimension of the grey values: ``dimension``, ``r2``, ``sizes``, ``counts``, ….

    As `bigrock.kernels.differential_box_count`: no threshold is needed, and D lies in (3, 4) for a
    volume. Exact for any blocks.

    Parameters
    ----------
    sizes : tuple of int, optional
        Edges of the columns in voxels; by default the powers of two from 2 to half of the shortest axis.
    levels : int, optional
        Number of grey levels; by default all values of the data type.
    fit : (int, int), optional
        Smallest and largest size of the fit.

    Examples
    --------
    >>> import bigrock, numpy
    >>> grey = numpy.zeros((16, 16, 16), numpy.uint8)
    >>> bigrock.measure(grey, DifferentialFractal())["differential_fractal"]["dimension"]
    3.0
    """

    name: ClassVar[str] = "differential_fractal"
    of: ClassVar[Any] = "values"
    units: ClassVar[Mapping[str, str]] = {**_UNITS, "counts": "boxes of grey"}

    sizes: tuple[int, ...] | None = None
    levels: int | None = None
    fit: tuple[int, int] | None = None

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the differential box counts."""
        grey_bits(facts.dtype)
        return (DifferentialBoxCounting(self.sizes, self.levels, self.fit),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        return quantities(found.results[0])


def quantities(counted: BoxCounts) -> dict[str, Any]:
    """Return box counts as the quantities of a measure.

    Examples
    --------
    >>> from bigrock.kernels import box_count
    >>> import numpy
    >>> quantities(box_count(numpy.ones((16, 16), bool)))["fit_largest"]
    4
    """
    smallest, largest = counted.fit_range or (None, None)
    return {
        "dimension": known(counted.dimension),
        "r2": known(counted.r2),
        "fit_smallest": smallest,
        "fit_largest": largest,
        "sizes": counted.sizes,
        "counts": counted.counts,
        "local_slopes": counted.local_slopes,
    }


def known(number: float) -> float | None:
    """Return a number, or None where it is NaN.

    Examples
    --------
    >>> known(2.5), known(math.nan)
    (2.5, None)
    """
    return None if math.isnan(number) else number


def inside_field(found: Found, index: int) -> BoxTally:
    """Return the box counts of the phase, with the interface to what lies inside the field of view.

    Of the boxes that hold any voxel inside, some hold the phase, some the rest, and some both:
    both = phase + rest − any.

    Parameters
    ----------
    found : Found
        Results of `BoxCounting` over the phase, the rest and the field.
    index : int
        Which result.

    Examples
    --------
    >>> import numpy
    >>> tally = BoxTally((1,), numpy.array([2]), numpy.array([0]), 2)
    >>> inside_field(Found([tally]), 0) is tally
    True
    """
    tally: BoxTally = found.results[index]
    if found.whole is None:
        return tally
    rest, either = found.solid[0], found.whole[index]
    return replace(tally, interface=tally.phase + rest.phase - either.phase)
