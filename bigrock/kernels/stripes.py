"""Stripes and curtains: lines along one axis of every slice, as FIB milling leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Block, BlockGrid, Shape
from bigrock.kernels.arrays.stripes import subtracted
from bigrock.kernels.backend import namespace, to_host
from bigrock.kernels.denoise import whole_image
from bigrock.kernels.stripes_profile import UNIT, check_lines, not_fitted, outstanding, over_slices
from bigrock.volumes.source import Facts, Kind

__all__ = ["RemoveStripes", "StripeProfile", "remove_stripes"]

Array = npt.NDArray[Any]
Along = Literal["y", "x"]
Sums = dict[tuple[int, int], npt.NDArray[np.int64]]


def remove_stripes(
    image: Array, *, limit: float, radius: int = 5, along: Along = "y", slices: int = 1
) -> Array:
    """Return an image without the stripes (curtains) that run along an axis of its slices.

    A stripe is a line that is a little too bright or dark over its whole length: by Σ clip(d, ± limit) / #(d uncut)
    over the line, where d is how far a voxel stands out from the median of the ``2 * radius + 1`` voxels across
    (one step towards Huber's estimate of location). The median and the limit keep out grains and pores, which
    plain column means are full of. This is subtracted. Sums are exact integers: bitwise the same as `RemoveStripes`
    over any blocks. The contrast of lone stripes falls to a tenth or less; stripes wider than `radius` are taken for
    structure, where stripes are dense their common level stays, and of those that fade along their length
    the mean is removed. Where that is not enough, do it twice.

    Parameters
    ----------
    image : ndarray of integer or float, (y, x) or (z, y, x)
        Grey values.
    limit : float
        Grey levels; about the strongest stripe plus three times the noise.
    radius : int
        Voxels to either side of a line that it is compared with; more than its width.
    along : {"y", "x"}
        Which way stripes run: "y" is down the slices, as FIB-SEM curtains do.
    slices : int
        Over how many slices a stripe stays the same, odd; the mean is taken over them too.

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
    B. Münch et al., Stripe and ring artifact removal with combined wavelet–Fourier filtering, Optics
    Express 17 (2009), for the problem. N. T. Vo et al., Superior techniques for eliminating ring artifacts, Optics
    Express 26 (2018), for medians instead of means. P. J. Huber, Robust estimation of a location
    parameter, Annals of Mathematical Statistics 35 (1964).

    Examples
    --------
    >>> image = np.full((40, 30), 100, np.uint8)
    >>> image[:, 12] += 7
    >>> int(remove_stripes(image, limit=20).max())
    100
    """
    return fitted_whole(RemoveStripes(limit, radius, along, slices), image)


@dataclass(frozen=True)
class StripeProfile(Reduction):
    """How much too bright every line of every slice is, as `remove_stripes` finds it; float32, (z, lines).

    Exact over any blocks. Costs 16 bytes per line.

    Parameters
    ----------
    limit, radius, along, slices
        As for `RemoveStripes`.

    Examples
    --------
    >>> StripeProfile(limit=20, radius=7).halo
    (0, 0, 7)
    """

    limit: float
    radius: int = 5
    along: Along = "y"
    slices: int = 1

    @property
    def halo(self) -> Shape:
        """The radius, across the lines."""
        return (0, 0, self.radius) if self.along == "y" else (0, self.radius, 0)

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The medians, and what finding them takes, and a slice in float64."""
        return dtype.itemsize * 3.0 + 3.0

    def state_bytes(self, facts: Facts) -> float:
        """Bytes of the sums."""
        return 16.0 * facts.shape[0] * _lines(facts.shape, self.along)

    def block(self, array: Array, block: Block) -> Sums:
        """Return the sums along the lines of the core."""
        axis = 0 if self.along == "y" else 1
        planes = outstanding(to_host(array), block, self.halo, self.limit)
        sums = np.stack([[apart.sum(axis), uncut.sum(axis)] for apart, uncut in planes]).astype(np.int64)
        return {(block.core.start[0], block.core.start[2 - axis]): sums}

    def combine(self, a: Sums, b: Sums) -> Sums:
        """Return the sums along the lines of both parts."""
        for place, sums in b.items():
            a[place] = a[place] + sums if place in a else sums
        return a

    def finish(self, state: Sums, facts: Facts) -> npt.NDArray[np.float32]:
        """Return the mean of every line."""
        total = np.zeros((facts.shape[0], 2, _lines(facts.shape, self.along)), np.int64)
        for (z, line), sums in state.items():
            total[z : z + sums.shape[0], :, line : line + sums.shape[2]] += sums
        apart, counts = np.moveaxis(over_slices(total, self.slices), 1, 0)
        return (apart / (np.maximum(counts, 1) * UNIT) * self.limit).astype(np.float32)


@dataclass(frozen=True, eq=False)
class RemoveStripes(Kernel):
    """The volume without stripes, as `remove_stripes`; must be fitted. Bitwise the same for any blocks.

    Parameters
    ----------
    limit : float
        Grey levels; about the strongest stripe plus three times the noise.
    radius : int
        Voxels to either side of a line that it is compared with; more than its width.
    along : {"y", "x"}
        Which way stripes run.
    slices : int
        Over how many slices a stripe stays the same, odd.
    profile : ndarray of float32, shape (z, lines), optional
        What is subtracted from every line; set by ``fit``.

    Examples
    --------
    >>> RemoveStripes(limit=20).fitting(Facts((4, 4, 4), np.dtype("u1")))
    StripeProfile(limit=20, radius=5, along='y', slices=1)
    """

    limit: float
    radius: int = 5
    along: Along = "y"
    slices: int = 1
    profile: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        check_lines(self.limit, self.radius, self.slices)
        if self.along not in ("y", "x"):
            raise ParameterError(f"along={self.along!r} is not known. Use 'y' (down the slices) or 'x'.")

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The result once more, slice by slice."""
        return dtype.itemsize + 1.0

    def fitting(self, facts: Facts) -> StripeProfile | None:
        """Return the reduction that finds the stripes, or None where they are known."""
        known = self.profile is not None
        return None if known else StripeProfile(self.limit, self.radius, self.along, self.slices)

    def fitted(self, result: npt.NDArray[np.float32]) -> RemoveStripes:
        """Return the kernel with the stripes of a volume."""
        return replace(self, profile=result)

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the core without stripes."""
        not_fitted("RemoveStripes", self.profile, (block.volume[0], _lines(block.volume, self.along)))
        assert self.profile is not None
        z, y, x = block.core.slices
        rows = self.profile[z, x][:, None, :] if self.along == "y" else self.profile[z, y][:, :, None]
        core = array[block.trim]
        xp = namespace(core)
        corrections: Sequence[Any] = [xp.asarray(row) for row in rows]
        result: Array = subtracted(core, list(corrections))
        return result


def _lines(shape: Shape, along: Along) -> int:
    return shape[2] if along == "y" else shape[1]


def fitted_whole(kernel: Kernel, image: Array) -> Any:
    """Return what a kernel that is fitted to an image makes of it."""
    volume = image if image.ndim == 3 else image[None, ...]
    if volume.ndim == 3 and volume.size:
        facts, block = Facts(volume.shape, np.dtype(volume.dtype)), BlockGrid(volume.shape, volume.shape)[0]
        reduction = kernel.fitting(facts)
        assert reduction is not None
        kernel = kernel.fitted(reduction.finish(reduction.block(volume, block), facts))
    return whole_image(kernel, image)
