"""Which blocks of a run are finished, and with which settings: the reason a run can be resumed.

The log lies in the output's own store, under ``bigrock-run/``: ``plan.json`` holds the fingerprint
of the run, and every entry ``done/N`` holds the ids of blocks whose voxels are stored. Only the
coordinator writes it, after the blocks, so what it says is done is done. The fingerprint stays
when the run is finished; the entries go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from bigrock.errors import ResumeError

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["DoneLog", "compare"]

_FOLDER = "bigrock-run"
_ID = np.dtype("<u8")


class DoneLog:
    """The log of one run inside the store of its output."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next = 0

    def fingerprint(self) -> dict[str, Any] | None:
        """Return the settings of the run that made this store, or None where no run did."""
        data = self._get(f"{_FOLDER}/plan.json")
        return None if data is None else json.loads(data)

    def begin(self, fingerprint: dict[str, Any]) -> None:
        """Write the settings of a new run."""
        self._set(f"{_FOLDER}/plan.json", json.dumps(fingerprint, indent=1).encode())

    def done(self, blocks: int) -> npt.NDArray[np.bool_]:
        """Return which of the `blocks` of the grid are finished."""
        finished = np.zeros(blocks, bool)
        for key in self._entries():
            ids = np.frombuffer(self._get(key) or b"", _ID)
            finished[ids[ids < blocks]] = True
            self._next = max(self._next, int(key.rsplit("/", 1)[1]) + 1)
        return finished

    def add(self, ids: Sequence[int]) -> None:
        """Record finished blocks, in one entry that is there or is not."""
        if ids:
            self._set(f"{_FOLDER}/done/{self._next:08d}", np.asarray(ids, _ID).tobytes())
            self._next += 1

    def finish(self) -> None:
        """Drop the entries; the fingerprint stays."""
        for key in list(self._entries()):
            sync(self._store.delete(key))

    def _entries(self) -> Iterator[str]:
        async def keys() -> list[str]:
            found = [key async for key in self._store.list_prefix(f"{_FOLDER}/done/")]
            # A write that was killed leaves an entry with another ending, which says nothing.
            return sorted(key for key in found if key.rsplit("/", 1)[1].isdigit())

        return iter(sync(keys()))

    def _get(self, key: str) -> bytes | None:
        buffer = sync(self._store.get(key, default_buffer_prototype()))
        return None if buffer is None else buffer.to_bytes()

    def _set(self, key: str, data: bytes) -> None:
        sync(self._store.set(key, default_buffer_prototype().buffer.from_bytes(data)))


def compare(logged: dict[str, Any], now: dict[str, Any], place: str) -> None:
    """Refuse to continue a run with other settings; the error names each field.

    Raises
    ------
    ResumeError
        With the old and the new value of every field that differs.
    """
    old, new = dict(_flat(logged)), dict(_flat(now))
    # As text, because NaN equals NaN there.
    fields = [k for k in {**old, **new} if repr(old.get(k, "(absent)")) != repr(new.get(k, "(absent)"))]
    if fields:
        listed = "; ".join(
            f"{f}: {old.get(f, '(absent)')} then, {new.get(f, '(absent)')} now" for f in fields[:8]
        )
        raise ResumeError(
            f"{place} holds a run with other settings ({listed}): its blocks and new ones would not fit together. "
            f"Use the old settings to resume it, another destination, or overwrite=True (--overwrite)."
        )


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for i, item in enumerate(value):
            yield from _flat(item, f"{path}[{i}]")
    else:
        yield path, value
