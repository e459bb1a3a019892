"""TIFF volumes: multi-page, BigTIFF, ImageJ hyperstacks, OME-TIFF, compressed or not.

The tags are read once per process; a region then decodes only the strips or tiles that it touches,
and an uncompressed page is read like a raw file.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, SliceStackError, SourceError, TruncatedFileError
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.raw import read_mapped
from bigrock.volumes.formats.tiff_pages import TiffPages, read_pages
from bigrock.volumes.formats.voxels import check_region, file_identity, native_dtype, require_file
from bigrock.volumes.source import Voxel

__all__ = ["TiffSource", "open_tiff"]


@dataclass(frozen=True, slots=True)
class TiffSource:
    """One 3-D image of a TIFF file.

    Exact. A region costs the strips or tiles that it touches (`read_unit`), decoded one at a time, or,
    where pages are stored uncompressed in one piece, its own bytes. The tags of all pages are read once
    per process and file: about 50 µs for each page. Grey levels are taken as stored: an inverted
    (white-is-zero) display or a colour map is not applied.

    Parameters
    ----------
    path : str
        The file.
    series : int, optional
        Which image of a file that holds several.
    channel : int, optional
        Which channel of a colour or multi-channel image.
    stated_voxel_size : tuple of float, optional
        Metres along z, y, x, in place of what the file states.
    stacked : bool
        Whether planes that are labelled channels are the z slices.

    Examples
    --------
    >>> import tempfile, tifffile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = str(Path(folder, "scan.tif"))
    ...     image = np.arange(24, dtype="u1").reshape(2, 3, 4)
    ...     tifffile.imwrite(path, image, compression="zlib", photometric="minisblack")
    ...     source = open_tiff(path)
    ...     source.shape, source.read(Region((1, 0, 1), (2, 1, 4)))
    ((2, 3, 4), array([[[13, 14, 15]]], dtype=uint8))
    """

    path: str
    series: int | None = None
    channel: int | None = None
    stated_voxel_size: Voxel | None = None
    stacked: bool = False

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""
        return self._pages().shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `read` returns, in native byte order."""
        return native_dtype(self._pages().stored, self.path)

    @property
    def voxel_size(self) -> Voxel | None:
        """Metres along z, y, x, from the caller, ImageJ's header or OME-XML."""
        return self.stated_voxel_size or self._pages().voxel_size

    @property
    def read_unit(self) -> Shape:
        """A strip or a tile of one slice; one voxel where pages are stored uncompressed."""
        pages = self._pages()
        if pages.plain:
            return 1, 1, 1
        return 1, min(pages.segment[0], pages.shape[1]), min(pages.segment[1], pages.shape[2])

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, decoding only the segments that it touches.

        Raises
        ------
        TruncatedFileError
            If the file ends before a segment does.
        SliceStackError
            If a further file of an OME-TIFF is gone.
        SourceError
            If a segment does not decode.
        """
        pages = self._pages()
        check_region(region, pages.shape, self.path)
        try:
            return _read_plain(pages, region) if pages.plain else _read_decoded(pages, region)
        except FileNotFoundError as error:
            raise SliceStackError(
                f"{error.filename}, which holds some of the slices of {self.path}, is gone: the volume would have a "
                "hole. Put the file back beside the others."
            ) from error

    def identity(self) -> dict[str, Any]:
        """Return path, size, time, and which image of the file is read."""
        voxel = self.stated_voxel_size and list(self.stated_voxel_size)
        found = file_identity(
            self.path, format="tiff", dataset=self.series, channel=self.channel, voxel_size=voxel
        )
        others = sorted(set(self._pages().files) - {self.path})
        if others:
            found["files"] = [file_identity(name) for name in others]
        return found

    def _pages(self) -> TiffPages:
        state = Path(self.path).stat()
        return read_pages(
            self.path, state.st_size, state.st_mtime_ns, self.series, self.channel, self.stacked
        )


def open_tiff(
    path: str | Path,
    *,
    dataset: str | int | None = None,
    channel: int | None = None,
    axes: str | None = None,
    voxel_size: Voxel | None = None,
) -> TiffSource:
    """Return the 3-D image in a TIFF file.

    Parameters
    ----------
    path : str or Path
        The file.
    dataset : str or int, optional
        The number of the image (series) in a file that holds several.
    channel : int, optional
        The channel of an RGB or multi-channel image.
    axes : {"zyx"}, optional
        Says that two to four planes labelled channels are z slices.
    voxel_size : tuple of float, optional
        Metres along z, y, x, in place of what the file states.

    Returns
    -------
    TiffSource
        The tags have been read, no pixel yet.

    Raises
    ------
    UnsupportedFormatError
        If the file is no TIFF.
    TruncatedFileError
        If it is cut off.
    SourceError
        If it holds several images, channels or time steps and none is selected.
    ParameterError
        If `dataset` or `channel` is not in the file.
    """
    file = str(require_file(path))
    try:
        series = None if dataset is None else int(dataset)
    except ValueError as error:
        raise ParameterError(
            f"dataset={dataset!r} is not the number of an image in a TIFF file. Give 0, 1, ..."
        ) from error
    if axes not in (None, "zyx"):
        raise ParameterError(
            f"axes={axes!r} is not 'zyx', the only order of TIFF slices. Crop or transpose elsewhere."
        )
    source = TiffSource(file, series, channel, voxel_size, axes is not None)
    native_dtype(source.dtype, file)
    return source


def _read_plain(pages: TiffPages, region: Region) -> npt.NDArray[Any]:
    """Return a region of uncompressed pages; neighbours in the file are read in one go."""
    first, last = region.start[0], region.stop[0]
    step = pages.shape[1] * pages.shape[2] * pages.stored.itemsize
    breaks = (np.diff(pages.offsets[first:last, 0]) != step) | (np.diff(pages.file_of[first:last]) != 0)
    bounds = [first, *(first + 1 + int(place) for place in np.flatnonzero(breaks)), last]
    out = np.empty(region.shape, native_dtype(pages.stored, pages.files[0]))
    for low, high in itertools.pairwise(bounds):
        name, run = (
            pages.files[pages.file_of[low]],
            Region((0, *region.start[1:]), (high - low, *region.stop[1:])),
        )
        extent = (high - low, *pages.shape[1:])
        offset, part = int(pages.offsets[low, 0]), out[low - first : high - first]
        read_mapped(name, offset, pages.stored, extent, run, out=part)
    return out


def _read_decoded(pages: TiffPages, region: Region) -> npt.NDArray[Any]:
    out = np.empty(region.shape, native_dtype(pages.stored, pages.files[0]))
    for place, z in enumerate(range(region.start[0], region.stop[0])):
        _decode_page(pages, z, region, out[place])
    return out


def _decode_page(pages: TiffPages, z: int, region: Region, out: npt.NDArray[Any]) -> None:
    """Fill `out` (y, x) with the region's part of one page, segment by segment."""
    (_, y0, x0), (_, y1, x1) = region.start, region.stop
    height, width = pages.segment
    across = -(-pages.shape[2] // width)
    name = pages.files[pages.file_of[z]]
    with Path(name).open("rb") as file:
        for j in range(y0 // height, -(-y1 // height)):
            for i in range(x0 // width, -(-x1 // width)):
                data = _segment(pages, z, pages.first + j * across + i, file, name)
                top, left = max(y0, j * height), max(x0, i * width)
                bottom, right = min(y1, (j + 1) * height), min(x1, (i + 1) * width)
                target = out[top - y0 : bottom - y0, left - x0 : right - x0]
                if data is None:
                    target[...] = 0
                else:
                    rows = slice(top - j * height, bottom - j * height)
                    target[...] = data[rows, left - i * width : right - i * width]


def _segment(pages: TiffPages, z: int, index: int, file: Any, name: str) -> npt.NDArray[Any] | None:
    """Return one decoded strip or tile (y, x), or None for one that is not stored and is zero."""
    offset, count = int(pages.offsets[z, index]), int(pages.counts[z, index])
    if count == 0:
        return None
    file.seek(offset)
    data = file.read(count)
    if len(data) < count:
        raise TruncatedFileError(
            f"{name} ends at byte {offset + len(data):,}, but a part of slice {z} reaches to byte {offset + count:,}: "
            "the file is cut off and the rest of the volume would be made up. Copy or write it again."
        )
    options = {} if pages.tables is None else {"jpegtables": pages.tables}
    try:
        decoded, _, _ = pages.decode(data, index, **options)
    except Exception as error:
        raise SourceError(
            f"a part of slice {z} of {name} does not decode ({type(error).__name__}: {error}): the file is damaged or "
            "its compression is not supported. Write it again, for instance with zlib compression."
        ) from error
    plane: npt.NDArray[Any] = decoded[0, :, :, pages.channel or 0]
    return plane
