"""Two-point correlation of the phase, and the lengths and the surface that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.kernels.two_point import Correlogram, PairCounts, correlograms, pairs_inside
from bigrock.measures.definition import Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Correlation", "correlation_length", "surface_from_slope"]


@dataclass(frozen=True)
class Correlation(Measure):
    """Two-point correlation: ``s2`` against ``distance`` for ``z``, ``y``, ``x``, ``radial``, and what follows.

    ``porosity`` φ; ``correlation_length`` of every curve: ∫ (S2 − φ²)/(φ − φ²) dr up to the first
    zero (None where φ is 0 or 1; an underestimate where ``decays`` is false: no zero within
    `max_lag`); ``anisotropy``: longest over shortest of the axes; ``specific_surface`` from the
    slope at 0 (see `surface_from_slope`). Pair counts are exact; only pairs inside the volume, or
    the field of view, count. Each block reads a halo of `max_lag`.

    Parameters
    ----------
    max_lag : int
        Longest lag, in sides of the shortest voxel side.
    radial : bool
        Whether all directions are averaged too: Fourier transforms, some 50 ns per voxel, where
        the axes alone take about one.

    Raises
    ------
    ParameterError
        If `max_lag` is below 1.

    References
    ----------
    .. [1] Debye P., Anderson H. R., Brumberger H., "Scattering by an inhomogeneous solid II",
       J. Appl. Phys. 28, 1957.
    .. [2] Torquato S., "Random Heterogeneous Materials", Springer, 2002.

    Examples
    --------
    >>> import bigrock
    >>> stripes = np.zeros((4, 4, 8), bool)
    >>> stripes[:, :, ::2] = True
    >>> bigrock.measure(stripes, Correlation(3, radial=False))["correlation"]["x"]["s2"].tolist()
    [0.5, 0.0, 0.5, 0.0]
    """

    max_lag: int = 32
    radial: bool = True
    name: ClassVar[str] = "correlation"
    units: ClassVar[Mapping[str, str]] = {
        "distance": "length",
        "s2": "fraction",
        "correlation_length": "length",
        "porosity": "fraction",
        "specific_surface": "per length",
    }

    def __post_init__(self) -> None:
        PairCounts(self.max_lag)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the counts of pairs."""
        return (self._counting(facts),)

    def _counting(self, facts: Facts) -> PairCounts:
        voxel = facts.voxel_size or (1.0, 1.0, 1.0)
        z, y, x = (side / min(voxel) for side in voxel)
        return PairCounts(self.max_lag, (z, y, x), self.radial)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        counting = self._counting(facts)
        pairs = pairs_inside(counting, facts.shape) if found.whole is None else found.whole[0]
        side = min(facts.voxel_size or (1.0,))
        curves = correlograms(counting, found.results[0], pairs, side)
        porosity = float(curves["x"].probability[0]) if curves["x"].pairs.size else 0.0
        described: dict[str, Any] = {name: _curve(curve, porosity) for name, curve in curves.items()}
        lengths = [described[axis]["correlation_length"] for axis in "zyx" if curves[axis].distance.size > 1]
        known = [length for length in lengths if length]
        return {
            "porosity": porosity,
            **described,
            "anisotropy": max(known) / min(known) if known and len(known) == len(lengths) else None,
            "specific_surface": surface_from_slope([curves[axis] for axis in "zyx"], porosity),
        }


def _curve(curve: Correlogram, porosity: float) -> dict[str, Any]:
    length, decays = correlation_length(curve.distance, curve.probability, porosity)
    return {
        "distance": curve.distance,
        "s2": curve.probability,
        "correlation_length": length,
        "decays": decays,
    }


def correlation_length(
    distance: npt.NDArray[np.float64], s2: npt.NDArray[np.float64], porosity: float
) -> tuple[float | None, bool]:
    """Return the integral of the normalised covariance up to its first zero, and whether there is one.

    ∫ (S2(r) − φ²)/(φ − φ²) dr by trapezoids, the last one up to where the line from the last lag
    above zero to the first one below crosses it.

    Parameters
    ----------
    distance, s2 : ndarray of float64
        One curve, from distance 0 on.
    porosity : float
        φ.

    Examples
    --------
    >>> correlation_length(np.arange(3.0), np.array([0.5, 0.25, 0.25]), 0.5)
    (0.5, True)
    """
    variance = porosity - porosity**2
    if variance <= 0 or distance.size < 2:
        return None, False
    covariance = (s2 - porosity**2) / variance
    below = np.flatnonzero(covariance <= 0)
    if not below.size:
        return float(np.trapezoid(covariance, distance)), False
    end = int(below[0])
    if end == 0:
        return 0.0, True
    length = float(np.trapezoid(covariance[:end], distance[:end]))
    last, first = float(covariance[end - 1]), float(covariance[end])
    return length + 0.5 * last * (float(distance[end] - distance[end - 1]) * last / (last - first)), True


def surface_from_slope(axes: list[Correlogram], porosity: float) -> float | None:
    """Return the specific surface −4 S2'(0), per bulk volume: the mean of the slopes along the axes.

    The slope is that from lag 0 to lag 1, where S2 is a line if surfaces are smooth on the scale
    of voxels. Along an axis only the projection of a surface counts, which voxels do not change,
    so the slope needs no correction for them; the mean over the axes is 2/3 of the area of the
    voxel faces, the 2/3 being that of isotropic surfaces. What is smaller than a voxel is not seen.

    Parameters
    ----------
    axes : list of Correlogram
        Along z, y, x; those of one lag are left out.
    porosity : float
        φ = S2(0).

    Examples
    --------
    >>> ones = np.array([4, 3])
    >>> surface_from_slope([Correlogram(np.arange(2.0), np.array([0.5, 0.25]), ones)], 0.5)
    1.0
    """
    slopes = [
        (porosity - float(c.probability[1])) / float(c.distance[1]) for c in axes if c.distance.size > 1
    ]
    return 4 * math.fsum(slopes) / len(slopes) if slopes else None
