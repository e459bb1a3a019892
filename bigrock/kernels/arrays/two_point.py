"""Pairs of voxels by lag, on whatever device the mask lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Shape
from bigrock.kernels.backend import namespace, to_host

__all__ = ["count_axis_lags", "count_lags"]


def count_axis_lags(mask: Any, reach: Shape) -> list[npt.NDArray[np.int64]]:
    """Return the pairs of voxels of a mask by lag along z, y and x, on the CPU; exact.

    Parameters
    ----------
    mask : array of bool, shape (z, y, x)
        Of any module of the array API standard.
    reach : tuple of int
        Longest lag along each axis.

    Returns
    -------
    list of three ndarray of int64

    Examples
    --------
    >>> row = np.array([[[True, True, False, True]]])
    >>> count_axis_lags(row, (0, 0, 2))[2].tolist()
    [3, 1, 1]
    """
    xp = namespace(mask)
    counts = []
    for axis in range(3):
        lines = xp.moveaxis(mask, axis, 0)
        length = lines.shape[0]
        lags = range(reach[axis] + 1)
        found = [
            xp.count_nonzero(xp.logical_and(lines[: length - lag, ...], lines[lag:, ...])) for lag in lags
        ]
        counts.append(to_host(xp.stack(found)).astype(np.int64))
    return counts


def count_lags(mask: Any, reach: Shape) -> npt.NDArray[np.int64]:
    """Return the pairs of voxels of a mask for every lag of a half space, on the CPU.

    One transform and one back of the mask in a frame of `reach`, in float64 and rounded: exact
    (see `bigrock.kernels.two_point_transform`).

    Parameters
    ----------
    mask : array of bool, shape (z, y, x)
        Of any module of the array API standard.
    reach : tuple of int
        Longest lag along each axis.

    Returns
    -------
    ndarray of int64, shape (reach_z + 1, 2 reach_y + 1, 2 reach_x + 1)

    Examples
    --------
    >>> row = np.array([[[True, True, False, True]]])
    >>> count_lags(row, (0, 0, 2)).ravel().tolist()
    [1, 1, 3, 1, 1]
    """
    xp = namespace(mask)
    depth, height, width = mask.shape
    rz, ry, rx = reach
    framed = xp.zeros((depth + rz, height + ry, width + rx), dtype=xp.float64)
    framed[:depth, :height, :width] = xp.astype(mask, xp.float64)
    spectrum = xp.fft.rfftn(framed, axes=(0, 1, 2))
    power = xp.astype(xp.real(spectrum) ** 2 + xp.imag(spectrum) ** 2, xp.complex128)
    lags = xp.fft.irfftn(power, s=framed.shape, axes=(0, 1, 2))
    lags = xp.roll(lags, (ry, rx), axis=(1, 2))[: rz + 1, : 2 * ry + 1, : 2 * rx + 1]
    return to_host(xp.round(lags)).astype(np.int64)
