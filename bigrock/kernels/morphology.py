"""Erosion, dilation, opening and closing of masks, by balls, cubes and crosses of any size."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import ParameterError
from bigrock.geometry import Block, BlockGrid, Region, Shape
from bigrock.kernels.backend import dtype_of
from bigrock.kernels.morphology_footprint import Form, check_footprint, costs_of, near
from bigrock.volumes.source import Kind

__all__ = [
    "Closing",
    "Dilation",
    "Erosion",
    "Opening",
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_opening",
]

Mask = npt.NDArray[np.bool_]


def binary_erosion(mask: Mask, *, radius: float, shape: Form = "ball") -> Mask:
    """Return the voxels from which no False voxel lies within the ball, cube or cross around them. Exact.

    What lies outside the image neither erodes nor dilates: bitwise
    ``scipy.ndimage.binary_erosion(..., border_value=1)`` with the same footprint, and scikit-image's
    `erosion`. The cost grows with the radius, not with the volume of the footprint: 3 ns per voxel
    for a ball of radius 10.

    Parameters
    ----------
    mask : ndarray of bool, (y, x) or (z, y, x)
        Of any array module. A two-dimensional mask is one slice.
    radius : float
        In voxels, at least 1; a whole number for cubes and crosses.
    shape : {"ball", "cube", "cross"}
        Ball: voxels whose centres are at most `radius` away. Cube: of side ``2 * radius + 1``.
        Cross: voxels at most `radius` steps through faces away (a cross for radius 1).

    Returns
    -------
    ndarray of bool, same shape

    Raises
    ------
    ParameterError
        If the mask is not of bool or has other than 2 or 3 axes, or the radius is not allowed.

    Examples
    --------
    >>> binary_erosion(np.array([[False, True, True, True]]), radius=1).tolist()
    [[False, False, True, True]]
    """
    return _of_whole(Erosion(radius, shape), mask)


def binary_dilation(mask: Mask, *, radius: float, shape: Form = "ball") -> Mask:
    """Return the voxels with a True voxel within the ball, cube or cross around them. Exact.

    Parameters, errors, border and cost as for `binary_erosion`.

    Parameters
    ----------
    mask : ndarray of bool, (y, x) or (z, y, x)
        Of any array module.
    radius : float
        In voxels, at least 1.
    shape : {"ball", "cube", "cross"}
        The footprint.

    Returns
    -------
    ndarray of bool, same shape

    Examples
    --------
    >>> binary_dilation(np.array([[False, False, True]]), radius=1).tolist()
    [[False, True, True]]
    """
    return _of_whole(Dilation(radius, shape), mask)


def binary_opening(mask: Mask, *, radius: float, shape: Form = "ball") -> Mask:
    """Return the voxels that some ball, cube or cross that fits in the mask covers. Exact.

    Erosion, then dilation: takes out specks and bridges thinner than the footprint. Parameters,
    errors and border as for `binary_erosion`; twice its cost.

    Parameters
    ----------
    mask : ndarray of bool, (y, x) or (z, y, x)
        Of any array module.
    radius : float
        In voxels, at least 1.
    shape : {"ball", "cube", "cross"}
        The footprint.

    Returns
    -------
    ndarray of bool, same shape

    References
    ----------
    J. Serra, Image Analysis and Mathematical Morphology (1982).

    Examples
    --------
    >>> binary_opening(np.array([[0, 1, 0, 1, 1, 1, 0]], bool), radius=1, shape="cube").astype(int).tolist()
    [[0, 0, 0, 1, 1, 1, 0]]
    """
    return _of_whole(Opening(radius, shape), mask)


def binary_closing(mask: Mask, *, radius: float, shape: Form = "ball") -> Mask:
    """Return the voxels that no ball, cube or cross outside the mask reaches. Exact.

    Dilation, then erosion: fills holes and gaps thinner than the footprint. Parameters, errors and
    border as for `binary_erosion`; twice its cost.

    Parameters
    ----------
    mask : ndarray of bool, (y, x) or (z, y, x)
        Of any array module.
    radius : float
        In voxels, at least 1.
    shape : {"ball", "cube", "cross"}
        The footprint.

    Returns
    -------
    ndarray of bool, same shape

    References
    ----------
    J. Serra, Image Analysis and Mathematical Morphology (1982).

    Examples
    --------
    >>> binary_closing(np.array([[0, 0, 1, 0, 1, 0, 0]], bool), radius=1).astype(int).tolist()
    [[0, 0, 1, 1, 1, 0, 0]]
    """
    return _of_whole(Closing(radius, shape), mask)


@dataclass(frozen=True)
class _Morphology(Kernel):
    """What all kernels here share: a mask to a mask, by a footprint."""

    radius: float
    shape: Form = "ball"

    def __post_init__(self) -> None:
        check_footprint(self.radius, self.shape)

    def accepts(self, kind: Kind) -> bool:
        """Masks only."""
        return kind == "mask"

    @property
    def _reach(self) -> int:
        return int(self.radius)

    @property
    def halo(self) -> Shape:
        """The radius, once for each step."""
        return (self._reach * self._steps,) * 3

    _steps = 1

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Costs of 1 or 2 bytes, the mask that is looked for, and the mask between two steps."""
        return 2.0 + costs_of(self.radius, self.shape)[0].itemsize

    @abstractmethod
    def _of(self, mask: Mask, core: Region, block: Block) -> Mask:
        """Return the result for `core`, given the mask of ``block.read``."""

    def __call__(self, array: Mask, block: Block) -> Mask:
        """Return the mask of the core."""
        if dtype_of(array).kind != "b":
            raise ParameterError(
                f"an image of type {array.dtype} is no mask: which values are pore would be a guess. Give bool, for "
                "instance image == 0, or threshold it first."
            )
        return self._of(array, block.core, block)

    def _dilated(self, mask: Mask, core: Region, held: Region) -> Mask:
        return near(mask, core.within(held), self.radius, self.shape)

    def _eroded(self, mask: Mask, core: Region, held: Region) -> Mask:
        return ~near(~mask, core.within(held), self.radius, self.shape)

    def _around(self, core: Region, block: Block) -> Region:
        return core.grow((self._reach,) * 3, block.volume)


