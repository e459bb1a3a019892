"""Local Otsu over time (asv): CPU time per image, and memory of the kernel."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from bigrock.geometry import BlockGrid
from bigrock.kernels.otsu import LocalOtsu, local_otsu


def _rock(shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(1)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 4)
    grey = np.where(field > np.quantile(field, 0.75), 90.0, 150.0)
    return np.clip(ndimage.gaussian_filter(grey, 1) + rng.normal(0, 18, shape), 0, 255).astype(np.uint8)


class Squares:
    """A slice of 512 x 512, one thread."""

    params = ([7, 15, 31, 63], ["blobs", "constant", "sparse"])
    param_names = ("radius", "image")

    def setup(self, radius: int, image: str) -> None:
        blobs = _rock((512, 512))
        self.image = {
            "blobs": blobs,
            "constant": np.full_like(blobs, 100),
            "sparse": np.where(np.random.default_rng(2).random(blobs.shape) < 0.8, 0, blobs).astype(np.uint8),
        }[image]
        local_otsu(self.image[:40, :40], radius=radius)

    def time_thresholds(self, radius: int, image: str) -> None:
        local_otsu(self.image, radius=radius)


class Cubes:
    """A volume of 48 x 96 x 96, one thread."""

    params = ([3, 7, 15],)
    param_names = ("radius",)

    def setup(self, radius: int) -> None:
        self.image = _rock((48, 96, 96))
        local_otsu(self.image[:8, :8, :8], radius=radius, ndim=3)

    def time_thresholds(self, radius: int) -> None:
        local_otsu(self.image, radius=radius, ndim=3)


class Blocks:
    """The kernel on one block of 64 cubed with its halo."""

    params = ([2, 3],)
    param_names = ("ndim",)

    def setup(self, ndim: int) -> None:
        self.kernel = LocalOtsu(radius=15, ndim=ndim)
        grid = BlockGrid((192, 192, 192), (64, 64, 64), halo=self.kernel.halo)
        self.block = grid[13]
        self.array = np.ascontiguousarray(_rock(grid.shape)[self.block.read.slices])
        self.kernel(self.array, self.block)

    def time_mask(self, ndim: int) -> None:
        self.kernel(self.array, self.block)

    def peakmem_mask(self, ndim: int) -> None:
        self.kernel(self.array, self.block)
