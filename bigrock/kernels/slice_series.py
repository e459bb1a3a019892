"""How every slice of a stack compares with the next one, and how strong the stripes through it are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import NotFittedError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import to_host
from bigrock.volumes.source import Facts

__all__ = ["SliceSeries", "SliceStatistics", "stripe_strength"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

BANDS = 4
_LEAST_ROWS = 8 * BANDS
_STRUCTURE = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class SliceStatistics:
    """What `SliceSeries` finds; pairs are those of slices z and z + 1.

    Attributes
    ----------
    correlation : ndarray of float64, shape (z - 1,)
        Pearson's, of all voxels of both slices; NaN where one of them has one grey value.
    identical : ndarray of bool, shape (z - 1,)
        Whether both hold the same grey values.
    curtains : ndarray of float64, shape (z,)
        Strength of stripes along y in grey levels, see `stripe_strength`; NaN of slices of few rows.
    window : ndarray, shape (z, rows, columns)
        The middle of every slice.
    """

    correlation: Floats
    identical: npt.NDArray[np.bool_]
    curtains: Floats
    window: Array


@dataclass(slots=True)
class SeriesState:
    """Sums so far, and the border slices that wait for those of the block above or below."""

    sums: dict[int, npt.NDArray[np.object_]] = field(default_factory=dict)
    columns: dict[tuple[int, int], npt.NDArray[np.int64]] = field(default_factory=dict)
    window: dict[Shape, Array] = field(default_factory=dict)
    borders: dict[Shape, Array] = field(default_factory=dict)

    def add(self, z: int, which: int, value: int) -> None:
        """Add to Σu (0), Σu² (1) or Σuu' with the next slice (2) of a slice."""
        self.sums.setdefault(z, np.zeros(3, object))[which] += value

    def meet(self, place: Shape, plane: Array) -> None:
        """Multiply a border slice with its neighbour where that is there, else let it wait."""
        other = self.borders.pop(place, None)
        if other is None:
            self.borders[place] = plane
        else:
            self.add(place[0] - 1, 2, _product(plane.astype(np.float64), other.astype(np.float64)))


