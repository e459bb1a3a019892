"""Where volumes live: a folder, or any URL that zarr's store layer reaches.

======================  ==========================================================
``core.zarr``           a local folder
``file:///data/x.zarr`` the same
``memory://name``       this process only; for tests and small work
``s3://``, ``gs://``…   through `obstore` (``pip install 'bigrock[cloud]'``)
any other scheme        through `fsspec`, with the package that it needs
======================  ==========================================================
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import zarr
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore, MemoryStore, WrapperStore

from bigrock.errors import MissingDependencyError, ParameterError

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["codec_pipeline", "is_in_memory", "is_local", "location", "open_store"]

_CONFIG_LOCK = RLock()
_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]+)://")
_OBJECT_SCHEMES = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss"})


def location(path: str | os.PathLike[str] | Store) -> str:
    """Return the name of a place in one form: an absolute path, or the URL as it is.

    Examples
    --------
    >>> location("s3://bucket/core.zarr/")
    's3://bucket/core.zarr'
    """
    if not isinstance(path, str | os.PathLike):
        return str(path)
    text = os.fspath(path)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if _SCHEME.match(text):
        return text.rstrip("/")
    return str(Path(text).expanduser().absolute())


def is_local(path: str) -> bool:
    """Return whether `path`, as `location` gives it, is a folder of this machine."""
    return _SCHEME.match(path) is None and path.startswith(os.sep)


def open_store(path: str | os.PathLike[str] | Store, *, read_only: bool = False) -> Store:
    """Return the zarr store at a path or URL; nothing is created or read yet.

    Parameters
    ----------
    path : str, path-like or zarr Store
        A store is returned as it is.
    read_only : bool
        Refuse writes.

    Returns
    -------
    zarr.abc.store.Store
        Picklable, except that ``memory://`` is only seen by its own process.

    Raises
    ------
    MissingDependencyError
        If the scheme needs a package that is not installed.
    ParameterError
        If the scheme is not known.

    Examples
    --------
    >>> open_store("memory://example.zarr").read_only
    False
    """
    if not isinstance(path, str | os.PathLike):
        return path
    place = location(path)
    scheme = _SCHEME.match(place)
    if scheme is None:
        return LocalStore(place, read_only=read_only)
    try:
        if scheme[1] in _OBJECT_SCHEMES:
            from obstore.store import from_url
            from zarr.storage import ObjectStore

            return ObjectStore(from_url(place), read_only=read_only)
        return FsspecStore.from_url(place, read_only=read_only)
    except ValueError as error:
        raise ParameterError(
            f"{place} cannot be opened ({error}). Use a folder, or a URL such as s3://…."
        ) from error
    except ImportError as error:
        raise MissingDependencyError(
            f"{place} needs a package that is not installed ({error}). Run: pip install 'bigrock[cloud]'."
        ) from error


def is_in_memory(store: Store) -> bool:
    """Return whether a store lives in this process, so that no other process can see it."""
    while isinstance(store, WrapperStore):
        store = store._store
    if isinstance(store, FsspecStore):
        protocol = store.fs.protocol
        return "memory" in ((protocol,) if isinstance(protocol, str) else protocol)
    return isinstance(store, MemoryStore)


@contextmanager
def codec_pipeline(store: Store, *, writing: bool = False) -> Iterator[None]:
    """Make arrays that are opened in this context use the compiled codec pipeline where it can.

    The `zarrs` pipeline decodes sharded blocks about three times as fast as zarr's own. It reaches
    local stores by itself; for every other store zarr's own is used, and the voxels are the same.
    One thread of Python at a time: the setting is one for the whole process, and is put back.

    Parameters
    ----------
    store : zarr.abc.store.Store
        Where the arrays are.
    writing : bool
        Encode with one thread per block. Many would leave the chunks of a shard in the order in
        which they got ready, and the same voxels in other bytes each time; and blocks are written
        by many threads anyway.
    """
    _size_thread_pool()
    own = "zarr.core.codec_pipeline.BatchedCodecPipeline"
    settings: dict[str, Any] = {
        "codec_pipeline.path": "zarrs.ZarrsCodecPipeline" if isinstance(store, LocalStore) else own
    }
    if writing:
        settings["threading.max_workers"] = 1
    with _CONFIG_LOCK, zarr.config.set(settings):
        yield


@cache
def _size_thread_pool() -> None:
    """Let zarr make its pool of I/O threads, which it sizes once, before `codec_pipeline` says one thread."""
    if zarr.config.get("threading.max_workers", None) is None:
        with zarr.config.set({"threading.max_workers": min(32, (os.cpu_count() or 1) + 4)}):
            sync(_nothing())


async def _nothing() -> None:
    return None
