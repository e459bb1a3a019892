"""What all writers share: slabs that are checked, and a destination that is whole or not there."""

from __future__ import annotations

import errno
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, StorageFullError, VolumeExistsError
from bigrock.geometry import Region, Shape
from bigrock.volumes.source import Source

__all__ = ["checked_slabs", "millimetres", "replacing", "slabs_of", "voxel_bytes"]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")


_LARGEST_SLAB_BYTES = 1 << 30


def slabs_of(source: Source, *, slab_bytes: int = 64 << 20) -> Iterator[npt.NDArray[Any]]:
    """Yield a source from top to bottom in slabs of whole z slices.

    Slabs begin at multiples of the source's read unit, so that every chunk is decoded once; a slab is
    at least one unit thick even where that takes more than `slab_bytes`, up to 1 GiB. Above that it is
    thinner, and chunks are decoded more than once.

    Parameters
    ----------
    source : Source
        What is read.
    slab_bytes : int
        Size of a slab.

    Yields
    ------
    ndarray
        Axes z, y, x; the last slab may be thinner.

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> volume = ArraySource(np.zeros((5, 4, 4), "u1"))
    >>> [slab.shape for slab in slabs_of(volume, slab_bytes=32)]
    [(2, 4, 4), (2, 4, 4), (1, 4, 4)]
    """
    depth, height, width = source.shape
    unit, plane_bytes = source.read_unit[0], height * width * source.dtype.itemsize
    if unit * plane_bytes > _LARGEST_SLAB_BYTES:
        unit = 1
    thickness = max(1, slab_bytes // (unit * plane_bytes)) * unit
    for z in range(0, depth, thickness):
        yield source.read(Region((z, 0, 0), (min(depth, z + thickness), height, width)))


def checked_slabs(
    slabs: Iterable[npt.NDArray[Any]], shape: Shape, dtype: np.dtype[Any]
) -> Iterator[npt.NDArray[Any]]:
    """Yield slabs, C-contiguous and in native byte order, and make sure that they are the volume that was announced.

    Parameters
    ----------
    slabs : iterable of ndarray
        Axes z, y, x; any thickness.
    shape : Shape
        The volume that they make up.
    dtype : numpy.dtype
        Their type.

    Yields
    ------
    ndarray
        The slabs.

    Raises
    ------
    ParameterError
        If a slab has another width, height or type, or there are too few or too many slices.
    """
    done = 0
    for slab in slabs:
        if slab.ndim != 3 or slab.shape[1:] != shape[1:] or slab.dtype.newbyteorder("=") != dtype:
            raise ParameterError(
                f"slab of shape {slab.shape} and type {slab.dtype} is not part of a volume of shape {shape} and type "
                f"{dtype}: the file would be scrambled. Give slabs of shape (n, {shape[1]}, {shape[2]})."
            )
        done += slab.shape[0]
        if done > shape[0]:
            break
        yield np.ascontiguousarray(slab, dtype)
    if done != shape[0]:
        found = f"more than {shape[0]}" if done > shape[0] else f"{done}"
        raise ParameterError(
            f"the slabs hold {found} slices and the volume {shape} has {shape[0]}: the header would be wrong. "
            "Give slabs that cover it once."
        )


@contextmanager
def replacing(path: str | Path, *, overwrite: bool, expected_bytes: int = 0) -> Iterator[Path]:
    """Give a temporary path beside the destination, and put it in place when the block has succeeded.

    Whatever happens inside, the destination is afterwards the whole new file or what it was before; the
    temporary file is removed after an error. Folders that are missing are made.

    Parameters
    ----------
    path : str or Path
        The destination.
    overwrite : bool
        Whether an existing file may be replaced.
    expected_bytes : int
        What will be written, where it is known: it must be free before anything is written.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    VolumeExistsError
        If the destination exists and may not be replaced.
    StorageFullError
        If there is not enough space, before or while writing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt"), overwrite=False) as part:
    ...         _ = part.write_text("whole")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    target = Path(path).expanduser().absolute()
    _refuse_existing(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if expected_bytes > free:
        raise StorageFullError(
            f"{target} takes {expected_bytes:,} bytes and {free:,} are free in {target.parent}: the file could not be "
            "completed. Free some space, or write elsewhere."
        )
    part = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield part
        _refuse_existing(target, overwrite)
        part.replace(target)
    except OSError as error:
        # numpy's own file writing reports a full disk as a short write, without a number.
        short = error.errno is None and _SHORT_WRITE.search(str(error)) is not None
        if (error.errno in _FULL or short) and not isinstance(error, StorageFullError):
            raise StorageFullError(
                f"no space was left in {target.parent} while {target.name} was written; nothing of it remains. "
                "Free some space, or write elsewhere."
            ) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def voxel_bytes(shape: Shape, dtype: np.dtype[Any]) -> int:
    """Return the bytes that a volume takes uncompressed."""
    return math.prod(shape) * dtype.itemsize


def millimetres(voxel_m: tuple[float, float, float]) -> list[str]:
    """Return a voxel size z, y, x as the shortest decimals in millimetres, in the order x, y, z.

    Examples
    --------
    >>> millimetres((1e-5, 2.25e-6, 2.25e-6))
    ['0.00225', '0.00225', '0.01']
    """
    return [f"{value * 1e3:.12g}" for value in reversed(voxel_m)]


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if target.is_dir() or (target.exists() and not overwrite):
        raise VolumeExistsError(
            f"{target} exists: it would be lost. Choose another name, or say overwrite=True to replace a file."
        )
