"""Which arrays of a file count as a volume, and which file they came from.

Three axes z, y, x; real numbers or booleans in native byte order; a 2-D image is one slice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, SourceError, UnsupportedFormatError, VolumeNotFoundError
from bigrock.geometry import Region, Shape

__all__ = [
    "check_region",
    "file_identity",
    "native_dtype",
    "require_file",
    "unit_metres",
    "volume_shape",
    "voxel_from",
]

_UNIT_M = {
    "m": 1.0,
    "dm": 1e-1,
    "cm": 1e-2,
    "mm": 1e-3,
    "um": 1e-6,
    "µm": 1e-6,
    "μm": 1e-6,
    "\\u00b5m": 1e-6,
    "micron": 1e-6,
    "microns": 1e-6,
    "nm": 1e-9,
    "å": 1e-10,
    "angstrom": 1e-10,
    "pm": 1e-12,
    "in": 0.0254,
    "inch": 0.0254,
    "meter": 1.0,
    "metre": 1.0,
    "centimeter": 1e-2,
    "millimeter": 1e-3,
    "micrometer": 1e-6,
    "nanometer": 1e-9,
    "picometer": 1e-12,
}


def native_dtype(dtype: npt.DTypeLike, what: str) -> np.dtype[Any]:
    """Return a voxel type in native byte order, or refuse one that is no real number.

    Parameters
    ----------
    dtype : dtype-like
        The type as the file stores it.
    what : str
        The file or dataset, for the message.

    Returns
    -------
    numpy.dtype
        Boolean, integer or floating point, in the byte order of this machine.

    Raises
    ------
    UnsupportedFormatError
        If it is complex, text, a structure, or no type at all.

    Examples
    --------
    >>> native_dtype(">u2", "scan.raw")
    dtype('uint16')
    """
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise ParameterError(
            f"dtype {dtype!r} is not a number type. Give one such as 'uint8', '>u2' or 'float32'."
        ) from error
    if found.kind not in "buif" or found.itemsize > 8:
        raise UnsupportedFormatError(
            f"{what} holds {found} values, which are not grey levels or classes. "
            "Convert them to an integer or a floating-point type of at most 64 bits."
        )
    return found.newbyteorder("=")


def volume_shape(shape: Sequence[int], what: str) -> Shape:
    """Return z, y, x of an array: leading axes of length 1 are dropped, a 2-D image is one slice.

    Raises
    ------
    SourceError
        If the array has fewer than two axes, an empty one, or more than three that are not 1.

    Examples
    --------
    >>> volume_shape((1, 1, 20, 30, 40), "scan.npy"), volume_shape((30, 40), "slice.npy")
    ((20, 30, 40), (1, 30, 40))
    """
    axes = [int(n) for n in shape]
    while len(axes) > 3 and axes[0] == 1:
        del axes[0]
    if len(axes) == 2:
        axes.insert(0, 1)
    if len(axes) != 3 or min(axes) < 1:
        raise SourceError(
            f"{what} holds an array of shape {tuple(shape)}: a volume has the three axes z, y, x, and only leading "
            "axes of length 1 can be dropped. Select one channel or time step and save it as a 3-D array."
        )
    return axes[0], axes[1], axes[2]


def check_region(region: Region, shape: Shape, what: str) -> None:
    """Refuse a region that leaves the volume or holds no voxel.

    Raises
    ------
    ParameterError
        If the region is empty or reaches outside `shape`.
    """
    bounds = zip(region.start, region.stop, shape, strict=True)
    if any(not 0 <= start < stop <= n for start, stop, n in bounds):
        raise ParameterError(
            f"region {region.start} to {region.stop} is not inside {what}, which has shape {shape}. "
            "Give 0 <= start < stop <= shape along every axis."
        )


def require_file(path: str | Path) -> Path:
    """Return the absolute path of an existing file or folder.

    Raises
    ------
    VolumeNotFoundError
        If nothing is there.
    """
    found = Path(path).expanduser().absolute()
    if not found.exists():
        near = next(parent for parent in found.parents if parent.exists())
        raise VolumeNotFoundError(
            f"there is nothing at {found} (the nearest folder that exists is {near}). Check the path."
        )
    return found


def file_identity(path: str | Path, **settings: Any) -> dict[str, Any]:
    """Return path, size and modification time of a file, and the settings it is read with.

    Examples
    --------
    >>> sorted(file_identity(__file__, format="raw"))
    ['format', 'mtime_ns', 'path', 'size']
    """
    state = require_file(path).stat()
    return {"path": str(path), "size": state.st_size, "mtime_ns": state.st_mtime_ns, **settings}


def unit_metres(unit: str) -> float | None:
    """Return the metres in one `unit` as scan headers write it, or None for pixels and unknown words.

    Unlike `bigrock.units.parse_length`, which reads what a person typed and refuses what it does not
    know, this reads headers: "pixel" or an empty unit means that no size is stated.

    Examples
    --------
    >>> unit_metres("micron"), unit_metres("pixel")
    (1e-06, None)
    """
    word = unit.strip().rstrip(".").lower()
    for candidate in (word, word.removesuffix("s"), word.replace("metre", "meter").removesuffix("s")):
        if candidate in _UNIT_M:
            return _UNIT_M[candidate]
    return None


def voxel_from(spacing: Sequence[float], unit: str | None) -> tuple[float, float, float] | None:
    """Return spacing z, y, x in `unit` as metres; None where the unit or a length says nothing.

    Examples
    --------
    >>> voxel_from((2.0, 1.0, 1.0), "mm")
    (0.002, 0.001, 0.001)
    """
    factor = unit_metres(unit) if unit else None
    lengths = [abs(float(value)) for value in spacing]
    if factor is None or len(lengths) != 3 or not all(math.isfinite(v) and v > 0 for v in lengths):
        return None
    z, y, x = (float(f"{value * factor:.12g}") for value in lengths)
    return z, y, x
