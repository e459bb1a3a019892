"""What local Otsu checks, and where it computes: compiled code, or array operations; all voxels, or nodes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Block
from bigrock.kernels.arrays import otsu as arrays
from bigrock.kernels.backend import dtype_of, namespace

__all__ = ["BINS", "Guard", "check_window", "coarse_thresholds", "window_thresholds"]

Array = npt.NDArray[Any]
Guard = tuple[float, float]
"""The least contrast of the class means, in grey levels, and the least fraction of a class."""
_Core = tuple[slice, slice, slice]

BINS = 256
_EXACT = 2**53


def check_window(radius: int, ndim: int, stride: int) -> None:
    """Refuse what describes no windows.

    Raises
    ------
    ParameterError
        With the setting.
    """
    if ndim not in (2, 3):
        raise ParameterError(f"ndim={ndim} is not known. Use 2 for a square in each slice or 3 for a cube.")
    if radius != int(radius) or radius < 1:
        raise ParameterError(
            f"radius={radius} gives no window around a voxel. Use a whole number of voxels, at least 1."
        )
    if stride != int(stride) or not 1 <= stride <= max(1, radius):
        raise ParameterError(
            f"stride={stride} is not 1 to {radius}, the radius: thresholds would be taken from windows that "
            "hardly see the voxels between them. Use 1 for every voxel, or about a quarter of the radius."
        )


def window_thresholds(
    image: Array, core: _Core, radius: int, ndim: int, guard: Guard | None = None
) -> tuple[Array, Array | None]:
    """Return the thresholds of the core of an image (z, y, x), and with a guard which windows are flat.

    Only the core is computed; what lies around it is read.

    Raises
    ------
    ParameterError
        If the image is not uint8, or windows are too large for exact scores.
    """
    _check_image(image, _radii(radius, ndim))
    if namespace(image) is not np:
        return arrays.threshold_windows(image, core, radius, ndim, guard)
    from bigrock.kernels.otsu_cube import threshold_cube
    from bigrock.kernels.otsu_slices import threshold_slices

    shape = tuple(part.stop - part.start for part in core)
    out = np.empty(shape, np.uint8)
    flat = np.empty(shape if guard else (0, 0, 0), np.bool_)
    run = threshold_cube if ndim == 3 else threshold_slices
    run(np.ascontiguousarray(image), core, int(radius), out, flat, guard or (0.0, 0.0))
    return out, flat if guard else None


def coarse_thresholds(
    image: Array,
    block: Block,
    radius: int,
    ndim: int,
    stride: int,
    guard: Guard | None = None,
    level: int = 0,
) -> Array:
    """Return thresholds of the core that are exact at every `stride`-th voxel of the volume, linear between.

    The last voxel of an axis is a node too. With a guard the nodes of flat windows have threshold
    `level`. Whole numbers throughout, rounded down, so any blocks give the same.

    Raises
    ------
    ParameterError
        If the image is not uint8, or windows are too large for exact scores.
    """
    radii = _radii(radius, ndim)
    _check_image(image, radii)
    steps = (stride if ndim == 3 else 1, stride, stride)
    (z, along_z), (y, along_y), (x, along_x) = (_nodes(block, axis, step) for axis, step in enumerate(steps))
    nodes, places = (z, y, x), (along_z, along_y, along_x)
    if namespace(image) is not np:
        threshold, flat = arrays.threshold_nodes(image, nodes, radii, guard)
        if flat is not None:
            threshold = namespace(image).where(flat, level, threshold)
        return arrays.interpolate(threshold, places)
    from bigrock.kernels.otsu_grid import interpolate, threshold_nodes

    threshold, flat = threshold_nodes(np.ascontiguousarray(image), nodes, radii, guard or (0.0, 0.0))
    if guard:
        threshold[flat] = level
    out = np.empty(block.core.shape, np.uint8)
    interpolate(threshold, places, out)
    return out


def _radii(radius: int, ndim: int) -> tuple[int, int, int]:
    return (int(radius) if ndim == 3 else 0, int(radius), int(radius))


def _check_image(image: Array, radii: tuple[int, int, int]) -> None:
    if dtype_of(image) != np.uint8:
        raise ParameterError(
            f"local Otsu compares 256 grey values, but the image is {image.dtype}: rounding it silently would "
            "lose contrast. Quantise it with the kernel, kernels.LocalOtsu(radius=...).fit(volume), or by "
            "numpy.clip((image - low) / (high - low) * 256, 0, 255).astype('uint8')."
        )
    voxels = math.prod(min(2 * r + 1, n) for r, n in zip(radii, image.shape, strict=True))
    if voxels * voxels * (BINS - 1) >= _EXACT:
        raise ParameterError(
            f"radius={radii[2]} makes windows of up to {voxels} voxels: products of counts and grey sums would pass "
            "2**53, and thresholds would no longer be exact. Use a smaller radius, or a coarser pyramid level."
        )


def _nodes(block: Block, axis: int, step: int) -> tuple[Array, Array]:
    """Return the nodes that an axis of the core needs, from the start of `read`, and where its voxels lie.

    The rows of the second are the node before each voxel, the steps from there, and the steps from
    there to the next node.
    """
    start, stop, length = block.core.start[axis], block.core.stop[axis], block.volume[axis]
    first, last = start // step, -(-(stop - 1) // step)
    nodes = np.minimum(np.arange(first, last + 1) * step, length - 1)
    voxels = np.arange(start, stop)
    before = voxels // step - first
    ahead = np.minimum(before + 1, len(nodes) - 1)
    places = np.stack([before, voxels - nodes[before], np.maximum(1, nodes[ahead] - nodes[before])])
    return nodes - block.read.start[axis], places
