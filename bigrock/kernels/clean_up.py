"""Masks without specks and without holes; what is a speck or a hole is judged by the whole component."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block, BlockGrid
from bigrock.kernels.backend import to_host
from bigrock.kernels.labelling import check_image, in_three_axes
from bigrock.kernels.labelling_reduction import ComponentRuns
from bigrock.kernels.labelling_runs import check_connectivity
from bigrock.volumes.source import Facts, Kind

__all__ = ["FillHoles", "RemoveSmall", "fill_holes", "remove_small_components"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


def remove_small_components(mask: Mask, *, min_voxels: int, connectivity: int = 26) -> Mask:
    """Return a mask without its components of less than `min_voxels` voxels.

    Exact; what `skimage.morphology.remove_small_objects` does with these settings. For volumes on
    disk: ``bigrock.run(bigrock.kernels.RemoveSmall(100), mask, dest)``.

    Parameters
    ----------
    mask : ndarray of bool, 2-D or 3-D
        True = pore.
    min_voxels : int
        Size of the smallest component that stays.
    connectivity : {6, 18, 26}, or {4, 8} of a 2-D mask
        Which voxels touch.

    Returns
    -------
    ndarray of bool
        A new mask of the same shape.

    Raises
    ------
    ParameterError
        If the image is no mask, or a parameter is not allowed.

    Examples
    --------
    >>> remove_small_components(np.array([[1, 0, 1, 1]], bool), min_voxels=2).tolist()
    [[False, False, True, True]]
    """
    kernel = RemoveSmall(min_voxels, _checked(mask, connectivity))
    if not isinstance(mask, np.ndarray):
        from bigrock.kernels.arrays.labelling import without_small

        return without_small(mask, min_voxels, kernel.connectivity)
    return _applied(kernel, mask)


def fill_holes(mask: Mask, *, max_voxels: int | None = None, connectivity: int = 26) -> Mask:
    """Return a mask in which the holes are filled: components of False that touch no face of the volume.

    Exact; by default what `scipy.ndimage.binary_fill_holes` does. Along an axis of length 1 there are
    no faces: a slice is filled as an image. For volumes on disk:
    ``bigrock.run(bigrock.kernels.FillHoles(), mask, dest)``.

    Parameters
    ----------
    mask : ndarray of bool, 2-D or 3-D
        True = what is filled up. In a pore mask holes are floating solid; fill pores of the
        solid by ``~fill_holes(~mask)``, or take `RemoveSmall`.
    max_voxels : int, optional
        Size of the largest hole that is filled; all sizes by default.
    connectivity : {6, 18, 26}, or {4, 8} of a 2-D mask
        Of the True voxels; the holes are connected by its dual (6 for 26 and 18, 26 for 6).

    Returns
    -------
    ndarray of bool
        A new mask of the same shape.

    Raises
    ------
    ParameterError
        If the image is no mask, or a parameter is not allowed.

    Examples
    --------
    >>> fill_holes(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool))[1].tolist()
    [True, True, True]
    """
    kernel = FillHoles(max_voxels, _checked(mask, connectivity))
    if not isinstance(mask, np.ndarray):
        from bigrock.kernels.arrays.labelling import without_holes

        return without_holes(mask, max_voxels, _dual(kernel.connectivity))
    return _applied(kernel, mask)


@dataclass(frozen=True, eq=False)
class _Repaint(Kernel):
    """What both kernels share: a mask in which the runs that were found get another value."""

    runs: Array | None = field(default=None, repr=False, kw_only=True)

    def accepts(self, kind: Kind) -> bool:
        """Masks only."""
        return kind == "mask"

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Masks are bool."""
        return np.dtype(np.bool_)

    def fitted(self, result: Array) -> Kernel:
        """Return the kernel with the runs that it repaints."""
        return replace(self, runs=result)

    def _repainted(self, array: Any, block: Block, value: bool) -> Mask:
        if self.runs is None:
            raise NotFittedError(
                f"{type(self).__name__} does not know the sizes of the components: a block alone sees parts of them. "
                "Call kernel.fit(volume) first, or let bigrock.run do it."
            )
        from bigrock.kernels.labelling_loops import set_runs

        out: Mask = to_host(array)[block.trim].astype(np.bool_)
        set_runs(
            self.runs, np.asarray(block.core.start, np.int64), np.asarray(block.volume, np.int64), value, out
        )
        return out


