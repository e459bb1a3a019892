"""`import_volume`: a scan in any supported format becomes a volume, streaming."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.executors import ExecutorLike
from bigrock.engine.kernel import Kernel
from bigrock.engine.mapping import Output, RunOptions, map_pass
from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError
from bigrock.geometry import Block, Region, Shape
from bigrock.units import parse_voxel_size
from bigrock.volumes import Source, Volume, source_of
from bigrock.volumes.formats import Converted, Cropped, open_source

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["Copy", "import_source", "import_volume", "parse_crop"]

Crop = str | Sequence[slice] | Region

_RANGE = re.compile(r"^\s*(\d*)\s*:\s*(\d*)\s*$")


@dataclass(frozen=True)
class Copy(Kernel):
    """The kernel that changes nothing: what an import runs."""

    def __call__(self, array: npt.NDArray[Any], block: Block) -> npt.NDArray[Any]:
        """Return the core as it is."""
        return array[block.trim]


def import_volume(
    source: str | os.PathLike[str] | Source | npt.NDArray[Any],
    dest: str | os.PathLike[str] | Store,
    *,
    voxel_size: str | float | Sequence[str | float] | None = None,
    pore: int | str | None = None,
    classes: dict[str, int] | None = None,
    crop: Crop | None = None,
    convert: npt.DTypeLike | None = None,
    scale: tuple[float, float] | None = None,
    shape: Shape | None = None,
    dtype: npt.DTypeLike | None = None,
    offset: int = 0,
    order: str = "C",
    dataset: str | None = None,
    channel: int | None = None,
    axes: str | None = None,
    pyramid: bool = True,
    resume: bool = True,
    overwrite: bool = False,
    executor: ExecutorLike = None,
    block: Shape | None = None,
    ram: str | float | None = None,
    progress: ProgressLike = None,
) -> Volume:
    """Return the volume made of a scan in another format, streamed block by block.

    Raw, TIFF (file, folder or glob of slices), HDF5, MATLAB, NRRD, MHD/MHA, NetCDF-4, NPY/NPZ,
    zarr and OME-Zarr; see `bigrock.volumes.formats`. The peak memory is a few blocks whatever the
    size of the scan, and an interrupted import is resumed by the same call. Exact, unless `scale`
    says otherwise.

    Parameters
    ----------
    source : str, path-like, Source or array
        The scan.
    dest : str, path-like or zarr Store
        A new place for the volume, such as ``"core.zarr"``.
    voxel_size : str, float or sequence, optional
        Such as ``"2.25 um"`` or ``"10, 5, 5 nm"`` (z, y, x). Taken from the file where it states one.
    pore : int or str, optional
        The value of the pore class of a segmented image: it becomes a label volume whose class
        table says so. With ``convert="bool"`` it becomes a mask, True where the voxel is pore.
        A string names one of `classes`.
    classes : dict of str to int, optional
        Class table of a segmented image, such as ``{"pore": 0, "quartz": 1}``.
    crop : str, sequence of slice or Region, optional
        Part of the scan: ``"0:100, 50:250, :"`` in the order z, y, x.
    convert : dtype, optional
        Data type of the volume; without `scale` every value must fit as it is.
    scale : tuple of float, optional
        Grey levels (low, high) of the scan that become the ends of the range of `convert`.
    shape, dtype, offset, order : optional
        Of a raw file: z, y, x; data type with byte order (``">u2"``); header bytes; "C" where x
        varies fastest, "F" where z does.
    dataset, channel, axes : optional
        Which array of a file that holds several, which channel, in which order its axes are stored.
    pyramid : bool
        Store coarser levels, for viewers and reports (written in the same pass).
    resume, overwrite, executor, block, ram, progress
        As for `bigrock.run`.

    Returns
    -------
    Volume

    Raises
    ------
    SourceError
        If the scan cannot be read: unsupported, truncated, missing or odd slices, NaN.
    VolumeExistsError, ResumeError, PlanError, StorageFullError, ParameterError
        As for `bigrock.run`.

    Examples
    --------
    >>> import numpy as np, pathlib, tempfile
    >>> raw = pathlib.Path(tempfile.mkdtemp(), "scan.raw")
    >>> np.arange(512, dtype=">u2").tofile(raw)
    >>> vol = import_volume(raw, "memory://scan.zarr", shape=(8, 8, 8), dtype=">u2", voxel_size="2.25 um")
    >>> vol.dtype, vol.voxel_size, int(vol[7, 7, 7])
    (dtype('uint16'), (2.25e-06, 2.25e-06, 2.25e-06), 511)
    """
    table = _class_table(pore, classes)
    reading: dict[str, Any] = {"shape": shape, "dtype": dtype, "offset": offset, "order": order}
    reading |= {"dataset": dataset, "channel": channel, "axes": axes}
    voxels, table = _converted(_cropped(source, crop, reading), table, convert, scale)
    path = os.fspath(source) if isinstance(source, str | os.PathLike) else getattr(source, "path", None)
    output = Output(
        step="import",
        voxel_size=None if voxel_size is None else parse_voxel_size(voxel_size),
        classes=table or None,
        entry={"source": path, "stated_voxel_size": voxels.voxel_size},
    )
    options = RunOptions(
        resume=resume,
        overwrite=overwrite,
        block=block,
        executor=executor,
        ram=ram,
        pyramid=pyramid,
        progress=progress,
    )
    return map_pass(Copy(), voxels, dest, options, output)


def import_source(
    source: str | os.PathLike[str] | Source | npt.NDArray[Any],
    *,
    crop: Crop | None = None,
    convert: npt.DTypeLike | None = None,
    scale: tuple[float, float] | None = None,
    **reading: Any,
) -> Source:
    """Return the voxels that `import_volume` would store, read where they lie: to look before it is run.

    Parameters
    ----------
    source, crop, convert, scale, **reading
        As for `import_volume`.

    Returns
    -------
    Source

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> import_source(ArraySource(np.zeros((4, 5, 6), np.uint8)), crop="0:2, :, :").shape
    (2, 5, 6)
    """
    return _converted(_cropped(source, crop, reading), {}, convert, scale)[0]


def _cropped(
    source: str | os.PathLike[str] | Source | npt.NDArray[Any], crop: Crop | None, reading: dict[str, Any]
) -> Source:
    voxels = (
        open_source(os.fspath(source), **reading)
        if isinstance(source, str | os.PathLike)
        else source_of(source)
    )
    return voxels if crop is None else Cropped(voxels, parse_crop(crop, voxels.shape))


def _class_table(pore: int | str | None, classes: dict[str, int] | None) -> dict[str, int]:
    """Return the class table that `pore` and `classes` mean together."""
    table = dict(classes or {})
    if isinstance(pore, str):
        if pore not in table:
            raise ParameterError(
                f"pore={pore!r} is not in the class table {table or '(empty)'}. Give the value of the pore class "
                f"as a number, or name it in classes."
            )
        pore = table[pore]
    if pore is not None:
        if table.get("pore", pore) != pore:
            raise ParameterError(f"pore={pore} contradicts the class table {table}. Give one of them.")
        table["pore"] = int(pore)
    return table


def _converted(
    source: Source, table: dict[str, int], convert: npt.DTypeLike | None, scale: tuple[float, float] | None
) -> tuple[Source, dict[str, int]]:
    """Return the source in the data type that is asked for, and the classes that are left in it."""
    if convert is None and scale is not None:
        raise ParameterError(
            f"scale={scale} needs a data type to scale to. Give convert='uint8' or 'uint16' as well."
        )
    boolean = np.dtype(source.dtype).kind == "b"
    to = (
        np.dtype(bool if boolean and table else convert)
        if convert is not None or (boolean and table)
        else None
    )
    if to is None:
        return source, table
    if to.kind == "b" and not (boolean and not table):
        if "pore" not in table:
            raise ParameterError(
                "convert='bool' needs the value of the pore class: which voxels are True is not known. Give pore=VALUE."
            )
        return Converted(source, to, pore=table["pore"]), {}
    return Converted(source, to, scale=scale), table


def parse_crop(crop: Crop, shape: Shape) -> Region:
    """Return a crop as a region.

    Raises
    ------
    ParameterError
        If it is not three ranges, has steps, or is empty.

    Examples
    --------
    >>> parse_crop("0:100, 50:, :", (200, 200, 200)).shape
    (100, 150, 200)
    """
    if isinstance(crop, Region):
        crop = crop.slices
    parts: list[slice] = []
    for given in crop.split(",") if isinstance(crop, str) else crop:
        part = given if isinstance(given, slice) else None
        if isinstance(given, str) and (match := _RANGE.match(given)):
            part = slice(*(int(g) if g else None for g in match.groups()))
        if part is None or part.step not in (None, 1):
            raise ParameterError(
                f"crop {crop!r} is not three ranges z, y, x. Write it like '0:100, 50:250, :'."
            )
        parts.append(part)
    if len(parts) != 3:
        raise ParameterError(f"crop {crop!r} has {len(parts)} ranges. Give three, in the order z, y, x.")
    ranges = [part.indices(n) for part, n in zip(parts, shape, strict=True)]
    z, y, x = ((start, stop) for start, stop, _ in ranges)
    region = Region((z[0], y[0], x[0]), (z[1], y[1], x[1]))
    if min(region.shape) < 1:
        raise ParameterError(
            f"crop {crop!r} of a scan of {shape} voxels is empty. Give ranges inside the scan."
        )
    return region
