"""Permeability by regression on what is measured in a moment: porosity and surface."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.training.rocks import TrainingRocks

__all__ = ["PermeabilityBaseline", "baselines_told", "fit_baseline"]

Array = npt.NDArray[Any]
Kind = Literal["porosity", "kozeny-carman", "porosity and surface"]

_KINDS: tuple[Kind, ...] = ("porosity", "kozeny-carman", "porosity and surface")
_LEAST = 1e-4
_MOST = 500
"""Rocks that a regression of three coefficients is fitted to; measuring those of a large set takes hours."""


@dataclass(frozen=True)
class PermeabilityBaseline:
    """A fitted line for log10 k in voxels squared; from `fit_baseline`.

    Attributes
    ----------
    kind : {"porosity", "kozeny-carman", "porosity and surface"}
        ``log10 k = a + b log10 φ``; ``a + log10(φ³/S²)``, Kozeny–Carman with a fitted constant; or
        ``a + b log10 φ + c log10 S``. S is Crofton's surface per bulk volume.
    coefficients : tuple of float
        a, b, c.

    Examples
    --------
    >>> PermeabilityBaseline("porosity", (1.0, 3.0)).log10_k([np.ones((4, 4, 4), bool)])
    array([1.])
    """

    kind: Kind
    coefficients: tuple[float, ...]

    def log10_k(self, images: Iterable[Array]) -> npt.NDArray[np.float64]:
        """Return log10 of k in voxels squared of masks (z, y, x), the same along every axis."""
        return self._of(_measured(images))

    def _of(self, measured: Array) -> npt.NDArray[np.float64]:
        columns, known = _columns(self.kind, measured)
        return known + columns @ np.array(self.coefficients)


def fit_baseline(rocks: TrainingRocks, kind: Kind = "porosity and surface") -> PermeabilityBaseline:
    """Return a regression of log10 k on porosity and surface, fitted to all labelled axes of some rocks.

    Parameters
    ----------
    rocks : TrainingRocks
        Masks with permeabilities.
    kind : {"porosity", "kozeny-carman", "porosity and surface"}
        See `PermeabilityBaseline`.

    Returns
    -------
    PermeabilityBaseline

    Raises
    ------
    ParameterError
        If the kind is not known, or no permeability is known and positive.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> images = [rng.random((8, 8, 8)) < p for p in (0.3, 0.5, 0.7)]
    >>> k = [image.mean() ** 2 for image in images]
    >>> fitted = fit_baseline(TrainingRocks(np.stack(images), k), "porosity")
    >>> [round(c, 6) + 0.0 for c in fitted.coefficients]
    [0.0, 2.0]
    """
    if kind not in _KINDS:
        raise ParameterError(f"kind={kind!r} is not known. Use one of {', '.join(map(repr, _KINDS))}.")
    return _fitted(rocks, kind, _measured(rocks.images[i] for i in range(len(rocks))))


def baselines_told(rocks: TrainingRocks, images: Iterable[Array]) -> dict[Kind, npt.NDArray[np.float64]]:
    """Return what every kind of `fit_baseline` tells of some images; each image is measured once.

    Parameters
    ----------
    rocks : TrainingRocks
        Masks with permeabilities; the regressions are fitted to the first 500 of them.
    images : iterable of array (z, y, x)
        Masks.

    Returns
    -------
    dict
        Kind to log10 of k in voxels squared, (images,).

    Raises
    ------
    ParameterError
        If no permeability is known and positive.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> masks = np.stack([rng.random((8, 8, 8)) < p for p in (0.3, 0.5, 0.7)])
    >>> told = baselines_told(TrainingRocks(masks, masks.mean((1, 2, 3)) ** 2), masks)
    >>> np.round(10 ** told["porosity"] / masks.mean((1, 2, 3)) ** 2, 6).tolist()
    [1.0, 1.0, 1.0]
    """
    many = min(_MOST, len(rocks))
    learnt = [rocks.images[i] for i in range(many)]
    some = TrainingRocks(learnt, None if rocks.k_voxel2 is None else rocks.k_voxel2[:many])
    fitted_to, asked = _measured(learnt), _measured(images)
    return {kind: _fitted(some, kind, fitted_to)._of(asked) for kind in _KINDS}


def _fitted(rocks: TrainingRocks, kind: Kind, measured: Array) -> PermeabilityBaseline:
    targets = rocks.targets()
    columns, known = _columns(kind, measured)
    wanted = targets.log10_k - known[targets.rock]
    found = np.linalg.lstsq(columns[targets.rock], wanted, rcond=None)[0]
    return PermeabilityBaseline(kind, tuple(map(float, found)))


def _measured(images: Iterable[Array]) -> Array:
    """Return log10 of porosity and of surface per bulk volume, (2, images)."""
    from bigrock.flow import surface_per_bulk

    masks = (np.asarray(image) > 0.5 for image in images)
    rows = [[mask.mean(), surface_per_bulk(mask)] for mask in masks]
    return np.log10(np.maximum(np.array(rows), _LEAST)).T


def _columns(kind: Kind, measured: Array) -> tuple[Array, Array]:
    """Return what coefficients are multiplied with, and the part without one."""
    porosity, surface = measured
    one = np.ones_like(porosity)
    if kind == "kozeny-carman":
        return one[:, None], 3 * porosity - 2 * surface
    variables = [one, porosity] if kind == "porosity" else [one, porosity, surface]
    return np.column_stack(variables), np.zeros_like(porosity)
