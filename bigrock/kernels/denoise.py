"""Median and Gaussian filters, in slices or in three dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import ParameterError
from bigrock.geometry import Block, BlockGrid, Shape
from bigrock.kernels.backend import namespace, to_host
from bigrock.kernels.exact_sums import nonfinite_error, single_precision
from bigrock.volumes.source import Kind

__all__ = ["Gaussian", "Median", "gaussian", "median"]

Array = npt.NDArray[Any]
Core = tuple[slice, slice, slice]

_LARGEST_WINDOW = 4096
_REGISTER_BYTES = 2**18
_SHORTEST_TILE = 128
_TRUNCATE = 4.0
_AS_THEY_ARE = ("uint8", "uint16", "float32")


def median(image: Array, *, radius: int, ndim: int = 3) -> Array:
    """Return the median of the window around every voxel.

    Takes out specks and noise and keeps edges. Bitwise the same as `scipy.ndimage.median_filter`
    with ``size=2 * radius + 1`` and ``mode="nearest"``: beyond the border the border voxels are
    repeated, which needs nothing from outside a block. 30 to 100 times faster than scipy, because
    rows are compared as a whole by a sorting network; the cost still grows with the window.

    Parameters
    ----------
    image : ndarray of bool, integer or float, (y, x) or (z, y, x)
        Of any array module. A two-dimensional image is one slice.
    radius : int
        Voxels from the centre of the window to its faces; the window has at most 4096 voxels.
    ndim : {2, 3}
        2: a square window in each slice on its own. 3: a cube.

    Returns
    -------
    ndarray, same shape and dtype
        For bool, the majority of the window.

    Raises
    ------
    ParameterError
        If the image has other than 2 or 3 axes, or no voxel, or the window is not allowed.
    NonFiniteError
        If a voxel is NaN or infinite.

    References
    ----------
    K. E. Batcher, Sorting networks and their applications, AFIPS Spring Joint Computer Conference 32
    (1968). A. Adams, Fast median filters using separable sorting networks, ACM Trans. Graph. 40 (2021).

    Examples
    --------
    >>> median(np.array([[10, 10, 99, 10, 10]], np.uint8), radius=1)
    array([[10, 10, 10, 10, 10]], dtype=uint8)
    """
    return whole_image(Median(radius, 2 if image.ndim == 2 else ndim), image)


def gaussian(image: Array, *, sigma: float, ndim: int = 3) -> npt.NDArray[np.float32]:
    """Return the Gaussian-weighted mean around every voxel.

    As `scipy.ndimage.gaussian_filter` with ``mode="nearest"`` and ``truncate=4``, within float32
    rounding (it sums in float32, along z, then y, then x): weights reach ``int(4 * sigma + 0.5)``
    voxels, and beyond the border the border voxels are repeated. Bitwise the same over any blocks
    and array modules. About 10 times faster than scipy.

    Parameters
    ----------
    image : ndarray of bool, integer or float, (y, x) or (z, y, x)
        Of any array module. A two-dimensional image is one slice.
    sigma : float
        Standard deviation of the weights in voxels.
    ndim : {2, 3}
        2: in each slice on its own. 3: along all axes.

    Returns
    -------
    ndarray of float32, same shape
        Grey levels.

    Raises
    ------
    ParameterError
        If the image has other than 2 or 3 axes, or no voxel, or sigma is not positive.
    NonFiniteError
        If a voxel is NaN, infinite or beyond the range of float32.

    Examples
    --------
    >>> gaussian(np.array([[0, 0, 4, 0, 0]], np.uint8), sigma=0.3).astype(float).round(2).tolist()
    [[0.0, 0.02, 3.97, 0.02, 0.0]]
    """
    return whole_image(Gaussian(sigma, 2 if image.ndim == 2 else ndim), image)


@dataclass(frozen=True)
class Median(Kernel):
    """The median of the window around every voxel, as `median`. Exact, bitwise the same for any blocks.

    Parameters
    ----------
    radius : int
        Voxels from the centre of the window to its faces.
    ndim : {2, 3}
        2: a square window in each slice on its own. 3: a cube.

    Examples
    --------
    >>> Median(radius=2, ndim=2).halo
    (0, 2, 2)
    """

    radius: int
    ndim: int = 3

    def __post_init__(self) -> None:
        check_axes(self.ndim)
        if self.radius != int(self.radius) or self.radius < 1:
            raise ParameterError(
                f"radius={self.radius} gives no window around a voxel. Use a whole number of voxels, at least 1."
            )
        if (voxels := (2 * self.radius + 1) ** self.ndim) > _LARGEST_WINDOW:
            raise ParameterError(
                f"radius={self.radius} with ndim={self.ndim} makes windows of {voxels} voxels, and sorting more than "
                f"{_LARGEST_WINDOW} takes for ever. Use a smaller radius, or a coarser pyramid level."
            )

    @property
    def halo(self) -> Shape:
        """The radius, along z only for a cube."""
        return (self.radius if self.ndim == 3 else 0, self.radius, self.radius)

    def accepts(self, kind: Kind) -> bool:
        """Grey levels and masks; the median of labels is no label."""
        return kind != "labels"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """A contiguous copy, for floats another as integers, and the rows that are compared."""
        return dtype.itemsize * (2.0 if dtype.kind == "f" else 1.0) + 1.0

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the medians of the core."""
        check_finite(array, block)
        if namespace(array) is not np:
            from bigrock.kernels.arrays.denoise import medians

            return cast("Array", medians(array, block.trim, self.halo))
        return medians_of(array, block.trim, self.halo)


