"""Differential box counting: the fractal dimension of a grey image, no threshold needed."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import dtype_of, namespace
from bigrock.kernels.box_counting_axes import shortest_side, volume_shape
from bigrock.kernels.box_counting_fit import BoxCounts, dyadic_sizes, fit_counts, sorted_sizes
from bigrock.kernels.box_counting_parts import (
    Boxes,
    OpenBoxes,
    boxes_of_block,
    scratch_per_voxel,
    waiting_bytes,
)
from bigrock.volumes.source import Facts

__all__ = ["DifferentialBoxCounting", "differential_box_count", "grey_bits"]

Array = npt.NDArray[Any]

_GREY = ("uint8", "int8", "uint16", "int16")


def differential_box_count(
    image: Any,
    *,
    sizes: Iterable[int] | None = None,
    levels: int | None = None,
    fit: tuple[int, int] | None = None,
) -> BoxCounts:
    """Return how many boxes the grey surface of an image passes through, and its fractal dimension.

    The image is a surface over its voxels, cut into columns of s × s voxels (× s in a volume) and
    those into boxes of the grey height h = s·G/M, with G grey levels and M voxels along the
    shortest axis. A column meets n = ⌈max/h⌉ − ⌈min/h⌉ + 1 boxes, N(s) is the sum over all columns,
    and D = −d log N / d log s. D lies in (2, 3) for an image and, the same formula with cubes in
    place of squares being our generalisation of the paper, in (3, 4) for a volume. Exact (the
    ceilings are those of whole numbers), and bitwise the same as `DifferentialBoxCounting` over any
    blocks. Columns that the far border cuts count as columns. The estimate of the paper is known to
    be low for rough surfaces: synthetic ones of 256² voxels with D = 2.8, 2.5 and 2.2 give 2.40,
    2.26 and 2.10. Compare with it; do not read it as the dimension of a model.

    Parameters
    ----------
    image : ndarray of 8- or 16-bit integers, 2-D or 3-D
        Grey values; of signed ones the lowest possible is height 0. Of numpy, cupy, or any module
        of the array API standard.
    sizes : iterable of int, optional
        Edges s in voxels; by default the powers of two from 2 to M/2, as in the paper.
    levels : int, optional
        G; by default all values of the data type. Give it where a scan uses only a part of them.
    fit : (int, int), optional
        Smallest and largest size of the fit; by default up to M/2.

    Returns
    -------
    BoxCounts
        Sizes, N, dimension, R², local slopes and fit range.

    Raises
    ------
    ParameterError
        If the image is of another type, or a parameter is not allowed.

    References
    ----------
    .. [1] Sarkar, Chaudhuri (1994), An efficient differential box-counting approach to compute
       fractal dimension of image, IEEE Trans. Syst. Man Cybern. 24, 115.

    Examples
    --------
    >>> flat = np.full((64, 64), 100, np.uint8)
    >>> differential_box_count(flat).dimension
    2.0
    """
    shape = volume_shape(image)
    counting = DifferentialBoxCounting(None if sizes is None else sorted_sizes(sizes), levels, fit)
    bits = grey_bits(dtype_of(image))
    volume = namespace(image).reshape(image, shape)
    if isinstance(volume, np.ndarray):
        whole = Region.whole(shape)
        state = counting.block(volume, Block(0, whole, whole, shape))
    else:
        from bigrock.kernels.arrays.box_counting import sum_heights

        heights = _heights(counting._sizes(shape), shortest_side(shape), levels or 2**bits, bits)
        sums = sum_heights(volume, counting._sizes(shape), heights)
        state = _State(sums, shortest_side(shape), bits, OpenBoxes())
    return counting.finish(state, Facts(shape, dtype_of(image)))


@dataclass(slots=True)
class _State:
    """Sums of n by size; shortest side and bits per voxel of the volume; columns that others share."""

    sums: npt.NDArray[np.uint64]
    side: int
    bits: int
    open: OpenBoxes


@dataclass(frozen=True)
class DifferentialBoxCounting(Reduction):
    """The `differential_box_count` of a volume, from any blocks in any order.

    No halo is read: columns that lie in several blocks are kept until all of them have come.

    Parameters
    ----------
    sizes : tuple of int, optional
        Edges in voxels; by default the powers of two from 2 to half of the shortest axis.
    levels : int, optional
        Number of grey levels; by default all values of the data type.
    fit : (int, int), optional
        Smallest and largest size of the fit.

    Examples
    --------
    >>> from bigrock.engine import reduce
    >>> from bigrock.volumes import ArraySource
    >>> volume = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)
    >>> [counted] = reduce(ArraySource(volume), [DifferentialBoxCounting(sizes=(2, 4))], block=(3, 2, 4))
    >>> counted.counts.tolist()
    [9, 2]
    """

    sizes: tuple[int, ...] | None = None
    levels: int | None = None
    fit: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.sizes is not None:
            object.__setattr__(self, "sizes", sorted_sizes(self.sizes))
        if self.levels is not None and self.levels < 2:
            raise ParameterError(f"levels={self.levels} grey levels make no surface. Give 2 or more.")

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """A copy of the core, one more of signed values, and the extremes of the columns."""
        return dtype.itemsize * (1 + (dtype.kind == "i")) + scratch_per_voxel(dtype)

    def state_bytes(self, facts: Facts) -> float:
        """The columns that wait for other blocks."""
        sizes = self._sizes(facts.shape)
        return 8.0 * len(sizes) + waiting_bytes(facts.shape, facts.dtype.itemsize, sizes)

    def block(self, array: Array, block: Block) -> _State:
        """Return the sums over the columns in the core, and what it holds of shared columns."""
        bits = grey_bits(array.dtype)
        image = _unsigned(np.ascontiguousarray(array[block.trim]))
        sizes = self._sizes(block.volume)
        state = _State(np.zeros(len(sizes), np.uint64), shortest_side(block.volume), bits, OpenBoxes())
        for boxes in boxes_of_block(image, block.core, block.volume, sizes):
            if boxes.complete:
                self._count(boxes, sizes, state)
            else:
                state.open.add(boxes)
        return state

    def combine(self, a: _State, b: _State) -> _State:
        """Return the sum, with the columns counted that are complete now."""
        a.sums += b.sums
        a.open.merge(b.open)
        for boxes in a.open.completed():
            self._count(boxes, self.sizes or dyadic_sizes(2, a.side // 2), a)
        return a

    def finish(self, state: _State, facts: Facts) -> BoxCounts:
        """Return the counts of the whole volume with their dimension."""
        return fit_counts(self._sizes(facts.shape), state.sums, largest=state.side // 2, fit=self.fit)

    def _sizes(self, shape: Shape) -> tuple[int, ...]:
        return self.sizes or dyadic_sizes(2, shortest_side(shape) // 2)

    def _count(self, boxes: Boxes, sizes: tuple[int, ...], state: _State) -> None:
        from bigrock.kernels.box_counting_loops import add_heights

        heights = _heights(sizes, state.side, self.levels or 2**state.bits, state.bits)[boxes.level]
        state.sums[boxes.level] += np.uint64(add_heights(boxes.lows, boxes.highs, heights))


@functools.lru_cache(maxsize=8)
def _heights(sizes: tuple[int, ...], side: int, levels: int, bits: int) -> Array:
    """Return ⌈v / h⌉ with h = s·G/M for every size s and grey value v."""
    scaled = np.arange(2**bits, dtype=np.int64) * side
    return np.stack([-(-scaled // (size * levels)) for size in sizes])


def grey_bits(dtype: np.dtype[Any]) -> int:
    """Return the bits of a grey value, which say how many levels there are.

    Raises
    ------
    ParameterError
        If the type is not one of 8- or 16-bit integers.

    Examples
    --------
    >>> grey_bits(np.dtype(np.int16))
    16
    """
    if str(dtype) not in _GREY:
        raise ParameterError(
            f"grey values of type {dtype} have no fixed number of levels, which the height of the boxes follows "
            f"from. Give one of {', '.join(_GREY)}, for instance after rescaling to 16 bits."
        )
    return 8 * dtype.itemsize


def _unsigned(image: Array) -> Array:
    """Return values in the same order that begin at 0; the same array where they do already."""
    if image.dtype.kind == "u":
        return image
    return image.view(f"u{image.itemsize}") ^ image.dtype.type(np.iinfo(image.dtype).min).view(
        f"u{image.itemsize}"
    )
