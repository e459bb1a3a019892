"""Pore masks by one threshold, given or found by Otsu's method, or by one class of a label volume."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block
from bigrock.kernels.arrays.threshold import above, at_most, equal_to
from bigrock.kernels.field_of_view import Cylinder, FieldOfView
from bigrock.kernels.histogram import GreyHistogram, Histogram
from bigrock.volumes.source import Facts, Kind

__all__ = ["GlobalOtsu", "SelectClass", "Threshold"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Pore = Literal["dark", "bright"]


class _ToMask(Kernel):
    """What all kernels here share: voxel by voxel to a mask."""

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Masks are bool."""
        return np.dtype(np.bool_)

    def output_kind(self, kind: Kind) -> Kind:
        """A mask, True = pore."""
        return "mask"


@dataclass(frozen=True)
class Threshold(_ToMask):
    """Pore mask: the voxels up to a grey level ("dark"), or those above it ("bright"). Exact.

    The comparison is that of the real numbers, whatever the data type of the image: a float32
    voxel is never compared with a rounded threshold. NaN is never pore.

    Parameters
    ----------
    value : float
        Grey level; a voxel of exactly this level counts as dark.
    pore : {"dark", "bright"}
        Which side is pore. In X-ray and electron images pores are dark.

    Raises
    ------
    ParameterError
        If the value is not finite or `pore` is neither of the two.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> block = BlockGrid((1, 1, 4), (1, 1, 4))[0]
    >>> Threshold(90)(np.array([[[10, 90, 91, 200]]], np.uint8), block).ravel().tolist()
    [True, True, False, False]
    """

    value: float
    pore: Pore = "dark"

    def __post_init__(self) -> None:
        _check_side(self.pore)
        if not math.isfinite(self.value):
            raise ParameterError(f"threshold {self.value!r} is not a grey level. Give a finite number.")

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def __call__(self, array: Array, block: Block) -> Mask:
        """Return the pore mask of the core."""
        select = at_most if self.pore == "dark" else above
        return cast("Mask", select(array[block.trim], self.value))


@dataclass(frozen=True)
class GlobalOtsu(_ToMask):
    """Pore mask by one threshold for the whole volume: that of Otsu (1979), found by one read.

    Exact and bitwise independent of blocks; for integer volumes the threshold is that of
    `skimage.filters.threshold_otsu` (see `Histogram.otsu`). Right where two phases have one
    contrast everywhere; where brightness drifts or pores are few, take `LocalOtsu`.

    Parameters
    ----------
    pore : {"dark", "bright"}
        Which side is pore. In X-ray and electron images pores are dark.
    threshold : float, optional
        Grey level; set by ``fit``.
    field_of_view : FieldOfView, optional
        What the threshold is found for, such as the `Cylinder` of a round core: padding around it is a
        third phase, which would shift the threshold. Voxels outside are compared like all others; see
        `MaskOutside`.

    Raises
    ------
    ParameterError
        If `pore` is neither of the two.

    References
    ----------
    .. [1] Otsu N., "A threshold selection method from gray-level histograms", IEEE Trans. Syst.
       Man Cybern. 9(1), 1979.

    Examples
    --------
    >>> from bigrock.kernels import grey_histogram
    >>> GlobalOtsu().fitted(grey_histogram(np.array([8, 9, 80], np.uint8))).threshold
    9.0
    """

    pore: Pore = "dark"
    threshold: float | None = None
    field_of_view: Cylinder | FieldOfView | None = None

    def __post_init__(self) -> None:
        _check_side(self.pore)

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def fitting(self, facts: Facts) -> GreyHistogram | None:
        """Return the histogram reduction, or None where the threshold is known."""
        return GreyHistogram(self.field_of_view) if self.threshold is None else None

    def fitted(self, result: Histogram) -> GlobalOtsu:
        """Return the kernel with the Otsu threshold of a histogram."""
        return replace(self, threshold=result.otsu())

    def __call__(self, array: Array, block: Block) -> Mask:
        """Return the pore mask of the core."""
        if self.threshold is None:
            raise NotFittedError(
                "GlobalOtsu has no threshold: a block alone does not know the grey values of the others. "
                "Call kernel.fit(volume) first, or let bigrock.run do it."
            )
        return Threshold(self.threshold, self.pore)(array, block)


@dataclass(frozen=True)
class SelectClass(_ToMask):
    """Mask of one class of a label volume: True where the label is `value`. Exact.

    Parameters
    ----------
    value : int
        The label, as in the class table of the volume.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> block = BlockGrid((1, 1, 3), (1, 1, 3))[0]
    >>> SelectClass(0)(np.array([[[0, 1, 0]]], np.uint8), block).ravel().tolist()
    [True, False, True]
    """

    value: int

    def __call__(self, array: Array, block: Block) -> Mask:
        """Return the mask of the core."""
        return cast("Mask", equal_to(array[block.trim], self.value))


def _check_side(pore: str) -> None:
    if pore not in ("dark", "bright"):
        raise ParameterError(
            f"pore={pore!r} is not known: it says on which side of the threshold the pores are. "
            "Use 'dark' or 'bright'."
        )
