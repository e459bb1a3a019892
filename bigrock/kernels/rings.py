"""Rings: circles around the rotation axis that detector columns leave in tomographic slices."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.arrays.stripes import ring_corrections, subtracted
from bigrock.kernels.backend import namespace, to_host
from bigrock.kernels.stripes import fitted_whole
from bigrock.kernels.stripes_profile import UNIT, check_lines, not_fitted, outstanding, over_slices
from bigrock.volumes.source import Facts, Kind

__all__ = ["RemoveRings", "RingProfile", "remove_rings"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Centre = tuple[float, float]

_PARTS = 256
_FEW = 10.0


def remove_rings(
    image: Array, *, limit: float, radius: int = 5, centre: Centre | None = None, slices: int = 1
) -> Array:
    """Return an image without the rings around a centre of its slices.

    A ring is a circle that is a little too bright or dark all around: the radial profile, linear between whole
    radii, that fits best how far voxels stand out from the median of the square of ``2 * radius + 1`` voxels
    around them, cut to ± `limit` (least squares, weighted as one step towards Huber's estimate of
    location, as in `remove_stripes`). The median and the limit keep out grains and pores. The profile is
    subtracted. Rings of a few voxels around the centre are held back (as if ten more voxels stood out by nothing).
    Sums are exact integers: bitwise the same as `RemoveRings` over any blocks. The contrast of lone rings falls to a
    tenth or less; rings wider than `radius`, and arcs that do not close, remain in part.

    Parameters
    ----------
    image : ndarray of integer or float, (y, x) or (z, y, x)
        Grey values, reconstructed slices.
    limit : float
        Grey levels; about the strongest ring plus three times the noise.
    radius : int
        Voxels around each that it is compared with; more than the width of a ring.
    centre : (float, float), optional
        Rotation axis y, x in voxels; by default the middle of the slices. That of a round core is
        found by `detect_field_of_view`.
    slices : int
        Over how many slices a ring stays the same, odd; the profile is averaged over them.

    Returns
    -------
    ndarray, same shape and dtype
        Integers are rounded.

    Raises
    ------
    ParameterError
        If a setting is not allowed, or the image has other than 2 or 3 axes.
    NonFiniteError
        If a voxel is NaN or infinite.

    References
    ----------
    J. Sijbers, A. Postnov, Reduction of ring artefacts in high resolution micro-CT reconstructions,
    Physics in Medicine and Biology 49 (2004).

    Examples
    --------
    >>> y, x = np.ogrid[-30:31, -30:31]
    >>> ring = abs(np.hypot(y, x) - 20) < 1
    >>> image = np.where(ring, 107, 100).astype(np.uint8)
    >>> int(abs(remove_rings(image, limit=20).astype(int) - 100).max()) < int(abs(image - 100.0).max())
    True
    """
    return fitted_whole(RemoveRings(limit, radius, centre, slices), image)


@dataclass(frozen=True)
class RingProfile(Reduction):
    """How much too bright every ring of every slice is, as `remove_rings` finds it; float32, (z, radii).

    Exact over any blocks. Costs 24 bytes per ring.

    Parameters
    ----------
    limit, radius, centre, slices
        As for `RemoveRings`.

    Examples
    --------
    >>> RingProfile(limit=20).halo
    (0, 5, 5)
    """

    limit: float
    radius: int = 5
    centre: Centre | None = None
    slices: int = 1

    @property
    def halo(self) -> Shape:
        """The radius, in the slices."""
        return (0, self.radius, self.radius)

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The medians, and what finding them takes, and slices in float64."""
        return dtype.itemsize * 3.0 + 9.0

    def state_bytes(self, facts: Facts) -> float:
        """Bytes of the sums."""
        return 24.0 * facts.shape[0] * _rings(facts.shape, self.centre)

    def block(self, array: Array, block: Block) -> dict[int, npt.NDArray[np.int64]]:
        """Return the sums over rings of each slice of the core, in parts of `UNIT`."""
        inner, outer = _shares(block.core, block.volume, self.centre)
        rings, result = _rings(block.volume, self.centre), {}
        planes = outstanding(to_host(array), block, self.halo, self.limit)
        places, far = inner.ravel(), outer.ravel()
        near = _PARTS - far
        for z, (apart, uncut) in enumerate(planes, block.core.start[0]):
            values, kept = apart.ravel(), uncut.ravel()
            sums = np.empty((3, rings))
            for row, share, next_share in (
                (0, values * near, values * far),
                (1, kept * near**2, kept * far**2),
            ):
                sums[row] = np.bincount(places, share, rings)
                sums[row, 1:] += np.bincount(places, next_share, rings)[:-1]
            sums[2] = np.bincount(places, kept * near * far, rings)
            result[z] = sums.astype(np.int64)
        return result

    def combine(self, a: Any, b: Any) -> dict[int, npt.NDArray[np.int64]]:
        """Return the sums over rings of both parts."""
        for z, sums in b.items():
            a[z] = a[z] + sums if z in a else sums
        return dict(a)

    def finish(self, state: Any, facts: Facts) -> npt.NDArray[np.float32]:
        """Return the profile of every slice: least squares, linear between whole radii."""
        from scipy.linalg import solveh_banded

        totals = over_slices(np.stack([state[z] for z in range(facts.shape[0])]), self.slices)
        profiles = []
        for apart, own, shared in totals:
            normal = np.stack([own / _PARTS**2 + _FEW, shared / _PARTS**2])
            profiles.append(solveh_banded(normal, apart / (UNIT * _PARTS) * self.limit, lower=True))
        return np.stack(profiles).astype(np.float32)


