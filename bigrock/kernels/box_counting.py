"""Box-counting dimension of a phase and of its interface, of volumes and slice by slice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import dtype_of, namespace
from bigrock.kernels.box_counting_axes import check_axis, shortest_side, turned, volume_shape
from bigrock.kernels.box_counting_fit import BoxCounts, dyadic_sizes, fit_counts, sorted_sizes
from bigrock.kernels.box_counting_parts import (
    Boxes,
    OpenBoxes,
    boxes_of_block,
    scratch_per_voxel,
    waiting_bytes,
)
from bigrock.volumes.source import Facts

__all__ = ["BoxCounting", "BoxCounts", "BoxTally", "box_count"]

Array = npt.NDArray[Any]
Kind = Literal["phase", "interface"]

_FEWEST_BOXES = 4


def box_count(
    mask: Any,
    *,
    sizes: Iterable[int] | None = None,
    kind: Kind = "phase",
    fit: tuple[int, int] | None = None,
) -> BoxCounts:
    """Return how many boxes of each size a mask touches, and its box-counting dimension.

    N(ε) is the number of boxes of edge ε that hold the phase (or, of kind "interface", both
    phases), on one grid that begins at the first voxel; a box that the far border cuts is a box.
    The dimension is D = −d log N / d log ε, by least squares over `fit`. Exact, and bitwise the
    same as `BoxCounting` over any blocks; all powers of two together cost little more than one
    pass over the mask.

    Parameters
    ----------
    mask : ndarray of bool, 2-D or 3-D
        True where the phase is. Of numpy, cupy, or any module of the array API standard.
    sizes : iterable of int, optional
        Edges of the boxes in voxels; by default the powers of two from 1 to the shortest axis.
    kind : {"phase", "interface"}
        What a box must hold to be counted: the phase, or both phases.
    fit : (int, int), optional
        Smallest and largest size of the fit. By default up to a quarter of the shortest axis: with
        fewer than four boxes along an axis nearly every box is touched, whatever the shape [2]_.
        Sizes without any box (of the interface, size 1) are left out.

    Returns
    -------
    BoxCounts
        Sizes, counts, dimension, R², local slopes and fit range. The dimension is NaN where fewer
        than two sizes are left: an empty mask, a small one.

    Raises
    ------
    ParameterError
        If the mask is not bool, or has not two or three axes, or a parameter is not allowed.

    References
    ----------
    .. [1] Russell, Hanson, Ott (1980), Dimension of strange attractors, Phys. Rev. Lett. 45, 1175.
    .. [2] Foroutan-pour, Dutilleul, Smith (1999), Advances in the implementation of the
       box-counting method of fractal dimension estimation, Appl. Math. Comput. 105, 195.

    Examples
    --------
    >>> carpet = np.ones((1, 1), bool)
    >>> for _ in range(4):
    ...     carpet = np.kron(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool), carpet)
    >>> counted = box_count(carpet, sizes=(1, 3, 9, 27))
    >>> counted.counts.tolist(), round(counted.dimension, 5)
    ([4096, 512, 64, 8], 1.89279)
    """
    if dtype_of(mask) != np.bool_:
        raise ParameterError(
            f"an array of {mask.dtype} is no mask: which voxels are the phase would be a guess. Give a bool array, "
            "such as labels == 1."
        )
    if kind not in ("phase", "interface"):
        raise ParameterError(f"kind={kind!r} is not known. Use 'phase' or 'interface'.")
    shape = volume_shape(mask)
    counting = BoxCounting(None if sizes is None else sorted_sizes(sizes))
    volume = namespace(mask).reshape(mask, shape)
    if isinstance(volume, np.ndarray):
        whole = Region.whole(shape)
        state = counting.block(volume, Block(0, whole, whole, shape))
    else:
        from bigrock.kernels.arrays.box_counting import count_boxes

        state = _State(count_boxes(volume, counting._sizes(shape)), OpenBoxes())
    return counting.finish(state, Facts(shape, np.dtype(np.bool_))).fitted(kind, fit=fit)


@dataclass(frozen=True, slots=True, eq=False)
class BoxTally:
    """How many boxes of each size hold the phase, and how many both phases.

    Attributes
    ----------
    sizes : tuple of int
        Edges of the boxes in voxels.
    phase, interface : ndarray of uint64
        One count per size; of slices one row of counts per size, slice after slice.
    shortest : int
        Extent of the shortest axis, for the range of the fit.

    Examples
    --------
    >>> BoxTally((1, 2), np.array([2, 1]), np.array([0, 1]), 2).interface.tolist()
    [0, 1]
    """

    sizes: tuple[int, ...]
    phase: npt.NDArray[np.uint64]
    interface: npt.NDArray[np.uint64]
    shortest: int

    def fitted(
        self, kind: Kind, *, fit: tuple[int, int] | None = None, index: int | None = None
    ) -> BoxCounts:
        """Return the counts of one kind with their dimension.

        Parameters
        ----------
        kind : {"phase", "interface"}
            What a box must hold.
        fit : (int, int), optional
            Range of the fit, as for `box_count`.
        index : int, optional
            Number of the slice, of a tally of slices.
        """
        counts = self.phase if kind == "phase" else self.interface
        counts = counts if index is None else counts[:, index]
        return fit_counts(self.sizes, counts, largest=self.shortest // _FEWEST_BOXES, fit=fit)


@dataclass(slots=True)
class _State:
    """Counts by size, plane, and kind; and the boxes that other blocks share."""

    counts: npt.NDArray[np.uint64]
    open: OpenBoxes


@dataclass(frozen=True)
class BoxCounting(Reduction):
    """The `BoxTally` of a mask, from any blocks in any order; `box_count` for volumes on disk.

    No halo is read: boxes that lie in several blocks are kept until all of them have come. Cheapest
    where blocks are multiples of the boxes, as they are of powers of two.

    Parameters
    ----------
    sizes : tuple of int, optional
        Edges in voxels; by default the powers of two up to the shortest axis.
    axis : {0, 1, 2}, optional
        Count squares in every slice across this axis, instead of cubes in the volume.

    Examples
    --------
    >>> from bigrock.engine import reduce
    >>> from bigrock.volumes import ArraySource
    >>> mask = np.zeros((4, 4, 4), bool)
    >>> mask[0, 0] = True
    >>> [tally] = reduce(ArraySource(mask), [BoxCounting()], block=(3, 3, 3))
    >>> tally.phase.tolist(), tally.interface.tolist()
    ([4, 2, 1], [0, 2, 1])
    """

    sizes: tuple[int, ...] | None = None
    axis: int | None = None

    def __post_init__(self) -> None:
        if self.sizes is not None:
            object.__setattr__(self, "sizes", sorted_sizes(self.sizes))
        check_axis(self.axis)

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """A copy of the core, and least and greatest value of its boxes."""
        return dtype.itemsize + scratch_per_voxel(dtype)

    def state_bytes(self, facts: Facts) -> float:
        """Counts, and the boxes that wait for other blocks."""
        shape = turned(facts.shape, self.axis)
        sizes = self._sizes(facts.shape)
        return 16.0 * len(sizes) * self._planes(facts.shape) + waiting_bytes(shape, 1, sizes)

    def block(self, array: Array, block: Block) -> _State:
        """Return the counts of the boxes in the core, and what it holds of shared boxes."""
        core = array[block.trim]
        image = np.ascontiguousarray(core if self.axis is None else np.moveaxis(core, self.axis, 0))
        region = Region(turned(block.core.start, self.axis), turned(block.core.stop, self.axis))
        volume, sizes = turned(block.volume, self.axis), self._sizes(block.volume)
        counts = np.zeros((len(sizes), self._planes(block.volume), 2), np.uint64)
        state = _State(counts, OpenBoxes())
        for boxes in boxes_of_block(image.view(np.uint8), region, volume, sizes, flat=self.axis is not None):
            if boxes.complete:
                self._count(boxes, state)
            else:
                state.open.add(boxes)
        return state

    def combine(self, a: _State, b: _State) -> _State:
        """Return the sum, with the boxes counted that are complete now."""
        a.counts += b.counts
        a.open.merge(b.open)
        for boxes in a.open.completed():
            self._count(boxes, a)
        return a

    def finish(self, state: _State, facts: Facts) -> BoxTally:
        """Return the counts of the whole volume."""
        counts = state.counts[:, 0] if self.axis is None else state.counts
        shape = turned(facts.shape, self.axis)
        shortest = shortest_side(shape if self.axis is None else shape[1:])
        return BoxTally(self._sizes(facts.shape), counts[..., 0], counts[..., 1], shortest)

    def _sizes(self, shape: Shape) -> tuple[int, ...]:
        if self.sizes is not None:
            return self.sizes
        turn = turned(shape, self.axis)
        return dyadic_sizes(1, shortest_side(turn if self.axis is None else turn[1:]))

    def _planes(self, shape: Shape) -> int:
        return 1 if self.axis is None else shape[self.axis]

    def _count(self, boxes: Boxes, state: _State) -> None:
        from bigrock.kernels.box_counting_loops import add_phases

        counts = np.zeros((boxes.lows.shape[0], 2), np.uint64)
        add_phases(boxes.lows, boxes.highs, counts)
        if self.axis is None:
            state.counts[boxes.level, 0] += counts.sum(0)
        else:
            state.counts[boxes.level, boxes.first[0] :][: len(counts)] += counts
