"""Whether a TIFF file holds all the slices that it announces."""

from __future__ import annotations

import math
import struct
from typing import Any

from bigrock.errors import TruncatedFileError

__all__ = ["check_complete"]


def check_complete(file: Any, series: Any, path: str) -> None:
    """Refuse a TIFF file that was cut off, which would otherwise look like a shorter volume.

    Three things are compared: whether the chain of pages ends where it says, the number of slices in
    ImageJ's or tifffile's header with the number found, and the end of contiguous voxels with the
    file's size.

    Parameters
    ----------
    file : tifffile.TiffFile
        Open.
    series : tifffile.TiffPageSeries
        The image that is read.
    path : str
        For messages.

    Raises
    ------
    TruncatedFileError
        If slices are missing: how many are stated and found.
    """
    size = file.filehandle.size
    following = _next_page(file)
    if following:
        raise TruncatedFileError(
            f"{path} holds {size:,} bytes, and its page {len(file.pages)} should begin at byte {following:,}: the file "
            "is cut off and the volume would be shorter than the sample. Copy or write it again."
        )
    stated, found = _stated_planes(file), math.prod(series.shape) // math.prod(series.shape[-2:])
    if stated is not None and len(file.series) == 1 and "S" not in series.axes and stated > found:
        raise TruncatedFileError(
            f"{path} states {stated} slices and holds {found}: the file is cut off and the volume would be shorter "
            "than the sample. Copy or write it again."
        )
    end = series.dataoffset and series.dataoffset + math.prod(series.shape) * series.dtype.itemsize
    if end and end > size:
        raise TruncatedFileError(
            f"{path} holds {size:,} bytes, but its slices reach to byte {end:,}: {end - size:,} are missing and the "
            "file is cut off. Copy or write it again."
        )


def _stated_planes(file: Any) -> int | None:
    """Return the number of slices that the description of the first page announces."""
    if file.is_imagej and file.imagej_metadata:
        return int(file.imagej_metadata.get("images", 1))
    if file.is_shaped and file.shaped_metadata:
        shape = file.shaped_metadata[0].get("shape", (1, 1))
        return math.prod(shape) // max(1, math.prod(shape[-2:]))
    return None


def _next_page(file: Any) -> int:
    """Return where the page after the last one should begin; 0 where the chain of pages ends properly."""
    layout, handle = file.tiff, file.filehandle
    last = file.pages[len(file.pages) - 1]
    handle.seek(last.offset)
    tags = struct.unpack(layout.tagnoformat, handle.read(layout.tagnosize))[0]
    handle.seek(last.offset + layout.tagnosize + tags * layout.tagsize)
    pointer = handle.read(layout.offsetsize)
    return int(struct.unpack(layout.offsetformat, pointer)[0]) if len(pointer) == layout.offsetsize else 0
