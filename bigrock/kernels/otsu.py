"""Local Otsu thresholds: at every voxel the threshold of the histogram of the window around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.reduction import Reduction
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block, BlockGrid, Shape
from bigrock.kernels.arrays.otsu import quantised
from bigrock.kernels.arrays.threshold import at_most
from bigrock.kernels.backend import dtype_of, namespace
from bigrock.kernels.field_of_view import Cylinder, FieldOfView
from bigrock.kernels.histogram import GreyHistogram, Histogram
from bigrock.kernels.otsu_windows import BINS, Guard, check_window, coarse_thresholds, window_thresholds
from bigrock.volumes.source import Facts, Kind

__all__ = ["LocalOtsu", "local_otsu"]

Array = npt.NDArray[Any]
_QUANTISED_AT_ONCE = 2**17


def local_otsu(image: Array, *, radius: int, ndim: int = 2, stride: int = 1) -> Array:
    """Return the Otsu threshold of the window around every voxel.

    The threshold is the grey value that best splits the histogram of the window in two: the lower
    class is ``image <= threshold``. Bitwise the same as `skimage.filters.rank.otsu` with a square
    or cube of side ``2 * radius + 1``, peculiarities included: the window shrinks at the border, a
    split behind grey value 0 is not tried, of equal splits the lowest wins, and a window that
    leaves no split (all voxels equal, or some 0 and all others equal) has threshold 0. The cost
    hardly depends on the radius; for a cube it grows with it. See `LocalOtsu` for 16 bits.

    With a `stride` the thresholds are exact at every so many voxels from the first one on and at the
    last one, and linear between them, rounded down: approximate, and some ten times faster. With a
    quarter of the radius, of rock with noise up to 1 % of the voxels change sides.

    Parameters
    ----------
    image : ndarray of uint8, (y, x) or (z, y, x)
        Grey values, of numpy, cupy or any array module.
    radius : int
        Voxels from the centre of the window to its faces, at least 1.
    ndim : {2, 3}
        2: a square window in each slice on its own. 3: a cube.
    stride : int
        Voxels from one exact threshold to the next along y and x, for a cube along z as well; 1 to
        `radius`.

    Returns
    -------
    ndarray of uint8
        Thresholds, of the image's shape.

    Raises
    ------
    ParameterError
        If the image is not uint8, has other than 2 or 3 axes, or no voxel; if the radius is below 1
        or so large that scores are no longer exact; if `stride` is not 1 to `radius`; if `ndim` is
        not 2 or 3, or is 3 for a 2-D image.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979).

    Examples
    --------
    >>> image = np.array([[10, 10, 10, 90, 90]], np.uint8)
    >>> local_otsu(image, radius=2)
    array([[ 0, 10, 10, 10, 10]], dtype=uint8)
    """
    check_window(radius, ndim, stride)
    if image.ndim not in (2, 3) or image.ndim < ndim or image.size == 0:
        raise ParameterError(
            f"local Otsu with ndim={ndim} cannot work on an image of shape {image.shape}: a square window needs "
            "(y, x) or (z, y, x), a cube needs (z, y, x), with at least one voxel. Reshape the image."
        )
    volume = image[None, ...] if image.ndim == 2 else image
    block = BlockGrid(volume.shape, volume.shape)[0]
    if stride == 1:
        thresholds, _ = window_thresholds(volume, block.trim, radius, ndim)
    else:
        thresholds = coarse_thresholds(volume, block, radius, ndim, stride)
    return thresholds[0, ...] if image.ndim == 2 else thresholds


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
    stride : int
        Voxels from one exact threshold to the next; between them thresholds are linear, as with
        `local_otsu`. With the guard, the global threshold takes the place of those of flat windows
        before. Nodes lie on one grid from the origin of the volume.
    field_of_view : FieldOfView, optional
        What the fit looks at, such as the `Cylinder` of a round core: padding around it would shift
        the grey range and the guard. Windows at its rim still see the padding; see `MaskOutside`.

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
    stride: int = 1
    field_of_view: Cylinder | FieldOfView | None = None

    def __post_init__(self) -> None:
        check_window(self.radius, self.ndim, self.stride)
        if self.pore not in ("dark", "bright"):
            raise ParameterError(f"pore={self.pore!r} is not known. Use 'dark' or 'bright'.")
        if self.min_contrast < 0 or not 0 <= self.min_pore_fraction <= 0.5 or not 0 <= self.clip < 1:
            raise ParameterError(
                f"min_contrast={self.min_contrast}, min_pore_fraction={self.min_pore_fraction}, clip={self.clip}: "
                "use min_contrast >= 0, 0 <= min_pore_fraction <= 0.5 and 0 <= clip < 1."
            )

    @property
    def halo(self) -> Shape:
        """The radius, and what the next node may be away, along z only for a cube."""
        reach = self.radius + self.stride - 1
        return (reach if self.ndim == 3 else 0, reach, reach)

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
        return GreyHistogram(self.field_of_view) if self._missing(facts.dtype) else None

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
        dark = self._dark(array, image, block, self._guard(dtype))
        return dark if self.pore == "dark" else ~dark

    def _dark(self, array: Array, image: Array, block: Block, guard: Guard | None) -> Array:
        """Return where voxels of the core are at most their threshold, given the image in 256 levels."""
        core = image[block.trim]
        if self.stride > 1:
            window = (self.radius, self.ndim, self.stride)
            return cast(
                "Array", core <= coarse_thresholds(image, block, *window, guard, self._global_level(array))
            )
        threshold, flat = window_thresholds(image, block.trim, self.radius, self.ndim, guard)
        if flat is None:
            return cast("Array", core <= threshold)
        globally = at_most(array[block.trim], cast("float", self.global_threshold))
        return cast("Array", namespace(core).where(flat, globally, core <= threshold))

    def _global_level(self, array: Array) -> int:
        """Return the level, of those that are thresholded, that the global threshold falls in."""
        if not self._guarded:
            return 0
        value = np.full((1, 1, 1), self.global_threshold)
        return int(value[0, 0, 0] if dtype_of(array) == np.uint8 else self._quantised(value)[0, 0, 0])

    @property
    def _guarded(self) -> bool:
        return self.min_contrast > 0 or self.min_pore_fraction > 0

    def _missing(self, dtype: np.dtype[Any]) -> str:
        if dtype != np.uint8 and (self.low is None or self.high is None):
            return "the grey range"
        if self._guarded and (self.global_threshold is None or self.global_contrast is None):
            return "the global threshold and contrast"
        return ""

    def _guard(self, dtype: np.dtype[Any]) -> Guard | None:
        """Least contrast in levels of the image that is thresholded, and least fraction of a class."""
        if not self._guarded:
            return None
        contrast = self.min_contrast * cast("float", self.global_contrast)
        if dtype != np.uint8:
            contrast *= BINS / (cast("float", self.high) - cast("float", self.low))
        return contrast, self.min_pore_fraction

    def _quantised(self, array: Array) -> Array:
        low, high = cast("float", self.low), cast("float", self.high)
        if namespace(array) is np:
            return cast("Array", quantised(array, low, high, at_once=_QUANTISED_AT_ONCE))
        return cast("Array", quantised(array, low, high))
