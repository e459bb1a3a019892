"""What is summed up over every component, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Shape

__all__ = ["BRIEF", "FULL", "OF_LABELS", "ComponentSums"]

Array = npt.NDArray[Any]

BRIEF, FULL, OF_LABELS = 8, 20, 21
"""Columns of a table: first voxel, size and box; moments and faces as well; and the value."""

_PRODUCTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_MOMENT_LIMIT = 2.0**63


@dataclass(frozen=True, slots=True, eq=False)
class ComponentSums:
    """The components of a volume as exact integers, in the order of their first voxels.

    Attributes
    ----------
    table : ndarray of int64, shape (components, columns)
        First voxel (its place in raster order), voxels, box (start z, y, x, stop z, y, x); and then,
        unless `Components.brief`, the sums of z, y, x, zz, yy, xx, zy, zx, yx, the exposed faces
        across z, y, x, and the value of labels. Sums wrap around at 64 bits; `moments` unwraps them.
    volume : tuple of int
        Shape of the volume.
    dtype : dtype
        Of its voxels.
    borders : tuple of ndarray, or None
        First voxel of each piece that a block border cut off, and the component that it is a piece of.

    Examples
    --------
    >>> from bigrock.kernels import find_components
    >>> find_components(np.ones((2, 2, 2), bool)).voxels.tolist()
    [8]
    """

    table: Array
    volume: Shape
    dtype: np.dtype[Any]
    borders: tuple[Array, Array] | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def first(self) -> Array:
        """Place of the first voxel of each component in raster order."""
        return self.table[:, 0]

    @property
    def voxels(self) -> Array:
        """Number of voxels of each component."""
        return self.table[:, 1]

    @property
    def start(self) -> Array:
        """First z, y, x of the bounding boxes."""
        return self.table[:, 2:5]

    @property
    def stop(self) -> Array:
        """The z, y, x after the last of the bounding boxes."""
        return self.table[:, 5:8]

    @property
    def exposed(self) -> Array:
        """Voxel faces across z, y, x to what is not the component; the border of the volume is none."""
        return self.table[:, 17:20]

    @property
    def values(self) -> Array | None:
        """Value of each component of a label volume."""
        if self.table.shape[1] != OF_LABELS:
            return None
        return self.table[:, 20].astype(f"u{self.dtype.itemsize}").view(self.dtype)

    @property
    def touches(self) -> Array:
        """Whether each component lies at the faces z0, z1, y0, y1, x0, x1 of the volume; bool, (n, 6)."""
        low, high = self.start == 0, self.stop == np.asarray(self.volume)
        return np.stack([low, high], axis=2).reshape(-1, 6)

    def moments(self) -> tuple[Array, Array]:
        """Return the centroids, and the mean products about them: zz, yy, xx, zy, zx, yx; in voxels.

        The sums are taken about the middle of the box, where they are exact as long as the voxels
        times the squared diagonal of the box stay below 2**65 (a cube of 8000³ voxels, half of it
        pore); NaN beyond. Voxels count as points.
        """
        origin = (self.start + self.stop) // 2
        count = self.voxels
        limit = count.astype(float) * ((self.stop - self.start).astype(float) ** 2).sum(axis=1) / 4
        with np.errstate(over="ignore"):
            shift = self.table[:, 8:11] - count[:, None] * origin
            products = np.empty((len(self), 6))
            means = shift / count[:, None]
            for k, (i, j) in enumerate(_PRODUCTS):
                a, b = origin[:, i], origin[:, j]
                about = (
                    self.table[:, 11 + k]
                    - a * self.table[:, 8 + j]
                    - b * self.table[:, 8 + i]
                    + a * b * count
                )
                products[:, k] = about / count - means[:, i] * means[:, j]
        products[limit >= _MOMENT_LIMIT] = np.nan
        return origin + means, products
