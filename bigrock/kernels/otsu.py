"""Local Otsu thresholds: at every voxel the threshold of the histogram of the window around it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.reduction import Reduction
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block, Shape
from bigrock.kernels.arrays.otsu import quantised, threshold_windows
from bigrock.kernels.arrays.threshold import at_most
from bigrock.kernels.backend import dtype_of, namespace
from bigrock.kernels.histogram import GreyHistogram, Histogram
from bigrock.volumes.source import Facts, Kind

__all__ = ["LocalOtsu", "local_otsu"]

Array = npt.NDArray[Any]
_Core = tuple[slice, slice, slice]
_Guard = tuple[float, float]

_BINS = 256
_EXACT = 2**53
_QUANTISED_AT_ONCE = 2**17


def local_otsu(image: Array, *, radius: int, ndim: int = 2) -> Array:
    """Return the Otsu threshold of the window around every voxel.

    The threshold is the grey value that best splits the histogram of the window in two: the lower
    class is ``image <= threshold``. Bitwise the same as `skimage.filters.rank.otsu` with a square
    or cube of side ``2 * radius + 1``, peculiarities included: the window shrinks at the border, a
    split behind grey value 0 is not tried, of equal splits the lowest wins, and a window that
    leaves no split (all voxels equal, or some 0 and all others equal) has threshold 0. The cost
    hardly depends on the radius; for a cube it grows with it. See `LocalOtsu` for 16 bits.

    Parameters
    ----------
    image : ndarray of uint8, (y, x) or (z, y, x)
        Grey values, of numpy, cupy or any array module.
    radius : int
        Voxels from the centre of the window to its faces, at least 1.
    ndim : {2, 3}
        2: a square window in each slice on its own. 3: a cube.

    Returns
    -------
    ndarray of uint8
        Thresholds, of the image's shape.

    Raises
    ------
    ParameterError
        If the image is not uint8, has other than 2 or 3 axes, or no voxel; if the radius is below 1
        or so large that scores are no longer exact; if `ndim` is not 2 or 3, or is 3 for a 2-D image.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979).

    Examples
    --------
    >>> image = np.array([[10, 10, 10, 90, 90]], np.uint8)
    >>> local_otsu(image, radius=2)
    array([[ 0, 10, 10, 10, 10]], dtype=uint8)
    """
    _check_window(radius, ndim)
    if image.ndim not in (2, 3) or image.ndim < ndim or image.size == 0:
        raise ParameterError(
            f"local Otsu with ndim={ndim} cannot work on an image of shape {image.shape}: a square window needs "
            "(y, x) or (z, y, x), a cube needs (z, y, x), with at least one voxel. Reshape the image."
        )
    volume = image[None, ...] if image.ndim == 2 else image
    core = (slice(0, volume.shape[0]), slice(0, volume.shape[1]), slice(0, volume.shape[2]))
    thresholds = _thresholds(volume, core, radius, ndim)[0]
    return thresholds[0, ...] if image.ndim == 2 else thresholds


def _check_window(radius: int, ndim: int) -> None:
    if ndim not in (2, 3):
        raise ParameterError(f"ndim={ndim} is not known. Use 2 for a square in each slice or 3 for a cube.")
    if radius != int(radius) or radius < 1:
        raise ParameterError(
            f"radius={radius} gives no window around a voxel. Use a whole number of voxels, at least 1."
        )


def _thresholds(
    image: Array, core: _Core, radius: int, ndim: int, guard: _Guard | None = None
) -> tuple[Array, Array | None]:
    """Return the thresholds of the core of an image (z, y, x), and with a guard which windows are flat.

    The guard is the least contrast of the class means, in grey levels, and the least fraction of a
    class. Only the core is computed; what lies around it is read.
    """
    if dtype_of(image) != np.uint8:
        raise ParameterError(
            f"local Otsu compares 256 grey values, but the image is {image.dtype}: rounding it silently would "
            "lose contrast. Quantise it with the kernel, kernels.LocalOtsu(radius=...).fit(volume), or by "
            "numpy.clip((image - low) / (high - low) * 256, 0, 255).astype('uint8')."
        )
    radii = (radius if ndim == 3 else 0, radius, radius)
    voxels = math.prod(min(2 * r + 1, n) for r, n in zip(radii, image.shape, strict=True))
    if voxels * voxels * (_BINS - 1) >= _EXACT:
        raise ParameterError(
            f"radius={radius} makes windows of up to {voxels} voxels: products of counts and grey sums would pass "
            "2**53, and thresholds would no longer be exact. Use a smaller radius, or a coarser pyramid level."
        )
    if namespace(image) is not np:
        return threshold_windows(image, core, radius, ndim, guard)
    from bigrock.kernels.otsu_cube import threshold_cube
    from bigrock.kernels.otsu_slices import threshold_slices

    shape = tuple(part.stop - part.start for part in core)
    out = np.empty(shape, np.uint8)
    flat = np.empty(shape if guard else (0, 0, 0), np.bool_)
    run = threshold_cube if ndim == 3 else threshold_slices
    run(np.ascontiguousarray(image), core, int(radius), out, flat, guard or (0.0, 0.0))
    return out, flat if guard else None


@dataclass(frozen=True)
class LocalOtsu(Kernel):
    """The pore mask by local Otsu thresholds: dark pores are where the voxel is at most its threshold.

    Windows are squares in each slice, or cubes, of side ``2 * radius + 1``. Bitwise the same for
    any blocks. uint8 is thresholded as it is, exactly as with `local_otsu`. Other types are first
    quantised, voxel by voxel, to 256 levels ``clip(floor((v - low) / (high - low) * 256), 0, 255)``
    in float64; the range from `low` to `high` is a pair of quantiles of the whole volume (minimum
    and maximum where these are equal), found by ``kernel.fit(volume)``.

    A window with one phase has no meaningful threshold and plain local Otsu splits its noise, which
    in rock of low porosity ruins the mask. The guard, off by default, calls a window flat where its
    class means differ by less than `min_contrast` times those of the whole volume, where its smaller
    class is less than `min_pore_fraction` of it, or where it has no split at all; there the global
    Otsu threshold decides. The guard needs the fit for any type.

    Parameters
    ----------
    radius : int
        Voxels from the centre of the window to its faces, at least 1.
    ndim : {2, 3}
        2: a square window in each slice on its own. 3: a cube.
    pore : {"dark", "bright"}
        Whether pores are at most, or above, the threshold.
    min_contrast : float
        Least difference of the class means of a window, as a fraction of the global one; 0 is off.
    min_pore_fraction : float
        Least fraction of the smaller class in a window, 0 to 0.5; 0 is off.
    clip : float
        Fraction of voxels outside the grey range, half at either end, 0 <= clip < 1. Not for uint8.
    low, high : float, optional
        Grey range; filled in by the fit.
    global_threshold, global_contrast : float, optional
        Global Otsu threshold and difference of its class means; filled in by the fit.

    Raises
    ------
    ParameterError
        If a setting is not allowed, or the fit finds that all voxels are equal.
    NotFittedError
        If it runs without a fit that it needs.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979).

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> image = np.array([[[10, 10, 10, 90, 90]]], np.uint8)
    >>> LocalOtsu(radius=2)(image, BlockGrid(image.shape, image.shape)[0])
    array([[[False,  True,  True, False, False]]])
    """

    version: ClassVar[int] = 2

    radius: int
    ndim: int = 2
    pore: Literal["dark", "bright"] = "dark"
    min_contrast: float = 0.0
    min_pore_fraction: float = 0.0
    clip: float = 0.001
    low: float | None = None
    high: float | None = None
    global_threshold: float | None = None
    global_contrast: float | None = None

    def __post_init__(self) -> None:
        _check_window(self.radius, self.ndim)
        if self.pore not in ("dark", "bright"):
            raise ParameterError(f"pore={self.pore!r} is not known. Use 'dark' or 'bright'.")
        if self.min_contrast < 0 or not 0 <= self.min_pore_fraction <= 0.5 or not 0 <= self.clip < 1:
            raise ParameterError(
                f"min_contrast={self.min_contrast}, min_pore_fraction={self.min_pore_fraction}, clip={self.clip}: "
                "use min_contrast >= 0, 0 <= min_pore_fraction <= 0.5 and 0 <= clip < 1."
            )

    @property
    def halo(self) -> Shape:
        """The radius, along z only for a cube."""
        return (self.radius if self.ndim == 3 else 0, self.radius, self.radius)

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return bool: True is pore."""
        return np.dtype(np.bool_)

    def output_kind(self, kind: Kind) -> Kind:
        """Return "mask"."""
        return "mask"

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Thresholds, the quantised image, flat windows, and running sums in blocks of 32 slices or more."""
        quantised = 0.0 if dtype == np.uint8 else 1.0
        sums = 64.0 / (32 + 2 * self.radius) if self.ndim == 3 else 0.5
        return 1.5 + quantised + 2.0 * self._guarded + sums

    def fitting(self, facts: Facts) -> Reduction | None:
        """Return a histogram of the volume where the range or the global threshold is missing."""
        return GreyHistogram() if self._missing(facts.dtype) else None

    def fitted(self, result: Histogram) -> LocalOtsu:
        """Return the kernel with grey range, global threshold and contrast taken from a histogram."""
        if not result.min < result.max:
            raise ParameterError(
                f"every voxel of the volume has grey value {result.min:g}: there are no two classes to tell "
                "apart. Check the import of the volume."
            )
        low, high = result.quantile(self.clip / 2), result.quantile(1 - self.clip / 2)
        if not low < high:
            low, high = result.min, result.max
        return replace(
            self,
            low=float(low),
            high=float(high),
            global_threshold=float(result.otsu()),
            global_contrast=float(result.between_class_contrast()),
        )

    def __call__(self, array: Array, block: Block) -> Array:
        """Return True where the voxels of the core are pore."""
        dtype = dtype_of(array)
        if missing := self._missing(dtype):
            raise NotFittedError(
                f"LocalOtsu needs {missing} of the whole volume for {dtype} grey values: blocks would be "
                "thresholded differently. Call kernel.fit(volume) first and use the kernel that it returns."
            )
        image = array if dtype == np.uint8 else self._quantised(array)
        threshold, flat = _thresholds(image, block.trim, self.radius, self.ndim, self._guard(dtype))
        dark = image[block.trim] <= threshold
        if flat is not None:
            globally = at_most(array[block.trim], cast("float", self.global_threshold))
            dark = namespace(dark).where(flat, globally, dark)
        return dark if self.pore == "dark" else ~dark

    @property
    def _guarded(self) -> bool:
        return self.min_contrast > 0 or self.min_pore_fraction > 0

    def _missing(self, dtype: np.dtype[Any]) -> str:
        if dtype != np.uint8 and (self.low is None or self.high is None):
            return "the grey range"
        if self._guarded and (self.global_threshold is None or self.global_contrast is None):
            return "the global threshold and contrast"
        return ""

    def _guard(self, dtype: np.dtype[Any]) -> _Guard | None:
        """Least contrast in levels of the image that is thresholded, and least fraction of a class."""
        if not self._guarded:
            return None
        contrast = self.min_contrast * cast("float", self.global_contrast)
        if dtype != np.uint8:
            contrast *= _BINS / (cast("float", self.high) - cast("float", self.low))
        return contrast, self.min_pore_fraction

    def _quantised(self, array: Array) -> Array:
        low, high = cast("float", self.low), cast("float", self.high)
        if namespace(array) is np:
            return cast("Array", quantised(array, low, high, at_once=_QUANTISED_AT_ONCE))
        return cast("Array", quantised(array, low, high))
