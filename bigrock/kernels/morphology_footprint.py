"""Balls, cubes and crosses as costs: a voxel belongs to them when the steps to it cost little enough."""

from __future__ import annotations

import math
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.kernels.backend import namespace

__all__ = ["Form", "check_footprint", "costs_of", "near"]

Mask = npt.NDArray[np.bool_]
Form = Literal["ball", "cube", "cross"]

_LARGEST = 2**16 - 1


def check_footprint(radius: float, shape: Form) -> None:
    """Refuse a footprint that is not known, is no whole number of voxels, or is too large."""
    if shape not in ("ball", "cube", "cross"):
        raise ParameterError(f"shape={shape!r} is not known. Use 'ball', 'cube' or 'cross'.")
    if not (math.isfinite(radius) and radius >= 1):
        raise ParameterError(f"radius={radius} covers no neighbour. Use at least 1 voxel.")
    if shape != "ball" and radius != int(radius):
        raise ParameterError(
            f"radius={radius} of a {shape} is no whole number of voxels: it would be rounded. "
            "Use a whole number, or a ball."
        )
    if _footprint(radius, shape)[1] > _LARGEST // 2 - 1:
        raise ParameterError(
            f"radius={radius} is larger than a {shape} may be here (ball 180, cross 30000). Use a "
            "coarser pyramid level."
        )


def _footprint(radius: float, shape: Form) -> tuple[list[int], int]:
    """Return what steps of 0, 1, 2, … voxels along an axis cost, and the cost of the surface.

    A voxel belongs to the footprint when its steps along z, y and x together cost no more.
    """
    steps = range(int(radius) + 1)
    if shape == "ball":
        return [k * k for k in steps], int(radius * radius)
    return ([*steps], int(radius)) if shape == "cross" else ([0 for _ in steps], 0)


def costs_of(radius: float, shape: Form) -> tuple[npt.NDArray[Any], int]:
    """Return the costs of steps as an array of the smallest type that holds their sums, and the limit.

    Examples
    --------
    >>> costs_of(2.5, "ball")
    (array([0, 1, 4], dtype=uint8), 6)
    """
    costs, limit = _footprint(radius, shape)
    return np.array(costs, np.uint8 if limit + 1 + costs[-1] < 256 else np.uint16), limit


def near(targets: Mask, core: tuple[slice, slice, slice], radius: float, shape: Form) -> Mask:
    """Return for the core where the footprint around a voxel holds a target.

    Examples
    --------
    >>> core = (slice(0, 1), slice(0, 1), slice(0, 3))
    >>> near(np.array([[[True, False, False]]]), core, 1, "ball").ravel().tolist()
    [True, True, False]
    """
    if namespace(targets) is not np:
        from bigrock.kernels.arrays.morphology import near as by_arrays

        return cast("Mask", by_arrays(targets, core, *_footprint(radius, shape)))
    from bigrock.kernels.morphology_loops import near_voxels

    out = np.empty([part.stop - part.start for part in core], np.bool_)
    start = tuple(part.start for part in core)
    near_voxels(np.ascontiguousarray(targets), start, *costs_of(radius, shape), out)
    return out
