"""Write a volume as plain voxels behind a header: MetaImage, NRRD or NumPy."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, UnsupportedFormatError
from bigrock.geometry import Shape
from bigrock.volumes.formats.metaimage import META_TYPES
from bigrock.volumes.formats.voxels import native_dtype
from bigrock.volumes.formats.writing import checked_slabs, millimetres, replacing, voxel_bytes
from bigrock.volumes.source import Voxel

__all__ = ["write_npy", "write_nrrd", "write_raw_mhd"]

_GZIP_LEVEL = 1


def write_raw_mhd(
    slabs: Iterable[npt.NDArray[Any]],
    path: str | Path,
    *,
    shape: Shape,
    dtype: npt.DTypeLike,
    voxel_size: Voxel | None = None,
    overwrite: bool = False,
) -> Path:
    """Write slabs as a raw file with a MetaImage header beside it, and return the header's path.

    Little-endian, x fastest, no padding: any program can read ``scan.raw`` given shape and type, and
    ITK, ParaView and Fiji read ``scan.mhd``. Lengths are millimetres, MetaImage's unit. Exact.
    Memory: two slabs, the one that is written and the next.

    Parameters
    ----------
    slabs : iterable of ndarray
        Axes z, y, x, from the top; together the volume.
    path : str or Path
        ``scan.mhd`` or ``scan.raw``: both are written.
    shape : Shape
        z, y, x of the volume.
    dtype : dtype-like
        Type of the slabs. Masks (bool) are written as bytes 0 and 1.
    voxel_size : tuple of float, optional
        Metres along z, y, x; left out of the header where it is not known.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    Path
        The header; both files are complete.

    Raises
    ------
    VolumeExistsError
        If one of the files exists.
    StorageFullError
        If the space does not suffice; nothing is left behind.
    ParameterError
        If the slabs are not the volume.
    UnsupportedFormatError
        If the format has no such type.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     slab = np.zeros((2, 3, 4), "u2")
    ...     path = write_raw_mhd([slab], Path(folder, "a.mhd"), shape=(2, 3, 4), dtype="u2")
    ...     sorted(file.name for file in Path(folder).iterdir())
    ['a.mhd', 'a.raw']
    """
    given, stored = _types(dtype, path)
    names = {code: name for name, code in reversed(META_TYPES.items())}
    if stored.str[1:] not in names:
        raise UnsupportedFormatError(
            f"MetaImage has no type for {stored}. Convert the volume to one of {', '.join(sorted(names))}."
        )
    header = Path(path).with_suffix(".mhd")
    raw = header.with_suffix(".raw")
    lines = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "DimSize": " ".join(str(n) for n in reversed(shape)),
        **({} if voxel_size is None else {"ElementSpacing": " ".join(millimetres(voxel_size))}),
        "ElementType": names[stored.str[1:]],
        "ElementDataFile": raw.name,
    }
    size = voxel_bytes(shape, stored)
    # The header is put in place last: where it is found, the voxels are there.
    with (
        replacing(header, overwrite=overwrite) as head,
        replacing(raw, overwrite=overwrite, expected_bytes=size) as part,
    ):
        head.write_text("".join(f"{key} = {value}\n" for key, value in lines.items()), encoding="ascii")
        with part.open("wb") as file:
            _write(file, slabs, shape, given)
    return header.expanduser().absolute()


def write_nrrd(
    slabs: Iterable[npt.NDArray[Any]],
    path: str | Path,
    *,
    shape: Shape,
    dtype: npt.DTypeLike,
    voxel_size: Voxel | None = None,
    compression: Literal["gzip"] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write slabs as an NRRD file with attached voxels, and return its path.

    Little-endian, x fastest. The voxel size is written as space directions in millimetres with their
    unit, so that 3D Slicer and ITK, which take millimetres whatever the unit, are right too. Exact.
    Memory: two slabs, the one that is written and the next.

    Parameters
    ----------
    slabs : iterable of ndarray
        Axes z, y, x, from the top; together the volume.
    path : str or Path
        The file; missing folders are made.
    shape : Shape
        z, y, x of the volume.
    dtype : dtype-like
        Type of the slabs. Masks (bool) are written as bytes 0 and 1.
    voxel_size : tuple of float, optional
        Metres along z, y, x; left out of the header where it is not known.
    compression : {"gzip"}, optional
        Smaller (masks 15 times, noisy 16-bit grey 1.5 times), written at some 30 MB/s for noisy grey, and
        then the file can only be read from the front. Level 1: higher ones are far slower for a hundredth.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file, complete.

    Raises
    ------
    VolumeExistsError
        If the file exists.
    StorageFullError
        If the space does not suffice; nothing is left behind.
    ParameterError
        If the slabs are not the volume, or the compression is not known.
    UnsupportedFormatError
        If the format has no such type.

    Examples
    --------
    >>> import tempfile, nrrd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     slab = np.zeros((2, 3, 4), "u2")
    ...     path = write_nrrd([slab], Path(folder, "a.nrrd"), shape=(2, 3, 4), dtype="u2")
    ...     nrrd.read(str(path), index_order="C")[0].shape
    (2, 3, 4)
    """
    if compression not in (None, "gzip"):
        raise ParameterError(f"compression={compression!r} is not offered for NRRD. Give 'gzip' or None.")
    given, stored = _types(dtype, path)
    if stored.kind == "f" and stored.itemsize < 4:
        raise UnsupportedFormatError(f"NRRD has no type for {stored}. Convert the volume to float32.")
    kind = {"float32": "float", "float64": "double"}.get(stored.name, stored.name)
    lines = [
        "NRRD0004",
        f"type: {kind}",
        "dimension: 3",
        f"sizes: {' '.join(str(n) for n in reversed(shape))}",
    ]
    lines += ["endian: little", f"encoding: {compression or 'raw'}"]
    if voxel_size is not None:
        x, y, z = millimetres(voxel_size)
        lines += ["space dimension: 3", f"space directions: ({x},0,0) (0,{y},0) (0,0,{z})"]
        lines += ['space units: "mm" "mm" "mm"']
    size = 0 if compression else voxel_bytes(shape, stored)
    with (
        replacing(path, overwrite=overwrite, expected_bytes=size) as part,
        part.open("wb") as file,
    ):
        file.write(("\n".join(lines) + "\n\n").encode("ascii"))
        if compression is None:
            _write(file, slabs, shape, given)
        else:
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
                _write(packed, slabs, shape, given)
    return Path(path).expanduser().absolute()


