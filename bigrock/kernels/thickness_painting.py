"""Classes of local thickness: which balls there are, and which is the largest over each voxel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Region
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.distances_squares import squared_distances

__all__ = ["LARGEST_CLASS", "check_largest", "classes_of"]

Array = npt.NDArray[Any]

LARGEST_CLASS = 2**16 - 1


def classes_of(
    mask: Array,
    centres: Region,
    core: Region,
    metric: Metric,
    cap: int | None,
    outside: Array | None = None,
) -> npt.NDArray[np.uint16]:
    """Return the classes of `core` (a region of `centres`), painted from centres (a region of `mask`).

    Balls have no centre where `outside` is True.
    """
    from bigrock.kernels.thickness_loops import floor_roots, paint_balls

    squares, top = squared_distances(mask, centres, metric, cap=cap)
    if outside is not None:
        squares[outside] = 0
    if (squares >= top).any():
        if cap is None:
            check_largest(math.inf)
        raise ParameterError(
            f"a distance exceeds the largest that was given, {math.isqrt(cap or 0) - 1} voxels: balls would be "
            "missed. Fit the kernel to this volume."
        )
    radii = np.empty(squares.shape, np.uint16)
    check_largest(math.sqrt(squares.max()))
    most = floor_roots(squares.reshape(-1), radii.reshape(-1))
    (depth, height, _), width = core.shape, squares.shape[-1]
    del squares
    out = np.zeros((depth, height, width), np.uint16)
    paint_balls(radii, *_ball_rows(most, metric), np.array(core.start[:2]), out)
    return np.ascontiguousarray(out[:, :, core.start[2] : core.stop[2]])


def check_largest(largest: float) -> None:
    """Refuse a largest distance that no class can hold."""
    if not largest <= LARGEST_CLASS:
        why = (
            "there is no background" if math.isinf(largest) else f"a radius of {largest:.0f} voxels was found"
        )
        raise ParameterError(
            f"local thickness needs radii of at most {LARGEST_CLASS} voxels, and {why}: no class could hold the "
            "largest ball. Choose the other phase, or a mask that holds both."
        )


def _ball_rows(largest: int, metric: Metric) -> tuple[Array, Array]:
    """Return the rows (dz, dy, half width) of the open balls of radius 0, 1, … and where each ball begins."""
    balls = [_rows_of_ball(r, metric) for r in range(largest + 1)]
    starts = np.cumsum([0, *map(len, balls)])
    return np.concatenate(balls), starts


def _rows_of_ball(radius: int, metric: Metric) -> Array:
    """Return the rows of one ball, the shortest first."""
    up, down, across = metric.weights
    reach = metric.reach(radius)
    z, y = (a.ravel() for a in np.mgrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1])
    left = radius**2 - up * z**2 - down * y**2
    z, y, left = z[left > 0], y[left > 0], left[left > 0]
    widths = np.arange(reach[2] + 1)
    half = np.searchsorted(across * widths**2, left) - 1
    order = np.argsort(half, kind="stable")
    return np.stack([z, y, half], axis=1)[order].astype(np.int64)
