"""Gliding-box lacunarity: how unevenly a phase, or grey value, fills the boxes of a size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import dtype_of, namespace
from bigrock.kernels.box_counting_axes import check_axis, shortest_side, turned, volume_shape
from bigrock.kernels.box_counting_fit import sorted_sizes
from bigrock.volumes.source import Facts

__all__ = ["BoxMasses", "GlidingBoxes", "check_fit", "greatest_mass", "lacunarity"]

Array = npt.NDArray[Any]

_MASSES = ("bool", "uint8", "uint16", "uint32")
_WORTH = (0, 0, 32, 0, 32, 64, 96)


class _Field(Protocol):
    """What shows rock: a field of view."""

    def inside(self, region: Region) -> npt.NDArray[np.bool_]: ...


def lacunarity(image: Any, *, sizes: Iterable[int]) -> npt.NDArray[np.float64]:
    """Return the gliding-box lacunarity Λ(r) of a mask or a grey image for every box size r.

    A box of r × r (× r) voxels is placed at every voxel where it fits in the image, M is the sum of
    its voxels, and Λ(r) = E[M²] / E[M]² = 1 + variance / mean². (The default of FracLac is without
    the 1.) Λ(r) ≥ 1, and 1 where every box holds the same. Sums are exact integers, so the result
    is correctly rounded, and bitwise the same as `GlidingBoxes` over any blocks. The cost does not
    depend on the size of the box.

    Parameters
    ----------
    image : ndarray of bool, uint8, uint16 or uint32, 2-D or 3-D
        True, or grey values as masses. Of numpy, cupy, or any module of the array API standard.
    sizes : iterable of int
        Edges r of the boxes in voxels, none longer than an axis. Of an image with one slice the
        boxes are squares.

    Returns
    -------
    ndarray of float64
        Λ for every size, in ascending order of the sizes, each once; NaN where all masses are 0.

    Raises
    ------
    ParameterError
        If the image is of another type, or a box does not fit in it.

    References
    ----------
    .. [1] Allain, Cloitre (1991), Characterizing the lacunarity of random and deterministic fractal
       sets, Phys. Rev. A 44, 3552.
    .. [2] Plotnick, Gardner, Hargrove, Prestegaard, Perlmutter (1996), Lacunarity analysis: a
       general technique for the analysis of spatial patterns, Phys. Rev. E 53, 5461.

    Examples
    --------
    >>> stripes = np.zeros((8, 8), bool)
    >>> stripes[:, ::2] = True
    >>> lacunarity(stripes, sizes=(1, 2)).tolist()
    [2.0, 1.0]
    """
    shape = volume_shape(image)
    gliding = GlidingBoxes(tuple(sizes))
    check_fit(gliding.sizes, shape)
    volume = namespace(image).reshape(image, shape)
    if isinstance(volume, np.ndarray):
        whole = Region.whole(shape)
        sums = gliding.block(volume, Block(0, whole, whole, shape))
        return gliding.finish(sums, Facts(shape, image.dtype)).lacunarity()
    from bigrock.kernels.arrays.gliding_box import box_masses

    top = greatest_mass(dtype_of(image))
    found = [box_masses(volume, _window(shape, size), top) for size in gliding.sizes]
    return BoxMasses(gliding.sizes, *np.array(found, object).T).lacunarity()


def check_fit(sizes: tuple[int, ...], shape: Shape) -> None:
    """Refuse boxes that do not fit in a volume; an axis of one voxel does not count.

    Raises
    ------
    ParameterError
        If a size is longer than an axis.

    Examples
    --------
    >>> check_fit((2, 16), (1, 16, 20))
    """
    if sizes[-1] > shortest_side(shape):
        raise ParameterError(
            f"boxes of {sizes[-1]} voxels do not lie anywhere inside a volume of {shape}: their lacunarity is not "
            f"known. Use sizes up to {shortest_side(shape)}."
        )


@dataclass(frozen=True, slots=True, eq=False)
class BoxMasses:
    """Number of boxes of each size, and sums of their masses; exact integers.

    Attributes
    ----------
    sizes : tuple of int
        Edges of the boxes in voxels.
    boxes, total, squares : ndarray of object (int)
        Number of boxes, ΣM and ΣM²: one per size; of slices one row per size.

    Examples
    --------
    >>> BoxMasses((1,), *np.array([[2], [3], [5]], object)).lacunarity().tolist()
    [1.1111111111111112]
    """

    sizes: tuple[int, ...]
    boxes: Array
    total: Array
    squares: Array

    def lacunarity(self) -> npt.NDArray[np.float64]:
        """Return Λ = N ΣM² / (ΣM)², correctly rounded; NaN where there is no mass."""
        ratio = np.frompyfunc(lambda n, m, mm: n * mm / (m * m) if m else np.nan, 3, 1)
        return np.asarray(ratio(self.boxes, self.total, self.squares), np.float64)


@dataclass(frozen=True)
class GlidingBoxes(Reduction):
    """The `BoxMasses` of a volume, from any blocks in any order; `lacunarity` for volumes on disk.

    A block looks at the boxes that begin in its core, and reads a halo for what they reach beyond
    it. Boxes that do not fit in the volume are no boxes.

    Parameters
    ----------
    sizes : tuple of int
        Edges in voxels.
    axis : {0, 1, 2}, optional
        Squares in every slice across this axis, instead of cubes in the volume.
    field : FieldOfView, optional
        Of masks: only boxes that lie wholly inside count. Twice the time or more.

    Examples
    --------
    >>> from bigrock.engine import reduce
    >>> from bigrock.volumes import ArraySource
    >>> volume = np.eye(4, dtype=bool)[None]
    >>> [masses] = reduce(ArraySource(volume), [GlidingBoxes(sizes=(2,))], block=(1, 3, 1))
    >>> masses.boxes.tolist(), masses.total.tolist(), masses.squares.tolist()
    ([9], [10], [16])
    """

    sizes: tuple[int, ...]
    axis: int | None = None
    field: _Field | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", sorted_sizes(self.sizes))
        check_axis(self.axis)

    @property
    def halo(self) -> Shape:
        """What the largest box reaches beyond the core; on both sides, as halos are."""
        z, y, x = (0 if i == self.axis else self.sizes[-1] - 1 for i in range(3))
        return z, y, x

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """A copy of the voxels, the sums of one plane, and the values of a field of view."""
        return dtype.itemsize + 8.0 + (6.0 if self.field is not None else 0.0)

    def state_bytes(self, facts: Facts) -> float:
        """Seven columns for every size and slice."""
        return 56.0 * len(self.sizes) * (1 if self.axis is None else facts.shape[self.axis])

    def block(self, array: Array, block: Block) -> npt.NDArray[np.uint64]:
        """Return the sums over the boxes that begin in the core: size, slice, column."""
        flat = self.axis is not None
        volume, start = turned(block.volume, self.axis), turned(block.core.start, self.axis)
        stop = turned(block.core.stop, self.axis)
        image, top, limit = self._masses(array, block)
        state = np.zeros((len(self.sizes), volume[0] if flat else 1, len(_WORTH)), np.uint64)
        for i, size in enumerate(self.sizes):
            window = _window(volume, size, flat=flat)
            ends = (min(b, n - w + 1) for b, n, w in zip(stop, volume, window, strict=True))
            z, y, x = (b - a for a, b in zip(start, ends, strict=True))
            if min(z, y, x) > 0:
                found = _glided(image, window, (z, y, x), top, limit)
                into = slice(start[0], start[0] + z) if flat else slice(0, 1)
                state[i, into] += found if flat else found.sum(0)
        return state

    def _masses(self, array: Array, block: Block) -> tuple[Array, int, int | None]:
        """Return what boxes from the core reach, axes turned; its greatest value; the limit of a mass."""
        stop = (min(b + h, n) for b, h, n in zip(block.core.stop, self.halo, block.volume, strict=True))
        part = Region(block.core.start, tuple(stop))  # type: ignore[arg-type]
        image, top, limit = array[part.within(block.read)], greatest_mass(array.dtype), None
        if self.field is not None:
            # A voxel outside is worth more than any box inside: it is then known by its mass.
            top = limit = self.sizes[-1] ** 3 + 1
            image = np.where(self.field.inside(part), image, np.uint32(top))
        turn = image if self.axis is None else np.moveaxis(image, self.axis, 0)
        turn = np.ascontiguousarray(turn)
        return turn.view(np.uint8) if turn.dtype.kind == "b" else turn, top, limit

    def combine(self, a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Return the sum."""
        a += b
        return a

    def finish(self, state: npt.NDArray[np.uint64], facts: Facts) -> BoxMasses:
        """Return the sums of the whole volume as integers."""
        state = state[:, 0] if self.axis is None else state
        parts = [state[..., i].astype(object) << worth for i, worth in enumerate(_WORTH)]
        return BoxMasses(self.sizes, parts[0], parts[1] + parts[2], np.sum(parts[3:], axis=0))


