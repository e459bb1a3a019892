"""Grey values and their counts, and every statistic that follows from them alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["Histogram"]

_SINGLE_PRECISION_COUNT = 2**24


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Histogram:
    """Counts of the grey values of an image, with the statistics that follow from them.

    Of an integer image (up to 16 bits) every value has a bin and all results are exact. Of any
    other image a bin holds the float32 values that share sign, exponent and the first 7 bits of
    the fraction (so a bin is at most 2**-7 of its value wide): the counts, `mean`, `std`, `min`
    and `max` are still those of the float32 values, while `otsu` and `quantile` are resolved to
    a bin. Made by `grey_histogram` and `GreyHistogram`.

    Attributes
    ----------
    values : ndarray of int64 or float64, shape (bins,)
        Smallest grey value of each bin, ascending.
    counts : ndarray of uint64, shape (bins,)
        Voxels in each bin.
    exact : bool
        Whether a bin is one value.
    levels, uppers : ndarray of float64, shape (bins,)
        Mean of the voxels in each bin (`values` where it is empty), and largest value of each bin.
    min, max, mean, std : float
        Of all voxels, in grey levels; population standard deviation, correctly rounded moments.
    """

    values: npt.NDArray[Any]
    counts: npt.NDArray[np.uint64]
    exact: bool
    levels: npt.NDArray[np.float64]
    uppers: npt.NDArray[np.float64]
    min: float
    max: float
    mean: float
    std: float

    def __repr__(self) -> str:
        return (
            f"Histogram(total={self.total}, min={self.min:g}, max={self.max:g}, mean={self.mean:g}, "
            f"std={self.std:g})"
        )

    @property
    def total(self) -> int:
        """Number of voxels that were counted."""
        return int(self.counts.sum())

    def quantile(self, q: float) -> float:
        """Return the smallest grey value that at least a fraction `q` of the voxels does not exceed.

        Exact for integer images (``numpy.quantile(..., method="inverted_cdf")``); for others
        interpolated inside its bin, so at most 2**-7 of the value off.

        Parameters
        ----------
        q : float
            Fraction, 0 to 1.

        Returns
        -------
        float
            Grey level.

        Raises
        ------
        ParameterError
            If `q` is outside 0 to 1.

        Examples
        --------
        >>> from bigrock.kernels import grey_histogram
        >>> grey_histogram(np.arange(100, dtype=np.uint8)).quantile(0.25)
        24.0
        """
        if not 0 <= q <= 1:
            raise ParameterError(f"quantile {q!r} is not a fraction. Give a number from 0 to 1.")
        if q in (0, 1):
            return self.max if q else self.min
        cumulative = np.cumsum(self.counts)
        rank = max(1, math.ceil(q * self.total))
        i = int(np.searchsorted(cumulative, rank))
        if self.exact:
            return float(self.values[i])
        inside = 1 - (int(cumulative[i]) - rank) / int(self.counts[i])
        value = float(self.values[i]) + inside * float(self.uppers[i] - self.values[i])
        return min(max(value, self.min), self.max)

    def otsu(self) -> float:
        """Return the threshold t that best parts the grey values into ``<= t`` and ``> t``.

        The maximum of the between-class variance; the first one where several are equal; the grey
        value itself of a constant image. Equal to `skimage.filters.threshold_otsu` for integer
        images of up to 2**24 voxels. Beyond that size scikit-image sums counts in single precision
        and rounds them, and this stays in double precision. For other images all bins are
        candidates (65536, not 256 between minimum and maximum) with their true means, and t is
        the largest value of a bin.

        Returns
        -------
        float
            Grey level; class 0 are the voxels ``<= t``.

        References
        ----------
        .. [1] Otsu N., "A threshold selection method from gray-level histograms", IEEE Trans.
           Syst. Man Cybern. 9(1), 1979.

        Examples
        --------
        >>> from bigrock.kernels import grey_histogram
        >>> grey_histogram(np.array([10, 11, 12, 200, 201, 202], np.uint8)).otsu()
        12.0
        """
        return min(float(self.uppers[self._split()]), self.max)

    def between_class_contrast(self) -> float:
        """Return the difference of the mean grey levels above and up to the Otsu threshold.

        The yardstick for "is there a second phase in this window": a local contrast far below the
        global one is noise. Exact to double rounding; 0 for a constant image.

        Returns
        -------
        float
            Grey levels, 0 or more.

        Examples
        --------
        >>> from bigrock.kernels import grey_histogram
        >>> grey_histogram(np.array([10, 12, 200, 202], np.uint8)).between_class_contrast()
        190.0
        """
        split = self._split() + 1
        dark, bright = self.counts[:split], self.counts[split:]
        if not bright.any():
            return 0.0
        return float(np.average(self.levels[split:], weights=bright)) - float(
            np.average(self.levels[:split], weights=dark)
        )

    def rebinned(self, n: int = 256) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint64]]:
        """Return the edges and counts of at most `n` bins of equal width, for plotting.

        Every voxel is counted once. For integer images a width is a whole number of grey values,
        so that no bin is taller than its neighbours only because it spans one value more; for
        others a source bin goes where its mean is.

        Parameters
        ----------
        n : int
            Most bins.

        Returns
        -------
        edges : ndarray of float64, shape (bins + 1,)
            Grey levels.
        counts : ndarray of uint64, shape (bins,)
            Voxels; their sum is `total`.

        Raises
        ------
        ParameterError
            If `n` is less than 1.

        Examples
        --------
        >>> from bigrock.kernels import grey_histogram
        >>> edges, counts = grey_histogram(np.arange(100, dtype=np.uint8)).rebinned(10)
        >>> edges[:3].tolist(), counts.tolist()[:3]
        ([0.0, 10.0, 20.0], [10, 10, 10])
        """
        if n < 1:
            raise ParameterError(f"{n} bins cannot hold a histogram. Give 1 or more.")
        if self.exact:
            width = float(-(-(int(self.max) - int(self.min) + 1) // n))
            bins = int((self.max - self.min) // width) + 1
        else:
            bins = n if self.max > self.min else 1
            width = (self.max - self.min) / bins or 1.0
        occupied = np.flatnonzero(self.counts)
        index = ((self.levels[occupied] - self.min) // width).astype(np.int64)
        counts = np.zeros(bins, np.uint64)
        np.add.at(counts, np.clip(index, 0, bins - 1), self.counts[occupied])
        edges = self.min + width * np.arange(bins + 1, dtype=np.float64)
        return edges, counts

    def to_dict(self) -> dict[str, Any]:
        """Return statistics and the occupied bins as JSON-able values.

        Examples
        --------
        >>> from bigrock.kernels import grey_histogram
        >>> grey_histogram(np.array([3, 3, 7], np.uint8)).to_dict()["counts"]
        [2, 1]
        """
        occupied = np.flatnonzero(self.counts)
        return {
            "total": self.total,
            "exact": self.exact,
            "min": self.min,
            "max": self.max,
            "mean": self.mean,
            "std": self.std,
            "quantiles": {f"{q:g}": self.quantile(q) for q in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)},
            "otsu": self.otsu(),
            "contrast": self.between_class_contrast(),
            "values": self.values[occupied].tolist(),
            "counts": self.counts[occupied].tolist(),
        }

    def _split(self) -> int:
        """Return the last bin of class 0."""
        occupied = np.flatnonzero(self.counts)
        first, last = int(occupied[0]), int(occupied[-1])
        if first == last:
            return last
        # Single precision for counts that it holds exactly: the products then round as in
        # scikit-image, and the same one of several nearly equal maxima is taken.
        precision = np.dtype("f4" if self.total <= _SINGLE_PRECISION_COUNT else "f8")
        counts: npt.NDArray[Any] = self.counts[first : last + 1].astype(precision)
        moments = counts * self.levels[first : last + 1]
        below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
        mean_below = np.cumsum(moments) / below
        mean_above = (np.cumsum(moments[::-1]) / above[::-1])[::-1]
        variance = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
        return first + int(np.argmax(variance))
