"""A rock volume on disk: one OME-Zarr 0.5 image with its units, classes and history."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.storage import LocalStore

from bigrock.errors import (
    CorruptChunkError,
    NotAVolumeError,
    ParameterError,
)
from bigrock.geometry import Region, Shape
from bigrock.units import format_voxel_size
from bigrock.volumes.checksums import damaged_chunks, has_checksums
from bigrock.volumes.downsample import halve
from bigrock.volumes.indexing import region_of
from bigrock.volumes.metadata import level_paths, translation_of, voxel_size_of
from bigrock.volumes.shards import damaged_shards, missing_shards, rounded_up, write_whole_shards
from bigrock.volumes.source import Kind, Voxel, required_voxel_size
from bigrock.volumes.stores import codec_pipeline, is_in_memory

if TYPE_CHECKING:
    import dask.array as da
    from zarr.abc.store import Store

__all__ = ["Volume"]


class Volume:
    """One stored volume: voxels, voxel size, what the values mean, and where they come from.

    Open one with `bigrock.open_volume`; they are made by `bigrock.import_volume` and `bigrock.run`.
    A volume is a `Source`: passes read it region by region. It is picklable (by its path).

    Attributes
    ----------
    path : str
        Absolute path or URL.
    levels : list of zarr.Array
        The pyramid; level k has axes 2**k times shorter.
    kind : {"grey", "mask", "labels"}
        Mask: True = pore. Labels: see `classes`.
    classes : dict of str to int
        Class table of a label volume, such as ``{"pore": 0}``.
    voxel_size : tuple of float or None
        Metres z, y, x; None where it was never stated.
    translation : tuple of float
        Where the centre of the first voxel lies, metres z, y, x; zeros unless the file says otherwise.
    history : tuple of dict
        Every step that made the voxels, first to last.
    """

    def __init__(self, store: Store, path: str, *, mode: str = "r") -> None:
        self.path = path
        self._store = store
        self._mode = mode
        self._root = store.root if isinstance(store, LocalStore) else None
        with codec_pipeline(store, writing=mode != "r"):
            group = zarr.open_group(store, mode="r" if mode == "r" else "r+", zarr_format=3)
            attributes = dict(group.attrs)
            names = level_paths(attributes, path)
            self.levels: list[zarr.Array[Any]] = [_array_of(group, name, path) for name in names]
            self._rounded_up = [rounded_up(level) for level in self.levels]
        own: Any = attributes.get("bigrock", {})
        self.voxel_size: Voxel | None = voxel_size_of(attributes, path)
        self.translation: Voxel = translation_of(attributes, path)
        self.kind: Kind = own.get("kind", "mask" if self.array.dtype.kind == "b" else "grey")
        self.classes: dict[str, int] = dict(own.get("classes", {}))
        self.history: tuple[dict[str, Any], ...] = tuple(own.get("history", ()))
        self.complete: bool = bool(own.get("complete", True))
        self._gapless = self.complete and bool(own.get("gapless", False))

    @property
    def array(self) -> zarr.Array[Any]:
        """The full resolution, as a zarr array."""
        return self.levels[0]

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""
        z, y, x = self.array.shape
        return z, y, x

    @property
    def extent(self) -> Voxel:
        """Physical size z, y, x in metres; a VoxelSizeError where no voxel size is known."""
        (z, y, x), (a, b, c) = self.shape, required_voxel_size(self, "its physical extent")
        return z * a, y * b, x * c

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the voxels."""
        return np.dtype(self.array.dtype.newbyteorder("="))

    @property
    def read_unit(self) -> Shape:
        """The chunk: the smallest region that is decoded as one."""
        z, y, x = self.array.chunks
        return z, y, x

    @property
    def write_unit(self) -> Shape:
        """The shard (or the chunk where there are none): the smallest region that is written as one."""
        z, y, x = self.array.shards or self.array.chunks
        return z, y, x

    @property
    def store(self) -> Store:
        """The zarr store that holds the volume."""
        return self._store

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        """Return voxels by numpy's basic indexing, such as ``volume[10, :, :]``; checked as by `read`."""
        region, pick = region_of(key, self.shape)
        if region.voxels == 0:
            return np.empty(region.shape, self.dtype)[pick]
        return self.read(region)[pick]

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`; the checksum of every chunk that it touches is checked.

        Raises
        ------
        CorruptChunkError
            If stored bytes do not decode; names the file.
        OSError
            If the store cannot be reached or read.
        """
        return self.read_level(0, region)

    def read_level(self, level: int, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region` of one pyramid level, in voxels of that level."""
        array = self.levels[level]
        if self._root is not None and has_checksums(array):
            damaged = damaged_chunks(array, self._root, region)
            if damaged:
                raise self._corrupt(region, "the checksum does not match", damaged)
        try:
            values = np.asarray(array[region.slices])
        except (MemoryError, OSError):
            raise
        except Exception as error:
            damaged = damaged_shards(self._rounded_up[level], region)
            if not damaged:
                raise
            raise self._corrupt(region, str(error), damaged) from error
        missing = missing_shards(self._store, array, region, values) if self._gapless else []
        if missing:
            raise self._corrupt(region, "it is missing", missing)
        return values

    def write(self, core: Region, values: npt.NDArray[Any]) -> None:
        """Store `values` as the voxels of `core`, and as those of the pyramid levels that it owns.

        `core` must start at a multiple of `write_unit`; the engine sees to that.
        """
        values = np.ascontiguousarray(values)
        self.write_level(0, core, values)
        method = "mean" if self.kind == "grey" else "mode"
        for level in range(1, self.own_levels):
            core = Region(_halved(core.start), _halved(core.stop))
            values = halve(values, method)
            self.write_level(level, core, values)

    def write_level(self, level: int, core: Region, values: npt.NDArray[Any]) -> None:
        """Store `values` as the voxels of `core` of one pyramid level, and touch no other level."""
        if self._mode == "r":
            raise ParameterError(f"{self.path} is open for reading. Open it with mode='r+' to write.")
        z, y, x = self.levels[level].shape
        write_whole_shards(self._store, self._rounded_up[level], (z, y, x), core, values)

    @property
    def own_levels(self) -> int:
        """How many levels a block writes by itself; the coarser ones are made from the last of these."""
        own = 1
        for k, level in enumerate(self.levels[1:], start=1):
            unit = level.shards or level.chunks
            if any(s % (u << k) for s, u in zip(self.write_unit, unit, strict=True)):
                break
            own += 1
        return own

    def to_dask(self, level: int = 0) -> da.Array:
        """Return a level as a dask array with one dask chunk per shard."""
        import dask.array

        array = self.levels[level]
        return dask.array.from_zarr(array, chunks=array.shards or array.chunks)

    def identity(self) -> dict[str, Any]:
        """Return what tells these voxels from others: a digest of shape, type and history.

        A volume without history (made by other software) is known by its path.
        """
        origin = self.history or self.path
        text = json.dumps([list(self.shape), str(self.dtype), origin], sort_keys=True)
        return {"volume": hashlib.sha256(text.encode()).hexdigest()[:16]}

    def update(self, **own: Any) -> None:
        """Write entries of the ``bigrock`` attribute (history, complete…) and take them over."""
        group = zarr.open_group(self._store, mode="r+", zarr_format=3)
        attributes = dict(group.attrs)
        bigrock: Any = attributes.get("bigrock", {})
        group.attrs["bigrock"] = bigrock | own
        self.history = tuple(own.get("history", self.history))
        self.complete = bool(own.get("complete", self.complete))
        self._gapless = self.complete and bool(own.get("gapless", self._gapless))

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.shape))
        return f"<Volume {self.path}: {size} {self.dtype} {self.kind}, voxel {format_voxel_size(self.voxel_size)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if is_in_memory(self._store):
            raise ParameterError(
                f"{self.path} is kept in the memory of this process: workers in other processes would see another, "
                f"empty volume. Use a folder or a URL, or executor='threads'."
            )
        return Volume._reopen, (self._store, self.path, self._mode)

    @staticmethod
    def _reopen(store: Store, path: str, mode: str) -> Volume:
        return Volume(store, path, mode=mode)

    def _corrupt(self, region: Region, reason: str, keys: list[str]) -> CorruptChunkError:
        files = ", ".join(f"{self.path}/{key}" for key in keys)
        return CorruptChunkError(
            f"stored voxels of region {region.start}..{region.stop} cannot be read ({reason}): damaged file "
            f"{files}. Restore it from a copy, or make the volume again."
        )


def _halved(corner: Shape) -> Shape:
    z, y, x = corner
    return -(-z // 2), -(-y // 2), -(-x // 2)


def _array_of(group: zarr.Group, name: str, path: str) -> zarr.Array[Any]:
    array = group.get(name)
    if not isinstance(array, zarr.Array) or array.ndim != 3:
        found = "nothing" if array is None else f"{array!r}"
        raise NotAVolumeError(
            f"{path} names level {name!r}, where there is {found}: a volume has arrays with three axes z, y, x. "
            f"Import it with bigrock.import_volume(source, dest)."
        )
    return array
