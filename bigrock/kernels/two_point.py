"""Two-point correlation: how likely two points at a distance both lie in the phase."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import namespace
from bigrock.kernels.packed_rows import mask_volume, packed_rows
from bigrock.kernels.two_point_transform import lag_counts
from bigrock.volumes.source import Facts

__all__ = ["Correlogram", "PairCounts", "correlograms", "pairs_inside", "two_point_correlation"]

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Voxel = tuple[float, float, float]
Hits = dict[str, Counts]
"""Pairs by direction ("z", "y", "x", "radial") and lag."""


@dataclass(frozen=True, slots=True, eq=False)
class Correlogram:
    """S2 along one direction; made by `two_point_correlation`.

    Attributes
    ----------
    distance : ndarray of float64
        Lags; of a radial correlogram the mean length of the lattice vectors of the shell.
    probability : ndarray of float64
        S2: the share of pairs at this lag of which both voxels are of the phase.
    pairs : ndarray of int64
        All pairs at this lag that lie inside.
    """

    distance: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]
    pairs: Counts


def two_point_correlation(
    mask: Mask,
    *,
    max_lag: int,
    directions: Literal["axes", "radial"] = "axes",
    voxel_size: Voxel | None = None,
) -> dict[str, Correlogram]:
    """Return S2 of a mask along each axis, or over all directions by distance.

    S2(r) = P(x in phase and x + r in phase), over all pairs of voxels inside the volume: not
    periodic, nothing is padded. Exact integer counts, the same over blocks (`PairCounts`). Axes:
    three operations on 64-bit words per voxel and 64 lags. Radial: Fourier transforms in float64,
    rounded to the exact integers (the bound: `bigrock.kernels.two_point_transform`); 16 bytes
    per voxel of the volume enlarged by `max_lag`.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x) or (y, x)
        The phase is True.
    max_lag : int
        Longest lag, in voxels; of anisotropic voxels, in sides of the shortest. Lags longer than
        the volume are left out.
    directions : {"axes", "radial"}
        Radial: shell n holds the lattice vectors with n − ½ <= |r| < n + ½, every pair counts once.
    voxel_size : tuple of float, optional
        z, y, x in any unit, for the distances; 1 where not given.

    Returns
    -------
    dict of str to Correlogram
        Under "z", "y", "x", or "radial".

    Raises
    ------
    ParameterError
        If it is no mask, `max_lag` is below 1, or `directions` is not known.

    References
    ----------
    .. [1] Torquato S., "Random Heterogeneous Materials", Springer, 2002, chapter 2.
    .. [2] Berryman J. G., Blair S. C., "Use of digital image analysis to estimate fluid
       permeability of porous materials", J. Appl. Phys. 60, 1986.

    Examples
    --------
    >>> stripes = np.zeros((4, 4, 8), bool)
    >>> stripes[:, :, ::2] = True
    >>> two_point_correlation(stripes, max_lag=3)["x"].probability.tolist()
    [0.5, 0.0, 0.5, 0.0]
    """
    volume = mask_volume(mask)
    if directions not in ("axes", "radial"):
        raise ParameterError(f"directions={directions!r} is not known. Use 'axes' or 'radial'.")
    voxel = voxel_size or (1.0, 1.0, 1.0)
    counting = PairCounts(max_lag, _spacing(voxel), radial=directions == "radial")
    reach = counting.reach_in(volume.shape)
    if namespace(volume) is np:
        hits = counting.block(volume, Block(0, *(Region.whole(volume.shape),) * 2, volume.shape))
    elif counting.radial:
        from bigrock.kernels.arrays.two_point import count_lags

        hits = counting.by_direction(count_lags(volume, reach))
    else:
        from bigrock.kernels.arrays.two_point import count_axis_lags

        hits = dict(zip("zyx", count_axis_lags(volume, reach), strict=True))
    found = correlograms(counting, hits, pairs_inside(counting, volume.shape), min(voxel))
    names = ("radial",) if counting.radial else "zyx"[3 - len(mask.shape) :]
    return {name: found[name] for name in names}


@dataclass(frozen=True)
class PairCounts(Reduction):
    """Pairs of voxels of the phase by lag, along each axis and by distance; exact over blocks.

    Each block counts the pairs whose first voxel it owns, and reads a halo of the longest lag.

    Parameters
    ----------
    max_lag : int
        Longest lag, in sides of the shortest voxel side.
    spacing : tuple of float
        Voxel size, relative to its shortest side.
    radial : bool
        Whether all directions are counted, not the axes alone: about a hundred times the work.

    Raises
    ------
    ParameterError
        If `max_lag` is below 1.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> block = BlockGrid((1, 1, 4), (1, 1, 4))[0]
    >>> PairCounts(2).block(np.array([[[True, True, False, True]]]), block)["x"].tolist()
    [3, 1, 1]
    """

    max_lag: int
    spacing: Voxel = (1.0, 1.0, 1.0)
    radial: bool = False

    def __post_init__(self) -> None:
        if self.max_lag < 1:
            raise ParameterError(f"max_lag={self.max_lag} holds no pair of two voxels. Give 1 or more.")

    @property
    def halo(self) -> Shape:
        """The longest lag along each axis."""
        # Shell n ends before n + ½.
        z, y, x = (math.ceil((self.max_lag + 0.5) / s) - 1 for s in self.spacing)
        return z, y, x

    def reach_in(self, volume: Shape) -> Shape:
        """Return the longest lag along each axis for which a volume has pairs."""
        z, y, x = (min(r, n - 1) for r, n in zip(self.halo, volume, strict=True))
        return z, y, x

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The mask as bits, three times; two spectra with up to half as much room along y and x."""
        return 40.0 if self.radial else 1.0

    def state_bytes(self, facts: Facts) -> float:
        """Eight bytes for every lag."""
        return 8.0 * (sum(self.halo) + 3 + self.max_lag + 1)

    def block(self, array: Mask, block: Block) -> Hits:
        """Return the pairs whose first voxel lies in the core."""
        reach = self.reach_in(block.volume)
        if not self.radial:
            return _axis_hits(array, block, reach)
        # Half of all lags is enough: those to lower z are the others from the second voxel.
        start = (block.core.start[0], block.read.start[1], block.read.start[2])
        seen = Region(start, block.read.stop)
        second = array[seen.within(block.read)]
        _, y, x = block.core.within(seen)
        first = second if block.core == seen else array[block.trim]
        return self.by_direction(lag_counts(first, second, (0, y.start, x.start), reach))

    def by_direction(self, lags: Counts) -> Hits:
        """Return pairs by direction, given those of every lag of a half space."""
        reach = lags.shape[0] - 1, lags.shape[1] // 2, lags.shape[2] // 2
        shell, _ = _shells(reach, self.spacing, self.max_lag + 1)
        doubled = 2 * lags
        doubled[0] = lags[0]
        sums = np.zeros(self.max_lag + 2, np.int64)
        np.add.at(sums, shell, doubled.ravel())
        return {
            "z": lags[:, reach[1], reach[2]].copy(),
            "y": lags[0, reach[1] :, reach[2]].copy(),
            "x": lags[0, reach[1], reach[2] :].copy(),
            "radial": sums[:-1],
        }

    def combine(self, a: Hits, b: Hits) -> Hits:
        """Return the sum."""
        for name, counts in a.items():
            counts += b[name]
        return a


