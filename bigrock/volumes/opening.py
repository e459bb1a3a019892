"""`open_volume`: the volume at a path or URL, or the reason why there is none; `source_of`: whatever a user gives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr

from bigrock.errors import IncompleteVolumeError, NotAVolumeError, VolumeNotFoundError
from bigrock.volumes.arrays import ArraySource
from bigrock.volumes.source import Source
from bigrock.volumes.stores import location, open_store
from bigrock.volumes.volume import Volume

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["open_volume", "source_of"]


def open_volume(path: str | os.PathLike[str] | Store, *, mode: str = "r", partial: bool = False) -> Volume:
    """Return the volume stored at a path or URL.

    Parameters
    ----------
    path : str, path-like or zarr Store
        A folder, a URL (``s3://…``, ``memory://…``) or a store.
    mode : {"r", "r+"}
        Read only, or read and write.
    partial : bool
        Open a volume whose run or import did not finish; blocks not done yet read as zeros.

    Returns
    -------
    Volume
        Reads nothing but metadata.

    Raises
    ------
    VolumeNotFoundError
        If nothing is stored there.
    NotAVolumeError
        If what is stored is no OME-Zarr image on zarr v3 with axes z, y, x.
    IncompleteVolumeError
        If the run that makes it was interrupted.

    Examples
    --------
    >>> import numpy as np, bigrock
    >>> from bigrock.volumes import create_volume, Region
    >>> vol = create_volume("memory://open-example.zarr", (4, 4, 4), "uint8", voxel_size="2 um")
    >>> vol.write(Region.whole(vol.shape), np.ones(vol.shape, np.uint8))
    >>> open_volume("memory://open-example.zarr").voxel_size
    (2e-06, 2e-06, 2e-06)
    """
    place = location(path)
    store = open_store(path, read_only=mode == "r")
    try:
        volume = Volume(store, place, mode=mode)
    except NotAVolumeError:
        raise
    except (FileNotFoundError, ValueError) as error:
        raise _not_found(store, place) from error
    if not (volume.complete or partial):
        raise IncompleteVolumeError(
            f"{place} was not finished: the run or import that makes it was interrupted, and its missing blocks "
            f"would read as zeros. Run the same command again to resume it, or open it with partial=True."
        )
    return volume


def source_of(volume: Source | npt.NDArray[Any] | str | os.PathLike[str]) -> Source:
    """Return what a user calls a volume as something that a pass reads.

    Parameters
    ----------
    volume : Source, array, str or path-like
        An array (z, y, x) in memory has no voxel size: `ArraySource` gives it one.

    Raises
    ------
    VolumeNotFoundError, NotAVolumeError, IncompleteVolumeError
        As `open_volume` does, of a path.

    Examples
    --------
    >>> source_of(np.zeros((2, 2, 2), bool)).shape
    (2, 2, 2)
    """
    if isinstance(volume, np.ndarray):
        return ArraySource(volume)
    return open_volume(volume) if isinstance(volume, str | os.PathLike) else volume


def _not_found(store: Store, place: str) -> Exception:
    """Return the error for a place without a zarr v3 group: empty, or something else."""
    try:
        node = zarr.open(store, mode="r")
    except Exception:
        if Path(place).exists():
            return NotAVolumeError(
                f"{place} is no bigrock volume: there is no zarr group. "
                f"Import the scan first with bigrock.import_volume(source, dest)."
            )
        return VolumeNotFoundError(
            f"nothing is stored at {place}. Check the path; volumes are folders ending in .zarr."
        )
    return NotAVolumeError(
        f"{place} is no bigrock volume but {type(node).__name__} of zarr format {node.metadata.zarr_format}. "
        f"Import it first with bigrock.import_volume(source, dest)."
    )
