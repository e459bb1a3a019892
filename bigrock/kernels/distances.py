"""Exact Euclidean distance to what is not the phase, of arrays and of volumes out of core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import NotFittedError, ParameterError, PhaseError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import namespace
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.distances_squares import box_of, lengths, squared_distances
from bigrock.kernels.packed_rows import mask_volume
from bigrock.volumes.source import Kind, Source, Voxel

__all__ = ["Distance", "distance", "distances_of_block"]

Array = npt.NDArray[Any]

_STACK_BYTES, _SLAB_BYTES = 6, 4
# What a worker has to spare beside its blocks, however small they are.
_LEAST_VOXELS = 1 << 21


def distance(mask: Any, *, voxel_size: float | Sequence[float] | None = None) -> Any:
    r"""Return the distance from the centre of each True voxel to the centre of the nearest False one.

    .. math:: d(v) = \min_{u \notin P} \sqrt{\textstyle\sum_a w_a^2 (v_a - u_a)^2}

    What is outside of the array is no background. Exact: squared distances are integers (with
    voxel edges whose squared ratios are no multiples of 2\ :sup:`-24`, up to a relative error of
    1.5e-8), and only the root is rounded to float32. Costs about 4 ns per voxel where pores are a
    few voxels wide, and more the wider they are; takes 12 bytes per voxel.

    Parameters
    ----------
    mask : ndarray of bool
        Two- or three-dimensional; True is the phase.
    voxel_size : float or sequence of float, optional
        Edge of a voxel, or edges along z, y, x; the result has the same unit. In voxels otherwise.

    Returns
    -------
    ndarray of float32
        0 outside of the phase; infinite everywhere where all voxels are of the phase.

    Raises
    ------
    ParameterError
        If the mask is not bool, not of two or three dimensions, or a voxel edge is not positive.

    References
    ----------
    .. [1] Saito T., Toriwaki J., "New algorithms for Euclidean distance transformation of an
       n-dimensional digitized picture", Pattern Recognition 27(11), 1994.

    Examples
    --------
    >>> distance(np.array([[False, True, True, True]])).tolist()
    [[0.0, 1.0, 2.0, 3.0]]
    >>> distance(np.array([[False, True, True, True]]), voxel_size=2.5).tolist()
    [[0.0, 2.5, 5.0, 7.5]]
    """
    metric = Metric.of(voxel_size, mask.ndim)
    if namespace(mask) is not np:
        from bigrock.kernels.arrays.distances import distances

        return distances(mask, metric)
    image = mask_volume(mask)
    return lengths(*squared_distances(image, Region.whole(image.shape), metric), metric).reshape(mask.shape)


@dataclass(frozen=True)
class Distance(Kernel):
    """Distance to what is not the phase, as `distance`, out of core. Exact; bitwise that of the whole.

    Each block reads `margin` around it. Whatever background lies beyond is farther than that, so
    every distance up to the margin is certain. Blocks that hold larger ones read again around just
    these, twice as wide until all are certain, in slabs, within the same memory.

    Parameters
    ----------
    voxel_size : tuple of float, optional
        Edges of a voxel, z, y, x; the result has the same unit. In voxels otherwise.
    margin : int
        Voxels read around a block at first (of the smallest edge). It decides only the cost.

    Raises
    ------
    ParameterError
        If an edge or the margin is not positive.
    PlanError
        In a block, where a distance of many thousand voxels takes more than the planned memory.

    Examples
    --------
    >>> import bigrock
    >>> from bigrock.volumes import ArraySource
    >>> mask = ArraySource(np.arange(6).reshape(1, 1, 6) > 1)
    >>> bigrock.run(Distance(), mask, "memory://distance-example.zarr", progress=False)[:].tolist()
    [[[0.0, 0.0, 1.0, 2.0, 3.0, 4.0]]]
    """

    voxel_size: Voxel | None = None
    margin: int = 32
    source: Source | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        Metric.of(self.voxel_size)
        if self.margin < 1:
            raise ParameterError(f"margin={self.margin} leaves nothing to look at. Use 1 or more voxels.")

    def given(self, source: Source) -> Distance:
        """Return the kernel that reads wider from `source` where it must."""
        return replace(self, source=source)

    @property
    def halo(self) -> Shape:
        """The margin, in voxels along each axis."""
        return Metric.of(self.voxel_size).reach(self.margin)

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Lengths in single precision."""
        return np.dtype(np.float32)

    def output_kind(self, kind: Kind) -> Kind:
        """Numbers, not a mask."""
        return "grey"

    def accepts(self, kind: Kind) -> bool:
        """Masks only."""
        return kind == "mask"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Squares at two stages, or the stack and the slab of a wider read."""
        return (_STACK_BYTES + _SLAB_BYTES) * (1 if Metric.of(self.voxel_size).whole else 2)

    def __call__(self, array: Array, block: Block) -> npt.NDArray[np.float32]:
        """Return the distances of the core."""
        if array.dtype.kind != "b":
            raise PhaseError(
                f"a distance needs a mask, not {array.dtype}. Threshold first, or select a class."
            )
        read = None if self.source is None else self.source.read
        return distances_of_block(array, block, Metric.of(self.voxel_size), self.margin, read)


def distances_of_block(
    array: Array, block: Block, metric: Metric, margin: int, read: Callable[[Region], Array] | None
) -> npt.NDArray[np.float32]:
    """Return the distances of a block's core; what exceeds the margin after reading more.

    Parameters
    ----------
    array : ndarray of bool
        The mask of `block.read`.
    block : Block
        What was read: the margin around the core.
    metric : Metric
        Squared edges of a voxel.
    margin : int
        In units of the smallest edge.
    read : callable, optional
        Returns the mask of any region.

    Raises
    ------
    NotFittedError
        If more must be read and there is no `read`.
    """
    cap = None if block.read == Region.whole(block.volume) else (margin + 1) ** 2
    squares, top = squared_distances(array, block.core.relative_to(block.read), metric, cap=cap)
    found = lengths(squares, top, metric)
    unsure = None if cap is None else box_of(squares == top)
    if unsure is not None:
        if read is None:
            raise NotFittedError(
                f"a distance in block {block.id} exceeds the margin of {margin} voxels, and the kernel does not know "
                "where to read more: it would be wrong. Use bigrock.run, or kernel.given(volume)."
            )
        from bigrock.kernels.distances_wide import fill_wide

        del squares
        planned = max(array.size, _LEAST_VOXELS) * (1 if metric.whole else 2)
        limits = (_STACK_BYTES * planned, _SLAB_BYTES * planned)
        fill_wide(read, unsure, block, metric, 2 * margin, limits, found)
    return found