def write_npy(
    slabs: Iterable[npt.NDArray[Any]],
    path: str | Path,
    *,
    shape: Shape,
    dtype: npt.DTypeLike,
    overwrite: bool = False,
) -> Path:
    """Write slabs as a NumPy file, and return its path.

    ``numpy.load(path, mmap_mode="r")`` reads it in parts. The format has no place for a voxel size.
    Exact; masks stay boolean. Memory: two slabs, the one that is written and the next.

    Parameters
    ----------
    slabs : iterable of ndarray
        Axes z, y, x, from the top; together the volume.
    path : str or Path
        The file; missing folders are made.
    shape : Shape
        z, y, x of the volume.
    dtype : dtype-like
        Type of the slabs.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file, complete.

    Raises
    ------
    VolumeExistsError
        If the file exists.
    StorageFullError
        If the space does not suffice; nothing is left behind.
    ParameterError
        If the slabs are not the volume.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     slabs = (np.full((1, 3, 4), z, "f4") for z in range(2))
    ...     np.load(write_npy(slabs, Path(folder, "a.npy"), shape=(2, 3, 4), dtype="f4"))[1].max()
    np.float32(1.0)
    """
    given = native_dtype(dtype, str(path))
    header = {"descr": given.newbyteorder("<").str, "fortran_order": False, "shape": tuple(map(int, shape))}
    with (
        replacing(path, overwrite=overwrite, expected_bytes=voxel_bytes(shape, given)) as part,
        part.open("wb") as file,
    ):
        np.lib.format.write_array_header_1_0(file, header)
        _write(file, slabs, shape, given)
    return Path(path).expanduser().absolute()


def _types(dtype: npt.DTypeLike, path: str | Path) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Return the type of the slabs, and the one of the file: bytes for booleans."""
    given = native_dtype(dtype, str(path))
    return given, np.dtype(np.uint8) if given == np.bool_ else given


def _write(
    file: IO[bytes] | gzip.GzipFile, slabs: Iterable[npt.NDArray[Any]], shape: Shape, dtype: np.dtype[Any]
) -> None:
    for slab in checked_slabs(slabs, shape, dtype):
        little = slab.astype(dtype.newbyteorder("<"), copy=False)
        file.write(little.reshape(-1).view(np.uint8).data)
