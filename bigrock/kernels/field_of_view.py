"""Which voxels show rock: the cylinder of a round core, or a given mask; the rest is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import dtype_of, namespace
from bigrock.volumes.source import Kind, Source

__all__ = ["Cylinder", "FieldOfView", "MaskField", "MaskOutside", "checked_field"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_SLAB_VOXELS = 2**24


class FieldOfView(Protocol):
    """Which voxels of a volume show rock; any frozen dataclass with this method."""

    def inside(self, region: Region) -> Mask:
        """Return True for the voxels of `region` that show rock; may have length 1 along axes."""


@dataclass(frozen=True)
class Cylinder:
    """A circle in every slice: voxels whose centres are at most `radius` from the axis. Exact.

    Parameters
    ----------
    centre_y, centre_x : float
        Axis along z, in voxels; the centre of voxel (0, 0) is at 0, 0.
    radius : float
        Voxels.

    Raises
    ------
    ParameterError
        If a number is not finite, or the radius is not positive.

    Examples
    --------
    >>> Cylinder(1, 1, 1).inside(Region((0, 0, 0), (9, 3, 3))).astype(int).tolist()
    [[[0, 1, 0], [1, 1, 1], [0, 1, 0]]]
    """

    centre_y: float
    centre_x: float
    radius: float

    def __post_init__(self) -> None:
        if not np.all(np.isfinite((self.centre_y, self.centre_x, self.radius))) or self.radius <= 0:
            raise ParameterError(
                f"{self} is no circle. Give a finite centre and a radius above 0, in voxels."
            )

    def inside(self, region: Region) -> Mask:
        """Return True for the voxels inside, of shape (1, y, x): the same for every slice."""
        (_, y0, x0), (_, y1, x1) = region.start, region.stop
        y, x = np.arange(y0, y1) - self.centre_y, np.arange(x0, x1) - self.centre_x
        within: Mask = (y * y)[:, None] + (x * x)[None, :] <= self.radius * self.radius
        return within[None]

    def voxels(self, shape: Shape) -> int:
        """Return how many voxels of a volume of `shape` are inside.

        Examples
        --------
        >>> Cylinder(1, 1, 1).voxels((10, 3, 3))
        50
        """
        return shape[0] * int(np.count_nonzero(self.inside(Region.whole((1, *shape[1:])))))


@dataclass(frozen=True)
class MaskField:
    """The voxels where a mask of the same shape is True. Exact; reads the mask beside the volume.

    Parameters
    ----------
    source : Source
        A `Volume` or any source of bool, such as the mask of a core of any outline.

    Raises
    ------
    ParameterError
        If the source is no mask.

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> field = MaskField(ArraySource(np.eye(3, dtype=bool)[None]))
    >>> field.voxels((1, 3, 3))
    3
    """

    source: Source

    def __post_init__(self) -> None:
        if np.dtype(self.source.dtype).kind != "b":
            raise ParameterError(
                f"a field of view of type {self.source.dtype} is no mask: which values are inside would be a guess. "
                "Give a volume of bool, for instance the output of a threshold."
            )

    def inside(self, region: Region) -> Mask:
        """Return the mask of the region."""
        if any(b > n for b, n in zip(region.stop, self.source.shape, strict=True)):
            raise ParameterError(
                f"the field of view has shape {self.source.shape}, and voxels up to {region.stop} are asked for: it "
                "belongs to another volume. Give a mask of the shape of the volume."
            )
        return self.source.read(region)

    def voxels(self, shape: Shape) -> int:
        """Return how many voxels of a volume of `shape` are inside; reads the whole mask."""
        if shape != tuple(self.source.shape):
            raise ParameterError(_other_volume(self, shape))
        step = max(1, _SLAB_VOXELS // (shape[1] * shape[2]))
        slabs = (Region((z, 0, 0), (min(z + step, shape[0]), *shape[1:])) for z in range(0, shape[0], step))
        return sum(int(np.count_nonzero(self.source.read(slab))) for slab in slabs)


def checked_field(field: FieldOfView, shape: Shape) -> FieldOfView:
    """Return the field of view, or raise where it cannot be one of a volume of `shape`; reads no voxel.

    Examples
    --------
    >>> checked_field(Cylinder(1, 1, 1), (9, 3, 3))
    Cylinder(centre_y=1, centre_x=1, radius=1)
    """
    if not hasattr(field, "inside"):
        given = repr(field) if isinstance(field, str) else type(field).__name__
        raise ParameterError(
            f"field_of_view={given} is no field of view. Give 'auto', a field such as Cylinder(500, 500, 480), or a "
            "mask as MaskField(volume)."
        )
    if isinstance(field, MaskField) and tuple(field.source.shape) != tuple(shape):
        raise ParameterError(_other_volume(field, shape))
    if isinstance(field, Cylinder):
        # The voxel that is nearest to the axis is inside, or none is.
        y, x = (
            int(np.clip(np.rint(c), 0, n - 1))
            for c, n in zip((field.centre_y, field.centre_x), shape[1:], strict=True)
        )
        if not field.inside(Region((0, y, x), (1, y + 1, x + 1))).any():
            raise ParameterError(
                f"{field} holds no voxel of a volume of {shape}: nothing would be measured. Give y, x and radius in "
                "voxels."
            )
    return field


def _other_volume(field: MaskField, shape: Shape) -> str:
    return (
        f"the field of view has shape {tuple(field.source.shape)} and the volume {tuple(shape)}: it belongs to another "
        "volume. Give a mask of the shape of the volume."
    )


@dataclass(frozen=True)
class MaskOutside(Kernel):
    """The volume with one value everywhere outside a field of view. Exact.

    Parameters
    ----------
    field_of_view : FieldOfView
        Such as a `Cylinder`.
    value : float
        What voxels outside become: a grey level, or 0 for False in a mask.

    Raises
    ------
    ParameterError
        Where it runs, if the data type of the volume does not hold the value.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> block = BlockGrid((1, 3, 3), (1, 3, 3))[0]
    >>> MaskOutside(Cylinder(1, 1, 1))(np.full((1, 3, 3), 7, np.uint8), block).tolist()
    [[[0, 7, 0], [7, 7, 7], [0, 7, 0]]]
    """

    field_of_view: Cylinder | FieldOfView
    value: float = 0.0

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The mask of the field."""
        return 1.0

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the core with the value outside."""
        xp, core, dtype = namespace(array), array[block.trim], dtype_of(array)
        with np.errstate(all="ignore"):
            held = np.asarray(self.value).astype(dtype)
        if float(held) != self.value and dtype.kind != "f":
            raise ParameterError(
                f"value={self.value} is not in a volume of {dtype}: outside voxels would become {held}. Give a value "
                "that the volume can hold."
            )
        inside = xp.asarray(self.field_of_view.inside(block.core))
        return cast("Array", xp.where(inside, core, xp.asarray(held.item(), dtype=array.dtype)))

    def accepts(self, kind: Kind) -> bool:
        """Every kind."""
        return True
