"""Compiled local Otsu with a square window: every slice on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_edges import hold, swap_voxels
from bigrock.kernels.otsu_layout import ENTRY, INNER, Row, make_row
from bigrock.kernels.otsu_rows import add_bins, threshold_row

__all__ = ["threshold_slices"]

Array = npt.NDArray[Any]


def threshold_slices(
    image: Array,
    core: tuple[slice, slice, slice],
    radius: int,
    out: Array,
    flat: Array,
    guard: tuple[float, float],
) -> None:
    """Write the thresholds of the core of a C-contiguous uint8 image (z, y, x) to `out`.

    `flat`, where it is not empty, gets the windows that `guard`, the least contrast in grey levels
    and the least fraction of a class, calls flat.
    """
    zs, ys, xs = core
    _, height, width = image.shape
    ry, rx = min(radius, height), min(radius, width)
    tall, wide = min(2 * ry + 1, height), min(2 * rx + 1, width)
    bins = np.uint16 if tall * wide < 2**16 else np.uint32
    edges = np.uint16 if tall * 255 < 2**16 else np.uint32
    if edges is np.uint32:
        bins = np.uint32
    row = make_row(xs.start, xs.stop, width, rx, bins, edges)
    for z in range(zs.start, zs.stop):
        marks = flat[z - zs.start] if flat.size else np.zeros((ys.stop - ys.start, 0), np.bool_)
        _threshold_slice(image[z], ys.start, xs.start, ry, row, out[z - zs.start], marks, *guard)


@njit(**ENTRY)
def _threshold_slice(
    image: Array,
    y0: int,
    x0: int,
    radius: int,
    row: Row,
    out: Array,
    flat: Array,
    least_contrast: float,
    least_fraction: float,
) -> None:
    height, width = image.shape
    reach = row.width // 2
    xa, xb = max(0, x0 - reach), min(width, x0 + out.shape[1] + reach)
    first, nothing = xa - (x0 - reach - 1), image[0, 0:0]
    row.bins[:, :] = 0
    row.edges[:, :] = 0
    for y in range(max(0, y0 - radius), min(height, y0 + radius)):
        _swap_rows(row, image[y, xa:xb], nothing, first)
    for y in range(y0, y0 + out.shape[0]):
        above, below = y - radius - 1, min(height - 1, y + radius)
        entering = image[below, xa:xb] if y + radius < height else nothing
        leaving = image[above, xa:xb] if above >= 0 and y > y0 else nothing
        _swap_rows(row, entering, leaving, first)
        depth = below - max(-1, above)
        threshold_row(row, depth, out[y - y0], flat[y - y0], least_contrast, least_fraction)


@njit(**INNER)
def _swap_rows(row: Row, entering: Array, leaving: Array, first: int) -> None:
    """Add the voxels of one row of the image to the columns, and take away those of another."""
    add_bins(row.bins, entering, first, 1)
    add_bins(row.bins, leaving, first, -1)
    hold(row.entering, entering, first)
    hold(row.leaving, leaving, first)
    swap_voxels(row.edges, row.entering, row.leaving)
