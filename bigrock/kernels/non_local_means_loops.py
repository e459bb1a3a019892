"""Compiled loops of non-local means: brick by brick, so that what is compared stays in the cache.

Imported only by the functions that run them, because numba is slow to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["non_local_means_bricks"]

Array = npt.NDArray[Any]

# Sums are taken voxel by voxel in one order, never as running sums: a running sum of floats would
# depend on where the block begins. Indices are unsigned, or the loops would not be vectorised.


@njit(nogil=True, cache=True)
def _add_row(a: Array, first: int, n: int, out: Array, at: int) -> None:
    source, target = np.uint64(first), np.uint64(at)
    for x in range(np.uint64(n)):
        out[target + x] += a[source + x]


@njit(nogil=True, cache=True)
def _square_row(image: Array, first: int, second: int, n: int, out: Array, at: int) -> None:
    a, b, target = np.uint64(first), np.uint64(second), np.uint64(at)
    for x in range(np.uint64(n)):
        step = image[a + x] - image[b + x]
        out[target + x] = step * step


@njit(nogil=True, cache=True)
def _copy_row(a: Array, n: int, out: Array, at: int) -> None:
    target = np.uint64(at)
    for x in range(np.uint64(n)):
        out[target + x] = a[x]


@njit(nogil=True, cache=True)
def _weigh_row(
    sums: Array, first: int, image: Array, second: int, n: int, limits: Any, weights: Array, values: Array, at: int
) -> None:  # fmt: skip
    """Add the weights of one shift, and the voxels that they weigh, to two rows."""
    a, b, target = np.uint64(first), np.uint64(second), np.uint64(at)
    scale, floor, cut = limits
    one, nothing = np.float32(1), np.float32(0)
    for x in range(np.uint64(n)):
        far = max(sums[a + x] * scale - floor, nothing)
        # The series of exp(-far / 16), then its 16th power.
        t = min(far, cut) * np.float32(-1 / 16)
        w = one + t * np.float32(1 / 6)
        w = one + t * np.float32(1 / 5) * w
        w = one + t * np.float32(1 / 4) * w
        w = one + t * np.float32(1 / 3) * w
        w = one + t * np.float32(1 / 2) * w
        w = one + t * w
        w *= w
        w *= w
        w *= w
        w *= w
        w = w if far <= cut else nothing
        weights[target + x] += w
        values[target + x] += w * image[b + x]


@njit(nogil=True, cache=True)
def _patch_sums(
    image: Array, pitch: Any, first: int, step: int, size: Any, patch: Any, line: Array, sums: Array
) -> None:
    """Set `sums` to the squared differences to what lies `step` further, summed along x, then y, then z.

    Rows of `sums` lie ``size[1] + 2 * patch[1]`` to a slice.
    """
    depth, height, width = size
    pz, py, px = patch
    tall = height + 2 * py
    for z in range(depth + 2 * pz):
        for y in range(tall):
            begin, at = first + z * pitch[0] + y * pitch[1], (z * tall + y) * width
            _square_row(image, begin, begin + step, width + 2 * px, line, 0)
            _copy_row(line, width, sums, at)
            for k in range(1, 2 * px + 1):
                _add_row(line, k, width, sums, at)
        # From the first row on: the rows below are not yet sums along y.
        for y in range(height):
            at = (z * tall + y) * width
            for k in range(1, 2 * py + 1):
                _add_row(sums, at + k * width, width, sums, at)
    for z in range(depth):
        for k in range(1, 2 * pz + 1):
            _add_row(sums, (z + k) * tall * width, height * width, sums, z * tall * width)


@njit(nogil=True, cache=True)
def non_local_means_bricks(
    image: Array, shape: Any, patch: Any, search: Any, brick: Any, limits: Any, line: Array, sums: Array, out: Array
) -> None:  # fmt: skip
    """Set `out` to the mean of the voxels around each, weighted by how alike their patches are.

    `image` (float32, flat, of `shape`) has ``patch + search`` voxels more than `out` (float32, flat)
    on every side. `limits` (float32) are what turns a patch sum into a distance, what is taken off,
    and the largest distance that counts. `line` and `sums` (float32, flat) are scratch for a brick.
    """
    pitch = (shape[1] * shape[2], shape[2])
    depth, height, width = (
        shape[0] - 2 * (patch[0] + search[0]),
        shape[1] - 2 * (patch[1] + search[1]),
        shape[2] - 2 * (patch[2] + search[2]),
    )
    weights = np.empty(brick[0] * brick[1] * brick[2], np.float32)
    values = np.empty(weights.size, np.float32)
    for z in range(0, depth, brick[0]):
        for y in range(0, height, brick[1]):
            for x in range(0, width, brick[2]):
                size = (min(brick[0], depth - z), min(brick[1], height - y), min(brick[2], width - x))
                corner = (z + search[0]) * pitch[0] + (y + search[1]) * pitch[1] + x + search[2]
                weights[:] = 0
                values[:] = 0
                _brick(image, pitch, corner, size, patch, search, limits, line, sums, weights, values)
                for i in range(size[0]):
                    for j in range(size[1]):
                        at, row = ((z + i) * height + y + j) * width + x, (i * size[1] + j) * size[2]
                        for k in range(size[2]):
                            out[at + k] = values[row + k] / weights[row + k]


@njit(nogil=True, cache=True)
def _brick(
    image: Array, pitch: Any, corner: int, size: Any, patch: Any, search: Any, limits: Any,
    line: Array, sums: Array, weights: Array, values: Array,
) -> None:  # fmt: skip
    """Add up weights and weighed voxels of one brick, shift by shift."""
    tall = size[1] + 2 * patch[1]
    centre = corner + patch[0] * pitch[0] + patch[1] * pitch[1] + patch[2]
    for dz in range(-search[0], search[0] + 1):
        for dy in range(-search[1], search[1] + 1):
            for dx in range(-search[2], search[2] + 1):
                step = dz * pitch[0] + dy * pitch[1] + dx
                _patch_sums(image, pitch, corner, step, size, patch, line, sums)
                for z in range(size[0]):
                    for y in range(size[1]):
                        _weigh_row(
                            sums, (z * tall + y) * size[2],
                            image, centre + step + z * pitch[0] + y * pitch[1],
                            size[2], limits, weights, values, (z * size[1] + y) * size[2],
                        )  # fmt: skip
