"""Write a zarr array in whole shards, also at the far faces.

A shard is written blindly only when all of it is given; zarr reads it first otherwise, which costs
time, and fails on half a shard that a killed run left. Where an array ends inside a shard, zarr
cannot be given all of it: so voxels are written through the same array with its axes rounded up.

Zarr stores nothing for a shard of zeros. Then a file that was lost would read as zeros, which are
pores; so an empty shard is written there, of nothing but its index, and a missing file is an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr
from google_crc32c import value as crc32c
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import LocalStore

from bigrock.geometry import Region, Shape

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = [
    "damaged_shards",
    "missing_shards",
    "rounded_up",
    "shards_of",
    "stored_shards",
    "write_whole_shards",
]


def rounded_up(array: zarr.Array[Any]) -> zarr.Array[Any]:
    """Return the same stored array with every axis as long as its shards."""
    unit = array.shards or array.chunks
    shape = tuple(-(-n // u) * u for n, u in zip(array.shape, unit, strict=True))
    metadata: Any = replace(array.metadata, shape=shape)
    return zarr.Array(zarr.AsyncArray(metadata, array.store_path))


def _cover(region: Region, unit: Sequence[int]) -> Region:
    """Return the smallest region of whole `unit`s that holds `region`."""
    start = tuple(a // u * u for a, u in zip(region.start, unit, strict=True))
    stop = tuple(-(-b // u) * u for b, u in zip(region.stop, unit, strict=True))
    return Region(start, stop)  # type: ignore[arg-type]


def write_whole_shards(
    store: Store, array: zarr.Array[Any], shape: Shape, core: Region, values: npt.NDArray[Any]
) -> None:
    """Store `values` at `core` of an array of `shape` that is `rounded_up`.

    Where `core` reaches a far face, the shards are filled up with zeros that nobody reads.
    """
    whole = _cover(core, array.shards or array.chunks)
    ends = all(b in (n, w) for b, w, n in zip(core.stop, whole.stop, shape, strict=True))
    if whole != core and whole.start == core.start and ends:
        padding = [(0, w - b) for b, w in zip(core.stop, whole.stop, strict=True)]
        core, values = whole, np.pad(values, padding)
    if whole == core and not isinstance(store, LocalStore):
        _delete(store, array, core)
    array[core.slices] = values
    for key, shard in shards_of(array, core):
        if array.shards is not None and not values[shard.common(core).within(core)].any():
            sync(store.set(key, _empty_shard(array)))


def _empty_shard(array: zarr.Array[Any]) -> Buffer:
    """Return a shard without chunks: an index of absent entries, and its checksum."""
    chunks = math.prod(s // c for s, c in zip(array.shards or array.chunks, array.chunks, strict=True))
    index = b"\xff" * (16 * chunks)
    return default_buffer_prototype().buffer.from_bytes(index + crc32c(index).to_bytes(4, "little"))


def shards_of(array: zarr.Array[Any], region: Region) -> Iterator[tuple[str, Region]]:
    """Yield key and voxels of every shard (or chunk, where there are no shards) that `region` touches."""
    a, b, c = array.shards or array.chunks
    whole = _cover(region, (a, b, c))
    spans = (range(i, j, u) for i, j, u in zip(whole.start, whole.stop, (a, b, c), strict=True))
    for z, y, x in product(*spans):
        key = array.metadata.encode_chunk_key((z // a, y // b, x // c))
        yield f"{array.path}/{key}", Region((z, y, x), (z + a, y + b, x + c))


def missing_shards(
    store: Store, array: zarr.Array[Any], region: Region, values: npt.NDArray[Any]
) -> list[str]:
    """Return the keys of the shards of `region` that are not stored, given the `values` that were read."""
    return [
        key
        for key, shard in shards_of(array, region)
        if not values[shard.common(region).within(region)].any() and not sync(store.exists(key))
    ]


def stored_shards(store: Store, array: zarr.Array[Any], region: Region) -> int:
    """Return how many shards of `region` are stored."""
    return sum(sync(store.exists(key)) for key, _ in shards_of(array, region))


def damaged_shards(array: zarr.Array[Any], region: Region) -> list[str]:
    """Return the keys of the shards of `region` that cannot be decoded; `array` is `rounded_up`."""
    bad = []
    for key, shard in shards_of(array, region):
        try:
            array[shard.slices]
        except Exception:
            bad.append(key)
    return bad


def _delete(store: Store, array: zarr.Array[Any], core: Region) -> None:
    """Delete the shards of `core`.

    Zarr's own codec pipeline reads a shard before it replaces it, and would fail on half a shard
    that a killed run left.
    """
    for key, _ in shards_of(array, core):
        sync(store.delete(key))
