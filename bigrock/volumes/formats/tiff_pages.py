"""Where the strips and tiles of a TIFF file lie: its tags, read once per process."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import BigrockError, TruncatedFileError, UnsupportedFormatError
from bigrock.geometry import Shape
from bigrock.volumes.formats.tiff_axes import PageChoice, choose_pages, choose_series
from bigrock.volumes.formats.tiff_complete import check_complete
from bigrock.volumes.formats.tiff_voxel_size import tiff_voxel_size
from bigrock.volumes.source import Voxel

__all__ = ["TiffPages", "read_pages"]


@dataclass(frozen=True, slots=True)
class TiffPages:
    """Where the segments (strips or tiles) of a series lie, and how they are decoded.

    `offsets` and `counts` have one row per z slice and one column per segment; `plain` says that a
    row holds one uncompressed segment that is the page.
    """

    decode: Any
    tables: bytes | None
    files: tuple[str, ...]
    file_of: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    shape: Shape
    stored: np.dtype[Any]
    segment: tuple[int, int]
    first: int
    channel: int | None
    plain: bool
    voxel_size: Voxel | None


@lru_cache(maxsize=16)
def read_pages(
    path: str, size: int, mtime_ns: int, series: int | None, channel: int | None, stacked: bool
) -> TiffPages:
    """Return the segment table of a file; size and time are there so that a changed file is read anew."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            chosen = choose_series(file, series, path)
            check_complete(file, chosen, path)
            picked = choose_pages(chosen, channel, stacked, path)
            return _table(file, picked, series or 0, path)
    except BigrockError:
        raise
    except (tifffile.TiffFileError, struct.error, IndexError, KeyError, TypeError, ValueError) as error:
        with Path(path).open("rb") as raw:
            begins = raw.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
        kind, told = (
            (TruncatedFileError, "a TIFF file that is cut off or damaged")
            if begins
            else (UnsupportedFormatError, "not a TIFF file")
        )
        raise kind(
            f"{path} ({size:,} bytes) is {told} ({error}): nothing can be read. Check that the copy is complete."
        ) from error


def _table(file: Any, picked: PageChoice, series: int, path: str) -> TiffPages:
    pages, shape, sample = picked.pages, picked.shape, picked.sample
    key = pages[0].keyframe
    height, width = (key.tilelength, key.tilewidth) if key.is_tiled else (key.rowsperstrip, key.imagewidth)
    per_plane = -(-shape[1] // height) * -(-shape[2] // width)
    planar = key.planarconfig == 2 and key.samplesperpixel > 1
    of_page = [str(Path(page.parent.filehandle.path).absolute()) for page in pages]
    names = tuple(dict.fromkeys(of_page))
    where = [names.index(name) for name in of_page]
    page_bytes = shape[1] * shape[2] * key.dtype.itemsize
    plain = sample is None and key.is_final and all(_in_one_piece(page, page_bytes, file) for page in pages)
    if plain or (len(pages) == 1 and shape[0] > 1):
        starts = [int(page.dataoffsets[0]) for page in pages]
        if len(pages) == 1:
            starts = [starts[0] + z * page_bytes for z in range(shape[0])]
        where = where if len(pages) > 1 else where * shape[0]
        offsets, counts, plain = [[start] for start in starts], [[page_bytes]] * shape[0], True
    else:
        segments = per_plane * (key.samplesperpixel if planar else 1)
        _check_table(key, pages, segments, path)
        offsets = [list(page.dataoffsets[:segments]) for page in pages]
        counts = [list(page.databytecounts[:segments]) for page in pages]
    return TiffPages(
        decode=key.decode,
        tables=key.jpegtables,
        files=names,
        file_of=np.array(where, np.int64),
        offsets=np.array(offsets, np.int64),
        counts=np.array(counts, np.int64),
        shape=shape,
        stored=key.dtype.newbyteorder(file.byteorder) if plain else key.dtype,
        segment=(height, width),
        first=per_plane * sample if planar and sample is not None else 0,
        channel=None if planar else sample,
        plain=plain,
        voxel_size=tiff_voxel_size(file, series),
    )


def _in_one_piece(page: Any, page_bytes: int, file: Any) -> bool:
    """Return whether the strips of a page follow each other in its file, in the first file's byte order."""
    offsets, counts = np.asarray(page.dataoffsets, np.int64), np.asarray(page.databytecounts, np.int64)
    joined = len(offsets) > 0 and bool(np.all(offsets[:-1] + counts[:-1] == offsets[1:]))
    return joined and int(counts.sum()) == page_bytes and page.parent.byteorder == file.byteorder


def _check_table(key: Any, pages: list[Any], segments: int, path: str) -> None:
    if key.imagedepth > 1:
        raise UnsupportedFormatError(
            f"{path} stores {key.imagedepth} slices in one TIFF page, which is not supported. "
            "Save it as a multi-page TIFF with one slice per page."
        )
    for z, page in enumerate(pages):
        listed = min(len(page.dataoffsets), len(page.databytecounts))
        if listed < segments:
            raise TruncatedFileError(
                f"slice {z} of {path} lists {listed} parts where its size needs {segments}: the file is damaged. "
                "Write it again."
            )
