"""Bring a folder that a kernel reads (the weights of a network) to workers that do not see its path.

Each worker gets the files once, by a worker plugin that new workers get as well; nothing of them
travels with a block. Workers that see the folder under its own path, as on one machine or a shared
file system, get nothing.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bigrock.engine.memory import format_bytes
from bigrock.errors import EngineError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["local_folder", "ship"]

_LARGEST = 2 * 2**30
_log = logging.getLogger(__name__)


class _Delivery:
    """A worker plugin that writes a folder's files where its worker keeps such things."""

    def __init__(self, key: str, files: Mapping[str, bytes]) -> None:
        self.name, self._key, self._files = f"bigrock-{key}", key, dict(files)

    def setup(self, worker: Any) -> None:
        place = Path(worker.local_directory) / f"bigrock-{self._key}"
        for name, content in self._files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def ship(client: Client, folders: Mapping[str, str]) -> None:
    """Send every folder of `folders` to the workers, unless all see it under its own path.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    folders : mapping of str to str
        A key that tells the content, and the path on this machine.

    Raises
    ------
    EngineError
        If a folder is too large for that.
    """
    for key, folder in folders.items():
        if all(client.run(_sees, folder).values()):
            continue
        files = {str(p.relative_to(folder)): p for p in sorted(Path(folder).rglob("*")) if p.is_file()}
        size = sum(path.stat().st_size for path in files.values())
        if size > _LARGEST:
            raise EngineError(
                f"{folder} holds {format_bytes(size)}, and workers do not see it: sending it to each would take long "
                "and much of their disks. Put it where all machines see it under the same path."
            )
        _log.info("sending %s (%s) to the workers", folder, format_bytes(size))
        client.register_plugin(_delivery(key, {name: path.read_bytes() for name, path in files.items()}))


def local_folder(folder: str, key: str) -> Path:
    """Return where this process finds a folder: at its own path, or where it was sent to.

    Parameters
    ----------
    folder, key : str
        As given to `ship`.

    Examples
    --------
    >>> local_folder("/models/pores", "1f2e").name
    'pores'
    """
    if not _sees(folder) and "distributed" in sys.modules:
        from distributed import get_worker

        try:
            sent = Path(get_worker().local_directory) / f"bigrock-{key}"
        except ValueError:
            return Path(folder)
        if sent.is_dir():
            return sent
    return Path(folder)


def _sees(folder: str) -> bool:
    return Path(folder).is_dir()


def _delivery(key: str, files: Mapping[str, bytes]) -> Any:
    from distributed import WorkerPlugin

    # distributed is not imported before a cluster is there, so the class is made when it is.
    return type("Delivery", (_Delivery, WorkerPlugin), {})(key, files)
