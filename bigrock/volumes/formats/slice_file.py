"""One slice image on disk: its size without decoding it, and its pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, SliceStackError, SourceError
from bigrock.geometry import Region
from bigrock.volumes.formats.tiff import open_tiff

__all__ = ["SLICE_SUFFIXES", "SliceFacts", "read_slice", "slice_facts"]

SLICE_SUFFIXES = (".tif", ".tiff", ".png", ".bmp", ".jpg", ".jpeg")
"""File names that are taken as slice images."""

_TIFF = (".tif", ".tiff")
_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """Size, type and channels of a slice image; `unit` is the part that is decoded as one."""

    height: int
    width: int
    dtype: str
    unit: tuple[int, int]


def slice_facts(path: str, channel: int | None = None) -> SliceFacts:
    """Return size and type of a slice image from its header.

    Parameters
    ----------
    path : str
        A TIFF, PNG, BMP or JPEG file.
    channel : int, optional
        Which channel of a colour image.

    Raises
    ------
    SliceStackError
        If a TIFF file holds several slices.
    SourceError
        If the image is in colour and no channel is selected, or is no image at all.
    """
    if Path(path).suffix.lower() in _TIFF:
        source = open_tiff(path, channel=channel)
        depth, height, width = source.shape
        if depth > 1:
            raise SliceStackError(
                f"{path} holds {depth} slices: in a stack every file is one. Import the file by itself."
            )
        return SliceFacts(height, width, source.dtype.name, source.read_unit[1:])
    with Path(path).open("rb") as file:
        try:
            height, width, samples, dtype = _header(file)
        except (struct.error, KeyError, IndexError, ValueError) as error:
            raise SourceError(
                f"{path} is not a complete PNG, BMP or JPEG image ({error}). Write it again."
            ) from error
    if samples > 1 and channel is None:
        raise SourceError(
            f"{path} has {samples} channels (colour, a palette or transparency): which of them is the grey level is "
            "not known. Select one with channel=, or convert the slices to grey levels."
        )
    if channel is not None and not 0 <= channel < samples:
        raise ParameterError(
            f"channel={channel} is not in {path}, which has {samples}. Give 0 to {samples - 1}."
        )
    return SliceFacts(height, width, dtype, (height, width))


def read_slice(
    path: str, facts: SliceFacts, channel: int | None, rows: slice, columns: slice
) -> npt.NDArray[Any]:
    """Return a window of a slice image; only a TIFF file can be decoded in parts.

    Parameters
    ----------
    path : str
        The file.
    facts : SliceFacts
        What the file is expected to be.
    channel : int, optional
        Which channel of a colour image.
    rows, columns : slice
        The window, y and x.

    Raises
    ------
    SliceStackError
        If size or type are not the expected ones.
    SourceError
        If the image does not decode.
    """
    if Path(path).suffix.lower() in _TIFF:
        source = open_tiff(path, channel=channel)
        _check_same(path, source.shape[1:], source.dtype, facts)
        return source.read(Region((0, rows.start, columns.start), (1, rows.stop, columns.stop)))[0]
    image = _decode(path)
    if image.ndim == 3:
        image = image[:, :, channel or 0]
    _check_same(path, image.shape, image.dtype, facts)
    return image[rows, columns]


def _check_same(path: str, size: tuple[int, ...], dtype: np.dtype[Any], facts: SliceFacts) -> None:
    if size != (facts.height, facts.width) or dtype.name != facts.dtype:
        raise SliceStackError(
            f"{path} is {size} {dtype} where the stack has {(facts.height, facts.width)} {facts.dtype}: it changed "
            "since the stack was opened. Open the stack again."
        )


def _decode(path: str) -> npt.NDArray[Any]:
    import imagecodecs

    data = Path(path).read_bytes()
    decode = {b"\x89P": imagecodecs.png_decode, b"BM": imagecodecs.bmp_decode}.get(
        data[:2], imagecodecs.jpeg_decode
    )
    try:
        image: npt.NDArray[Any] = decode(data)
    except Exception as error:
        raise SourceError(
            f"{path} does not decode ({type(error).__name__}: {error}): the file is damaged. Write it again."
        ) from error
    return image


def _header(file: BinaryIO) -> tuple[int, int, int, str]:
    """Return height, width, channels and type of a PNG, BMP or JPEG image."""
    head = file.read(32)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height, depth, colour = struct.unpack(">IIBB", head[16:26])
        return height, width, _PNG_SAMPLES[colour], "uint16" if depth == 16 else "uint8"
    if head.startswith(b"BM"):
        width, height = struct.unpack("<ii", head[18:26])
        bits = struct.unpack("<H", head[28:30])[0]
        return abs(height), width, 1 if bits == 8 else 3, "uint8"
    if head.startswith(b"\xff\xd8"):
        return _jpeg_header(file)
    raise ValueError(f"it starts with {head[:4]!r}")


def _jpeg_header(file: BinaryIO) -> tuple[int, int, int, str]:
    """Walk the segments of a JPEG file to its start-of-frame."""
    file.seek(2)
    while True:
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF:
            raise ValueError("a segment of the JPEG header is damaged")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            depth, height, width, samples = struct.unpack(">BHHB", file.read(6))
            return height, width, samples, "uint8" if depth == 8 else "uint16"
        file.seek(length - 2, 1)
