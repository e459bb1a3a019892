"""Local Otsu level by level: box sums of every grey level, and the split that separates best.

The roundings are the two of skimage, so the thresholds are bitwise those of the compiled code.
Every grey level that occurs costs some twenty passes over the part that is worked on: fast enough
on a GPU, and for a CPU an oracle. Only running sums are held, never 256 of anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.kernels.backend import namespace, to_host

__all__ = ["interpolate", "quantised", "threshold_nodes", "threshold_windows"]

Array = Any
_Core = tuple[slice, slice, slice]
_Axes = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
_Radii = tuple[int, int, int]

_PART_VOXELS = 2**24


def threshold_windows(
    image: Array, core: _Core, radius: int, ndim: int, guard: tuple[float, float] | None
) -> tuple[Array, Array | None]:
    """Return thresholds of the core of a uint8 image (z, y, x), and which windows `guard` calls flat.

    Parameters
    ----------
    image : array of uint8, shape (z, y, x)
        Grey values.
    core : tuple of slice
        What is computed; the rest is read.
    radius, ndim : int
        Of the windows, as in `bigrock.kernels.local_otsu`.
    guard : (float, float), optional
        Least contrast of the class means, in grey levels, and least fraction of a class.

    Returns
    -------
    thresholds : array of uint8
        Of the core's shape.
    flat : array of bool or None

    Examples
    --------
    >>> image = np.array([[[10, 10, 10, 90, 90]]], np.uint8)
    >>> threshold_windows(image, (slice(0, 1), slice(0, 1), slice(0, 5)), 2, 2, None)[0].tolist()
    [[[0, 10, 10, 10, 10]]]
    """
    xp = namespace(image)
    zs, ys, xs = core
    out = xp.empty((zs.stop - zs.start, ys.stop - ys.start, xs.stop - xs.start), dtype=xp.uint8)
    flat = None if guard is None else xp.empty(out.shape, dtype=xp.bool)
    reach = radius if ndim == 3 else 0
    step = max(1, _PART_VOXELS // (image.shape[1] * image.shape[2]) - 2 * reach)
    y, x = np.arange(ys.start, ys.stop), np.arange(xs.start, xs.stop)
    for z in range(zs.start, zs.stop, step):
        stop = min(zs.stop, z + step)
        a, b = max(0, z - reach), min(image.shape[0], stop + reach)
        nodes = (np.arange(z - a, stop - a), y, x)
        threshold, marks = threshold_nodes(image[a:b, ...], nodes, (reach, radius, radius), guard)
        out[z - zs.start : stop - zs.start, ...] = threshold
        if flat is not None:
            flat[z - zs.start : stop - zs.start, ...] = marks
    return out, flat


def threshold_nodes(
    image: Array, nodes: _Axes, radii: _Radii, guard: tuple[float, float] | None
) -> tuple[Array, Array | None]:
    """Return thresholds of the windows around nodes of an image, and which windows `guard` calls flat.

    Parameters
    ----------
    image : array of uint8, shape (z, y, x)
        Grey values.
    nodes : three ndarrays of int64
        Where the nodes are along z, y and x.
    radii : tuple of int
        Of the windows along z, y, x.
    guard : (float, float), optional
        Least contrast of the class means, in grey levels, and least fraction of a class.

    Returns
    -------
    thresholds : array of uint8
        As many along each axis as there are nodes.
    flat : array of bool or None

    Examples
    --------
    >>> image = np.array([[[10, 10, 10, 90, 90]]], np.uint8)
    >>> nodes = np.array([0]), np.array([0]), np.array([1, 4])
    >>> threshold_nodes(image, nodes, (0, 2, 2), None)[0].tolist()
    [[[10, 10]]]
    """
    threshold, q, score, voxels = _best_splits(image, nodes, radii)
    return threshold, None if guard is None else _flat(q, score, voxels, guard)


def interpolate(values: Array, places: _Axes) -> Array:
    """Return the whole part of the linear interpolation between nodes, exactly.

    Parameters
    ----------
    values : array of uint8, shape (z, y, x)
        One per node.
    places : three ndarrays of int64, shape (3, voxels)
        For the voxels of each axis: the node before, the steps from it, the steps from it to the next.

    Returns
    -------
    array of uint8
        As many along each axis as there are voxels.

    Examples
    --------
    >>> here = np.array([[0], [0], [1]])
    >>> along = np.array([[0, 0, 0, 1], [0, 1, 2, 0], [3, 3, 3, 1]])
    >>> interpolate(np.array([[[10, 20]]], np.uint8), (here, here, along)).tolist()
    [[[10, 13, 16, 20]]]
    """
    xp = namespace(values)
    parts, total = xp.astype(values, xp.int64), 1
    for axis, place in enumerate(places):
        before, step, width = (xp.asarray(row) for row in place)
        after = xp.minimum(before + 1, values.shape[axis] - 1)
        along = tuple(-1 if i == axis else 1 for i in range(3))
        step, width = xp.reshape(step, along), xp.reshape(width, along)
        near, far = xp.take(parts, before, axis=axis), xp.take(parts, after, axis=axis)
        parts, total = (width - step) * near + step * far, total * width
    return xp.astype(parts // total, xp.uint8)


def quantised(image: Array, low: float, high: float, *, at_once: int = _PART_VOXELS) -> Array:
    """Return an image (z, y, x) as 256 levels of equal width from `low` to `high`, in float64.

    Parameters
    ----------
    image : array of integers or floats, shape (z, y, x)
        Grey values.
    low, high : float
        What becomes 0, and the first that would become 256; what is beyond is clipped.
    at_once : int
        Voxels that are in float64 at a time.

    Returns
    -------
    array of uint8, same shape

    Examples
    --------
    >>> quantised(np.array([[[0.0, 0.5, 2.0]]]), 0.0, 1.0).tolist()
    [[[0, 128, 255]]]
    """
    xp = namespace(image)
    depth, height, width = image.shape
    levels = xp.empty(image.shape, dtype=xp.uint8)
    slices = max(1, at_once // (height * width))
    rows = max(1, min(height, at_once // width))
    for z in range(0, depth, slices):
        for y in range(0, height, rows):
            part = (slice(z, min(depth, z + slices)), slice(y, min(height, y + rows)))
            scaled = (xp.astype(image[(*part, ...)], xp.float64) - low) / (high - low) * 256.0
            levels[(*part, ...)] = xp.astype(xp.clip(xp.floor(scaled), 0.0, 255.0), xp.uint8)
    return levels


def _best_splits(image: Array, nodes: _Axes, radii: _Radii) -> tuple[Array, Array, Array, Array]:
    """Return the bin behind which to split, the voxels up to it, the score, and the voxels of the window."""
    xp = namespace(image)
    voxels = _box_sum(xp.ones_like(image), nodes, radii)
    total = _box_sum(image, nodes, radii)
    q, m, best_q, level = (xp.zeros_like(total) for _ in range(4))
    best = xp.zeros(total.shape, dtype=xp.float64)
    # The standard leaves their order open, and numpy's is that of a hash table.
    for grey in sorted(to_host(xp.unique_values(image)).tolist()):
        count = _box_sum(image == grey, nodes, radii)
        q += count
        m += grey * count
        if grey == 0:
            continue
        t = xp.astype((voxels - q) * m - (total - m) * q, xp.float64)
        spread = q * (voxels - q)
        score = t * t / xp.astype(xp.maximum(spread, 1), xp.float64)
        better = (count > 0) & (spread > 0) & (score > best)
        best = xp.where(better, score, best)
        best_q = xp.where(better, q, best_q)
        level = xp.where(better, grey, level)
    return xp.astype(level, xp.uint8), best_q, best, voxels


def _box_sum(values: Array, nodes: _Axes, radii: _Radii) -> Array:
    """Return the sums over windows around nodes, clipped at the faces of the array."""
    xp = namespace(values)
    values = xp.astype(values, xp.int64)
    for axis, (centres, radius) in enumerate(zip(nodes, radii, strict=True)):
        upper = xp.asarray(np.minimum(centres + radius + 1, values.shape[axis]))
        lower = xp.asarray(np.maximum(centres - radius, 0))
        sums = xp.cumulative_sum(values, axis=axis, include_initial=True)
        values = xp.take(sums, upper, axis=axis) - xp.take(sums, lower, axis=axis)
    return values


def _flat(q: Array, score: Array, voxels: Array, guard: tuple[float, float]) -> Array:
    xp = namespace(q)
    spread = xp.astype(xp.maximum(q * (voxels - q), 1), xp.float64)
    contrast = xp.sqrt(score / spread)
    minority = xp.astype(xp.minimum(q, voxels - q), xp.float64)
    return (score <= 0) | (contrast < guard[0]) | (minority < guard[1] * xp.astype(voxels, xp.float64))