@dataclass(frozen=True)
class SliceSeries(Reduction):
    """`SliceStatistics` of a stack from one read, bitwise the same for any blocks.

    Sums are of whole numbers, so they are exact: of grey values of up to 16 bits as they are, of others
    on 65536 levels from `low` to `high`. Neighbours in other blocks are met without reading them twice.
    Keeps the middle of every slice, which is what shifts are found from, and column sums.

    Parameters
    ----------
    low, high : float, optional
        Least and greatest grey value; needed for types wider than 16 bits.
    window : int
        Longest side of the middle part; shorter where 128 MiB do not hold one of every slice.

    Raises
    ------
    NotFittedError
        If it meets wide grey values without their range.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> stack = np.array([[[1, 3]], [[1, 3]], [[9, 2]]], np.uint8)
    >>> series, block = SliceSeries(), BlockGrid((3, 1, 2), (3, 1, 2))[0]
    >>> found = series.finish(series.block(stack, block), Facts((3, 1, 2), stack.dtype))
    >>> found.identical.tolist(), found.correlation.round(9).tolist()
    ([True, False], [1.0, -1.0])
    """

    low: float | None = None
    high: float | None = None
    window: int = 512

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The values as integers, and two slices as float64."""
        return 8.0

    def state_bytes(self, facts: Facts) -> float:
        """Column sums, the middle parts (once in parts, once whole), and sums as Python holds them."""
        z, _, x = facts.shape
        return z * (8.0 * BANDS * x + 300.0) + 2 * self.middle(facts.shape, facts.dtype).voxels * min(
            2, facts.dtype.itemsize
        )

    def middle(self, shape: Shape, dtype: np.dtype[Any]) -> Region:
        """Return the part of every slice that is kept."""
        (z, y, x), itemsize = shape, min(2, np.dtype(dtype).itemsize)
        side = min(self.window, max(64, int((2**27 / (z * itemsize)) ** 0.5)))
        rows, columns = min(y, side), min(x, side)
        first_y, first_x = (y - rows) // 2, (x - columns) // 2
        return Region((0, first_y, first_x), (z, first_y + rows, first_x + columns))

    def block(self, array: Array, block: Block) -> SeriesState:
        """Return the sums of the core, and its first and last slice."""
        core = self._levels(to_host(array)[block.trim])
        state, start, stop = SeriesState(), block.core.start, block.core.stop
        edges = [(k * block.volume[1]) // BANDS for k in range(BANDS + 1)]
        columns = np.zeros((len(core), BANDS, core.shape[2]), np.int64)
        before: Floats | None = None
        for i, plane in enumerate(core):
            values, z = plane.astype(np.float64), start[0] + i
            state.add(z, 0, int(plane.sum(dtype=np.uint64)))
            state.add(z, 1, _product(values, values))
            if before is not None:
                state.add(z - 1, 2, _product(before, values))
            for k, (first, last) in enumerate(pairwise(edges)):
                rows = slice(max(first, start[1]) - start[1], max(last, start[1]) - start[1])
                columns[i, k] = plane[rows].sum(axis=0, dtype=np.int64)
            before = values
        state.columns[start[0], start[2]] = columns
        if start[0] > 0:
            state.borders[start] = core[0].copy()
        if stop[0] < block.volume[0]:
            state.borders[stop[0], start[1], start[2]] = core[-1].copy()
        self._keep_middle(state, core, block)
        return state

    def combine(self, a: SeriesState, b: SeriesState) -> SeriesState:
        """Return the sums over both parts, and of the pairs of slices that have met."""
        for z, sums in b.sums.items():
            for which, value in enumerate(sums):
                a.add(z, which, value)
        for place, columns in b.columns.items():
            a.columns[place] = a.columns[place] + columns if place in a.columns else columns
        a.window.update(b.window)
        for border, plane in b.borders.items():
            a.meet(border, plane)
        return a

    def finish(self, state: SeriesState, facts: Facts) -> SliceStatistics:
        """Return the statistics of every slice and pair."""
        depth, rows, width = facts.shape
        region = self.middle(facts.shape, facts.dtype)
        window = np.empty(region.shape, next(iter(state.window.values())).dtype)
        for start, part in state.window.items():
            place = Region(start, tuple(a + n for a, n in zip(start, part.shape, strict=True)))
            window[place.within(region)] = part
        columns = np.zeros((depth, BANDS, width), np.int64)
        for (z, x), part in state.columns.items():
            columns[z : z + len(part), :, x : x + part.shape[2]] += part
        heights = np.diff([(k * rows) // BANDS for k in range(BANDS + 1)])
        curtains = np.full(depth, np.nan)
        if rows >= _LEAST_ROWS:
            curtains = stripe_strength(columns / heights[:, None]) * self._unit(facts.dtype)
        pairs = list(_pairs(state, depth, rows * width))
        correlation = np.array([r for r, _ in pairs], np.float64)
        return SliceStatistics(correlation, np.array([same for _, same in pairs], bool), curtains, window)

    def _keep_middle(self, state: SeriesState, core: Array, block: Block) -> None:
        region = self.middle(block.volume, core.dtype)
        begin = [max(a, b) for a, b in zip(region.start, block.core.start, strict=True)]
        end = [min(a, b) for a, b in zip(region.stop, block.core.stop, strict=True)]
        if all(a < b for a, b in zip(begin, end, strict=True)):
            part = Region((begin[0], begin[1], begin[2]), (end[0], end[1], end[2]))
            state.window[part.start] = core[part.within(block.core)].copy()

    def _levels(self, core: Array) -> Array:
        """Return the grey values as whole numbers from 0 on."""
        dtype = core.dtype
        if dtype.kind in "bu" and dtype.itemsize <= 2:
            return core.view(np.uint8) if dtype.kind == "b" else core
        if dtype.kind == "i" and dtype.itemsize <= 2:
            return (core.astype(np.int32) - np.iinfo(dtype).min).astype(np.uint16)
        if self.low is None or self.high is None:
            raise NotFittedError(
                f"SliceSeries needs the range of {dtype} grey values: blocks would be taken to different levels. "
                "Give low and high of the whole volume, or call stack_quality."
            )
        levels = np.clip((core.astype(np.float64) - self.low) / self._unit(dtype), 0, 65535)
        return np.rint(levels).astype(np.uint16)

    def _unit(self, dtype: np.dtype[Any]) -> float:
        """Return what one level is worth in grey levels."""
        if (dtype.itemsize <= 2 and dtype.kind in "biu") or self.low is None or self.high is None:
            return 1.0
        return (self.high - self.low) / 65535 or 1.0


def stripe_strength(profiles: Floats, *, radius: int = 7) -> Floats:
    """Return the standard deviation of the stripes that run down each slice, in grey levels.

    Every slice is cut across into bands, and each band averaged along y. What stands out from the median of
    the ``2 * radius + 1`` columns around it is compared between bands that do not touch: a stripe stands in
    all of them, grains, pores and noise in one. So the mean product of two bands is the variance of the
    stripes alone (cut at 3 robust deviations; 0 where it is negative). Stripes wider than `radius` are not
    seen. Exact to double rounding.

    Parameters
    ----------
    profiles : ndarray of float64, shape (slices, bands, columns)
        Mean grey value of every column of every band; three bands or more.
    radius : int
        Columns to either side.

    Returns
    -------
    ndarray of float64, shape (slices,)

    Examples
    --------
    >>> stripes = np.zeros((1, 4, 100))
    >>> stripes[..., 10::20] = 5.0
    >>> round(float(stripe_strength(stripes)[0]), 3)
    1.118
    """
    from scipy.ndimage import median_filter

    strengths = np.zeros(len(profiles))
    for z, bands in enumerate(profiles):
        apart = bands - median_filter(bands, size=(1, 2 * radius + 1), mode="nearest")
        limit = _STRUCTURE * 1.4826 * np.median(np.abs(apart), axis=1, keepdims=True)
        apart = np.where(limit > 0, np.clip(apart, -limit, limit), apart)
        products = [np.mean(apart[i] * b) for i in range(len(bands)) for b in apart[i + 2 :]]
        strengths[z] = np.sqrt(max(0.0, float(np.mean(products))))
    return strengths


def _pairs(state: SeriesState, depth: int, voxels: int) -> Iterator[tuple[float, bool]]:
    """Yield correlation and equality of every slice with the next."""
    for z in range(depth - 1):
        (s, q, product), (t, r, _) = state.sums[z], state.sums[z + 1]
        variances = (voxels * q - s * s) * (voxels * r - t * t)
        covariance = voxels * product - s * t
        yield (covariance / variances**0.5 if variances else np.nan), q + r == 2 * product


def _product(a: Floats, b: Floats) -> int:
    """Return the sum of the products of whole numbers; exact, as each row stays below 2**53."""
    return int(np.einsum("yx,yx->y", a, b).astype(np.uint64).sum())
