"""`export_volume` and `export_slice`: a volume, a level or a slice of it, as a file of another format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from bigrock.engine.progress import ProgressLike, reporter
from bigrock.errors import ParameterError, UnsupportedFormatError
from bigrock.geometry import Region
from bigrock.transfer.importing import Crop, parse_crop
from bigrock.volumes import Volume
from bigrock.volumes.formats import Cropped
from bigrock.volumes.formats.write_plain import write_npy, write_nrrd, write_raw_mhd
from bigrock.volumes.formats.write_png import write_png_slice
from bigrock.volumes.formats.write_tiff import write_tiff
from bigrock.volumes.formats.writing import slabs_of
from bigrock.volumes.levels import LevelSource
from bigrock.volumes.source import Source

__all__ = ["export_slice", "export_volume"]

_WRITERS: dict[str, Callable[..., Path]] = {
    ".tif": write_tiff,
    ".tiff": write_tiff,
    ".mhd": write_raw_mhd,
    ".nrrd": write_nrrd,
    ".npy": write_npy,
}
_COMPRESSION = {".tif": "zlib", ".tiff": "zlib", ".nrrd": "gzip"}


def _source(volume: Volume, level: int, crop: Crop | None) -> Source:
    if not 0 <= level < len(volume.levels):
        raise ParameterError(
            f"level {level} does not exist: {volume.path} has levels 0 to {len(volume.levels) - 1}. "
            f"Make coarser ones by importing or running with pyramid=True."
        )
    source: Source = volume if level == 0 else LevelSource(volume, level)
    return source if crop is None else Cropped(source, parse_crop(crop, source.shape))


def export_volume(
    volume: Volume,
    path: str | os.PathLike[str],
    *,
    level: int = 0,
    crop: Crop | None = None,
    compress: bool = False,
    overwrite: bool = False,
    progress: ProgressLike = None,
) -> Path:
    """Write a volume as a file of another format, streaming, and return its path.

    The suffix decides: ``.tif`` (BigTIFF where it must be, readable by ImageJ), ``.mhd`` (raw voxels
    beside a MetaImage header), ``.nrrd``, ``.npy``. Exact; masks become 8 bits, 0 and 255 in TIFF
    (as ImageJ has them), 0 and 1 in raw and NRRD files; NPY keeps bool.
    Takes the memory of two slabs of slices. The file is there when it is whole, never in part.

    Parameters
    ----------
    volume : Volume
        What is written.
    path : str or path-like
        The new file.
    level : int
        Pyramid level; 0 is the full resolution.
    crop : str, sequence of slice or Region, optional
        Part of it, in voxels of the level, such as ``"0:100, :, :"``.
    compress : bool
        zlib for TIFF, gzip for NRRD.
    overwrite : bool
        Replace an existing file.
    progress : callable, bool, optional
        As for `bigrock.run`; counts slabs.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UnsupportedFormatError
        If no writer has that suffix.
    VolumeExistsError, StorageFullError, ParameterError
        If the file exists, the disk is full, or the level or the crop does not exist.

    Examples
    --------
    >>> import bigrock, numpy as np, pathlib, tempfile
    >>> scan = bigrock.ArraySource(np.arange(64, dtype=np.uint8).reshape(4, 4, 4))
    >>> vol = bigrock.import_volume(scan, "memory://export-example.zarr", voxel_size="1 um")
    >>> file = export_volume(vol, pathlib.Path(tempfile.mkdtemp(), "scan.npy"))
    >>> bool((np.load(file) == vol[:]).all())
    True
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in _WRITERS:
        raise UnsupportedFormatError(
            f"{target.name}: files of type {suffix or '(none)'} are not written. Choose one of "
            f"{', '.join(sorted(_WRITERS))} (export_slice writes .png)."
        )
    source = _source(volume, level, crop)
    options: dict[str, Any] = {"shape": source.shape, "dtype": source.dtype, "overwrite": overwrite}
    if suffix != ".npy":
        options["voxel_size"] = source.voxel_size
    if compress:
        if suffix not in _COMPRESSION:
            raise ParameterError(
                f"{suffix} files cannot be compressed. Choose .tif or .nrrd, or compress=False."
            )
        options["compression"] = _COMPRESSION[suffix]
    return _WRITERS[suffix](_slabs(source, progress), target, **options)


def _slabs(source: Source, progress: ProgressLike) -> Iterator[npt.NDArray[Any]]:
    """Yield slabs with the next one read ahead, and report each."""
    slabs = slabs_of(source)
    depth, plane = source.shape[0], source.shape[1] * source.shape[2]
    with ThreadPoolExecutor(1, "bigrock-export") as reader, reporter(progress, "export", depth, 0) as report:
        ahead = reader.submit(next, slabs, None)
        done = 0
        while (slab := ahead.result()) is not None:
            ahead = reader.submit(next, slabs, None)
            done += len(slab)
            yield slab
            report(done, 0, done * plane)


def export_slice(
    volume: Volume,
    path: str | os.PathLike[str],
    *,
    axis: Literal["z", "y", "x"] = "z",
    index: int | None = None,
    level: int = 0,
    window: tuple[float, float] | Literal["range"] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write one slice of a volume as a PNG picture, and return its path.

    Parameters
    ----------
    volume : Volume
        Where the slice is from; only its chunks are read.
    path : str or path-like
        The new file, ending in ``.png``.
    axis : {"z", "y", "x"}
        The axis that the slice is perpendicular to.
    index : int, optional
        Number of the slice; the middle one by default.
    level : int
        Pyramid level; 0 is the full resolution.
    window : tuple of float or "range", optional
        Grey levels shown as black and white; see `bigrock.volumes.formats.write_png_slice`.
        By default 8- and 16-bit levels are kept, and others spread over their range.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ParameterError
        If the axis, the slice or the level does not exist.

    Examples
    --------
    >>> import bigrock, numpy as np, pathlib, tempfile
    >>> scan = bigrock.ArraySource(np.arange(64, dtype=np.uint8).reshape(4, 4, 4))
    >>> vol = bigrock.import_volume(scan, "memory://slice-example.zarr", voxel_size="1 um")
    >>> export_slice(vol, pathlib.Path(tempfile.mkdtemp(), "middle.png"), axis="x").name
    'middle.png'
    """
    if axis not in ("z", "y", "x"):
        raise ParameterError(f"axis {axis!r} does not exist. Give 'z', 'y' or 'x'.")
    source = _source(volume, level, None)
    along = "zyx".index(axis)
    length = source.shape[along]
    index = length // 2 if index is None else index
    if not 0 <= index < length:
        raise ParameterError(f"slice {index} does not exist: axis {axis} has slices 0 to {length - 1}.")
    start, stop = [0, 0, 0], list(source.shape)
    start[along], stop[along] = index, index + 1
    region = Region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
    plane = source.read(region).squeeze(axis=along)
    if window is None and plane.dtype.name not in ("bool", "uint8", "uint16"):
        window = "range"
    return write_png_slice(plane, Path(path), window=window, overwrite=overwrite)
