"""Make an empty volume: arrays, pyramid levels and metadata, ready for blocks to be written."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.core.sync import sync
from zarr.storage import LocalStore

from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.geometry import Shape
from bigrock.units import parse_voxel_size
from bigrock.volumes.layout import Layout, codecs_for, layout_for
from bigrock.volumes.metadata import ome_attributes
from bigrock.volumes.source import Kind, Voxel
from bigrock.volumes.stores import codec_pipeline, location, open_store
from bigrock.volumes.volume import Volume

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["create_volume", "exists", "pyramid_levels", "refuse_file"]

_COARSEST = 256


def pyramid_levels(shape: Shape) -> int:
    """Return how many levels a full pyramid has: until every axis is at most 256 voxels long.

    Examples
    --------
    >>> pyramid_levels((1000, 2000, 2000))
    4
    """
    return 1 + max(0, (-(-max(shape) // _COARSEST) - 1).bit_length())


def exists(path: str | os.PathLike[str] | Store) -> bool:
    """Return whether anything is stored at a path or URL.

    Examples
    --------
    >>> exists("memory://nothing-is-here.zarr")
    False
    """
    return sync(_first_key(open_store(path))) is not None


def refuse_file(store: Store) -> None:
    """Refuse a destination that is a file, where a folder is to be made.

    Raises
    ------
    VolumeExistsError
        With its path.
    """
    if isinstance(store, LocalStore) and store.root.is_file():
        raise VolumeExistsError(f"{store.root} is a file. Choose another destination.")


async def _first_key(store: Store) -> str | None:
    async for key in store.list_prefix(""):
        # What a local write that was killed leaves behind; zarr renames it when it is whole.
        if not key.endswith(".partial"):
            return key
    return None


async def _holds_zarr(store: Store) -> bool:
    """Return whether the root is a zarr group or array, or what a deletion that was killed left of one."""
    roots = ("zarr.json", ".zgroup", ".zarray", "bigrock-run/plan.json")
    return any([await store.exists(key) for key in roots])


def _disown(store: Store) -> None:
    """Mark a volume that is about to be deleted as unfinished: what is left of it must not be read."""
    try:
        group = zarr.open_group(store, mode="r+", zarr_format=3)
    except (FileNotFoundError, ValueError):
        return
    own: Any = group.attrs.get("bigrock", {})
    group.attrs["bigrock"] = own | {"complete": False}


async def _delete_all(store: Store) -> None:
    """Delete everything: first the log, which says what is done, and the root's metadata last."""
    keys = [
        key async for key in (store.list_dir("") if isinstance(store, LocalStore) else store.list_prefix(""))
    ]
    for key in sorted(
        keys, key=lambda key: (key in ("zarr.json", ".zgroup", ".zarray"), not key.startswith("bigrock-run"))
    ):
        await store.delete(key)


