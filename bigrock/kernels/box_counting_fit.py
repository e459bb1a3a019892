"""From counts of boxes to a fractal dimension: the line, its range, and how straight it is."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["BoxCounts", "dyadic_sizes", "fit_counts", "sorted_sizes"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class BoxCounts:
    """Counts of boxes against their size, and the dimension that they tell.

    Attributes
    ----------
    sizes : ndarray of int64
        Edges of the boxes in voxels, ascending.
    counts : ndarray of uint64
        What was counted at each size.
    dimension : float
        Slope of log N on log(1/size) within `fit_range`; NaN where fewer than two sizes there
        have any box.
    r2 : float
        Share of the variance of log N that the line explains; NaN where all counts are equal.
    local_slopes : ndarray of float64
        Slope between each size and the next, one fewer than sizes; NaN beside a count of zero. A
        fractal has equal ones.
    fit_range : tuple of int, or None
        Smallest and largest size that the line was fitted to.

    Examples
    --------
    >>> from bigrock.kernels import box_count
    >>> box_count(np.ones((16, 16, 16), bool)).dimension
    3.0
    """

    sizes: npt.NDArray[np.int64]
    counts: npt.NDArray[np.uint64]
    dimension: float
    r2: float
    local_slopes: npt.NDArray[np.float64]
    fit_range: tuple[int, int] | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON has: lists and numbers, None for NaN.

        Examples
        --------
        >>> fit_counts((1, 2), np.array([0, 0], np.uint64), largest=2).to_dict()["dimension"] is None
        True
        """
        return {
            "sizes": self.sizes.tolist(),
            "counts": self.counts.tolist(),
            "dimension": _finite(self.dimension),
            "r2": _finite(self.r2),
            "local_slopes": [_finite(slope) for slope in self.local_slopes.tolist()],
            "fit_range": None if self.fit_range is None else list(self.fit_range),
        }


def fit_counts(
    sizes: tuple[int, ...], counts: Array, *, largest: int, fit: tuple[int, int] | None = None
) -> BoxCounts:
    """Return counts with their dimension: the least-squares slope of log N on log(1/size).

    Parameters
    ----------
    sizes : tuple of int
        Ascending, voxels.
    counts : ndarray of integer
        One for each size. Sizes without any box are left out of the fit.
    largest : int
        Largest size of the fit where `fit` is not given.
    fit : (int, int), optional
        Smallest and largest size of the fit.

    Returns
    -------
    BoxCounts
        With a dimension of NaN where fewer than two sizes are left.

    Raises
    ------
    ParameterError
        If `fit` is no range.

    Examples
    --------
    >>> fit_counts((1, 2, 4), np.array([64, 16, 4], np.uint64), largest=4).dimension
    2.0
    """
    smallest, largest = (1, largest) if fit is None else _checked_range(fit)
    # Base 2, and not numpy's, because it is exact for powers of two: so is then a whole dimension.
    x = np.array([math.log2(size) for size in sizes])
    y = np.array([math.log2(n) if n else math.nan for n in counts.tolist()])
    used = [i for i, size in enumerate(sizes) if smallest <= size <= largest and counts[i]]
    dimension = r2 = math.nan
    if len(used) > 1:
        dx, dy = x[used] - x[used].mean(), y[used] - y[used].mean()
        slope = float(dx @ dy / (dx @ dx))
        dimension = 0.0 - slope
        if dy.any():
            r2 = 1.0 - float(((dy - slope * dx) ** 2).sum() / (dy @ dy))
    return BoxCounts(
        sizes=np.array(sizes, np.int64),
        counts=np.asarray(counts, np.uint64),
        dimension=dimension,
        r2=r2,
        local_slopes=-np.diff(y) / np.diff(x),
        fit_range=(sizes[used[0]], sizes[used[-1]]) if len(used) > 1 else None,
    )


def sorted_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    """Return box sizes in ascending order, each once.

    Raises
    ------
    ParameterError
        If there is none, or one is no positive integer.

    Examples
    --------
    >>> sorted_sizes([9, 1, 3, 3])
    (1, 3, 9)
    """
    given = list(sizes)
    try:
        whole = sorted({operator.index(size) for size in given})
    except TypeError:
        whole = []
    if not whole or whole[0] < 1:
        raise ParameterError(
            f"sizes={given!r} are no sizes of boxes, which are whole numbers of voxels from 1 on. Give for "
            "instance sizes=(1, 2, 4, 8)."
        )
    return tuple(whole)


def dyadic_sizes(smallest: int, largest: int) -> tuple[int, ...]:
    """Return the powers of two from `smallest` (one of them) up to `largest`; at least the first.

    Examples
    --------
    >>> dyadic_sizes(2, 20)
    (2, 4, 8, 16)
    """
    return tuple(2**k for k in range(smallest.bit_length() - 1, max(smallest, largest).bit_length()))


def _checked_range(fit: tuple[int, int]) -> tuple[int, int]:
    smallest, largest = fit
    if not 0 < smallest < largest:
        raise ParameterError(
            f"fit={fit!r} is no range of box sizes: no line could be fitted. Give the smallest and the largest "
            "size in voxels, such as fit=(2, 32)."
        )
    return smallest, largest


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
