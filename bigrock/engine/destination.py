"""What stands at the destination of a map pass: nothing, a run to go on with, or something to be kept.

All of it is judged before the first voxel is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import zarr
from zarr.core.sync import sync

from bigrock.engine.donelog import DoneLog, compare
from bigrock.errors import ParameterError, ResumeError, VolumeExistsError
from bigrock.volumes import exists, open_volume
from bigrock.volumes.create import refuse_file
from bigrock.volumes.stores import is_local, location

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["logged_run", "refuse_input", "refuse_other_settings"]


def logged_run(
    store: Store, place: str, *, resume: bool, overwrite: bool
) -> tuple[dict[str, Any] | None, bool]:
    """Return the fingerprint of the run to go on with, and whether what is stored must be deleted first.

    A run that was killed before it had logged its settings has written no voxel: it is begun anew.

    Raises
    ------
    VolumeExistsError
        If anything else is stored there.
    """
    refuse_file(store)
    if not exists(store):
        return None, False
    if overwrite:
        return None, True
    logged = DoneLog(store).fingerprint()
    if logged is not None and resume:
        return logged, False
    if logged is None and _was_never_begun(store):
        return None, True
    raise VolumeExistsError(
        f"{place} exists already: writing would destroy it. Choose another destination, "
        f"or overwrite=True (--overwrite)."
    )


def _was_never_begun(store: Store) -> bool:
    """Return whether the store holds the metadata of an unfinished volume, and no voxel."""
    try:
        own: Any = zarr.open_group(store, mode="r", zarr_format=3).attrs.get("bigrock", {})
    except (FileNotFoundError, ValueError):
        return False
    return own.get("complete") is False and sync(_first_voxels(store)) is None


async def _first_voxels(store: Store) -> str | None:
    async for key in store.list_prefix(""):
        if not key.endswith(("zarr.json", ".partial")):
            return key
    return None


def refuse_input(place: str, inputs: Iterable[str | os.PathLike[str] | None]) -> None:
    """Refuse to write over the input, or over a folder that holds it.

    Raises
    ------
    ParameterError
        With the path of the input.
    """
    for path in inputs:
        where = None if path is None else location(path)
        if where is not None and f"{_real(where)}/".startswith(f"{_real(place)}/"):
            raise ParameterError(
                f"the output {place} would replace its own input {where}: the scan would be lost before it is read. "
                f"Choose another destination."
            )


def _real(place: str) -> str:
    """Return a local place without links and dots, which would hide that two are the same."""
    return os.path.realpath(place) if is_local(place) else place


def refuse_other_settings(
    dest: str | os.PathLike[str] | Store, place: str, logged: dict[str, Any], now: dict[str, Any]
) -> None:
    """Refuse to go on with a run that was begun with other settings; only the keys of `now` are compared.

    Raises
    ------
    ResumeError
        If the run is unfinished.
    VolumeExistsError
        If it is finished: there is nothing to resume.
    """
    try:
        compare({key: logged[key] for key in now if key in logged}, now, place)
    except ResumeError as error:
        if open_volume(dest, partial=True).complete:
            raise VolumeExistsError(str(error)) from error
        raise