def create_volume(
    path: str | os.PathLike[str] | Store,
    shape: Sequence[int],
    dtype: npt.DTypeLike,
    *,
    voxel_size: str | float | Sequence[str | float] | None = None,
    translation: Sequence[float] = (0.0, 0.0, 0.0),
    kind: Kind | None = None,
    classes: dict[str, int] | None = None,
    levels: int = 1,
    chunk: Shape | None = None,
    shard: Shape | None = None,
    history: Sequence[dict[str, Any]] = (),
    complete: bool = True,
    overwrite: bool = False,
) -> Volume:
    """Return a new, empty volume, opened for writing.

    Parameters
    ----------
    path : str, path-like or zarr Store
        Where; a folder that should end in ``.zarr``, or a URL.
    shape : tuple of int
        z, y, x.
    dtype : dtype
        bool, integers or floats.
    voxel_size : optional
        As `bigrock.units.parse_voxel_size` takes it.
    translation : sequence of three floats
        Metres z, y, x of the centre of the first voxel, for viewers that lay volumes over each other.
    kind : {"grey", "mask", "labels"}, optional
        By default a mask where `dtype` is bool, labels where there are `classes`, else grey.
    classes : dict of str to int, optional
        What the values of a label volume mean.
    levels : int
        Number of pyramid levels, the full resolution included.
    chunk, shard : tuple of int, optional
        Replace the defaults (64³ and 256³).
    history : sequence of dict
        Steps that make the voxels.
    complete : bool
        False while a run is writing.
    overwrite : bool
        Delete what is stored there.

    Returns
    -------
    Volume

    Raises
    ------
    VolumeExistsError
        If something is stored there and `overwrite` is False, or what is there is no zarr store.
    ParameterError
        If the shape, the data type or the translation cannot be stored.

    Examples
    --------
    >>> create_volume("memory://create-example.zarr", (8, 8, 8), "uint8").kind
    'grey'
    """
    place, store = location(path), open_store(path)
    dtype = np.dtype(dtype).newbyteorder("=")
    if len(shape) != 3 or min(shape) < 1 or dtype.kind not in "buif":
        raise ParameterError(
            f"shape {tuple(shape)} and data type {dtype} cannot be a volume: three axes z, y, x of at least one "
            f"voxel, and bool, integer or float voxels are needed."
        )
    z, y, x = (int(n) for n in shape)
    voxel_m = None if voxel_size is None else parse_voxel_size(voxel_size)
    first_m = _translation(translation, voxel_m)
    refuse_file(store)
    if exists(store):
        if not overwrite:
            raise VolumeExistsError(
                f"{place} exists already: writing would destroy it. Choose another destination, or overwrite=True "
                f"(--overwrite)."
            )
        if not sync(_holds_zarr(store)):
            raise VolumeExistsError(
                f"{place} holds something that is no zarr volume: overwriting would delete it. "
                f"Choose another destination, or remove it yourself."
            )
        _disown(store)
        sync(_delete_all(store))
    if kind is None:
        kind = "mask" if dtype.kind == "b" else "labels" if classes else "grey"
    method = "mean" if kind == "grey" else "mode"
    own = {"kind": kind, "classes": classes or {}, "history": list(history), "complete": complete}
    ome = ome_attributes(PurePosixPath(place).stem, voxel_m, levels, method, first_m)
    with codec_pipeline(store):
        group = zarr.create_group(store, zarr_format=3, attributes={"ome": ome, "bigrock": own})
        base = layout_for((z, y, x), chunk, shard)
        for level in range(levels):
            a, b, c = (-(-n // (1 << level)) for n in (z, y, x))
            layout = base.at_level(level) or _coarse_layout((a, b, c))
            _create_array(group, str(level), (a, b, c), dtype, layout)
    return Volume(store, place, mode="r+")


def _translation(given: Sequence[float], voxel_m: Voxel | None) -> Voxel:
    """Return the translation, which needs a unit of length, and so a voxel size."""
    first = [float(length) for length in given]
    if len(first) != 3 or not all(map(math.isfinite, first)) or (any(first) and voxel_m is None):
        raise ParameterError(
            f"translation={first} with voxel_size={voxel_m} cannot be stored. Give three lengths z, y, x in "
            "metres, and the voxel size with them."
        )
    return first[0], first[1], first[2]


def _coarse_layout(shape: Shape) -> Layout:
    """Return the layout of a level that no block owns: shards of 128³, so that making one takes little memory."""
    layout = layout_for(shape)
    z, y, x = (min(s, 128) for s in layout.shard)
    return layout_for(shape, layout.chunk, (z, y, x))


def _create_array(group: zarr.Group, name: str, shape: Shape, dtype: np.dtype[Any], layout: Layout) -> None:
    group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=layout.chunk,
        shards=layout.shard,
        compressors=codecs_for(dtype),
        dimension_names=["z", "y", "x"],
        fill_value=0,
    )
