"""Connected components over time (asv): labels and statistics in memory, and over blocks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

import bigrock
from bigrock.kernels import Components, find_components, label


def _pores(edge: int) -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((edge,) * 3), 3)
    return field < np.quantile(field, 0.22)


class Memory:
    """A mask of 128 cubed, one thread."""

    params = ([6, 18, 26], ["blobs", "noise"])
    param_names = ("connectivity", "image")

    def setup(self, connectivity: int, image: str) -> None:
        self.mask = _pores(128) if image == "blobs" else np.random.default_rng(0).random((128,) * 3) < 0.3116
        label(self.mask[:9, :9, :9], connectivity=connectivity)
        find_components(self.mask[:9, :9, :9], connectivity=connectivity)

    def time_labels(self, connectivity: int, image: str) -> None:
        label(self.mask, connectivity=connectivity)

    def time_statistics(self, connectivity: int, image: str) -> None:
        find_components(self.mask, connectivity=connectivity)

    def peakmem_statistics(self, connectivity: int, image: str) -> None:
        find_components(self.mask, connectivity=connectivity)


class Blocks:
    """The same mask in blocks of 32 or 64 cubed, in this thread."""

    params = ([32, 64],)
    param_names = ("block",)

    def setup(self, block: int) -> None:
        self.source = bigrock.ArraySource(_pores(128))
        self.how = {"block": (block,) * 3, "executor": "serial", "progress": False}
        bigrock.reduce(self.source, [Components()], **self.how)

    def time_statistics(self, block: int) -> None:
        bigrock.reduce(self.source, [Components()], **self.how)

    def time_labels_written(self, block: int) -> None:
        bigrock.label(self.source, "memory://bench.zarr", overwrite=True, **self.how)
