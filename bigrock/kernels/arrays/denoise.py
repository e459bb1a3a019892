"""Median, Gaussian and non-local means filter by shifted arrays: one body for every array module."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from itertools import product
from typing import Any

from bigrock.kernels.backend import namespace
from bigrock.kernels.median_network import median_program

__all__ = ["clamped", "gaussians", "medians", "non_local_means"]

Array = Any
Core = tuple[slice, slice, slice]
Three = tuple[int, int, int]


def clamped(image: Array, core: Core, radii: Three) -> Array:
    """Return the core of an image and `radii` voxels around it, border voxels repeated beyond the border.

    Examples
    --------
    >>> import numpy as np
    >>> core = (slice(0, 1), slice(0, 1), slice(0, 3))
    >>> clamped(np.array([[[1, 2, 3]]]), core, (0, 0, 2)).ravel().tolist()
    [1, 1, 1, 2, 3, 3, 3]
    """
    xp = namespace(image)
    for axis, (part, r) in enumerate(zip(core, radii, strict=True)):
        last = image.shape[axis] - 1
        places = [min(max(i, 0), last) for i in range(part.start - r, part.stop + r)]
        image = xp.take(image, xp.asarray(places), axis=axis)
    return image


def medians(image: Array, core: Core, radii: Three) -> Array:
    """Return the median of the window around every voxel of the core, as `bigrock.kernels.median`.

    Takes the smaller and larger of whole slices, as `median_program` says.

    Examples
    --------
    >>> import numpy as np
    >>> core = (slice(0, 1), slice(0, 1), slice(0, 3))
    >>> medians(np.array([[[1, 9, 3]]]), core, (0, 0, 1)).ravel().tolist()
    [1, 3, 3]
    """
    xp = namespace(image)
    rz, ry, rx = radii
    program = median_program((2 * rz + 1) * (2 * ry + 1), 2 * rx + 1)
    wide = clamped(image, core, radii)
    if wide.dtype == xp.bool:
        wide = xp.astype(wide, xp.uint8)
    depth, height, width = (part.stop - part.start for part in core)
    slices = []
    for z in range(depth):
        rows = [wide[z + i, j : j + height, :] for i in range(2 * rz + 1) for j in range(2 * ry + 1)]
        rows += [None] * (program.registers - len(rows))
        for first, shift, second, other, low, high, longer in program.steps.tolist():
            n = width + longer
            a, b = rows[first][:, shift : shift + n], rows[second][:, other : other + n]
            if low >= 0:
                rows[low] = xp.minimum(a, b)
            if high >= 0:
                rows[high] = xp.maximum(a, b)
        slices.append(rows[program.output][:, program.shift : program.shift + width])
    return xp.astype(xp.stack(slices), image.dtype)


def gaussians(image: Array, core: Core, weights: Sequence[Sequence[float]]) -> Array:
    """Return the weighted mean around every voxel of the core, as `bigrock.kernels.gaussian`.

    `weights` are half kernels along z, y, x, the centre first.

    Examples
    --------
    >>> import numpy as np
    >>> core = (slice(0, 1), slice(0, 1), slice(0, 3))
    >>> gaussians(np.array([[[0, 4, 0]]]), core, [[1.0], [1.0], [0.5, 0.25]]).ravel().tolist()
    [1.0, 2.0, 1.0]
    """
    xp = namespace(image)
    rz, ry, rx = (len(w) - 1 for w in weights)
    means = xp.astype(clamped(image, core, (rz, ry, rx)), xp.float32)
    for axis, half in enumerate(weights):
        reach = len(half) - 1
        length = means.shape[axis] - 2 * reach
        total = _part(means, axis, reach, length) * half[0]
        for k in range(1, reach + 1):
            pair = _part(means, axis, reach - k, length) + _part(means, axis, reach + k, length)
            total = total + pair * half[k]
        means = total
    return means


def _part(array: Array, axis: int, first: int, length: int) -> Array:
    places = [slice(None)] * array.ndim
    places[axis] = slice(first, first + length)
    return array[tuple(places)]


def non_local_means(
    image: Array, core: Core, patch: Three, search: Three, limits: tuple[float, float, float]
) -> Array:
    """Return the mean of alike voxels around every voxel of the core, as `bigrock.kernels.non_local_means`.

    `limits` are what turns the sum of squares over a patch into a distance, what is taken off, and
    the largest distance that counts.

    Examples
    --------
    >>> import numpy as np
    >>> core = (slice(0, 1), slice(0, 1), slice(0, 4))
    >>> non_local_means(np.array([[[1, 9, 1, 9]]]), core, (0, 0, 0), (0, 0, 2), (1.0, 0.0, 5.0)).ravel().tolist()
    [1.0, 9.0, 1.0, 9.0]
    """
    xp = namespace(image)
    margin = (patch[0] + search[0], patch[1] + search[1], patch[2] + search[2])
    wide = xp.astype(clamped(image, core, margin), xp.float32)
    lengths = [part.stop - part.start for part in core]
    scale, floor, cut = limits
    weights = xp.zeros(tuple(lengths), dtype=xp.float32)
    values = xp.zeros(tuple(lengths), dtype=xp.float32)
    nothing = xp.asarray(0.0, dtype=xp.float32)
    longest = xp.asarray(cut, dtype=xp.float32)
    patches = [n + 2 * p for n, p in zip(lengths, patch, strict=True)]
    here = wide[tuple(slice(s, s + n) for s, n in zip(search, patches, strict=True))]
    for shift in product(*(range(2 * s + 1) for s in search)):
        there = wide[tuple(slice(d, d + n) for d, n in zip(shift, patches, strict=True))]
        squares = here - there
        squares = squares * squares
        for axis in (2, 1, 0):
            parts = [_part(squares, axis, k, lengths[axis]) for k in range(2 * patch[axis] + 1)]
            squares = functools.reduce(operator.add, parts)
        far = xp.maximum(squares * scale - floor, nothing)
        weight = xp.where(far <= longest, _decay(xp.minimum(far, longest)), nothing)
        weights = weights + weight
        centre = tuple(slice(p, p + n) for p, n in zip(patch, lengths, strict=True))
        values = values + weight * there[centre]
    return values / weights


def _decay(far: Array) -> Array:
    """Return exp(-far): the series of exp(-far / 16), then its 16th power."""
    t = far * (-1 / 16)
    w = t * (1 / 6) + 1.0
    for n in (5, 4, 3, 2):
        w = t * (1 / n) * w + 1.0
    w = t * w + 1.0
    for _ in range(4):
        w = w * w
    return w
