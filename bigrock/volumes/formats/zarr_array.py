"""Zarr arrays of format 2 and 3, plain or as OME-Zarr 0.4 and 0.5, in a folder or at a URL."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from bigrock.errors import (
    CorruptChunkError,
    ParameterError,
    SourceError,
    UnsupportedFormatError,
    VolumeNotFoundError,
)
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.dataset_choice import choose_dataset
from bigrock.volumes.formats.voxels import check_region, native_dtype, volume_shape
from bigrock.volumes.metadata import level_paths, voxel_size_of
from bigrock.volumes.source import Source, Voxel
from bigrock.volumes.stores import codec_pipeline, is_local, location, open_store

__all__ = ["ZarrSource", "open_zarr"]


@dataclass(frozen=True, eq=False)
class ZarrSource:
    """One zarr array of someone else's making.

    Exact. A region costs the chunks that it touches. A chunk that is not stored reads as the array's
    fill value, as the format has it.

    Parameters
    ----------
    array : zarr.Array
        Two axes, or three, or more of which all but one index of the leading ones are left out.
    path : str
        Folder or URL.
    leading : tuple of int
        The index taken on each axis before z.
    voxel_size : tuple of float, optional
        Metres along z, y, x.

    Examples
    --------
    >>> array = zarr.create_array("memory://scan", shape=(4, 5, 6), chunks=(2, 5, 6), dtype="u2")
    >>> source = open_zarr("memory://scan")
    >>> source.shape, source.read_unit
    ((4, 5, 6), (2, 5, 6))
    """

    array: zarr.Array[Any]
    path: str
    leading: tuple[int, ...] = ()
    voxel_size: Voxel | None = None

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""
        return volume_shape(self.array.shape[len(self.leading) :], self.path)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of what `read` returns, in native byte order."""
        return native_dtype(self.array.dtype, self.path)

    @property
    def read_unit(self) -> Shape:
        """The chunk; the inner one where chunks are sharded."""
        return volume_shape(self.array.chunks[len(self.leading) :], self.path)

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, decoding only the chunks that it touches.

        Raises
        ------
        CorruptChunkError
            If stored bytes do not decode.
        """
        check_region(region, self.shape, self.path)
        flat = self.array.ndim == 2
        index = region.slices[1:] if flat else self.leading + region.slices
        try:
            found = np.asarray(self.array[index])
        except MemoryError:
            raise
        except Exception as error:
            raise CorruptChunkError(
                f"voxels {region.start} to {region.stop} of {self.path}/{self.array.path} do not decode "
                f"({type(error).__name__}: {error}): a chunk is damaged. Restore it from a copy."
            ) from error
        return np.ascontiguousarray(found[None] if flat else found, self.dtype)

    def identity(self) -> dict[str, Any]:
        """Return path, array, a digest of its metadata and, in a folder, when they were written."""
        document = json.dumps(self.array.metadata.to_dict(), sort_keys=True, default=str)
        names = ("zarr.json", ".zarray")
        files = [Path(self.path, self.array.path, name) for name in names] if is_local(self.path) else []
        return {
            "path": self.path,
            "format": "zarr",
            "dataset": self.array.path,
            "leading": list(self.leading),
            "metadata": hashlib.sha256(document.encode()).hexdigest()[:16],
            "mtime_ns": max((file.stat().st_mtime_ns for file in files if file.exists()), default=None),
            "voxel_size": self.voxel_size and list(self.voxel_size),
        }


def open_zarr(
    path: str | Path,
    *,
    dataset: str | None = None,
    channel: int | None = None,
    voxel_size: Voxel | None = None,
) -> Source:
    """Return a zarr array, the full resolution of an OME-Zarr image, or a bigrock volume as it is.

    Leading axes of length 1 are dropped. The voxel size is that of the OME metadata, where every axis
    states a unit of length.

    Parameters
    ----------
    path : str or Path
        A folder or URL.
    dataset : str, optional
        An array or an OME image inside a group.
    channel : int, optional
        The index of the first axis that is longer than 1 before z, y, x.
    voxel_size : tuple of float, optional
        Metres along z, y, x, in place of what the metadata states.

    Raises
    ------
    VolumeNotFoundError
        If nothing is there.
    UnsupportedFormatError
        If it is no zarr array or group, or holds no real numbers.
    ParameterError
        If there is no such array, several and none is named, or no such channel.
    SourceError
        If it has several channels or time steps and none is selected.
    """
    place = location(path)
    node = _node(place, dataset)
    size, where = voxel_size, place if dataset is None else f"{place}/{dataset}"
    if isinstance(node, zarr.Group):
        attributes = dict(node.attrs)
        if "bigrock" in attributes and dataset is None and voxel_size is None:
            from bigrock.volumes.opening import open_volume

            return open_volume(place)
        if "multiscales" in attributes or "ome" in attributes:
            size = voxel_size or voxel_size_of(attributes, where)
            node = node[level_paths(attributes, where)[0]]
        else:
            arrays = {
                name: item for name, item in node.members(max_depth=None) if isinstance(item, zarr.Array)
            }
            node = arrays[choose_dataset({name: item.shape for name, item in arrays.items()}, None, where)]
    if not isinstance(node, zarr.Array):
        raise UnsupportedFormatError(f"{where} is not a zarr array. Name one with dataset=.")
    source = ZarrSource(node, place, _leading(node.shape, channel, where), size)
    native_dtype(node.dtype, where)
    volume_shape(node.shape[len(source.leading) :], where)
    return source


def _node(place: str, dataset: str | None) -> Any:
    store = open_store(place, read_only=not place.startswith("memory://"))
    with ExitStack() as stack:
        try:
            root = zarr.open(store, mode="r")
            if root.metadata.zarr_format == 3:  # the compiled pipeline does not know all that format 2 allows
                stack.enter_context(codec_pipeline(store))
                root = zarr.open(store, mode="r")
        except FileNotFoundError as error:
            there = is_local(place) and Path(place).exists()
            kind = UnsupportedFormatError if there else VolumeNotFoundError
            raise kind(
                f"{place} holds no zarr array or group: there is nothing to read. Check the path."
            ) from error
        if dataset is None or isinstance(root, zarr.Array):
            return root
        try:
            return root[dataset]
        except KeyError as error:
            told = ", ".join(name for name, _ in root.members()) or "nothing"
            raise ParameterError(f"dataset={dataset!r} is not in {place}. It holds {told}.") from error


def _leading(shape: tuple[int, ...], channel: int | None, where: str) -> tuple[int, ...]:
    """Return the index on every axis before z, y, x."""
    before = shape[:-3]
    long = [axis for axis, n in enumerate(before) if n > 1]
    if channel is not None and (not long or not 0 <= channel < before[long[-1]]):
        count = before[long[-1]] if long else 1
        raise ParameterError(f"channel={channel} is not in {where} of shape {shape}, which has {count}.")
    if len(long) > 1 or (long and channel is None):
        raise SourceError(
            f"{where} has shape {shape}: which of its channels or time steps is the volume is not known. "
            "Select one with channel=, or save it as an array with the axes z, y, x."
        )
    return tuple(channel or 0 if axis in long else 0 for axis in range(len(before)))
