"""Stores that count what is read and written, or fail on demand."""

from __future__ import annotations

import errno
from collections import Counter

from zarr.storage import WrapperStore


class CountingStore(WrapperStore):
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


class FlakyStore(WrapperStore):
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


class FullStore(WrapperStore):
    """Takes `room` shards, and is full then."""

    def __init__(self, store, room):
        super().__init__(store)
        self.room = room
        self.asked = 0

    async def set(self, key, value):
        if "/c/" in key:
            self.asked += 1
            if self.asked > self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
        await super().set(key, value)
