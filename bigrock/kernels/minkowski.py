"""Euler number, surface area and the other Minkowski functionals of a mask.

All of them are sums over its 2×2×2 configurations (`bigrock.kernels.configurations`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.kernels.configurations import ConfigurationCounts, configuration_counts
from bigrock.kernels.configurations_tables import (
    DIRECTIONS,
    checked_connectivity,
    differing_pairs,
    direction_weights,
    eighths_of_euler,
    plane_euler_parts,
)
from bigrock.kernels.packed_rows import mask_volume

__all__ = [
    "MinkowskiFunctionals",
    "area_of",
    "euler_number",
    "euler_of",
    "functionals_of",
    "minkowski_functionals",
    "surface_area",
]

Mask = npt.NDArray[np.bool_]
Voxel = tuple[float, float, float]
Border = Literal["open", "closed"]
Method = Literal["crofton", "faces"]


def euler_number(mask: Mask, *, connectivity: int = 26) -> int:
    """Return the Euler number of a mask: objects − tunnels + cavities.

    χ = b0 − b1 + b2 = V − E + F − C. Exact, the integer of `skimage.measure.euler_number`, over 10 times
    as fast; what lies beyond the volume counts as False. Over blocks: the measure "euler".

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x) or (y, x)
        The phase is True.
    connectivity : {26, 6}, or of an image also {8, 4}
        Which neighbours are connected. The complement then has the other one (6 with 26). Not 18:
        its complement has no connectivity for which the two Euler numbers agree.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If it is no mask, or the connectivity is not one of these.

    References
    ----------
    .. [1] Ohser J., Nagel W., Schladitz K., "The Euler number of discretised sets", Lecture Notes
       in Physics 600, 2002.
    .. [2] Toriwaki J., Yonekura T., "Euler number and connectivity indexes of a three dimensional
       digital picture", Forma 17, 2002.

    Examples
    --------
    >>> ring = np.ones((1, 3, 3), bool)
    >>> ring[0, 1, 1] = False
    >>> euler_number(ring)
    0
    """
    adjacency = checked_connectivity(connectivity, len(mask.shape))
    return euler_of(configuration_counts(mask), adjacency)


def surface_area(
    mask: Mask, *, voxel_size: Voxel | None = None, method: Method = "crofton", border: Border = "open"
) -> float:
    """Return the area of the surface of a mask.

    "crofton": S = 4 Σ c_d N_d v/r_d over 13 directions d, where N_d counts the intersections of
    lines with the mask (half its pairs of differing neighbours), r_d is their step, v the volume of a
    voxel, and c_d the share of all directions nearest to d, computed for the given voxel size.
    Approximate: within 1 to 2 % on smooth surfaces whose radii are over 8 voxels. "faces": the
    area of the voxel faces, exact for the voxels and 1.5 times that of a smooth isotropic surface.

    Cuts at the border of the volume are no surface, and the layer there counts as far as the
    middle of its voxels: the area is that of the window between the outermost voxel centres. With
    ``border="closed"`` the mask ends at the border, and cuts count.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        The phase is True; its complement has the same area.
    voxel_size : tuple of float, optional
        z, y, x in any unit; cubic voxels of side 1 where not given.
    method : {"crofton", "faces"}
        The estimator.
    border : {"open", "closed"}
        Whether cuts at the border of the volume are left out.

    Returns
    -------
    float
        In the unit of the voxel size, squared.

    Raises
    ------
    ParameterError
        If it is no mask of three axes, or an option is not known.

    References
    ----------
    .. [1] Ohser J., Mücklich F., "Statistical Analysis of Microstructures in Materials Science",
       Wiley, 2000.
    .. [2] Legland D., Kiêu K., Devaux M.-F., "Computation of Minkowski measures on 2D and 3D
       binary images", Image Anal. Stereol. 26, 2007.

    Examples
    --------
    >>> cube = np.zeros((6, 6, 6), bool)
    >>> cube[2:4, 2:4, 2:4] = True
    >>> surface_area(cube, method="faces")
    24.0
    """
    counts = configuration_counts(mask_volume(mask, planar=False))
    return area_of(_cells(counts, border), voxel_size or (1.0, 1.0, 1.0), method)


@dataclass(frozen=True, slots=True)
class MinkowskiFunctionals:
    """The four additive, motion-invariant measures of a body; made by `minkowski_functionals`.

    For a ball of radius r: volume 4πr³/3, surface 4πr², mean curvature 4πr, total curvature 4π.

    Attributes
    ----------
    volume : float
        V.
    surface : float
        S.
    mean_curvature : float
        Integral of the mean curvature over the surface, M = ∫ (κ₁ + κ₂)/2 dS.
    total_curvature : float
        Integral of the Gaussian curvature, K = ∫ κ₁κ₂ dS = 4πχ.
    euler : float
        χ = K / 4π; of an open border a sum of shares, so no integer.
    """

    volume: float
    surface: float
    mean_curvature: float
    total_curvature: float
    euler: float

    @property
    def mecke(self) -> tuple[float, float, float, float]:
        """M0 … M3 in the normalisation of Mecke: V, S/8, M/(2π²), 3K/(4π)²."""
        return (
            self.volume,
            self.surface / 8,
            self.mean_curvature / (2 * math.pi**2),
            3 * self.total_curvature / (4 * math.pi) ** 2,
        )


def minkowski_functionals(
    mask: Mask, voxel_size: Voxel | None = None, *, connectivity: int = 26, border: Border = "open"
) -> MinkowskiFunctionals:
    """Return volume, surface, integral of mean curvature and of total curvature of a mask.

    V exact; S by Crofton's formula (see `surface_area`); M = 2π Σ c_d Δ_d χ_d, the mean over 13
    normals of the Euler numbers of plane sections (their distance Δ_d, weights c_d as for the
    surface): approximate; K = 4πχ exact. One pass, about half a nanosecond per voxel.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        The phase is True.
    voxel_size : tuple of float, optional
        z, y, x in any unit; cubic voxels of side 1 where not given.
    connectivity : {26, 6}
        Which neighbours are connected.
    border : {"open", "closed"}
        "open" counts the 2×2×2 cells that lie wholly inside, so that cuts at the border of the
        volume add nothing, and densities are those of the rock. "closed" takes the outside as
        False: the body that the border cuts out, with its cuts, and an Euler number that is whole.

    Returns
    -------
    MinkowskiFunctionals

    Raises
    ------
    ParameterError
        If it is no mask of three axes, or an option is not known.

    References
    ----------
    .. [1] Ohser J., Mücklich F., "Statistical Analysis of Microstructures in Materials Science",
       Wiley, 2000.
    .. [2] Mecke K. R., "Additivity, convexity, and beyond: applications of Minkowski functionals
       in statistical physics", Lecture Notes in Physics 554, 2000.

    Examples
    --------
    >>> voxel = np.zeros((3, 3, 3), bool)
    >>> voxel[1, 1, 1] = True
    >>> found = minkowski_functionals(voxel)
    >>> found.volume, found.euler
    (1.0, 1.0)
    """
    counts = configuration_counts(mask_volume(mask, planar=False))
    adjacency = checked_connectivity(connectivity, 3)
    return functionals_of(counts, voxel_size or (1.0, 1.0, 1.0), connectivity=adjacency, border=border)


def euler_of(counts: ConfigurationCounts, connectivity: int) -> int:
    """Return the Euler number, given the configurations; connectivity 6 or 26."""
    return int(counts.all @ eighths_of_euler(connectivity)) // 8


def area_of(cells: npt.NDArray[np.int64], voxel_size: Voxel, method: Method) -> float:
    """Return the surface area of some cells: ``counts.inside`` or ``counts.all``."""
    pairs, volume = cells @ differing_pairs(), math.prod(voxel_size)
    per_pair = _per_pair(voxel_size, method)
    return math.fsum(share * int(n) / 4 * volume for share, n in zip(per_pair, pairs, strict=True))


def _per_pair(voxel_size: Voxel, method: Method) -> list[float]:
    """Return for every direction the area that a pair of differing neighbours stands for, per volume of a voxel."""
    if method == "faces":
        sides = dict(zip(_AXES, voxel_size, strict=True))
        return [1 / sides[d] if d in sides else 0.0 for d in DIRECTIONS]
    if method != "crofton":
        raise ParameterError(f"method={method!r} is not known. Use 'crofton' or 'faces'.")
    steps = tuple((z * voxel_size[0], y * voxel_size[1], x * voxel_size[2]) for z, y, x in DIRECTIONS)
    weights = direction_weights(steps)
    return [2 * float(c) / math.hypot(*step) for c, step in zip(weights, steps, strict=True)]


_AXES: tuple[tuple[int, int, int], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def curvature_of(cells: npt.NDArray[np.int64], voxel_size: Voxel, connectivity: int) -> float:
    """Return the integral of the mean curvature over some cells: ``counts.inside`` or ``counts.all``."""
    normals = [tuple(n / a for n, a in zip(d, voxel_size, strict=True)) for d in DIRECTIONS]
    weights = direction_weights(tuple(normals))
    sections = cells @ plane_euler_parts(connectivity)
    terms = zip(weights, sections, normals, strict=True)
    return 2 * math.pi * math.fsum(float(c) * int(n) / 24 / math.hypot(*g) for c, n, g in terms)


def functionals_of(
    counts: ConfigurationCounts, voxel_size: Voxel, *, connectivity: int = 26, border: Border = "open"
) -> MinkowskiFunctionals:
    """Return the Minkowski functionals, given the configurations."""
    cells = _cells(counts, border)
    curvature = curvature_of(cells, voxel_size, connectivity)
    euler = int(cells @ eighths_of_euler(connectivity)) / 8
    volume = counts.voxels * math.prod(voxel_size)
    area = area_of(cells, voxel_size, "crofton")
    return MinkowskiFunctionals(volume, area, curvature, 4 * math.pi * euler, euler)


def _cells(counts: ConfigurationCounts, border: str) -> npt.NDArray[np.int64]:
    if border not in ("open", "closed"):
        raise ParameterError(f"border={border!r} is not known. Use 'open' or 'closed'.")
    return counts.inside if border == "open" else counts.all
