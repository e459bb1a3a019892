"""Slices of a volume of any size, small enough for a page, without loading the volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Region
from bigrock.volumes import Volume
from bigrock.volumes.levels import LevelSource
from bigrock.volumes.source import Source, Voxel

__all__ = ["PLANES", "Plane", "Slice", "read_slice"]

Plane = Literal["xy", "xz", "yz"]
"""The plane of a slice: horizontal axis and vertical axis of the picture, in either order."""

PLANES: tuple[Plane, ...] = ("xy", "xz", "yz")

_AXES: dict[str, tuple[int, int, int]] = {"xy": (0, 1, 2), "xz": (1, 0, 2), "yz": (2, 0, 1)}
_STRIP_VOXELS = 2**22


@dataclass(frozen=True, slots=True)
class Slice:
    """One plane of a volume, ready to be drawn.

    Parameters
    ----------
    pixels : array (rows, columns)
        Voxel values of the pyramid level that was read.
    plane : {"xy", "xz", "yz"}
        Rows are y, z, z; columns are x, x, y.
    index : int
        Position along the third axis, in voxels of the full resolution.
    step : int
        Voxels of the full resolution per pixel.
    voxel_size : tuple of float or None
        Metres z, y, x of a voxel of the full resolution.

    Examples
    --------
    >>> Slice(np.zeros((2, 3)), "xz", 5, 4, None).pitch
    (4.0, 4.0)
    """

    pixels: npt.NDArray[Any]
    plane: Plane
    index: int
    step: int
    voxel_size: Voxel | None

    @property
    def axis_names(self) -> tuple[str, str, str]:
        """The axis that is cut, the axis of the rows, the axis of the columns."""
        cut, rows, columns = _AXES[self.plane]
        return "zyx"[cut], "zyx"[rows], "zyx"[columns]

    @property
    def pitch(self) -> tuple[float, float]:
        """Height and width of a pixel: metres where the voxel size is known, otherwise voxels."""
        _, rows, columns = _AXES[self.plane]
        size = self.voxel_size or (1.0, 1.0, 1.0)
        return size[rows] * self.step, size[columns] * self.step


def read_slice(volume: Source, plane: Plane, index: int | None = None, *, longest: int = 1024) -> Slice:
    """Return one slice with at most `longest` pixels along either axis.

    Reads one slice of the finest pyramid level that is small enough; where no level is, every n-th
    voxel of the coarsest one. Takes the memory of one slice, whatever the volume.

    Parameters
    ----------
    volume : Source
        A `Volume`, or any source; those without pyramid levels are read at full resolution.
    plane : {"xy", "xz", "yz"}
        Which slice.
    index : int, optional
        Position along the third axis, in voxels; default the middle.
    longest : int
        Pixels allowed along the longer axis.

    Returns
    -------
    Slice
        Pixels and where they lie.

    Raises
    ------
    ParameterError
        If the index lies outside the volume.

    Examples
    --------
    >>> from bigrock.datasets import Sandstone
    >>> read_slice(Sandstone((8, 40, 60)), "xz", longest=30).pixels.shape
    (4, 30)
    """
    axes = _AXES[plane]
    size = volume.shape[axes[0]]
    index = size // 2 if index is None else index
    if not 0 <= index < size:
        raise ParameterError(
            f"slice {index} along {'zyx'[axes[0]]} is outside a volume of {size} slices. "
            f"Choose one between 0 and {size - 1}."
        )
    levels: list[Any] = volume.levels if isinstance(volume, Volume) else [volume]
    level, stride = _level_for(levels, axes, longest)
    source = LevelSource(volume, level) if level and isinstance(volume, Volume) else volume
    at = min(index >> level, source.shape[axes[0]] - 1)
    pixels = _read_plane(source, axes, at, stride)
    return Slice(pixels, plane, index, stride << level, volume.voxel_size)


def _level_for(levels: list[Any], axes: tuple[int, int, int], longest: int) -> tuple[int, int]:
    """Return the finest level whose slice is small enough, and the stride where none is."""
    extents = [max(level.shape[axes[1]], level.shape[axes[2]]) for level in levels]
    for number, extent in enumerate(extents):
        if extent <= longest:
            return number, 1
    return len(levels) - 1, math.ceil(extents[-1] / longest)


def _read_plane(source: Source, axes: tuple[int, int, int], at: int, stride: int) -> npt.NDArray[Any]:
    """Return every stride-th voxel of a plane, read in strips of rows."""
    cut, rows, columns = axes
    height, width = source.shape[rows], source.shape[columns]
    strip = max(1, _STRIP_VOXELS // (width * stride)) * stride
    parts = []
    for first in range(0, height, strip):
        start, stop = [0, 0, 0], [0, 0, 0]
        start[cut], stop[cut] = at, at + 1
        start[rows], stop[rows] = first, min(height, first + strip)
        stop[columns] = width
        region = Region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
        parts.append(source.read(region).squeeze(axis=cut)[::stride, ::stride])
    return np.concatenate(parts)
