"""Synthetic rocks of many textures: pore masks that follow from a seed, at any extent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.datasets.rock_families import FAMILIES
from bigrock.errors import ParameterError
from bigrock.geometry import Shape
from bigrock.kernels.percolation import percolates

__all__ = ["ROCK_FAMILIES", "rock"]

ROCK_FAMILIES = tuple(FAMILIES)
"""Names of the textures, described in `bigrock.datasets.rock_families`."""

_NATURAL_EDGE = 64
_DRAWS = 16


def rock(
    seed: int | Sequence[int],
    *,
    edge: int | Shape = _NATURAL_EDGE,
    family: str | None = None,
    porosity: float | None = None,
    scale: float | None = None,
    percolating: bool = False,
) -> npt.NDArray[np.bool_]:
    """Return the pore mask of one synthetic rock: True = pore.

    Everything follows from the seed. The porosity is exact to one voxel, but where voxels of the texture tie (a
    few voxels more, in fibres and layers). Features grow with the
    edge: a rock of 128³ is as a rock of 64³ seen with half the voxel size (other features, of the
    same kind); give `scale` for more rock of one texture instead. About 0.05 µs … 0.4 µs per voxel.

    Parameters
    ----------
    seed : int or sequence of ints
        Another seed, another rock; ``(seed, i)`` for the i-th of many.
    edge : int or tuple of int
        Voxels along z, y, x, at least 8; one number for a cube.
    family : str, optional
        One of `ROCK_FAMILIES`; drawn otherwise.
    porosity : float, optional
        Share of pore voxels, 0 … 1; otherwise drawn from the range of the family, within 0.1 … 0.5.
    scale : float, optional
        Size of the features, 1 for those that `bigrock.datasets.rock_families` states; otherwise
        the shortest edge over 64. At most the shortest edge over 8: beyond, no feature fits.
    percolating : bool
        Draw again, at most 16 times, while the pores do not join both faces of every axis (across
        faces of voxels). With a given porosity, only the texture is drawn again.

    Returns
    -------
    ndarray of bool (z, y, x)

    Raises
    ------
    ParameterError
        If the family is not known, or a number lies outside its range.

    Examples
    --------
    >>> mask = rock(7, edge=32, family="pack", porosity=0.3)
    >>> mask.shape, mask.dtype, round(float(mask.mean()), 3)
    ((32, 32, 32), dtype('bool'), 0.3)
    >>> bool((mask == rock(7, edge=32, family="pack", porosity=0.3)).all())
    True
    """
    shape = _checked_shape(edge)
    rng = np.random.default_rng(seed)
    if family is None:
        family = ROCK_FAMILIES[rng.integers(len(ROCK_FAMILIES))]
    if family not in FAMILIES:
        raise ParameterError(f"family {family!r} is not known. Give one of {', '.join(ROCK_FAMILIES)}.")
    if porosity is not None and not 0 < porosity < 1:
        raise ParameterError(f"porosity {porosity} is not between 0 and 1: no such rock can be made.")
    if scale is not None and not 0 < scale <= min(shape) / 8:
        raise ParameterError(
            f"scale {scale} is not between 0 and {min(shape) / 8:g}, the shortest edge over 8: features would have no "
            "size, or not fit."
        )
    field_of, low, high = FAMILIES[family]
    mask = np.zeros(shape, bool)
    for _ in range(_DRAWS if percolating else 1):
        share = rng.uniform(low, high) if porosity is None else porosity
        field = field_of(rng, shape, scale or min(shape) / _NATURAL_EDGE, share)
        mask = _lowest(field, share)
        if percolating and all(percolates(mask).values()):
            break
    return mask


def _lowest(field: npt.NDArray[np.float32], share: float) -> npt.NDArray[np.bool_]:
    """Return where the field is lowest, so that the given share of voxels is True."""
    rank = max(0, round(share * field.size) - 1)
    return np.asarray(field <= np.partition(field, rank, axis=None)[rank])


def _checked_shape(edge: Any) -> Shape:
    given = np.asarray(edge if np.ndim(edge) else (edge,) * 3)
    shape = tuple(given.tolist())
    if given.shape != (3,) or given.dtype.kind not in "iu" or min(shape) < 8:
        raise ParameterError(
            f"edge {edge!r} is not one number of voxels, or three for z, y, x, of at least 8."
        )
    return shape
