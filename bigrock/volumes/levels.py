"""A pyramid level of a volume as a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Region, Shape
from bigrock.volumes.source import Voxel
from bigrock.volumes.volume import Volume

__all__ = ["LevelSource"]


@dataclass(frozen=True)
class LevelSource:
    """One pyramid level as a source."""

    volume: Volume
    level: int

    @property
    def shape(self) -> Shape:
        """Extent of the level in its own voxels."""
        z, y, x = self.volume.levels[self.level].shape
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the volume."""
        return self.volume.dtype

    @property
    def voxel_size(self) -> Voxel | None:
        """Voxel size of the level in metres."""
        voxel_m, factor = self.volume.voxel_size, 1 << self.level
        return None if voxel_m is None else (voxel_m[0] * factor, voxel_m[1] * factor, voxel_m[2] * factor)

    @property
    def read_unit(self) -> Shape:
        """Chunk of the level."""
        z, y, x = self.volume.levels[self.level].chunks
        return z, y, x

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, in voxels of the level; checked as by `Volume.read`."""
        return self.volume.read_level(self.level, region)

    def identity(self) -> dict[str, Any]:
        """Return the identity of the volume and the number of the level."""
        return {"level": self.level, "of": self.volume.identity()}
