"""Kozeny-Carman: permeability from porosity and specific surface, to compare any other value with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["kozeny_carman", "surface_per_bulk"]


def kozeny_carman(porosity: float, surface_per_bulk: float, *, c: float = 5.0) -> float:
    """Return the permeability φ³ / (c S²).

    For a packing of equal spheres of diameter d this is φ³d²/(180 (1−φ)²) with c = 5. It knows nothing of
    how pores connect: a rock that does not percolate has a permeability by this formula too. The formula as it
    is, in double precision.

    Parameters
    ----------
    porosity : float
        Fraction of pores, 0 to 1.
    surface_per_bulk : float
        Area of the surface of the pores per volume of the whole sample, in 1/m: then the result is in m².
    c : float
        Kozeny's constant: 5 for packings; 2 for a tube, 3 for a slit.

    Returns
    -------
    float
        0 without pores; infinite with pores that have no surface.

    Raises
    ------
    ParameterError
        If the porosity is not within 0 and 1, the surface is negative, or c is not positive.

    References
    ----------
    .. [1] Carman P.C., "Fluid flow through granular beds", Trans. Inst. Chem. Eng. 15, 1937.

    Examples
    --------
    >>> d, porosity = 100e-6, 0.4
    >>> round(kozeny_carman(porosity, 6 * (1 - porosity) / d) / (porosity**3 * d**2 / 180 / 0.36), 9)
    1.0
    """
    if not (0 <= porosity <= 1 and surface_per_bulk >= 0 and c > 0):
        raise ParameterError(
            f"porosity {porosity}, surface per bulk volume {surface_per_bulk} and c {c} are not a porosity "
            "within 0 and 1, a surface of at least 0 and a positive constant."
        )
    if porosity == 0:
        return 0.0
    return porosity**3 / (c * surface_per_bulk**2) if surface_per_bulk else float("inf")


def surface_per_bulk(mask: npt.NDArray[np.bool_]) -> float:
    """Return the surface of the pores per bulk volume, in 1/voxel: Crofton's formula over 13 directions.

    The border of the sample is no surface. Of samples without 2×2×2 cells it is not known: nan. Within about
    2 % of a ball's whose radius is 16 voxels.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        True is pore.

    Returns
    -------
    float
        Times one over the voxel size it is in 1/m.

    Raises
    ------
    ParameterError
        If it is no mask of three dimensions.

    Examples
    --------
    >>> ball = sum(a**2 for a in np.mgrid[-20:21, -20:21, -20:21]) <= 16**2
    >>> round(float(surface_per_bulk(ball) * 40**3 / (4 * np.pi * 16**2)), 2)
    0.99
    """
    from bigrock.kernels import surface_area

    if mask.ndim != 3 or mask.dtype != bool:
        raise ParameterError(
            f"an array of {mask.dtype} and shape {mask.shape} is no mask. Give bool (z, y, x), True = pore."
        )
    cells = float(np.prod(np.subtract(mask.shape, 1)))
    return surface_area(mask) / cells if cells else float("nan")
