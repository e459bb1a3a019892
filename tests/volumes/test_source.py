from __future__ import annotations

import numpy as np
import pytest

from bigrock.errors import VoxelSizeError
from bigrock.geometry import Region
from bigrock.volumes import ArraySource, create_volume, facts_of, required_voxel_size


def test_a_length_without_a_voxel_size_is_refused() -> None:
    with pytest.raises(VoxelSizeError, match="has no voxel size, and the surface area needs one"):
        required_voxel_size(ArraySource(np.zeros((2, 3, 4))), "the surface area")


def test_the_extent_of_a_volume_is_in_metres() -> None:
    volume = create_volume(
        "memory://extent.zarr", (10, 20, 30), "uint8", voxel_size="3, 2, 1 um", overwrite=True
    )
    assert volume.extent == pytest.approx((30e-6, 40e-6, 30e-6))
    bare = create_volume("memory://no-extent.zarr", (2, 2, 2), "uint8", overwrite=True)
    with pytest.raises(VoxelSizeError, match="--voxel-size"):
        _ = bare.extent


def test_bool_voxels_are_a_mask_whoever_reads_them() -> None:
    class Bare:
        shape, dtype, voxel_size, read_unit = (1, 1, 1), np.dtype(bool), None, (1, 1, 1)

        def read(self, region: Region) -> np.ndarray:
            return np.zeros(region.shape, bool)

        def identity(self) -> dict[str, object]:
            return {}

    assert facts_of(Bare()).kind == "mask"
