"""Permeabilities for sets of rocks: by Stokes flow, by a pore network, or by a function of the user."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import CodeType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bigrock.errors import MissingDependencyError, ParameterError

__all__ = ["GivenLabels", "Labeller", "NetworkLabels", "StokesLabels", "labeller"]

_AXES = "zyx"
_VOXEL_M = 1e-6


class Labeller(Protocol):
    """Computes k along z, y, x in squared voxels: NaN where not asked for, 0 where pores do not percolate."""

    def __call__(self, image: npt.NDArray[np.bool_]) -> Sequence[float]:
        """Return k along z, y, x."""

    def settings(self) -> dict[str, Any]:
        """Return all that decides the numbers, as JSON."""


@dataclass(frozen=True, slots=True)
class StokesLabels:
    """By `bigrock.flow.permeability`; a solve that does not converge leaves NaN."""

    axes: tuple[str, ...]
    boundary: str
    tolerance: float

    def __call__(self, image: npt.NDArray[np.bool_]) -> list[float]:
        """Return k along z, y, x."""
        from bigrock.flow import permeability

        k = [np.nan] * 3
        for axis in self.axes:
            found = permeability(
                image, voxel_size=_VOXEL_M, axis=axis, boundary=self.boundary, tolerance=self.tolerance
            )[axis]
            if not found.percolates:
                k[_AXES.index(axis)] = 0.0
            elif found.converged:
                k[_AXES.index(axis)] = found.k_voxel2
        return k

    def settings(self) -> dict[str, Any]:
        """Return axes, boundary and tolerance."""
        return {
            "by": "stokes",
            "axes": list(self.axes),
            "boundary": self.boundary,
            "tolerance": self.tolerance,
        }


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """By a function ``(mask, axes) -> k along each of axes``, or none: all NaN."""

    function: Callable[..., Sequence[float]] | None
    axes: tuple[str, ...]

    def __call__(self, image: npt.NDArray[np.bool_]) -> list[float]:
        """Return k along z, y, x."""
        k = [np.nan] * 3
        if self.function is not None:
            for axis, value in zip(self.axes, self.function(image, self.axes), strict=True):
                k[_AXES.index(axis)] = float(value)
        return k

    def settings(self) -> dict[str, Any]:
        """Return the name of the function, and a digest of its code where there is one."""
        if self.function is None:
            return {"by": None}
        function, told = self.function, dict[str, Any]()
        if isinstance(function, functools.partial):
            told["given"] = repr((function.args, function.keywords))
            function = function.func
        name = getattr(function, "__qualname__", type(function).__qualname__)
        told |= {"by": f"{function.__module__}.{name}", "axes": list(self.axes)}
        code = getattr(function, "__code__", None)
        if code is not None:
            told["code"] = hashlib.sha256(repr(_of_code(code)).encode()).hexdigest()
        return told


def _of_code(code: CodeType) -> list[Any]:
    """Return what a function does: not where it stands, and the same in every process."""
    constants = [
        _of_code(c) if isinstance(c, CodeType) else sorted(map(repr, c)) if isinstance(c, frozenset) else c
        for c in code.co_consts
    ]
    return [code.co_code, code.co_names, constants]


@dataclass(frozen=True, slots=True)
class NetworkLabels:
    """By the pore network that PoreSpy extracts (SNOW) and OpenPNM solves; see `network_permeability`."""

    axes: tuple[str, ...]

    def __call__(self, image: npt.NDArray[np.bool_]) -> list[float]:
        """Return k along z, y, x."""
        from bigrock.datasets.rock_labels_network import network_permeability

        found = network_permeability(image, self.axes)
        return [found.get(axis, np.nan) for axis in _AXES]

    def settings(self) -> dict[str, Any]:
        """Return axes, and the versions of the packages."""
        from importlib.metadata import version

        versions = {name: version(name) for name in ("porespy", "openpnm")}
        return {"by": "network", "axes": list(self.axes), **versions}


def labeller(
    labels: str | Callable[..., Sequence[float]] | None,
    axes: tuple[str, ...],
    *,
    boundary: str,
    tolerance: float,
) -> Labeller:
    """Return what computes the labels that a user asks for.

    Parameters
    ----------
    labels : {"stokes", "network"}, callable or None
        As for `bigrock.datasets.make_rocks`.
    axes : tuple of str
        Some of z, y, x.
    boundary, tolerance
        Of the Stokes solver.

    Raises
    ------
    ParameterError
        If it is none of these, or the solver does not know the boundary or tolerance.
    MissingDependencyError
        If a network is asked for and PoreSpy or OpenPNM is not installed.

    Examples
    --------
    >>> how = labeller(lambda mask, axes: [mask.mean()], ("y",), boundary="sealed", tolerance=1e-3)
    >>> how(np.ones((8, 8, 8), bool))
    [nan, 1.0, nan]
    """
    if labels is None or callable(labels):
        return GivenLabels(labels, axes)
    if labels == "stokes":
        from bigrock.flow.domain import checked_boundary
        from bigrock.flow.measuring import check_numbers

        checked_boundary(boundary)
        check_numbers(tolerance)
        return StokesLabels(axes, boundary, tolerance)
    if labels != "network":
        raise ParameterError(
            f"labels={labels!r} is not 'stokes', 'network', a function, or None (--labels none)."
        )
    missing = [name for name in ("porespy", "openpnm") if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"labels 'network' needs {' and '.join(missing)}, which is not installed. "
            f"Run: pip install 'bigrock[sim]'. Or take labels='stokes', which needs nothing more."
        )
    return NetworkLabels(axes)
