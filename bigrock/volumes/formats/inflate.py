"""Volumes inside one deflate stream (gzip, zlib, a zip member), which only decodes from the front.

While a stream is decoded, the state of the decoder is kept every so often, so that a second visit
starts from the nearest kept state and not from the beginning.
"""

from __future__ import annotations

import math
import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import SourceError, TruncatedFileError
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.voxels import check_region, file_identity, native_dtype
from bigrock.volumes.source import Voxel

__all__ = ["InflatedSource"]

_WINDOW_BITS = {"gzip": 31, "zlib": 15, "deflate": -15}
_INPUT_BYTES = 1 << 16
_OUTPUT_BYTES = 1 << 20
_STATE_EVERY = 64 << 20
_MOST_STATES = 256
_MOST_ENDS = 8
_MOST_STREAMS = 8


class _Decoder:
    """A place in a deflate stream: `position` decoded bytes lie behind it."""

    __slots__ = ("bits", "engine", "file_position", "position", "tail")

    def __init__(self, bits: int, file_position: int) -> None:
        self.bits = bits
        self.engine = zlib.decompressobj(bits)
        self.file_position = file_position
        self.position = 0
        self.tail = b""

    def copy(self) -> _Decoder:
        """Return an independent decoder at the same place."""
        twin = _Decoder.__new__(_Decoder)
        twin.bits, twin.file_position, twin.position = self.bits, self.file_position, self.position
        twin.tail, twin.engine = self.tail, self.engine.copy()
        return twin

    def step(self, file: Any, most: int) -> bytes:
        """Return up to `most` decoded bytes; none at the end of the stream."""
        while True:
            if self.engine.eof:
                rest: bytes = self.engine.unused_data
                if len(rest) < 2:
                    rest += self._fetch(file)
                if self.bits != 31 or not rest.startswith(b"\x1f\x8b"):
                    return b""
                self.engine, self.tail = zlib.decompressobj(self.bits), rest
            data = self.tail or self._fetch(file)
            out = self.engine.decompress(data, most)
            self.tail = self.engine.unconsumed_tail
            if out or (not data and not self.engine.eof):
                self.position += len(out)
                return out

    def _fetch(self, file: Any) -> bytes:
        file.seek(self.file_position)
        data: bytes = file.read(_INPUT_BYTES)
        self.file_position += len(data)
        return data