@functools.lru_cache(4)
def _shells(
    reach: Shape, spacing: Voxel, number: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the shell of every lag of a half space, and the mean length of the lags of each shell.

    Lags beyond the last shell are put into one more; a shell without lags has the mean NaN.
    """
    z = np.arange(reach[0] + 1) * spacing[0]
    y, x = (np.arange(-r, r + 1) * s for r, s in zip(reach[1:], spacing[1:], strict=True))
    length = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    shell = np.minimum(np.floor(length + 0.5).astype(np.int64), number).ravel()
    # Lags along positive z stand for those along negative z too.
    times = np.full(length.shape, 2.0)
    times[0] = 1.0
    members = np.bincount(shell, times.ravel(), number + 1)
    total = np.bincount(shell, (times * length).ravel(), number + 1)
    mean = np.divide(total, members, out=np.full(number + 1, np.nan), where=members > 0)
    return shell, mean[:number]


def pairs_inside(counting: PairCounts, volume: Shape) -> Hits:
    """Return all pairs of voxels inside a volume: what `counting` finds where all is phase."""
    reach = counting.reach_in(volume)
    if not counting.radial:
        total = math.prod(volume)
        return {
            name: (total // n * (n - np.arange(r + 1))).astype(np.int64)
            for name, n, r in zip("zyx", volume, reach, strict=True)
        }
    z = volume[0] - np.arange(reach[0] + 1)
    y, x = (n - np.abs(np.arange(-r, r + 1)) for n, r in zip(volume[1:], reach[1:], strict=True))
    return counting.by_direction(np.asarray(z[:, None, None] * y[:, None] * x, np.int64))


def correlograms(
    counting: PairCounts, hits: Mapping[str, Counts], pairs: Mapping[str, Counts], side: float
) -> dict[str, Correlogram]:
    """Return S2 by direction; `side` is the shortest voxel side. Lags without pairs are left out."""
    found = {}
    for name, inside in pairs.items():
        if name == "radial":
            # Over all lattice vectors of a shell, along axes on which there are pairs at all.
            flat = (not pairs[axis][1:].any() for axis in "zyx")
            z, y, x = (0 if none else r for none, r in zip(flat, counting.halo, strict=True))
            distance = _shells((z, y, x), counting.spacing, counting.max_lag + 1)[1] * side
        else:
            distance = np.arange(len(inside), dtype=np.float64) * counting.spacing["zyx".index(name)] * side
        known = inside > 0
        s2 = hits[name][known] / inside[known]
        found[name] = Correlogram(distance[known], s2, inside[known])
    return found


def _spacing(voxel: Voxel) -> Voxel:
    z, y, x = (side / min(voxel) for side in voxel)
    return z, y, x


def _axis_hits(array: Mask, block: Block, reach: Shape) -> Hits:
    from bigrock.kernels.two_point_loops import add_pairs_across, add_pairs_along

    core, hits = block.trim, {}
    first = packed_rows(array[core])
    words = first.shape[2]
    for axis, name in enumerate("zyx"):
        further = list(core)
        further[axis] = slice(core[axis].start, min(core[axis].stop + reach[axis], array.shape[axis]))
        second = packed_rows(array[tuple(further)])
        counts = hits[name] = np.zeros(reach[axis] + 1, np.int64)
        if axis == 2:
            # Words first, so that the loops run over rows however short they are.
            beyond = np.zeros((words + reach[2] // 64 + 2, first[..., 0].size), np.uint64)
            beyond[: second.shape[2]] = second.reshape(-1, second.shape[2]).T
            add_pairs_along(np.ascontiguousarray(first.reshape(-1, words).T), beyond, counts)
        else:
            planes, line = (1, words * first.shape[1]) if axis == 0 else (len(first), words)
            add_pairs_across(first.reshape(planes, -1), second.reshape(planes, -1), line, counts)
    return hits
