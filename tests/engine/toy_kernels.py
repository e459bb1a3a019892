"""Kernels and reductions that are simple enough to be checked by eye, and that misbehave on demand."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from bigrock.engine.kernel import Kernel
from bigrock.engine.reduction import Reduction


def note(path: str, block) -> None:
    """Append the id of a block to a file, in one write, so that threads and processes can share it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{block.id}\n".encode())
    os.close(descriptor)


def noted(path) -> list[int]:
    return [int(line) for line in Path(path).read_text().split()] if Path(path).exists() else []


@dataclass(frozen=True)
class Copied(Kernel):
    def __call__(self, array, block):
        return array[block.trim]


@dataclass(frozen=True)
class Median(Kernel):
    """`scipy.ndimage.median_filter`, whose border rule depends on where the array ends."""

    radius: tuple[int, int, int] = (1, 1, 1)

    @property
    def halo(self):
        return self.radius

    def __call__(self, array, block):
        size = [2 * r + 1 for r in self.radius]
        return ndimage.median_filter(array, size=size, mode="nearest")[block.trim]


@dataclass(frozen=True)
class Largest(Kernel):
    radius: tuple[int, int, int] = (1, 1, 1)

    @property
    def halo(self):
        return self.radius

    def __call__(self, array, block):
        size = [2 * r + 1 for r in self.radius]
        return ndimage.maximum_filter(array, size=size, mode="nearest")[block.trim]


@dataclass(frozen=True)
class Enlarge(Kernel):
    """`scale` times longer axes; each voxel is spread out, its first row shows the smallest neighbour."""

    factor: int
    radius: int = 1

    @property
    def halo(self):
        return (self.radius,) * 3

    @property
    def scale(self):
        return self.factor

    def __call__(self, array, block):
        least = ndimage.minimum_filter(array, size=2 * self.radius + 1, mode="nearest")[block.trim]
        out = array[block.trim]
        for axis in range(3):
            out = np.repeat(out, self.factor, axis=axis)
            least = np.repeat(least, self.factor, axis=axis)
        out = out.copy()
        n = self.factor
        out[::n, ::n] = least[::n, ::n]
        return out


@dataclass(frozen=True)
class AsFloat(Kernel):
    def output_dtype(self, dtype):
        return np.dtype(np.float32)

    def __call__(self, array, block):
        return array[block.trim].astype(np.float32) / 3


@dataclass(frozen=True)
class Scratch(Kernel):
    """Takes `bytes_per_voxel` beside its input, touched, and copies."""

    bytes_per_voxel: int

    def scratch_bytes(self, dtype):
        return float(self.bytes_per_voxel)

    def __call__(self, array, block):
        held = np.ones((self.bytes_per_voxel, array.size), np.uint8)
        return array[block.trim] + np.uint8(held[0, 0] - 1)


@dataclass(frozen=True)
class Slow(Kernel):
    """Waits, notes the block in `log`, and gives 255 minus its input."""

    log: str
    seconds: float = 0.0

    def __call__(self, array, block):
        time.sleep(self.seconds)
        note(self.log, block)
        return np.iinfo(array.dtype).max - array[block.trim]


@dataclass(frozen=True)
class Sick(Kernel):
    """Fails on the blocks that the file `sick` lists, as long as it lists them; notes every try in `log`."""

    sick: str
    log: str
    error: type[Exception] = ValueError

    def __call__(self, array, block):
        note(self.log, block)
        if block.id in noted(self.sick):
            raise self.error(f"block {block.id} is sick")
        return array[block.trim]


@dataclass(frozen=True)
class Total(Reduction):
    def block(self, array, block):
        return int(array[block.trim].astype(np.int64).sum())

    def combine(self, a, b):
        return a + b


@dataclass(frozen=True)
class TotalOfLargest(Reduction):
    """The sum over the volume of the largest voxel around each voxel."""

    radius: tuple[int, int, int]

    @property
    def halo(self):
        return self.radius

    def block(self, array, block):
        size = [2 * r + 1 for r in self.radius]
        return int(
            ndimage.maximum_filter(array, size=size, mode="nearest")[block.trim].astype(np.int64).sum()
        )

    def combine(self, a, b):
        return a + b


@dataclass(frozen=True)
class Blocks(Reduction):
    """The ids of the blocks, each as often as it was counted."""

    def block(self, array, block):
        return [block.id]

    def combine(self, a, b):
        return a + b

    def finish(self, state, facts):
        return sorted(state)
