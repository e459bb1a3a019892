"""Slices of mean 0 and standard deviation 1: the same grey level means the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.reduction import Reduction
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block, BlockGrid
from bigrock.kernels.arrays import standardize as arrays
from bigrock.kernels.backend import dtype_of, namespace
from bigrock.kernels.exact_sums import FLOAT_UNIT, mean_and_std
from bigrock.kernels.field_of_view import Cylinder, FieldOfView
from bigrock.kernels.slice_sums import SMALL, Sums, numbers, slice_sums
from bigrock.volumes.source import Facts, Kind

__all__ = ["Moments", "SliceMoments", "Standardize", "standardize"]

Array = npt.NDArray[Any]


def standardize(image: Array, *, per: Literal["slice", "volume"] = "slice") -> npt.NDArray[np.float32]:
    """Return an image whose slices, or which as a whole, have mean 0 and standard deviation 1.

    Takes out the slow change of brightness and contrast from slice to slice that scans have. A
    slice of one grey value becomes 0. Bitwise the same as `Standardize` over any blocks: the mean
    and the population deviation come from exact sums, then every voxel is
    ``(float32(v) - float32(mean)) * float32(1 / std)``.

    Parameters
    ----------
    image : ndarray of bool, integer or float, shape (z, y, x) or (y, x)
        Grey values, of numpy, cupy or any array module. Types wider than 16 bits are taken as float32.
    per : {"slice", "volume"}
        Whether each z slice, or the whole, is standardised.

    Returns
    -------
    ndarray of float32, same shape
        In standard deviations.

    Raises
    ------
    NonFiniteError
        If a voxel is NaN, infinite or beyond the range of float32.
    ParameterError
        If `per` is neither, or the image has not 2 or 3 axes, or no voxels.

    Examples
    --------
    >>> standardize(np.array([[[1, 3]], [[10, 30]]], np.uint8)).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    kernel = Standardize(per)
    if image.ndim not in (2, 3) or not image.size:
        raise ParameterError(
            f"an image of shape {image.shape} has no slices to standardise. Give z, y, x or y, x axes, "
            "none of them empty."
        )
    volume = image if image.ndim == 3 else image[None, ...]
    block = BlockGrid(volume.shape, volume.shape)[0]
    facts = Facts(volume.shape, dtype_of(volume))
    moments = SliceMoments()
    fitted = kernel.fitted(moments.finish(moments.block(volume, block), facts))
    result = fitted(volume, block)
    return result if image.ndim == 3 else result[0, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean and population standard deviation of every z slice and of the whole; from `SliceMoments`.

    Attributes
    ----------
    mean, std : ndarray of float64, shape (z,)
        Grey levels, slice by slice.
    volume_mean, volume_std : float
        Grey levels, of all voxels.
    """

    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    volume_mean: float
    volume_std: float


@dataclass(frozen=True)
class SliceMoments(Reduction):
    """The `Moments` of a volume, from any blocks in any order, bitwise as from one.

    A state holds three Python integers per slice, so no sum overflows or is rounded: integers as
    they are, types wider than 16 bits as float32, in units of 2**-149.

    Parameters
    ----------
    field_of_view : FieldOfView, optional
        Only what lies inside counts; a slice without such a voxel has mean and deviation 0.

    Examples
    --------
    >>> volume = np.array([[[1, 3]], [[10, 30]]], np.uint8)
    >>> moments, block = SliceMoments(), BlockGrid((2, 1, 2), (2, 1, 2))[0]
    >>> moments.finish(moments.block(volume, block), Facts((2, 1, 2), volume.dtype)).mean.tolist()
    [2.0, 20.0]
    """

    field_of_view: FieldOfView | None = None

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """None for up to 16 bits and float32; a float32 copy for other types; a copy of what is inside a field."""
        converted = 0.0 if str(dtype) in (*SMALL, "float32") else 4.0
        return converted + (dtype.itemsize + 1.0 if self.field_of_view is not None else 0.0)

    def state_bytes(self, facts: Facts) -> float:
        """Bytes of the sums of all slices, as Python holds them."""
        return 400.0 * facts.shape[0]

    def block(self, array: Array, block: Block) -> dict[int, Sums]:
        """Return number, sum and sum of squares of the voxels in each slice of the core."""
        core = array[block.trim]
        first = block.core.start[0]
        if dtype_of(core).kind not in "biuf":
            raise ParameterError(
                f"grey values of type {core.dtype} have no mean. Give integers, floats or a mask."
            )
        if self.field_of_view is None:
            return {first + z: values for z, values in enumerate(slice_sums(core, block))}
        # Zeros add nothing to the sums: only the numbers of voxels must be those inside.
        xp, inside = namespace(core), self.field_of_view.inside(block.core)
        sums = slice_sums(xp.where(xp.asarray(inside), core, xp.zeros_like(core)), block)
        counts = np.broadcast_to(inside, core.shape).sum((1, 2))
        return {first + z: (int(counts[z]), total, squares) for z, (_, total, squares) in enumerate(sums)}

    def combine(self, a: dict[int, Sums], b: dict[int, Sums]) -> dict[int, Sums]:
        """Return the sums over both parts."""
        for z, (count, total, squares) in b.items():
            n, s, q = a.get(z, (0, 0, 0))
            a[z] = n + count, s + total, q + squares
        return a

    def finish(self, state: dict[int, Sums], facts: Facts) -> Moments:
        """Return the moments of every slice and of the volume."""
        unit = Fraction(1) if str(facts.dtype) in SMALL else FLOAT_UNIT
        slices = [mean_and_std(*state[z], unit) if state[z][0] else (0, 0) for z in range(facts.shape[0])]
        mean, std = np.array(slices, np.float64).T.copy()
        count, total, squares = (sum(column) for column in zip(*state.values(), strict=True))
        if not count:
            raise ParameterError(
                "no voxel lies inside the field of view: nothing has a mean. Check its place."
            )
        return Moments(mean, std, *mean_and_std(count, total, squares, unit))


@dataclass(frozen=True, eq=False)
class Standardize(Kernel):
    """Every z slice, or the volume, to mean 0 and standard deviation 1, as float32.

    Must be fitted: the slices of a block are parts of slices. Bitwise the same as `standardize`
    of the whole volume, whatever the blocks. A slice of one grey value becomes 0.

    Parameters
    ----------
    per : {"slice", "volume"}
        What has mean 0 and deviation 1.
    mean, std : ndarray of float64, shape (z,) or (1,), optional
        Grey levels, one per slice or one for the volume; set by ``fit``.
    field_of_view : FieldOfView, optional
        What has mean 0 and deviation 1, such as the `Cylinder` of a round core: padding around it would
        shift both. Voxels outside are scaled like all others; see `MaskOutside`.

    Raises
    ------
    ParameterError
        If `per` is neither of the two.

    Examples
    --------
    >>> volume = np.array([[[1, 3]], [[10, 30]]], np.uint8)
    >>> block = BlockGrid((2, 1, 2), (2, 1, 2))[0]
    >>> kernel = Standardize(mean=np.array([2.0, 20.0]), std=np.array([1.0, 10.0]))
    >>> kernel(volume, block).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    per: Literal["slice", "volume"] = "slice"
    mean: npt.NDArray[np.float64] | None = None
    std: npt.NDArray[np.float64] | None = None
    field_of_view: Cylinder | FieldOfView | None = None

    def __post_init__(self) -> None:
        if self.per not in ("slice", "volume"):
            raise ParameterError(f"per={self.per!r} is not known. Use 'slice' or 'volume'.")

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """float32."""
        return np.dtype(np.float32)

    def output_kind(self, kind: Kind) -> Kind:
        """Grey levels."""
        return "grey"

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """None for up to 16 bits and float32; a float32 copy for other types."""
        return SliceMoments(self.field_of_view).scratch_bytes(dtype)

    def fitting(self, facts: Facts) -> SliceMoments | None:
        """Return the reduction that gives the mean and deviation, or None where they are known."""
        return SliceMoments(self.field_of_view) if self.mean is None or self.std is None else None

    def fitted(self, result: Moments) -> Standardize:
        """Return the kernel with the mean and deviation of a volume."""
        if self.per == "slice":
            return replace(self, mean=result.mean, std=result.std)
        return replace(self, mean=np.array([result.volume_mean]), std=np.array([result.volume_std]))

    def __call__(self, array: Array, block: Block) -> npt.NDArray[np.float32]:
        """Return the standardised core."""
        core = array[block.trim]
        mean, factor = self._of_slices(block)
        if namespace(core) is not np:
            return cast("npt.NDArray[np.float32]", arrays.scale_slices(core, mean, factor))
        from bigrock.kernels.compiled import scale_slices

        out = np.empty(core.shape, np.float32)
        scale_slices(numbers(core), mean, factor, out)
        return out

    def _of_slices(self, block: Block) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return what is subtracted from and what multiplies each slice of the core."""
        if self.mean is None or self.std is None:
            raise NotFittedError(
                "Standardize has no mean and deviation: a block alone does not know those of its slices. "
                "Call kernel.fit(volume) first, or let bigrock.run do it."
            )
        depth = block.volume[0] if self.per == "slice" else 1
        if not len(self.mean) == len(self.std) == depth:
            raise ParameterError(
                f"Standardize holds {len(self.mean)} means and {len(self.std)} deviations, and the volume needs "
                f"{depth}: slices would be scaled by those of others. Fit the kernel to this volume."
            )
        first, last = block.core.start[0], block.core.stop[0]
        rows = slice(first, last) if self.per == "slice" else np.zeros(last - first, np.intp)
        mean, std = self.mean[rows], self.std[rows]
        factor = np.divide(1.0, std, out=np.zeros(len(std)), where=std > 0)
        return mean.astype(np.float32), factor.astype(np.float32)
