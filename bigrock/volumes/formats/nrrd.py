"""NRRD files, with the voxels attached or in a file of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.errors import SourceError, UnsupportedFormatError
from bigrock.geometry import Shape
from bigrock.volumes.formats.inflate import InflatedSource
from bigrock.volumes.formats.raw import MappedSource, check_length
from bigrock.volumes.formats.voxels import native_dtype, require_file, volume_shape, voxel_from
from bigrock.volumes.source import Source, Voxel

__all__ = ["open_nrrd"]

_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(
        ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"
    ),
    "float": "f4",
    "double": "f8",
}


def open_nrrd(path: str | Path, *, voxel_size: Voxel | None = None) -> Source:
    """Return the volume in an NRRD file or behind a detached NRRD header.

    Exact. Encoding raw is read through the page cache (`MappedSource`); gzip only decodes from the
    front (`InflatedSource`). The voxel size is the spacing, or the length of the space directions,
    where units are stated for all axes; without units, none is assumed.

    Parameters
    ----------
    path : str or Path
        The ``.nrrd`` file or ``.nhdr`` header.
    voxel_size : tuple of float, optional
        Metres along z, y, x, in place of what the header states.

    Raises
    ------
    UnsupportedFormatError
        If the encoding or the type is another one, or the voxels are spread over several files.
    TruncatedFileError
        If the data are shorter than the header says.
    SourceError
        If the header is damaged.
    VolumeNotFoundError
        If the data file of a detached header is missing.

    Examples
    --------
    >>> import tempfile, nrrd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nrrd.write(str(Path(folder, "scan.nrrd")), np.zeros((4, 3, 2), "u2"))
    ...     open_nrrd(Path(folder, "scan.nrrd")).shape
    (2, 3, 4)
    """
    file = str(require_file(path))
    header, offset = _read_header(file)
    shape, stored = _layout(header, file)
    name, start = (file, offset) if "data file" not in header else (_data_file(header, file), 0)
    start += _skipped_lines(name, start, _number(header, "line skip", file))
    skip = _number(header, "byte skip", file)
    encoding = str(header.get("encoding", "")).lower()
    size = voxel_size or _voxel_size(header)
    beside = file if name != file else None
    if encoding == "raw":
        if skip == -1:
            start = max(0, Path(name).stat().st_size - math.prod(shape) * stored.itemsize)
        else:
            start += skip
        check_length(name, start, shape, stored, longer="ignore")
        return MappedSource(name, shape, stored, start, "C", size, beside, "nrrd")
    if encoding in ("gzip", "gz") and skip >= 0:
        return InflatedSource(name, shape, stored, "gzip", start, skip, "C", size, beside, "nrrd")
    raise UnsupportedFormatError(
        f"{file} has encoding {encoding!r} with byte skip {skip}, which bigrock does not read. "
        "Write it with encoding raw or gzip."
    )


def _read_header(path: str) -> tuple[dict[str, str], int]:
    """Return the fields of a header as text, and the number of its bytes."""
    fields: dict[str, str] = {}
    with Path(path).open("rb") as file:
        if not file.readline(64).startswith(b"NRRD000"):
            raise UnsupportedFormatError(
                f"{path} does not begin with NRRD000: it is no NRRD file. Check the file."
            )
        while line := file.readline(1 << 16):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text.strip():
                return fields, file.tell()
            if text.startswith("#") or ":=" in text:
                continue
            field, colon, value = text.partition(":")
            if not colon:
                raise SourceError(f"{path} has a damaged header line {text[:60]!r}. Write the file again.")
            fields[field.strip().lower().replace("datafile", "data file")] = value.strip()
        return fields, file.tell()


def _layout(header: Mapping[str, str], path: str) -> tuple[Shape, np.dtype[Any]]:
    missing = [name for name in ("type", "sizes", "encoding") if name not in header]
    if missing:
        raise SourceError(f"the header of {path} states no {', '.join(missing)}. Write the file again.")
    kind = _TYPES.get(header["type"].lower())
    if kind is None:
        raise UnsupportedFormatError(
            f"{path} holds voxels of type {header['type']!r}, which are not numbers that bigrock reads. "
            f"Write it as one of {', '.join(sorted(set(_TYPES.values())))}."
        )
    stored = native_dtype(kind, path)
    endian = header.get("endian", "").lower()
    if stored.itemsize > 1 and endian not in ("little", "big"):
        raise SourceError(
            f"the header of {path} states no byte order for {stored}. Add the line 'endian: little'."
        )
    try:
        sizes = [int(n) for n in header["sizes"].split()]
    except ValueError as error:
        raise SourceError(f"the header of {path} has sizes {header['sizes']!r}. Correct the line.") from error
    return volume_shape(sizes[::-1], path), stored.newbyteorder(">" if endian == "big" else "<")


def _data_file(header: Mapping[str, str], path: str) -> str:
    name = header["data file"]
    if name.upper().startswith("LIST") or "%" in name:
        raise UnsupportedFormatError(
            f"{path} spreads its voxels over several files ({name}), which bigrock does not read. "
            "Write one data file, or import the slices as a stack."
        )
    return str(require_file(Path(path).parent / name))


def _number(header: Mapping[str, str], name: str, path: str) -> int:
    try:
        return int(header.get(name, 0))
    except ValueError as error:
        raise SourceError(f"the header of {path} has {name}: {header[name]}. Correct the line.") from error


def _skipped_lines(path: str, start: int, lines: int) -> int:
    """Return the bytes of the text lines that precede the data."""
    if lines <= 0:
        return 0
    with Path(path).open("rb") as file:
        file.seek(start)
        return sum(len(file.readline()) for _ in range(lines))


def _voxel_size(header: Mapping[str, str]) -> Voxel | None:
    """Return metres along z, y, x; the header lists x first."""
    units = re.findall(r'"([^"]*)"', header.get("space units", header.get("units", "")))
    if "spacings" in header:
        steps = [_length(word) for word in header["spacings"].split()]
    else:
        vectors = re.findall(r"\(([^)]*)\)|none", header.get("space directions", ""))
        steps = [math.hypot(*(_length(v) for v in one.split(","))) if one else math.nan for one in vectors]
    if len(steps) < 3 or len(units) < 3:
        return None
    axes = [voxel_from((step,) * 3, unit) for step, unit in zip(steps[:3], units[:3], strict=True)]
    x, y, z = (one and one[0] for one in axes)
    return (z, y, x) if z and y and x else None


def _length(word: str) -> float:
    """Return a number, or NaN, which states nothing, for any other word."""
    try:
        return float(word)
    except ValueError:
        return math.nan
