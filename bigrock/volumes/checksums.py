"""Check the checksums of chunks that are read in part.

The compiled codec pipeline checks the CRC-32C of a chunk when it decodes a whole shard, but not
when it reads some chunks out of a shard, which is what a block with a halo does. A flipped bit
would become a grey value. So their bytes are checked beforehand, at about 2 GB of stored bytes per
second; after that they are in the page cache.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from google_crc32c import value as crc32c
from zarr.codecs import Crc32cCodec, ShardingCodec
from zarr.codecs.sharding import ShardingCodecIndexLocation

from bigrock.geometry import Region, Shape
from bigrock.volumes.shards import shards_of

__all__ = ["damaged_chunks", "has_checksums"]

_ABSENT = 2**64 - 1
_CRC = 4


def has_checksums(array: zarr.Array[Any]) -> bool:
    """Return whether an array is laid out as bigrock's are: shards, their index last, CRC-32C on everything."""
    codecs: tuple[Any, ...] = getattr(array.metadata, "codecs", ())
    if len(codecs) != 1 or not isinstance(codecs[0], ShardingCodec):
        return False
    sharding = codecs[0]
    last = (sharding.codecs[-1], sharding.index_codecs[-1])
    at_end = sharding.index_location == ShardingCodecIndexLocation.end
    return (
        at_end and len(sharding.index_codecs) == 2 and all(isinstance(codec, Crc32cCodec) for codec in last)
    )


def damaged_chunks(array: zarr.Array[Any], root: Path, region: Region) -> list[str]:
    """Return the keys of the shards, read in part by `region`, in which an index or a needed chunk is damaged.

    Shards that lie in `region` as a whole are left to the codec pipeline.
    """
    return [
        key
        for key, shard in shards_of(array, region)
        if shard.common(region) != shard and not _is_sound(root / key, array, shard, shard.common(region))
    ]


def _is_sound(file: Path, array: zarr.Array[Any], shard: Region, part: Region) -> bool:
    chunk = array.chunks
    counts = [n // c for n, c in zip(shard.shape, chunk, strict=True)]
    index_bytes = 16 * math.prod(counts)
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        start = os.fstat(descriptor).st_size - index_bytes - _CRC
        if start < 0 or not _matches(descriptor, start, index_bytes + _CRC):
            return False
        index = np.frombuffer(os.pread(descriptor, index_bytes, start), "<u8").reshape(*counts, 2)
        wanted = index[_chunks(part.within(shard), (chunk[0], chunk[1], chunk[2]))].reshape(-1, 2)
        return all(_matches(descriptor, at, length) for at, length in wanted.tolist() if at != _ABSENT)
    finally:
        os.close(descriptor)


def _chunks(voxels: tuple[slice, slice, slice], chunk: Shape) -> tuple[slice, ...]:
    return tuple(slice(s.start // c, -(-s.stop // c)) for s, c in zip(voxels, chunk, strict=True))


def _matches(descriptor: int, start: int, length: int) -> bool:
    """Return whether the last four of `length` bytes are the checksum of those before."""
    if length < _CRC or start + length > os.fstat(descriptor).st_size:
        return False
    stored = os.pread(descriptor, _CRC, start + length - _CRC)
    return crc32c(os.pread(descriptor, length - _CRC, start)) == int.from_bytes(stored, "little")
