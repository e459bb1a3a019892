"""Write a volume as one TIFF file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, UnsupportedFormatError
from bigrock.geometry import Shape
from bigrock.volumes.formats.voxels import native_dtype
from bigrock.volumes.formats.writing import checked_slabs, replacing, voxel_bytes
from bigrock.volumes.source import Voxel

__all__ = ["write_tiff"]

_CLASSIC_BYTES = (4 << 30) - (64 << 20)
_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_NOT_IN_OME = ("int64", "uint64", "float16")


def write_tiff(
    slabs: Iterable[npt.NDArray[Any]],
    path: str | Path,
    *,
    shape: Shape,
    dtype: npt.DTypeLike,
    voxel_size: Voxel | None = None,
    compression: Literal["zlib"] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write slabs as a multi-page TIFF file with the voxel size, and return its path.

    Up to 4 GiB of uint8, uint16 or float32 become an ImageJ hyperstack, which every TIFF reader opens
    and ImageJ shows with its scale; anything else becomes a BigTIFF with OME-XML, which Fiji, Bio-Formats,
    napari and tifffile read. Exact. Memory: two slabs, the one that is written and the next.

    Parameters
    ----------
    slabs : iterable of ndarray
        Axes z, y, x, from the top; together the volume.
    path : str or Path
        The file; missing folders are made.
    shape : Shape
        z, y, x of the volume.
    dtype : dtype-like
        Type of the slabs. Masks (bool) are written as 0 and 255, ImageJ's form of a binary image.
    voxel_size : tuple of float, optional
        Metres along z, y, x.
    compression : {"zlib"}, optional
        Smaller files (masks 20 times, noisy 16-bit grey 1.5 times), written at some 50 MB/s for noisy grey.
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
        For 64-bit integers and half floats, which OME-TIFF does not have.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.volumes.formats import open_source
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     slabs = [np.zeros((2, 4, 5), "u1"), np.ones((1, 4, 5), "u1")]
    ...     path = write_tiff(slabs, Path(folder, "a.tif"), shape=(3, 4, 5), dtype="u1", voxel_size=(1e-5, 2e-6, 2e-6))
    ...     open_source(path).shape, open_source(path).voxel_size
    ((3, 4, 5), (1e-05, 2e-06, 2e-06))
    """
    import tifffile

    if compression not in (None, "zlib"):
        raise ParameterError(f"compression={compression!r} is not offered for TIFF. Give 'zlib' or None.")
    given = native_dtype(dtype, str(path))
    stored = np.dtype(np.uint8) if given == np.bool_ else given
    if stored.name in _NOT_IN_OME:
        raise UnsupportedFormatError(
            f"OME-TIFF has no type for {stored}, and few programs would read it. "
            "Convert the volume (labels to uint32, half floats to float32), or write NRRD or NPY."
        )
    size = voxel_bytes(shape, stored)
    imagej = stored.name in _IMAGEJ_TYPES and size < _CLASSIC_BYTES
    notes, options = _imagej_notes(voxel_size) if imagej else _ome_notes(voxel_size)
    with replacing(path, overwrite=overwrite, expected_bytes=0 if compression else size) as part:
        kind: dict[str, Any] = {"imagej": True} if imagej else {"bigtiff": True, "ome": True}
        pages = _pages(checked_slabs(slabs, shape, given))
        with tifffile.TiffWriter(part, **kind) as writer:
            writer.write(
                pages,
                shape=shape,
                dtype=stored,
                photometric="minisblack",
                compression=compression,
                metadata={"axes": "ZYX", **notes},
                **options,
            )
        deque(pages, maxlen=0)  # the writer stops at the last slice; one more must raise
    return Path(path).expanduser().absolute()


def _pages(slabs: Iterator[npt.NDArray[Any]]) -> Iterator[npt.NDArray[Any]]:
    for slab in slabs:
        for page in slab:
            yield page.view(np.uint8) * np.uint8(255) if page.dtype == np.bool_ else page


def _imagej_notes(voxel_m: Voxel | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ImageJ's metadata and the resolution tags, as exact ratios of pixels per unit."""
    if voxel_m is None:
        return {}, {}
    unit, factor = ("nm", 1e9) if min(voxel_m) < 1e-7 else ("micron", 1e6)
    z, y, x = (Fraction(f"{value * factor:.12g}") for value in voxel_m)
    ratios = tuple(_ratio(1 / value) for value in (x, y))
    return {"spacing": float(z), "unit": unit}, {"resolution": ratios, "resolutionunit": "NONE"}


def _ratio(value: Fraction) -> tuple[int, int]:
    """Return a ratio of two 32-bit integers."""
    close = value.limit_denominator(2**31 - 1)
    if close.numerator >= 2**32:
        close = Fraction(1, (1 / value).limit_denominator(2**31 - 1))
    return close.numerator, close.denominator


def _ome_notes(voxel_m: Voxel | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return OME's physical sizes, in micrometres, which is the unit where none is written."""
    if voxel_m is None:
        return {}, {}
    sizes = zip("ZYX", voxel_m, strict=True)
    return {f"PhysicalSize{axis}": float(f"{value * 1e6:.12g}") for axis, value in sizes}, {}