class _Stream:
    """The kept states of one stream in this process, shared by its threads."""

    def __init__(self, first: _Decoder, total: int) -> None:
        self.lock = threading.Lock()
        self.every = max(_STATE_EVERY, total // _MOST_STATES)
        self.positions = [0]
        self.states = [first]
        self.ends: deque[_Decoder] = deque(maxlen=_MOST_ENDS)

    def nearest(self, position: int) -> _Decoder:
        """Return a copy of the last kept state at or before `position`."""
        with self.lock:
            found = self.states[bisect_right(self.positions, position) - 1]
            for state in self.ends:
                if found.position < state.position <= position:
                    found = state
            return found.copy()

    def keep(self, decoder: _Decoder) -> None:
        """Keep the state of a decoder where no state lies within the interval before it."""
        with self.lock:
            place = bisect_right(self.positions, decoder.position)
            if self.positions[place - 1] + self.every <= decoder.position:
                self.positions.insert(place, decoder.position)
                self.states.insert(place, decoder.copy())

    def keep_end(self, decoder: _Decoder) -> None:
        """Keep the state at which a read ended, where the next one is likely to begin."""
        with self.lock:
            self.ends.append(decoder)


_STREAMS: OrderedDict[tuple[Any, ...], _Stream] = OrderedDict()
_STREAMS_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class InflatedSource:
    """An array inside one deflate stream.

    Exact. The first read of a region decodes everything before it (80 MB/s for noisy 16-bit grey, 400
    MB/s for masks), so read whole slabs in increasing order along the slowest axis of the file: then
    every byte is decoded once per process. Several threads decode the same bytes several times and are
    no faster than one. The decoder's state is kept at the ends of the last eight reads, and every 64 MiB
    or 256th of the volume: at most some 260 states of about 100 KB for one file. Going back costs at most
    that interval. Memory besides the result: one plane of the file's slowest axis.

    Parameters
    ----------
    path : str
        The file.
    shape : Shape
        z, y, x.
    stored : numpy.dtype
        Type in the stream, with its byte order.
    codec : {"gzip", "zlib", "deflate"}
        How the stream is wrapped; gzip files of several members are one stream.
    start : int
        Byte of the file at which the stream begins.
    skip : int
        Decoded bytes before the first voxel.
    order : {"C", "F"}
        "C": x varies fastest; "F": z does, and any region of z needs the whole stream.
    voxel_size : tuple of float, optional
        Metres along z, y, x.
    header : str, optional
        A separate header file, which is then part of the identity.
    format : str
        Name of the format, for the identity.

    Examples
    --------
    >>> import gzip, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "scan.raw.gz")
    ...     _ = path.write_bytes(gzip.compress(np.arange(24, dtype="u1").tobytes()))
    ...     source = InflatedSource(str(path), (2, 3, 4), np.dtype("u1"), "gzip")
    ...     source.read(Region((1, 2, 0), (2, 3, 4))).ravel()
    array([20, 21, 22, 23], dtype=uint8)
    """

    path: str
    shape: Shape
    stored: np.dtype[Any]
    codec: Literal["gzip", "zlib", "deflate"]
    start: int = 0
    skip: int = 0
    order: Literal["C", "F"] = "C"
    voxel_size: Voxel | None = None
    header: str | None = None
    format: str = "raw"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `read` returns, in native byte order."""
        return native_dtype(self.stored, self.path)

    @property
    def read_unit(self) -> Shape:
        """A whole z slice; the whole volume in Fortran order."""
        return (1, *self.shape[1:]) if self.order == "C" else self.shape

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, decoding from the nearest kept state.

        Raises
        ------
        TruncatedFileError
            If the stream ends before the region does.
        SourceError
            If the bytes do not decode, or the stream goes on after the last voxel.
        """
        check_region(region, self.shape, self.path)
        out = np.empty(region.shape, self.dtype)
        if self.order == "C":
            target, extent, index = out, self.shape, region.slices
        else:
            target, extent, index = out.T, self.shape[::-1], region.slices[::-1]
        plane = np.empty(extent[1:], np.uint8 if self.stored.kind == "b" else self.stored)
        stream = self._stream()
        decoder = stream.nearest(self.skip + index[0].start * plane.nbytes)
        with Path(self.path).open("rb") as file:
            self._fill(file, decoder, None, self.skip + index[0].start * plane.nbytes, stream)
            for place, _ in enumerate(range(index[0].start, index[0].stop)):
                self._fill(file, decoder, plane, plane.nbytes, stream)
                part = plane[index[1:]]
                target[place] = part if self.stored.kind != "b" else part != 0
            if index[0].stop == extent[0] and self._decode(decoder, file, 1):
                self._refuse_surplus()
        stream.keep_end(decoder)
        return out

    def identity(self) -> dict[str, Any]:
        """Return path, size, time, and how the stream is read."""
        found = file_identity(
            self.path,
            format=self.format,
            codec=self.codec,
            shape=list(self.shape),
            dtype=self.stored.str,
            start=self.start,
            offset=self.skip,
            order=self.order,
            voxel_size=self.voxel_size and list(self.voxel_size),
        )
        if self.header is not None:
            found["header"] = file_identity(self.header)
        return found

    def _fill(
        self, file: Any, decoder: _Decoder, plane: npt.NDArray[Any] | None, upto: int, stream: _Stream
    ) -> None:
        """Decode `upto` bytes into `plane`, or, without a plane, on to decoded byte `upto`."""
        view = None if plane is None else plane.reshape(-1).view(np.uint8)
        done = decoder.position if view is None else 0
        while done < upto:
            data = self._decode(decoder, file, min(_OUTPUT_BYTES, upto - done))
            if not data:
                total = self.skip + math.prod(self.shape) * self.stored.itemsize
                raise TruncatedFileError(
                    f"{self.path} decodes to {decoder.position:,} bytes, but shape {self.shape} of {self.stored.str} "
                    f"after {self.skip} bytes of header takes {total:,}: the end of the volume would be made up. "
                    "Copy the file again, or correct shape=, dtype= or offset=."
                )
            if view is not None:
                view[done : done + len(data)] = np.frombuffer(data, np.uint8)
            done += len(data)
            stream.keep(decoder)

    def _decode(self, decoder: _Decoder, file: Any, most: int) -> bytes:
        try:
            return decoder.step(file, most)
        except zlib.error as error:
            raise SourceError(
                f"{self.path} does not decode after {decoder.position:,} bytes ({error}): the file is damaged. "
                "Copy or write it again."
            ) from error

    def _refuse_surplus(self) -> None:
        total = self.skip + math.prod(self.shape) * self.stored.itemsize
        raise SourceError(
            f"{self.path} decodes to more than the {total:,} bytes that shape {self.shape} of {self.stored.str} after "
            f"{self.skip} bytes of header takes: the voxels would be read from the wrong place. "
            "Correct shape=, dtype= or offset=."
        )

    def _stream(self) -> _Stream:
        state = Path(self.path).stat()
        key = (self.path, state.st_size, state.st_mtime_ns, self.start, self.codec)
        with _STREAMS_LOCK:
            if key not in _STREAMS:
                total = self.skip + math.prod(self.shape) * self.stored.itemsize
                _STREAMS[key] = _Stream(_Decoder(_WINDOW_BITS[self.codec], self.start), total)
                while len(_STREAMS) > _MOST_STREAMS:
                    _STREAMS.popitem(last=False)
            _STREAMS.move_to_end(key)
            return _STREAMS[key]
