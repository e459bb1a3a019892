"""Gliding-box lacunarity, on arrays of any module."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigrock.geometry import Shape
from bigrock.kernels.backend import namespace

__all__ = ["box_masses"]

_LIMB = 16


def box_masses(image: Any, window: Shape, top: int) -> tuple[int, int, int]:
    """Return number of the boxes that lie in a volume, the sum of their masses, and of its squares.

    Exact; as `bigrock.kernels.GlidingBoxes`. By running sums along one axis after the other.

    Parameters
    ----------
    image : array of bool or unsigned integers, 3-D
        Of any module of the array API standard.
    window : tuple of int
        Shape of the boxes in voxels.
    top : int
        Greatest possible value.

    Examples
    --------
    >>> box_masses(np.eye(4, dtype=bool)[None], (1, 2, 2), 1)
    (9, 10, 16)
    """
    xp = namespace(image)
    mass = xp.astype(image, xp.int64)
    for axis, length in enumerate(window):
        mass = _slid(mass, axis, length)
    bits = (top * window[0] * window[1] * window[2]).bit_length()
    # Squares of limbs of 16 bits add up in 64 bits for any array there is.
    limbs = [(mass >> shift) & (2**_LIMB - 1) for shift in range(0, bits, _LIMB)]
    total = sum(int(xp.sum(limb)) << _LIMB * i for i, limb in enumerate(limbs))
    squares = sum(
        int(xp.sum(a * b)) << _LIMB * (i + j) for i, a in enumerate(limbs) for j, b in enumerate(limbs)
    )
    return int(np.prod(mass.shape)), total, squares


def _slid(values: Any, axis: int, length: int) -> Any:
    """Return the sums of `length` neighbours along an axis."""
    xp = namespace(values)
    count = values.shape[axis] - length + 1
    sums = xp.cumulative_sum(values, axis=axis)
    last = [slice(None)] * 3
    last[axis] = slice(length - 1, None)
    ends = sums[tuple(last)]
    before = xp.concat([xp.zeros_like(_first(sums, axis, 1)), _first(sums, axis, count - 1)], axis=axis)
    return ends - before


def _first(values: Any, axis: int, count: int) -> Any:
    cut = [slice(None)] * 3
    cut[axis] = slice(0, count)
    return values[tuple(cut)]