@dataclass(frozen=True, eq=False)
class RemoveRings(Kernel):
    """The volume without rings, as `remove_rings`; must be fitted. Bitwise the same for any blocks.

    Parameters
    ----------
    limit : float
        Grey levels; about the strongest ring plus three times the noise.
    radius : int
        Voxels around each that it is compared with; more than the width of a ring.
    centre : (float, float), optional
        Rotation axis y, x in voxels; by default the middle of the slices.
    slices : int
        Over how many slices a ring stays the same, odd.
    profile : ndarray of float32, shape (z, radii), optional
        What is subtracted at every radius; set by ``fit``.

    Examples
    --------
    >>> RemoveRings(limit=20).fitting(Facts((4, 9, 9), np.dtype("u1")))
    RingProfile(limit=20, radius=5, centre=None, slices=1)
    """

    limit: float
    radius: int = 5
    centre: Centre | None = None
    slices: int = 1
    profile: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        check_lines(self.limit, self.radius, self.slices)

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Corrections of all slices, and the result once more, slice by slice."""
        return dtype.itemsize + 5.0

    def fitting(self, facts: Facts) -> RingProfile | None:
        """Return the reduction that finds the rings, or None where they are known."""
        known = self.profile is not None
        return None if known else RingProfile(self.limit, self.radius, self.centre, self.slices)

    def fitted(self, result: npt.NDArray[np.float32]) -> RemoveRings:
        """Return the kernel with the rings of a volume."""
        return replace(self, profile=result)

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the core without rings."""
        not_fitted("RemoveRings", self.profile, (block.volume[0], _rings(block.volume, self.centre)))
        assert self.profile is not None
        core = array[block.trim]
        xp = namespace(core)
        inner, outer = _shares(block.core, block.volume, self.centre)
        part = xp.asarray((outer / _PARTS).astype(np.float32))
        profiles = xp.asarray(self.profile[block.core.slices[0]])
        result: Array = subtracted(core, ring_corrections(profiles, xp.asarray(inner), part))
        return result


def _radii(region: Region, shape: Shape, centre: Centre | None) -> Floats:
    """Return how far the voxels of a slice of a region are from the axis."""
    cy, cx = ((n - 1) / 2 for n in shape[1:]) if centre is None else centre
    (_, y0, x0), (_, y1, x1) = region.start, region.stop
    y, x = np.arange(y0, y1) - cy, np.arange(x0, x1) - cx
    return np.sqrt((y * y)[:, None] + (x * x)[None, :])


def _shares(
    region: Region, shape: Shape, centre: Centre | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the whole radius within every voxel, and the share of the next one, in parts."""
    parts = np.rint(_radii(region, shape, centre) * _PARTS).astype(np.int64)
    return parts // _PARTS, parts % _PARTS


def _rings(shape: Shape, centre: Centre | None) -> int:
    """Return how many whole radii there are: up to the farthest corner, and one to interpolate to."""
    corners = ((0, 0), (0, shape[2] - 1), (shape[1] - 1, 0), (shape[1] - 1, shape[2] - 1))
    regions = (Region((0, y, x), (1, y + 1, x + 1)) for y, x in corners)
    return math.ceil(max(float(_radii(r, shape, centre)[0, 0]) for r in regions)) + 2
