"""Stores that count what is read and written, or fail on demand."""

from __future__ import annotations

import errno
from collections import Counter
from copy import copy

from zarr.storage import WrapperStore


class _Watched(WrapperStore):
    """Stays the same watcher when zarr asks for a read-only view of it."""

    def _with_store(self, store):
        same = copy(self)
        same._store = store
        return same


class CountingStore(_Watched):
    """Counts every request by key."""

    def __init__(self, store):
        super().__init__(store)
        self.gets = Counter()
        self.sets = Counter()

    async def get(self, key, prototype, byte_range=None):
        self.gets[key] += 1
        return await super().get(key, prototype, byte_range)

    async def set(self, key, value):
        self.sets[key] += 1
        await super().set(key, value)

    def voxel_gets(self):
        return Counter({key: n for key, n in self.gets.items() if "/c/" in key})

    def voxel_sets(self):
        return Counter({key: n for key, n in self.sets.items() if "/c/" in key})


class FlakyStore(_Watched):
    """Fails once for every key that holds voxels, both in reading and in writing."""

    def __init__(self, store):
        super().__init__(store)
        self.failed = set()

    def _fail_once(self, what, key):
        if "/c/" in key and (what, key) not in self.failed:
            self.failed.add((what, key))
            raise OSError(errno.EIO, f"the connection was lost while {what} {key}")

    async def get(self, key, prototype, byte_range=None):
        self._fail_once("reading", key)
        return await super().get(key, prototype, byte_range)

    async def set(self, key, value):
        self._fail_once("writing", key)
        await super().set(key, value)


class FullStore(_Watched):
    """Takes `room` shards, and is full then."""

    def __init__(self, store, room):
        super().__init__(store)
        self.room = room
        self.asked = Counter()

    async def set(self, key, value):
        if "/c/" in key:
            self.asked[key] += 1
            if self.asked.total() > self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
        await super().set(key, value)
