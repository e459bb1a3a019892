"""Local Otsu level by level, on any array module: what runs on a GPU, and the oracle of the CPU code.

One box sum of an indicator per grey level and elementwise arithmetic, with the two roundings of
skimage, hence bitwise the same thresholds as the compiled CPU code. Every grey level that occurs
costs some twenty passes over the part that is worked on.
"""

from __future__ import annotations

from typing import Any

__all__ = ["threshold_levels"]

Array = Any

_PART_VOXELS = 2**24


def threshold_levels(
    xp: Any,
    image: Array,
    core: tuple[slice, slice, slice],
    radius: int,
    ndim: int,
    guard: tuple[float, float] | None,
) -> tuple[Array, Array | None]:
    """Return thresholds of the core of a uint8 image (z, y, x), and which windows `guard` calls flat."""
    zs, ys, xs = core
    out = xp.empty((zs.stop - zs.start, ys.stop - ys.start, xs.stop - xs.start), xp.uint8)
    flat = None if guard is None else xp.empty(out.shape, bool)
    reach = radius if ndim == 3 else 0
    plane = image.shape[1] * image.shape[2]
    step = max(1, _PART_VOXELS // plane - 2 * reach)
    for z in range(zs.start, zs.stop, step):
        stop = min(zs.stop, z + step)
        a, b = max(0, z - reach), min(image.shape[0], stop + reach)
        part = (slice(z - a, stop - a), ys, xs)
        threshold, q, score, voxels = _best_splits(xp, image[a:b], part, (reach, radius, radius))
        into = slice(z - zs.start, stop - zs.start)
        out[into] = threshold
        if flat is not None and guard is not None:
            flat[into] = _flat(xp, q, score, voxels, guard)
    return out, flat


def _best_splits(
    xp: Any, image: Array, core: tuple[slice, slice, slice], radii: tuple[int, int, int]
) -> tuple[Array, Array, Array, Array]:
    """Return the bin behind which to split, the voxels up to it, the score, and the voxels of the window."""
    voxels = _box_sum(xp, xp.ones_like(image), core, radii)
    total = _box_sum(xp, image, core, radii)
    q, m, best_q, level = (xp.zeros_like(total) for _ in range(4))
    best = xp.zeros(total.shape, xp.float64)
    for grey in (int(v) for v in xp.unique(image)):
        count = _box_sum(xp, image == grey, core, radii)
        q += count
        m += grey * count
        if grey == 0:
            continue
        t = ((voxels - q) * m - (total - m) * q).astype(xp.float64)
        spread = q * (voxels - q)
        score = t * t / xp.maximum(spread, 1).astype(xp.float64)
        better = (count > 0) & (spread > 0) & (score > best)
        best = xp.where(better, score, best)
        best_q = xp.where(better, q, best_q)
        level = xp.where(better, grey, level)
    return level.astype(xp.uint8), best_q, best, voxels


def _box_sum(xp: Any, values: Array, core: tuple[slice, slice, slice], radii: tuple[int, int, int]) -> Array:
    """Return the sums over windows centred on the core, clipped at the faces of the array."""
    for axis, (part, radius) in enumerate(zip(core, radii, strict=True)):
        length = values.shape[axis]
        centres = xp.arange(part.start, part.stop)
        sums = xp.cumsum(values, axis=axis, dtype=xp.int64)
        edge = xp.zeros_like(xp.take(sums, xp.arange(1), axis=axis))
        sums = xp.concatenate([edge, sums], axis=axis)
        upper = xp.minimum(length, centres + radius + 1)
        values = xp.take(sums, upper, axis=axis) - xp.take(sums, xp.maximum(0, centres - radius), axis=axis)
    return values


def _flat(xp: Any, q: Array, score: Array, voxels: Array, guard: tuple[float, float]) -> Array:
    contrast = xp.sqrt(score / xp.maximum(q * (voxels - q), 1).astype(xp.float64))
    minority = xp.minimum(q, voxels - q).astype(xp.float64)
    return (score <= 0) | (contrast < guard[0]) | (minority < guard[1] * voxels.astype(xp.float64))
