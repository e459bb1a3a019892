"""Compiled local Otsu on a grid of nodes, and the thresholds between them.

A node costs one scan of 256 bins. Its histogram slides from node to node along x: it gains and
loses `stride` columns, whose histograms in turn gain and lose `stride` rows along y.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.kernels.otsu_layout import ENTRY, INNER

__all__ = ["interpolate", "threshold_nodes"]

Array = npt.NDArray[Any]

_BINS = 256


def threshold_nodes(
    image: Array, nodes: tuple[Array, Array, Array], radii: tuple[int, int, int], guard: tuple[float, float]
) -> tuple[Array, Array]:
    """Return the thresholds of the windows around nodes, and which of them `guard` calls flat.

    Parameters
    ----------
    image : ndarray of uint8, shape (z, y, x)
        Grey values.
    nodes : three ndarrays of int64
        Where the nodes are along z, y and x; ascending.
    radii : tuple of int
        Of the windows along z, y, x.
    guard : (float, float)
        Least contrast of the class means, in grey levels, and least fraction of a class.
    """
    shape = (len(nodes[0]), len(nodes[1]), len(nodes[2]))
    out, flat = np.empty(shape, np.uint8), np.empty(shape, np.bool_)
    sides = [min(2 * r + 1, n) for r, n in zip(radii, image.shape, strict=True)]
    counter = np.uint16 if sides[0] * sides[1] < 2**16 else np.uint32
    columns = np.empty((image.shape[2], _BINS), counter)
    for i, z in enumerate(nodes[0]):
        window = image[max(0, z - radii[0]) : z + radii[0] + 1]
        _threshold_layer(window, nodes[1], nodes[2], radii[1], radii[2], columns, out[i], flat[i], *guard)
    return out, flat


@njit(**ENTRY)
def _threshold_layer(
    window: Array,
    ys: Array,
    xs: Array,
    ry: int,
    rx: int,
    columns: Array,
    out: Array,
    flat: Array,
    least_contrast: float,
    least_fraction: float,
) -> None:
    """Write what the nodes of one z are: `window` holds the slices that their windows have."""
    slices, height, width = window.shape
    columns[:, :] = 0
    top = bottom = max(0, ys[0] - ry)
    counts = np.empty(_BINS, np.int32)
    for i in range(len(ys)):
        first, last = max(0, ys[i] - ry), min(height, ys[i] + ry + 1)
        _change_columns(columns, window[:, bottom:last], 1)
        _change_columns(columns, window[:, top:first], -1)
        top, bottom = first, last
        counts[:] = 0
        left = right = max(0, xs[0] - rx)
        for j in range(len(xs)):
            first_x, last_x = max(0, xs[j] - rx), min(width, xs[j] + rx + 1)
            for x in range(right, last_x):
                for v in range(_BINS):
                    counts[v] += np.int32(columns[x, v])
            for x in range(left, first_x):
                for v in range(_BINS):
                    counts[v] -= np.int32(columns[x, v])
            left, right = first_x, last_x
            voxels = slices * (bottom - top) * (right - left)
            out[i, j], flat[i, j] = _best_split(counts, voxels, least_contrast, least_fraction)


@njit(**INNER)
def _change_columns(columns: Array, rows: Array, step: int) -> None:
    for z in range(rows.shape[0]):
        for y in range(rows.shape[1]):
            for x in range(rows.shape[2]):
                columns[x, rows[z, y, x]] += step


@njit(**INNER)
def _best_split(counts: Array, voxels: int, least_contrast: float, least_fraction: float) -> tuple[Any, Any]:
    """Return the threshold of a histogram, and whether it is flat; rounded as skimage rounds."""
    total = np.int64(0)
    for v in range(1, _BINS):
        total += v * np.int64(counts[v])
    below, moment = np.int64(counts[0]), np.int64(0)
    best, level, least = 0.0, 0, np.int64(0)
    for v in range(1, _BINS):
        here = np.int64(counts[v])
        if here:
            below += here
            moment += v * here
            if below == voxels:
                break
            t = np.float64((voxels - below) * moment - below * (total - moment))
            score = t * t / np.float64(below * (voxels - below))
            if score > best:
                best, level, least = score, v, below
    if best <= 0.0:
        return np.uint8(0), True
    size, q = np.float64(voxels), np.float64(least)
    contrast = np.sqrt(best / (q * (size - q)))
    return np.uint8(level), contrast < least_contrast or min(q, size - q) < least_fraction * size


@njit(**ENTRY)
def interpolate(values: Array, places: tuple[Array, Array, Array], out: Array) -> None:
    """Write the whole part of the linear interpolation between nodes to every voxel of `out`.

    Along each axis voxel v lies ``places[axis][1, v]`` of ``places[axis][2, v]`` on the way from node
    ``places[axis][0, v]`` to the next. All are whole numbers, so that nothing is rounded.
    """
    depth, height, width = out.shape
    row = np.empty(values.shape[2] + 1, np.int64)
    along_z, along_y, along_x = places
    for z in range(depth):
        k, wz, hz = along_z[0, z], along_z[1, z], along_z[2, z]
        k1 = min(k + 1, values.shape[0] - 1)
        for y in range(height):
            j, wy, hy = along_y[0, y], along_y[1, y], along_y[2, y]
            j1 = min(j + 1, values.shape[1] - 1)
            for i in range(values.shape[2]):
                near = (hy - wy) * values[k, j, i] + wy * values[k, j1, i]
                far = (hy - wy) * values[k1, j, i] + wy * values[k1, j1, i]
                row[i] = (hz - wz) * near + wz * far
            row[-1] = row[-2]
            for x in range(width):
                i, wx, hx = along_x[0, x], along_x[1, x], along_x[2, x]
                parts = np.float64((hx - wx) * row[i] + wx * row[i + 1])
                # Half a part more keeps the quotient away from whole numbers, whatever is rounded.
                out[z, y, x] = np.uint8((parts + 0.5) / np.float64(hx * hy * hz))
