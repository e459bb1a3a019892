"""Plain arrays in a file: raw dumps, and every format whose header leads to one.

A region is copied through the page cache, band by band, so that reading a gigabyte out of a
terabyte costs that gigabyte and no more.
"""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, SourceError, TruncatedFileError
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.inflate import InflatedSource
from bigrock.volumes.formats.voxels import (
    check_region,
    file_identity,
    native_dtype,
    require_file,
    volume_shape,
)
from bigrock.volumes.source import Source, Voxel

__all__ = ["MappedSource", "Order", "open_raw", "read_mapped"]

Order = Literal["C", "F"]
"""Which index varies fastest in the file: "C" the last one (x), "F" the first one (z)."""

_BAND_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class MappedSource:
    """An uncompressed array at a byte offset of a file.

    Exact. A read touches the pages of the file that hold the region, at most 32 MiB of them mapped
    at a time, besides the array that it returns. Nothing is kept open between reads.

    Parameters
    ----------
    path : str
        The file that holds the voxels.
    shape : Shape
        z, y, x.
    stored : numpy.dtype
        Type in the file, with its byte order.
    offset : int
        Bytes before the first voxel.
    order : {"C", "F"}
        "C": x varies fastest; "F": z does.
    voxel_size : tuple of float, optional
        Metres along z, y, x.
    header : str, optional
        A separate header file, which is then part of the identity.
    format : str
        Name of the format, for the identity.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "scan.raw")
    ...     np.arange(24, dtype=">u2").tofile(path)
    ...     source = open_raw(path, shape=(2, 3, 4), dtype=">u2")
    ...     source.read(Region((1, 0, 0), (2, 1, 4)))
    array([[[12, 13, 14, 15]]], dtype=uint16)
    """

    path: str
    shape: Shape
    stored: np.dtype[Any]
    offset: int = 0
    order: Order = "C"
    voxel_size: Voxel | None = None
    header: str | None = None
    format: str = "raw"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `read` returns, in native byte order."""
        return native_dtype(self.stored, self.path)

    @property
    def read_unit(self) -> Shape:
        """One voxel; in Fortran order the run along z that shares a page of memory."""
        if self.order == "C":
            return 1, 1, 1
        return min(self.shape[0], max(1, mmap.PAGESIZE // self.stored.itemsize)), 1, 1

    @property
    def read_scratch_bytes(self) -> float:
        """Pages of the file that are mapped beside the result, at most one byte per byte read."""
        return float(self.stored.itemsize)

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, touching only the pages that hold them."""
        check_region(region, self.shape, self.path)
        return read_mapped(self.path, self.offset, self.stored, self.shape, region, self.order)

    def identity(self) -> dict[str, Any]:
        """Return path, size, time, and how the bytes are read."""
        found = file_identity(
            self.path,
            format=self.format,
            shape=list(self.shape),
            dtype=self.stored.str,
            offset=self.offset,
            order=self.order,
            voxel_size=self.voxel_size and list(self.voxel_size),
        )
        if self.header is not None:
            found["header"] = file_identity(self.header)
        return found


