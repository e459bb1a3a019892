"""Sources made of sources: a crop, and another data type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.voxels import check_region, native_dtype
from bigrock.volumes.source import Kind, Source, Voxel, facts_of

__all__ = ["Converted", "Cropped"]


@dataclass(frozen=True, slots=True)
class Cropped:
    """A box cut out of another source; costs nothing until it is read.

    Exact.

    Parameters
    ----------
    source : Source
        What is cropped.
    region : Region
        The box, in voxels of `source`.

    Raises
    ------
    ParameterError
        If the box is empty or not inside the source.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.volumes.formats import open_source
    >>> with tempfile.NamedTemporaryFile(suffix=".npy") as file:
    ...     np.save(file, np.arange(27).reshape(3, 3, 3)); file.flush()
    ...     crop = Cropped(open_source(file.name), Region((1, 1, 1), (3, 3, 3)))
    ...     crop.shape, crop.read(Region((0, 0, 0), (1, 1, 2)))
    ((2, 2, 2), array([[[13, 14]]]))
    """

    source: Source
    region: Region

    def __post_init__(self) -> None:
        check_region(self.region, self.source.shape, "the source that is cropped")

    @property
    def shape(self) -> Shape:
        """Extent of the box, z, y, x."""
        return self.region.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the source."""
        return self.source.dtype

    @property
    def voxel_size(self) -> Voxel | None:
        """Voxel size of the source."""
        return self.source.voxel_size

    @property
    def kind(self) -> Kind:
        """What the source's values mean."""
        return facts_of(self.source).kind

    @property
    def classes(self) -> dict[str, int]:
        """Class table of the source."""
        return facts_of(self.source).classes

    @property
    def read_unit(self) -> Shape:
        """The source's unit, no larger than the box; units may begin before the box does."""
        z, y, x = (min(unit, n) for unit, n in zip(self.source.read_unit, self.shape, strict=True))
        return z, y, x

    @property
    def read_scratch_bytes(self) -> float:
        """Bytes per voxel that reading the source takes."""
        return float(getattr(self.source, "read_scratch_bytes", 0.0))

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, counted from the corner of the box."""
        check_region(region, self.shape, "the crop")
        (a, b, c), (i, j, k), (p, q, r) = self.region.start, region.start, region.stop
        return self.source.read(Region((a + i, b + j, c + k), (a + p, b + q, c + r)))

    def identity(self) -> dict[str, Any]:
        """Return the identity of the source and the box."""
        return {
            "crop": {"start": list(self.region.start), "stop": list(self.region.stop)},
            "of": self.source.identity(),
        }


@dataclass(frozen=True, slots=True)
class Converted:
    """Another source in another data type, with the conversion stated and never guessed.

    One of three conversions, the same for every voxel whatever region is read:

    - `scale` = (low, high): low becomes the smallest and high the largest value of an integer type (0 and
      1 for a floating-point one); linear between, rounded half to even, clipped outside. Computed in
      float64, so exact for input of at most 53 bits.
    - `pore` = value: a boolean mask, True where the voxel equals it.
    - neither: a plain cast that must not change any value; one that would is an error.

    Parameters
    ----------
    source : Source
        What is converted.
    to : dtype-like
        The new type.
    scale : tuple of float, optional
        Grey levels that map to the ends of the new type's range.
    pore : int or float, optional
        The value of the pore class; `to` must then be bool.

    Raises
    ------
    ParameterError
        If the conversion is contradictory, or `scale` is not an increasing finite pair. While reading: if a
        plain cast would change a value, which it names.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.volumes.formats import open_source
    >>> with tempfile.NamedTemporaryFile(suffix=".npy") as file:
    ...     np.save(file, np.array([[[0.0, 0.5, 1.0, 9.0]]])); file.flush()
    ...     eight_bit = Converted(open_source(file.name), np.uint8, scale=(0, 1))
    ...     eight_bit.read(Region((0, 0, 0), (1, 1, 4)))
    array([[[  0, 128, 255, 255]]], dtype=uint8)
    """

    source: Source
    to: Any
    scale: tuple[float, float] | None = None
    pore: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", native_dtype(self.to, "the converted volume"))
        if self.scale is not None and self.pore is not None:
            raise ParameterError(
                f"scale={self.scale} and pore={self.pore} are two different conversions. Give one of them."
            )
        if (self.pore is not None) != (self.to == np.bool_):
            raise ParameterError(
                f"pore={self.pore} and dtype {self.to}: a mask needs the value of the pore class and type bool, "
                "other types take none. Give pore=VALUE with dtype bool, or neither."
            )
        if self.scale is not None:
            low, high = self.scale
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ParameterError(
                    f"scale={self.scale} is not an increasing pair of finite grey levels. Give (low, high), low < high."
                )

    @property
    def shape(self) -> Shape:
        """Extent of the source."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The new type."""
        return np.dtype(self.to)

    @property
    def voxel_size(self) -> Voxel | None:
        """Voxel size of the source."""
        return self.source.voxel_size

    @property
    def read_unit(self) -> Shape:
        """Read unit of the source."""
        return self.source.read_unit

    @property
    def kind(self) -> Kind:
        """A mask where the pore class was named, grey levels where they were scaled, else as before."""
        if self.pore is not None:
            return "mask"
        return "grey" if self.scale is not None else facts_of(self.source).kind

    @property
    def classes(self) -> dict[str, int]:
        """Class table of the source, where values are unchanged."""
        changed = self.pore is not None or self.scale is not None
        return {} if changed else facts_of(self.source).classes

    @property
    def read_scratch_bytes(self) -> float:
        """Bytes per voxel that reading the source takes, and those of its own type."""
        return float(getattr(self.source, "read_scratch_bytes", 0.0)) + self.source.dtype.itemsize

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, converted slice by slice."""
        data = self.source.read(region)
        if self.scale is None and self.pore is None and data.dtype == self.to:
            return data
        out = np.empty(data.shape, self.to)
        for z in range(len(data)):
            out[z] = self._convert(data[z], (region.start[0] + z, *region.start[1:]))
        return out

    def identity(self) -> dict[str, Any]:
        """Return the identity of the source and the conversion."""
        conversion = {"dtype": self.dtype.str, "scale": self.scale and list(self.scale), "pore": self.pore}
        return {"convert": conversion, "of": self.source.identity()}

    def _convert(self, plane: npt.NDArray[Any], corner: Shape) -> npt.NDArray[Any]:
        if self.pore is not None:
            return np.asarray(plane == self.pore)
        if self.scale is None:
            return _cast_unchanged(plane, self.dtype, corner)
        low, high = self.scale
        unit = np.clip((plane.astype(np.float64) - low) / (high - low), 0.0, 1.0)
        if self.dtype.kind == "f":
            return unit.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        top = float(np.nextafter(2.0**64, 0)) if self.dtype == np.uint64 else float(limits.max)
        if self.dtype == np.int64:
            top = float(np.nextafter(2.0**63, 0))
        levels = np.rint(unit * (float(limits.max) - float(limits.min)) + float(limits.min))
        return np.minimum(levels, top).astype(self.dtype)


def _cast_unchanged(plane: npt.NDArray[Any], dtype: np.dtype[Any], corner: Shape) -> npt.NDArray[Any]:
    """Return a slice in another type, or name the first value that would change."""
    with np.errstate(invalid="ignore", over="ignore"):
        cast = plane.astype(dtype)
        back = cast.astype(plane.dtype)
    changed = back != plane
    if plane.dtype.kind in "iu" and dtype.kind in "iu":
        changed |= (plane < 0) != (cast < 0)
    elif plane.dtype.kind == "f":
        changed &= ~(np.isnan(plane) & np.isnan(back))
    if changed.any():
        y, x = np.argwhere(changed)[0]
        where = (corner[0], corner[1] + int(y), corner[2] + int(x))
        raise ParameterError(
            f"value {plane[y, x]} at voxel {where} does not fit in {dtype} unchanged: a plain cast would alter "
            f"the image. Give scale=(low, high), the grey levels that become the ends of the range of {dtype}."
        )
    return cast