@dataclass(frozen=True)
class Erosion(_Morphology):
    """The eroded mask, as `binary_erosion`. Exact, bitwise the same for any blocks.

    Parameters
    ----------
    radius : float
        In voxels, at least 1; a whole number for cubes and crosses.
    shape : {"ball", "cube", "cross"}
        The footprint.

    Examples
    --------
    >>> Erosion(radius=2.5).halo
    (2, 2, 2)
    """

    def _of(self, mask: Mask, core: Region, block: Block) -> Mask:
        return self._eroded(mask, core, block.read)


@dataclass(frozen=True)
class Dilation(_Morphology):
    """The dilated mask, as `binary_dilation`. Exact, bitwise the same for any blocks.

    Parameters
    ----------
    radius, shape
        As for `Erosion`.

    Examples
    --------
    >>> Dilation(radius=3, shape="cube").halo
    (3, 3, 3)
    """

    def _of(self, mask: Mask, core: Region, block: Block) -> Mask:
        return self._dilated(mask, core, block.read)


@dataclass(frozen=True)
class Opening(_Morphology):
    """The opened mask, as `binary_opening`. Exact, bitwise the same for any blocks.

    Parameters
    ----------
    radius, shape
        As for `Erosion`.

    Examples
    --------
    >>> Opening(radius=3).halo
    (6, 6, 6)
    """

    _steps = 2

    def _of(self, mask: Mask, core: Region, block: Block) -> Mask:
        around = self._around(core, block)
        return self._dilated(self._eroded(mask, around, block.read), core, around)


@dataclass(frozen=True)
class Closing(_Morphology):
    """The closed mask, as `binary_closing`. Exact, bitwise the same for any blocks.

    Parameters
    ----------
    radius, shape
        As for `Erosion`.

    Examples
    --------
    >>> Closing(radius=3).halo
    (6, 6, 6)
    """

    _steps = 2

    def _of(self, mask: Mask, core: Region, block: Block) -> Mask:
        around = self._around(core, block)
        return self._eroded(self._dilated(mask, around, block.read), core, around)


def _of_whole(kernel: Kernel, mask: Mask) -> Mask:
    if mask.ndim not in (2, 3) or 0 in mask.shape:
        raise ParameterError(
            f"a mask of shape {mask.shape} has no neighbourhood: its axes must be (y, x) or (z, y, x), with at "
            "least one voxel. Reshape it."
        )
    volume = mask if mask.ndim == 3 else mask[None, ...]
    result = kernel(volume, BlockGrid(volume.shape, volume.shape)[0])
    return cast("Mask", result if mask.ndim == 3 else result[0, ...])