def read_mapped(
    path: str,
    offset: int,
    stored: np.dtype[Any],
    shape: Shape,
    region: Region,
    order: Order = "C",
    out: npt.NDArray[Any] | None = None,
) -> npt.NDArray[Any]:
    """Return a region of a plain array in a file, in native byte order.

    The file is mapped for the call only, and its pages are let go after every 32 MiB, so the resident
    memory is the result plus that. In a boolean array every byte but 0 is True.

    Parameters
    ----------
    path : str
        The file.
    offset : int
        Bytes before the first voxel.
    stored : numpy.dtype
        Type in the file.
    shape : Shape
        The whole array, z, y, x.
    region : Region
        What to read.
    order : {"C", "F"}
        Which axis varies fastest in the file: x or z.
    out : ndarray, optional
        Where the voxels are put, of the region's shape and the native type.

    Returns
    -------
    ndarray
        `out`, or a new C-contiguous array.

    Raises
    ------
    TruncatedFileError
        If the file ends before the array does.
    """
    out = np.empty(region.shape, native_dtype(stored, path)) if out is None else out
    if order == "C":
        target, extent, index = out, shape, region.slices
    else:
        target, extent, index = out.T, shape[::-1], region.slices[::-1]
    raw = np.dtype(np.uint8) if stored.kind == "b" else stored
    with Path(path).open("rb") as file:
        check_length(path, offset, shape, stored, longer="ignore")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
            array = np.ndarray(extent, raw, buffer=pages, offset=offset)
            plane = math.prod(extent[1:]) * raw.itemsize
            step = max(1, _BAND_BYTES // max(1, plane))
            first = index[0].start
            for low in range(first, index[0].stop, step):
                high = min(index[0].stop, low + step)
                band = array[(slice(low, high), *index[1:])]
                target[low - first : high - first] = band if stored.kind != "b" else band != 0
                del band
                if hasattr(pages, "madvise"):
                    pages.madvise(mmap.MADV_DONTNEED)
            del array
    return out


def check_length(
    path: str, offset: int, shape: Shape, stored: np.dtype[Any], *, longer: Literal["refuse", "ignore"]
) -> None:
    """Refuse a file that holds fewer bytes than its description says, or, if asked, more.

    Raises
    ------
    TruncatedFileError
        If bytes are missing.
    SourceError
        If bytes are left over and `longer` is "refuse": the shape or the header is not right.
    """
    data = math.prod(shape) * stored.itemsize
    expected, found = offset + data, Path(path).stat().st_size
    told = f"shape {shape} of {stored.str} after {offset} bytes of header"
    if found < expected:
        raise TruncatedFileError(
            f"{path} holds {found:,} bytes, but {told} takes {expected:,}: {expected - found:,} are missing and the "
            "end of the volume would be made up. Copy the file again, or correct shape=, dtype= or offset=."
        )
    if found > expected and longer == "refuse":
        raise SourceError(
            f"{path} holds {found:,} bytes, but {told} takes {expected:,}: {found - expected:,} are left over, so the "
            f"voxels would be read from the wrong place. Correct shape= or dtype=, or skip a header with "
            f"offset={offset + found - expected} (offset=-1 takes the last bytes of the file)."
        )


def open_raw(
    path: str | Path,
    *,
    shape: Shape | None,
    dtype: npt.DTypeLike | None,
    offset: int = 0,
    order: Order = "C",
    voxel_size: Voxel | None = None,
) -> Source:
    """Return the volume in a raw file, plain or gzip-compressed.

    A raw file says nothing of itself, so its length is checked against what is given: a plain file
    now, a gzip one when its end is read. Gzip can only be decoded from the front; see
    `InflatedSource` for what that costs.

    Parameters
    ----------
    path : str or Path
        The file; compressed with gzip where its first two bytes say so.
    shape : Shape
        z, y, x; a pair is one slice y, x.
    dtype : dtype-like
        With byte order: ``"uint8"``, ``">u2"`` (big-endian 16 bit), ``"<f4"``.
    offset : int
        Bytes before the first voxel; -1 for "the voxels are the last bytes of the file".
    order : {"C", "F"}
        Which index varies fastest in the file. An array whose axes are z, y, x and whose x runs
        fastest, as most scanners write it, is "C"; "F" is for a file in which z runs fastest.
    voxel_size : tuple of float, optional
        Metres along z, y, x.

    Returns
    -------
    Source
        `MappedSource`, or `InflatedSource` for gzip.

    Raises
    ------
    ParameterError
        If shape or dtype are not given, or order or offset are not allowed.
    TruncatedFileError
        If the file holds fewer bytes than that.
    SourceError
        If it holds more.
    """
    file = str(require_file(path))
    missing = [name for name, value in (("shape", shape), ("dtype", dtype)) if value is None]
    if shape is None or dtype is None:
        raise ParameterError(
            f"{file} is read as raw voxels, which say nothing of themselves, and {' and '.join(missing)} "
            "are not given: any guess would scramble the volume. "
            "Give shape=(z, y, x) and dtype= (such as 'uint8' or '>u2')."
        )
    if order not in ("C", "F"):
        raise ParameterError(
            f"order={order!r} is not 'C' or 'F'. Use 'C' where x varies fastest and 'F' where z does."
        )
    native_dtype(dtype, file)
    extent, stored = volume_shape(shape, "shape="), np.dtype(dtype)
    if is_gzip(file):
        if offset < 0:
            raise ParameterError(
                f"offset={offset} counts from the end of {file}, whose length is only known after decoding all of it. "
                "Give the number of header bytes in the decoded data."
            )
        return InflatedSource(file, extent, stored, "gzip", skip=offset, order=order, voxel_size=voxel_size)
    if offset < -1:
        raise ParameterError(
            f"offset={offset} is not allowed. Give the header's bytes, or -1 for 'the last bytes'."
        )
    if offset == -1:
        offset = max(0, Path(file).stat().st_size - math.prod(extent) * stored.itemsize)
    check_length(file, offset, extent, stored, longer="refuse")
    return MappedSource(file, extent, stored, offset, order, voxel_size)


def is_gzip(path: str) -> bool:
    """Return whether a file starts with the two bytes of gzip."""
    with Path(path).open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
