"""Local Otsu level by level: box sums of every grey level, and the split that separates best.

The roundings are the two of skimage, so the thresholds are bitwise those of the compiled code.
Every grey level that occurs costs some twenty passes over the part that is worked on: fast enough
on a GPU, and for a CPU an oracle. Only running sums are held, never 256 of anything.
"""

from __future__ import annotations

from typing import Any

from bigrock.kernels.backend import namespace, to_host

__all__ = ["quantised", "threshold_windows"]

Array = Any
_Core = tuple[slice, slice, slice]

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
    >>> import numpy as np
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
    for z in range(zs.start, zs.stop, step):
        stop = min(zs.stop, z + step)
        a, b = max(0, z - reach), min(image.shape[0], stop + reach)
        part = (slice(z - a, stop - a), ys, xs)
        threshold, q, score, voxels = _best_splits(image[a:b, ...], part, (reach, radius, radius))
        out[z - zs.start : stop - zs.start, ...] = threshold
        if flat is not None and guard is not None:
            flat[z - zs.start : stop - zs.start, ...] = _flat(q, score, voxels, guard)
    return out, flat


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
    >>> import numpy as np
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


def _best_splits(image: Array, core: _Core, radii: tuple[int, int, int]) -> tuple[Array, Array, Array, Array]:
    """Return the bin behind which to split, the voxels up to it, the score, and the voxels of the window."""
    xp = namespace(image)
    voxels = _box_sum(xp.ones_like(image), core, radii)
    total = _box_sum(image, core, radii)
    q, m, best_q, level = (xp.zeros_like(total) for _ in range(4))
    best = xp.zeros(total.shape, dtype=xp.float64)
    # The standard leaves their order open, and numpy's is that of a hash table.
    for grey in sorted(to_host(xp.unique_values(image)).tolist()):
        count = _box_sum(image == grey, core, radii)
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


def _box_sum(values: Array, core: _Core, radii: tuple[int, int, int]) -> Array:
    """Return the sums over windows centred on the core, clipped at the faces of the array."""
    xp = namespace(values)
    values = xp.astype(values, xp.int64)
    for axis, (part, radius) in enumerate(zip(core, radii, strict=True)):
        centres = xp.arange(part.start, part.stop, dtype=xp.int64)
        upper = xp.minimum(centres + radius + 1, values.shape[axis])
        lower = xp.maximum(centres - radius, 0)
        sums = xp.cumulative_sum(values, axis=axis, include_initial=True)
        values = xp.take(sums, upper, axis=axis) - xp.take(sums, lower, axis=axis)
    return values


def _flat(q: Array, score: Array, voxels: Array, guard: tuple[float, float]) -> Array:
    xp = namespace(q)
    spread = xp.astype(xp.maximum(q * (voxels - q), 1), xp.float64)
    contrast = xp.sqrt(score / spread)
    minority = xp.astype(xp.minimum(q, voxels - q), xp.float64)
    return (score <= 0) | (contrast < guard[0]) | (minority < guard[1] * xp.astype(voxels, xp.float64))
