"""How the voxels of a volume are cut and compressed on disk.

Chunks of 64³ are what is decoded at once; shards of 256³ (128³ in volumes of less than 512³ voxels,
so that there are blocks for every core) are what is written at once, and the default core of a
block. Each chunk carries a CRC-32C, so that a flipped bit is an error and never
a grey value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bigrock.errors import AlignmentError
from bigrock.geometry import Shape

__all__ = ["CHUNK", "Layout", "codecs_for", "default_shard", "layout_for"]

CHUNK = 64


@dataclass(frozen=True, slots=True)
class Layout:
    """Chunk (decoded at once) and shard (written at once), in voxels z, y, x."""

    chunk: Shape
    shard: Shape

    def at_level(self, level: int) -> Layout | None:
        """Return the layout of a pyramid level whose shards the same blocks own, or None.

        A block of the full resolution owns the shards of a level while halving divides its shard.
        """
        if level == 0:
            return self
        factor = 1 << level
        if any(s % factor for s in self.shard) or max(self.shard) // factor < CHUNK // 2:
            return None
        shard = (self.shard[0] // factor, self.shard[1] // factor, self.shard[2] // factor)
        z, y, x = (c if s % c == 0 else s for c, s in zip(self.chunk, shard, strict=True))
        return Layout((z, y, x), shard)


def default_shard(shape: Shape) -> int:
    """Return the edge of the shards of a volume: 256 voxels, 128 below 512³ voxels."""
    return 256 if math.prod(shape) >= 512**3 else 128


def layout_for(shape: Shape, chunk: Shape | None = None, shard: Shape | None = None) -> Layout:
    """Return the layout of a volume of `shape`; axes shorter than a chunk get shorter chunks.

    Parameters
    ----------
    shape : Shape
        The volume, z, y, x.
    chunk, shard : Shape, optional
        Replace the defaults.

    Raises
    ------
    AlignmentError
        If a shard is not a multiple of its chunk.

    Examples
    --------
    >>> layout_for((1000, 1000, 1000)).shard
    (256, 256, 256)
    >>> layout_for((10, 100, 1000))
    Layout(chunk=(16, 64, 64), shard=(16, 128, 128))
    """
    if chunk is None:
        # Powers of two, so that the levels of a pyramid divide the shards of thin volumes as well.
        cz, cy, cx = (min(CHUNK, 1 << (n - 1).bit_length()) for n in shape)
        if shard is not None:
            cz, cy, cx = (c if s % c == 0 else s for c, s in zip((cz, cy, cx), shard, strict=True))
        chunk = (cz, cy, cx)
    if shard is None:
        edge = default_shard(shape)
        sz, sy, sx = (max(c, min(edge // c * c, -(-n // c) * c)) for n, c in zip(shape, chunk, strict=True))
        shard = (sz, sy, sx)
    if any(s % c for s, c in zip(shard, chunk, strict=True)):
        raise AlignmentError(
            f"shard {shard} is not a multiple of the chunk {chunk}: a chunk would lie in two shards. "
            f"Give a shard that is a multiple of {chunk}."
        )
    return Layout(chunk, shard)


def codecs_for(dtype: np.dtype[Any]) -> list[dict[str, Any]]:
    """Return the codecs of a data type, as zarr v3 metadata: fast ones that suit its bit patterns.

    8-bit grey levels, masks and labels: zstd level 1. 16-bit grey levels and floats: blosc lz4
    with bit shuffling. Both followed by CRC-32C.
    """
    compressor: dict[str, Any]
    if dtype.itemsize == 2 or dtype.kind == "f":
        compressor = {
            "name": "blosc",
            "configuration": {
                "cname": "lz4",
                "clevel": 1,
                "shuffle": "bitshuffle",
                "typesize": dtype.itemsize,
                "blocksize": 0,
            },
        }
    else:
        compressor = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
    return [compressor, {"name": "crc32c"}]
