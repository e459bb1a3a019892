"""Filters through the engine: chains that are fitted stage by stage, over stored blocks, against the whole."""

from __future__ import annotations

import numpy as np
import pytest

import bigrock
from bigrock.datasets import Sandstone
from bigrock.geometry import BlockGrid, Region
from bigrock.kernels import (
    Closing,
    Cylinder,
    Gaussian,
    GlobalOtsu,
    MaskField,
    MaskOutside,
    Median,
    NonLocalMeans,
    Opening,
    RemoveRings,
    RemoveStripes,
)
from bigrock.volumes import ArraySource

SHAPE = (20, 40, 45)


@pytest.fixture(scope="module")
def scan() -> ArraySource:
    rock = Sandstone(SHAPE, seed=2)
    return ArraySource(rock.read(Region.whole(SHAPE)), (1e-6,) * 3)


CHAINS = {
    "median, Otsu, opening": Median(1) | GlobalOtsu() | Opening(2),
    "non-local means, Otsu in a cylinder": NonLocalMeans(search_radius=1)
    | GlobalOtsu(field_of_view=Cylinder(20, 22, 18))
    | MaskOutside(Cylinder(20, 22, 18))
    | Closing(1, "cube"),
    "rings, stripes, Gaussian": RemoveRings(limit=6000) | RemoveStripes(limit=6000) | Gaussian(1),
}


def at_once(kernel, volume: np.ndarray) -> np.ndarray:
    """Return what a chain makes of an array, stage by stage, each fitted to the whole."""
    for stage in kernel.stages:
        ready = stage.fit(ArraySource(volume), executor="serial", progress=False)
        volume = ready(volume, BlockGrid(volume.shape, volume.shape)[0])
    return volume


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("block", [(8, 16, 24), (20, 8, 16)])
def test_a_run_in_blocks_is_the_chain_over_the_whole(tmp_path, scan, name, block):
    options = {"shard": (4, 8, 8), "executor": "serial", "progress": False}
    out = bigrock.run(CHAINS[name], scan, tmp_path / "out.zarr", block=block, **options)
    np.testing.assert_array_equal(out[:], at_once(CHAINS[name], scan.array))


def test_a_run_with_a_field_of_view_is_resumed(tmp_path, scan):
    y, x = np.ogrid[: SHAPE[1], : SHAPE[2]]
    disc = np.broadcast_to((y - 20) ** 2 + (x - 22) ** 2 <= 18**2, SHAPE).copy()
    dest, options = tmp_path / "out.zarr", {"executor": "serial", "progress": False}
    for _ in range(2):
        kernel = MaskOutside(MaskField(ArraySource(disc)), 7)
        out = bigrock.run(kernel, scan, dest, **options)
    np.testing.assert_array_equal(out[:], np.where(disc, scan.array, 7))
    with pytest.raises(bigrock.errors.VolumeExistsError, match="field_of_view"):
        bigrock.run(MaskOutside(MaskField(ArraySource(~disc)), 7), scan, dest, **options)
