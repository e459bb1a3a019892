"""NumPy's own files: one array (.npy) or a zip of several (.npz)."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from bigrock.errors import SourceError, UnsupportedFormatError
from bigrock.volumes.formats.dataset_choice import choose_dataset
from bigrock.volumes.formats.inflate import InflatedSource
from bigrock.volumes.formats.raw import MappedSource, Order, check_length
from bigrock.volumes.formats.voxels import native_dtype, require_file, volume_shape
from bigrock.volumes.source import Source, Voxel

__all__ = ["open_npy", "open_npz"]

_LOCAL_HEADER = 30


def open_npy(path: str | Path, *, voxel_size: Voxel | None = None) -> MappedSource:
    """Return the array in an .npy file, C or Fortran order, read through the page cache.

    Exact; a region costs its own bytes.

    Parameters
    ----------
    path : str or Path
        The file.
    voxel_size : tuple of float, optional
        Metres along z, y, x; the format states none.

    Raises
    ------
    UnsupportedFormatError
        If it holds objects or structures.
    TruncatedFileError
        If it holds fewer bytes than its header says.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "scan.npy"), np.zeros((4, 5, 6), ">f4"))
    ...     source = open_npy(Path(folder, "scan.npy"))
    ...     source.shape, source.dtype
    ((4, 5, 6), dtype('float32'))
    """
    file = str(require_file(path))
    with Path(file).open("rb") as opened:
        shape, order, stored = _header(opened, file)
        offset = opened.tell()
    native_dtype(stored, file)
    extent = volume_shape(shape, file)
    check_length(file, offset, extent, stored, longer="ignore")
    return MappedSource(file, extent, stored, offset, order, voxel_size, format="npy")


def open_npz(path: str | Path, *, dataset: str | None = None, voxel_size: Voxel | None = None) -> Source:
    """Return one array of an .npz file.

    Exact. A stored member (``numpy.savez``) is read through the page cache; a compressed one
    (``numpy.savez_compressed``) only decodes from the front, which `InflatedSource` explains.

    Parameters
    ----------
    path : str or Path
        The file.
    dataset : str, optional
        The name of the array; needed where several have three axes.
    voxel_size : tuple of float, optional
        Metres along z, y, x; the format states none.

    Raises
    ------
    ParameterError
        If there is no such array, or several and none is chosen.
    UnsupportedFormatError
        If the file is no zip of arrays, or compressed in another way than deflate.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez_compressed(Path(folder, "scan.npz"), image=np.zeros((4, 5, 6), "u1"), voxel=2.0)
    ...     open_npz(Path(folder, "scan.npz")).shape
    (4, 5, 6)
    """
    file = str(require_file(path))
    try:
        with zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            found = {info.filename.removesuffix(".npy"): info for info in members}
            heads: Mapping[str, Any] = {name: _member_header(archive, found[name], file) for name in found}
    except zipfile.BadZipFile as error:
        raise SourceError(
            f"{file} is not a complete zip file ({error}): nothing can be read. Copy it again."
        ) from error
    if not found:
        raise UnsupportedFormatError(
            f"{file} is a zip file without numpy arrays. Unpack it, and open what was in it."
        )
    name = choose_dataset({key: head[0] for key, head in heads.items()}, dataset, file)
    (shape, order, stored, header), info = heads[name], found[name]
    extent = volume_shape(shape, f"{name} in {file}")
    native_dtype(stored, f"{name} in {file}")
    start = _data_start(file, info)
    label = f"npz:{name}"
    if info.compress_type == zipfile.ZIP_STORED:
        return MappedSource(file, extent, stored, start + header, order, voxel_size, format=label)
    if info.compress_type == zipfile.ZIP_DEFLATED:
        return InflatedSource(file, extent, stored, "deflate", start, header, order, voxel_size, format=label)
    raise UnsupportedFormatError(
        f"{name} in {file} is compressed with zip method {info.compress_type}. Use numpy.savez_compressed."
    )


def _header(file: IO[bytes], what: str) -> tuple[tuple[int, ...], Order, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if reader is None:
            raise ValueError(f"version {version}")
        shape, fortran, dtype = reader(file)
    except ValueError as error:
        raise UnsupportedFormatError(
            f"{what} is not a numpy array file that can be read ({error}). Save it with numpy.save."
        ) from error
    return shape, "F" if fortran else "C", dtype


def _member_header(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, what: str
) -> tuple[tuple[int, ...], Order, np.dtype[Any], int]:
    with archive.open(info) as member:
        return *_header(member, f"{info.filename} in {what}"), member.tell()


def _data_start(path: str, info: zipfile.ZipInfo) -> int:
    """Return the byte at which a member's data begin; its local header may differ from the directory's."""
    with Path(path).open("rb") as file:
        file.seek(info.header_offset)
        local = file.read(_LOCAL_HEADER)
    name, extra = int.from_bytes(local[26:28], "little"), int.from_bytes(local[28:30], "little")
    return info.header_offset + _LOCAL_HEADER + name + extra