@dataclass(frozen=True, eq=False)
class RemoveSmall(_Repaint):
    """The mask without components of less than `min_voxels` voxels, wherever blocks cut them. Exact.

    Fitted by one read of the volume (`ComponentRuns`): sizes are those of the whole components,
    not of their pieces in a block. The kernel carries the runs of what it removes, 16 bytes each:
    mega-, not gigabytes in a rock of 1000³ voxels, more where most of the mask is noise.

    Parameters
    ----------
    min_voxels : int
        Size of the smallest component that stays.
    connectivity : {6, 18, 26}
        Which voxels touch.
    runs : ndarray, optional
        First voxel and length of the runs to remove; set by ``fit``.

    Raises
    ------
    ParameterError
        If the size is less than 1 or the connectivity is not known.

    Examples
    --------
    >>> import bigrock
    >>> mask = bigrock.ArraySource(np.array([[[1, 0, 1, 1]]], bool))
    >>> bigrock.run(RemoveSmall(2), mask, "memory://remove-small.zarr", progress=False)[:].tolist()
    [[[False, False, True, True]]]
    """

    min_voxels: int
    connectivity: int = 26

    def __post_init__(self) -> None:
        check_connectivity(self.connectivity)
        _check_size("min_voxels", self.min_voxels)

    def fitting(self, facts: Facts) -> ComponentRuns | None:
        """Return the reduction that finds the small components, or None where they are known."""
        return ComponentRuns(self.connectivity, most=self.min_voxels - 1) if self.runs is None else None

    def __call__(self, array: Any, block: Block) -> Mask:
        """Return the mask of the core."""
        return self._repainted(array, block, False)


@dataclass(frozen=True, eq=False)
class FillHoles(_Repaint):
    """The mask with its holes filled: components of False that touch no face of the volume. Exact.

    Fitted by one read of the volume (`ComponentRuns`), so that a hole that blocks cut is one hole.
    The kernel carries the runs of the holes, 16 bytes each.

    Parameters
    ----------
    max_voxels : int, optional
        Size of the largest hole that is filled; all sizes by default.
    connectivity : {6, 18, 26}
        Of the True voxels; the holes are connected by its dual (6 for 26 and 18, 26 for 6).
    runs : ndarray, optional
        First voxel and length of the runs to fill; set by ``fit``.

    Raises
    ------
    ParameterError
        If the size is less than 1 or the connectivity is not known.

    Examples
    --------
    >>> FillHoles(max_voxels=50).connectivity
    26
    """

    max_voxels: int | None = None
    connectivity: int = 26

    def __post_init__(self) -> None:
        check_connectivity(self.connectivity)
        if self.max_voxels is not None:
            _check_size("max_voxels", self.max_voxels)

    def fitting(self, facts: Facts) -> ComponentRuns | None:
        """Return the reduction that finds the holes, or None where they are known."""
        if self.runs is not None:
            return None
        return ComponentRuns(_dual(self.connectivity), of=False, most=self.max_voxels, enclosed=True)

    def __call__(self, array: Any, block: Block) -> Mask:
        """Return the mask of the core."""
        return self._repainted(array, block, True)


def _applied(kernel: RemoveSmall | FillHoles, mask: Mask) -> Mask:
    """Return what a kernel makes of a mask in memory: the whole of it is one block."""
    volume = mask.reshape((1, *mask.shape)[-3:])
    z, y, x = volume.shape
    if not mask.size:
        return mask.copy()
    block, facts = BlockGrid((z, y, x), (z, y, x))[0], Facts((z, y, x), mask.dtype, kind="mask")
    finding = kernel.fitting(facts)
    assert finding is not None
    fitted = kernel.fitted(finding.finish(finding.block(volume, block), facts))
    return fitted(volume, block).reshape(mask.shape)


def _dual(connectivity: int) -> int:
    """Return the connectivity of the background that goes with one of the foreground."""
    return 26 if connectivity == 6 else 6


def _checked(mask: Any, connectivity: int) -> int:
    """Refuse what is no mask; return the connectivity in three axes."""
    check_image(mask)
    if not str(mask.dtype).endswith("bool"):
        raise ParameterError(
            f"an image of {mask.dtype} is no mask: which of its values is pore would be guessed. Give a mask (bool), "
            "such as image == value."
        )
    return in_three_axes(connectivity, mask.ndim)


def _check_size(name: str, size: int) -> None:
    if size < 1:
        raise ParameterError(f"{name}={size!r} is no size. Give a number of voxels, 1 or more.")
