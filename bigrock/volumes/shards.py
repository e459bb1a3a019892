"""The shards of a zarr array: which a region touches, which are damaged, which must go before a write."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import zarr
from zarr.core.sync import sync

from bigrock.geometry import Region, Shape

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["damaged_shards", "delete_clipped_shards"]


def _touched(array: zarr.Array[Any], region: Region) -> Iterator[tuple[str, Region]]:
    """Yield key and voxels of every shard (or chunk, where there are no shards) that `region` touches."""
    unit = array.shards or array.chunks
    spans = [range(a // u, -(-b // u)) for a, b, u in zip(region.start, region.stop, unit, strict=True)]
    for i, j, k in product(*spans):
        start: Shape = (i * unit[0], j * unit[1], k * unit[2])
        stop: Shape = (start[0] + unit[0], start[1] + unit[1], start[2] + unit[2])
        yield f"{array.path}/{array.metadata.encode_chunk_key((i, j, k))}", Region(start, stop)


def _inside(array: zarr.Array[Any], shard: Region) -> Region:
    z, y, x = array.shape
    return shard.grow((0, 0, 0), (z, y, x))


def damaged_shards(array: zarr.Array[Any], region: Region) -> list[str]:
    """Return the keys of the shards of `region` that cannot be read."""
    bad = []
    for key, shard in _touched(array, region):
        try:
            array[_inside(array, shard).slices]
        except Exception:
            bad.append(key)
    return bad


def delete_clipped_shards(store: Store, array: zarr.Array[Any], core: Region) -> None:
    """Delete the shards that stick out of the volume and whose voxels `core` holds, all of them.

    Zarr takes the write of such a shard for a write in part, and reads what is there first. That
    may be half a file, if the run before was killed.
    """
    for key, shard in _touched(array, core):
        inside = _inside(array, shard)
        covered = inside == _common(inside, core)
        if covered and inside != shard:
            sync(store.delete(key))


def _common(a: Region, b: Region) -> Region:
    start = tuple(max(p, q) for p, q in zip(a.start, b.start, strict=True))
    stop = tuple(min(p, q) for p, q in zip(a.stop, b.stop, strict=True))
    return Region(start, stop)  # type: ignore[arg-type]
