"""Grey levels as pore fractions, which super-resolution is given; what can be none is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import NonFiniteError, ParameterError, SourceError

__all__ = ["check_fractions", "pore_fraction"]

Array = npt.NDArray[Any]

_FRACTIONS = (-0.25, 1.25)
"""Cubic interpolation overshoots a step by 7 % along one axis, and by 23 % at a corner of three; what is
beyond is something else than pore fractions."""


def pore_fraction(array: Array, levels: tuple[float, float] = (0.0, 1.0)) -> Array:
    """Return grey levels as pore fractions (float32): 0 at the level of solid, 1 at that of pore, cut off beyond.

    Parameters
    ----------
    array : ndarray
        Grey levels; a mask has the levels (0, 1).
    levels : pair of float
        Of solid and of pore.

    Raises
    ------
    NonFiniteError
        If a voxel is NaN or infinite.
    SourceError
        If the levels are (0, 1), and voxels lie far beyond: these are no pore fractions.

    Examples
    --------
    >>> pore_fraction(np.array([250, 125, 40]), (210, 40))
    array([0. , 0.5, 1. ], dtype=float32)
    """
    if array.dtype.kind == "f" and array.size:
        _refuse_no_fractions(float(array.min()), float(array.max()), levels)
    solid, pore = levels
    fraction = array.astype(np.float32)
    if levels != (0.0, 1.0):
        fraction = (fraction - np.float32(solid)) / np.float32(pore - solid)
    return np.clip(fraction, 0, 1, out=fraction)


def check_fractions(images: Array) -> None:
    """Refuse images that are neither masks nor pore fractions, strictly: 0 to 1.

    Raises
    ------
    ParameterError
        With the values that there are, NaN among them.

    Examples
    --------
    >>> check_fractions(np.array([0.0, 0.5, 1.0]))
    """
    if images.dtype.kind != "b" and not (images.min() >= 0 and images.max() <= 1):
        raise ParameterError(
            f"images hold values from {images.min()} to {images.max()}, and pore fractions go from 0 (solid) to 1 "
            "(pore). Give masks, or scale grey levels first (`bigrock.models.pore_fraction`)."
        )


def _refuse_no_fractions(low: float, high: float, levels: tuple[float, float]) -> None:
    if not np.isfinite(low + high):
        raise NonFiniteError(
            "the volume holds NaN or infinity, of which no pore fraction follows. Set such voxels to the grey level of "
            "what is there, or crop them off."
        )
    if levels == (0.0, 1.0) and (low < _FRACTIONS[0] or high > _FRACTIONS[1]):
        raise SourceError(
            f"the volume holds grey levels from {low:g} to {high:g}, and pore fractions from 0 (solid) to 1 (pore) are "
            "needed: which level is pore is never guessed. Say what solid and pore are, such as value_range=(210, 40) "
            "(--value-range 210,40), or segment it to a mask."
        )
