"""MetaImage: an ``.mhd`` header beside a raw file, or both in one ``.mha`` file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bigrock.errors import SourceError, UnsupportedFormatError
from bigrock.volumes.formats.inflate import InflatedSource
from bigrock.volumes.formats.raw import MappedSource, check_length, is_gzip
from bigrock.volumes.formats.voxels import require_file, volume_shape, voxel_from
from bigrock.volumes.source import Source, Voxel

__all__ = ["META_TYPES", "open_metaimage"]

META_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
"""Voxel types by their MetaImage names."""


def open_metaimage(path: str | Path, *, voxel_size: Voxel | None = None) -> Source:
    r"""Return the volume behind an .mhd header or in an .mha file.

    Exact. Plain voxels are read through the page cache (`MappedSource`), compressed ones from the front
    (`InflatedSource`). The header has no unit: lengths are millimetres, as ITK takes them. A spacing of
    1 1 1, which writers put where they know none, counts as not stated.

    Parameters
    ----------
    path : str or Path
        The ``.mhd`` or ``.mha`` file.
    voxel_size : tuple of float, optional
        Metres along z, y, x, in place of what the header states.

    Raises
    ------
    UnsupportedFormatError
        If the voxels are text, of several channels, or spread over several files.
    TruncatedFileError
        If the data are shorter than the header says.
    SourceError
        If the header is damaged.
    VolumeNotFoundError
        If the data file is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "scan.raw").write_bytes(bytes(24))
    ...     lines = ("NDims = 3", "DimSize = 4 3 2", "ElementType = MET_UCHAR",
    ...              "ElementSpacing = 0.002 0.002 0.01", "ElementDataFile = scan.raw")
    ...     _ = Path(folder, "scan.mhd").write_text("\n".join(lines))
    ...     source = open_metaimage(Path(folder, "scan.mhd"))
    ...     source.shape, source.voxel_size
    ((2, 3, 4), (1e-05, 2e-06, 2e-06))
    """
    file = str(require_file(path))
    header, offset = _read_header(file)
    _check_supported(header, file)
    shape = volume_shape(_numbers(header, "DimSize", file)[::-1], file)
    msb = _is_true(header, "ElementByteOrderMSB") or _is_true(header, "BinaryDataByteOrderMSB")
    stored = np.dtype(META_TYPES[header["ElementType"]]).newbyteorder(">" if msb else "<")
    local = header["ElementDataFile"].upper() == "LOCAL"
    name = file if local else str(require_file(Path(file).parent / header["ElementDataFile"]))
    start = offset if local else 0
    size = voxel_size or _voxel_size(header)
    beside = None if local else file
    if _is_true(header, "CompressedData"):
        codec = "gzip" if not local and is_gzip(name) else "zlib"
        return InflatedSource(name, shape, stored, codec, start, 0, "C", size, beside, "metaimage")  # type: ignore[arg-type]
    skip = _numbers({"HeaderSize": "0", **header}, "HeaderSize", file)[0]
    if skip == -1:
        start = max(0, Path(name).stat().st_size - math.prod(shape) * stored.itemsize)
    else:
        start += skip
    check_length(name, start, shape, stored, longer="ignore")
    return MappedSource(name, shape, stored, start, "C", size, beside, "metaimage")


def _read_header(path: str) -> tuple[dict[str, str], int]:
    """Return the fields of a header, the last of which is ElementDataFile, and the number of its bytes."""
    fields: dict[str, str] = {}
    with Path(path).open("rb") as file:
        while line := file.readline(1 << 14):
            name, equals, value = line.decode("latin-1").partition("=")
            if not equals or len(fields) > 200:
                break
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                break
        end = file.tell()
    missing = [name for name in ("DimSize", "ElementType", "ElementDataFile") if name not in fields]
    if missing:
        raise SourceError(
            f"{path} is not a complete MetaImage header: it states no {', '.join(missing)}. Write it again."
        )
    return fields, end


def _check_supported(header: Mapping[str, str], path: str) -> None:
    data = header["ElementDataFile"]
    reasons = {
        f"voxels of type {header['ElementType']}": header["ElementType"] not in META_TYPES,
        "voxels written as text": header.get("BinaryData", "True").lower() == "false",
        f"{header.get('ElementNumberOfChannels')} channels": header.get("ElementNumberOfChannels", "1")
        != "1",
        f"voxels in several files ({data})": data.upper().startswith("LIST") or "%" in data,
    }
    wrong = [reason for reason, holds in reasons.items() if holds]
    if wrong:
        raise UnsupportedFormatError(
            f"{path} has {' and '.join(wrong)}, which bigrock does not read. "
            "Write it with one channel of binary voxels in one data file."
        )


def _numbers(header: Mapping[str, str], name: str, path: str) -> list[int]:
    try:
        return [int(word) for word in header[name].split()] or [0]
    except ValueError as error:
        raise SourceError(
            f"the header of {path} has {name} = {header[name]}, which are no whole numbers. Correct the line."
        ) from error


def _is_true(header: Mapping[str, str], name: str) -> bool:
    return header.get(name, "False").lower() in ("true", "1")


def _voxel_size(header: Mapping[str, str]) -> Voxel | None:
    text = header.get("ElementSpacing", header.get("ElementSize", ""))
    try:
        steps = [float(word) for word in text.split()]
    except ValueError:
        return None
    if len(steps) != 3 or steps == [1.0, 1.0, 1.0]:
        return None
    return voxel_from(steps[::-1], "mm")
