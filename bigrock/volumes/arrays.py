"""An array in memory as a source, for small work, tests and examples."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Region, Shape
from bigrock.volumes.source import Kind, Voxel

__all__ = ["ArraySource"]


@dataclass(frozen=True, eq=False)
class ArraySource:
    """A numpy array that passes read like a stored volume.

    Parameters
    ----------
    array : ndarray, 3-D
        Axes z, y, x.
    voxel_size : tuple of float, optional
        Metres z, y, x.
    kind : {"grey", "mask", "labels"}, optional
        By default a mask where the data type is bool, else grey.
    classes : dict of str to int
        Class table of a label volume.

    Raises
    ------
    ParameterError
        If the array is not three-dimensional or empty.

    Examples
    --------
    >>> import numpy as np
    >>> ArraySource(np.zeros((4, 5, 6), bool)).kind
    'mask'
    """

    array: npt.NDArray[Any]
    voxel_size: Voxel | None = None
    kind: Kind = "grey"
    classes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.array.size == 0:
            raise ParameterError(
                f"array of shape {self.array.shape} is not a volume: three axes z, y, x of at least one voxel "
                f"are needed. Add an axis with array[None] for a single slice."
            )
        if self.array.dtype.kind == "b":
            object.__setattr__(self, "kind", "mask")

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""
        z, y, x = self.array.shape
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the voxels."""
        return self.array.dtype

    @property
    def read_unit(self) -> Shape:
        """One voxel: memory is read where it is asked."""
        return (1, 1, 1)

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return a copy of the voxels of `region`."""
        return self.array[region.slices].copy()

    def identity(self) -> dict[str, Any]:
        """Return the digest of the voxels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.array).tobytes()).hexdigest()
        return {"array": str(self.dtype), "shape": list(self.shape), "sha256": digest[:16]}