@dataclass(frozen=True)
class Gaussian(Kernel):
    """The Gaussian-weighted mean around every voxel, as `gaussian`; bitwise the same for any blocks.

    Parameters
    ----------
    sigma : float
        Standard deviation of the weights in voxels.
    ndim : {2, 3}
        2: in each slice on its own. 3: along all axes.

    Examples
    --------
    >>> Gaussian(sigma=1.5).halo
    (6, 6, 6)
    """

    sigma: float
    ndim: int = 3

    def __post_init__(self) -> None:
        check_axes(self.ndim)
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise ParameterError(f"sigma={self.sigma} gives no weights. Use a positive number of voxels.")

    @property
    def halo(self) -> Shape:
        """How far the weights reach, along z only for three axes."""
        reach = int(_TRUNCATE * self.sigma + 0.5)
        return (reach if self.ndim == 3 else 0, reach, reach)

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """float32."""
        return np.dtype(np.float32)

    def output_kind(self, kind: Kind) -> Kind:
        """Grey levels."""
        return "grey"

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """A contiguous copy, of other types than 8 and 16 bit and float32 as float32, and a slice."""
        return (dtype.itemsize if str(dtype) in _AS_THEY_ARE else 4.0) + 0.5

    def __call__(self, array: Array, block: Block) -> npt.NDArray[np.float32]:
        """Return the weighted means of the core."""
        check_finite(array, block)
        wz, wy, wx = (self._half_kernel(reach) for reach in self.halo)
        if namespace(array) is not np:
            from bigrock.kernels.arrays.denoise import gaussians

            halves = [half.tolist() for half in (wz, wy, wx)]
            return cast("npt.NDArray[np.float32]", gaussians(array, block.trim, halves))
        from bigrock.kernels.denoise_loops import gaussian_slices

        numbers = array if str(array.dtype) in _AS_THEY_ARE else single_precision(array)
        out = np.empty([part.stop - part.start for part in block.trim], np.float32)
        start = tuple(part.start for part in block.trim)
        plane = np.empty(array.shape[1] * array.shape[2], np.float32)
        line = np.empty(array.shape[2] + 2 * self.halo[2], np.float32)
        gaussian_slices(
            np.ascontiguousarray(numbers).ravel(), array.shape, start, wz, wy, wx, plane, line, out
        )
        return out

    def _half_kernel(self, reach: int) -> npt.NDArray[np.float32]:
        steps = np.arange(reach + 1)
        half = np.exp(-0.5 * (steps / self.sigma) ** 2)
        return (half / (2 * half[1:].sum() + half[0])).astype(np.float32)


def check_axes(ndim: int) -> None:
    if ndim not in (2, 3):
        raise ParameterError(f"ndim={ndim} is not known. Use 2 for each slice on its own or 3 for all axes.")


def whole_image(kernel: Kernel, image: Array) -> Any:
    """Return what a kernel makes of an image in memory."""
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ParameterError(
            f"an image of shape {image.shape} cannot be filtered: its axes must be (y, x) or (z, y, x), with at "
            "least one voxel. Reshape the image."
        )
    volume = image if image.ndim == 3 else image[None, ...]
    filtered = kernel(volume, BlockGrid(volume.shape, volume.shape)[0])
    return filtered if image.ndim == 3 else filtered[0, ...]


def check_finite(array: Array, block: Block) -> None:
    """Raise where a number has no rank, or would spread over its whole window."""
    xp = namespace(array)
    if not xp.isdtype(array.dtype, "real floating") or bool(xp.all(xp.isfinite(array))):
        return
    bad = int(xp.sum(xp.astype(~xp.isfinite(array), xp.int64)))
    raise nonfinite_error(to_host(array), block.read.start, bad)


def medians_of(array: Array, core: Core, radii: Shape) -> Array:
    """Return the medians of the windows of any radii around the voxels of a core; numpy, no NaN."""
    if array.dtype.kind in "bf":
        return _ordered_back(_medians(_ordered(array), core, radii), array.dtype)
    return _medians(array, core, radii)


def _medians(numbers: Array, core: Core, radii: Shape) -> Array:
    from bigrock.kernels.median_loops import median_rows
    from bigrock.kernels.median_network import median_program

    out = np.empty([part.stop - part.start for part in core], numbers.dtype)
    rz, ry, rx = radii
    program = median_program((2 * rz + 1) * (2 * ry + 1), 2 * rx + 1)
    room = max(_REGISTER_BYTES // (program.registers * numbers.itemsize) - 2 * rx, _SHORTEST_TILE)
    width = min(room, out.shape[2])
    tile = (max(1, min(room // (width + 2 * rx), out.shape[1])), width)
    pitch = tile[0] * (width + 2 * rx)
    rows = np.zeros(program.registers * pitch, numbers.dtype)
    place = program.output * pitch + program.shift
    start = tuple(part.start for part in core)
    median_rows(np.ascontiguousarray(numbers), start, radii, program.steps, rows, tile, place, out)
    return out


def _ordered(array: Array) -> Array:
    """Return numbers that sort as the voxels do, of a type whose smaller and larger is one instruction."""
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    bits = np.ascontiguousarray(array).view(f"i{array.itemsize}")
    return bits ^ ((bits >> (8 * array.itemsize - 1)) & np.iinfo(bits.dtype).max)


def _ordered_back(numbers: Array, dtype: np.dtype[Any]) -> Array:
    return numbers.view(bool) if dtype.kind == "b" else _ordered(numbers.view(dtype)).view(dtype)