def _window(volume: Shape, size: int, *, flat: bool = False) -> Shape:
    """Return the shape of a box: flat in slices, and across axes of one voxel."""
    z, y, x = (1 if n == 1 or (flat and i == 0) else size for i, n in enumerate(volume))
    return z, y, x


def greatest_mass(dtype: np.dtype[Any]) -> int:
    """Return the greatest mass of a voxel of a type.

    Raises
    ------
    ParameterError
        If its values cannot be summed as exact masses.

    Examples
    --------
    >>> greatest_mass(np.dtype(np.uint8))
    255
    """
    if str(dtype) not in _MASSES:
        raise ParameterError(
            f"values of type {dtype} are no masses that can be summed exactly. Give one of {', '.join(_MASSES)}, "
            "for instance a mask, or grey values as uint16."
        )
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)


def _glided(image: Array, window: Shape, starts: Shape, top: int, limit: int | None) -> Array:
    """Return the columns of every plane of box positions, in the narrowest sums that hold them."""
    from bigrock.kernels.gliding_box_loops import glide

    z, y, x = window
    column, plate, box = top * z, top * z * y, top * z * y * x
    sums: tuple[type, type] = (np.uint64, np.uint64)
    wide = limit is not None or box * box * starts[2] >= 2**64
    if not wide and column < 2**16 and plate < 2**32:
        sums = (np.uint8, np.uint16) if column < 2**8 and plate < 2**16 else (np.uint16, np.uint32)
    plane: Array = np.empty(image.shape[1:], sums[0])
    row: Array = np.empty(image.shape[2] + 1, sums[1])
    out = np.zeros((starts[0], len(_WORTH)), np.uint64)
    glide(image, window, starts, np.uint64(2**64 - 1 if limit is None else limit), wide, plane, row, out)
    return out
