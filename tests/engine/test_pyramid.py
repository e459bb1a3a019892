"""Pyramids that passes write: the same cascade whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
from toy_kernels import Copied

from bigrock.engine import run
from bigrock.volumes import ArraySource, open_volume
from bigrock.volumes.downsample import halve


@pytest.fixture(scope="module")
def scans():
    rng = np.random.default_rng(3)
    grey = rng.integers(0, 60000, (530, 33, 40)).astype(np.uint16)
    return {"grey": grey, "mask": grey > 20000, "labels": (grey // 15000).astype(np.uint8)}


@pytest.mark.parametrize("kind", ["grey", "mask", "labels"])
@pytest.mark.parametrize("block", [None, (16, 16, 16), (64, 64, 64), (20, 33, 40), (530, 33, 40)], ids=str)
def test_every_level_is_the_one_before_at_half_the_resolution(tmp_path, scans, kind, block):
    source = ArraySource(scans[kind], (1e-6,) * 3, kind, {"pore": 0} if kind == "labels" else {})
    volume = run(Copied(), source, tmp_path / "out.zarr", block=block, pyramid=True)
    assert [level.shape for level in volume.levels] == [(530, 33, 40), (265, 17, 20), (133, 9, 10)]
    expected = scans[kind]
    for level in volume.levels:
        np.testing.assert_array_equal(level[:], expected)
        expected = halve(expected, "mean" if kind == "grey" else "mode")


def test_a_block_writes_the_levels_whose_shards_it_owns(tmp_path, scans):
    owned = {}
    for edge in (16, 64, 128):
        out = run(
            Copied(), ArraySource(scans["grey"]), tmp_path / f"{edge}.zarr", block=(edge,) * 3, pyramid=True
        )
        owned[edge] = open_volume(out.path).own_levels
    assert owned == {16: 1, 64: 2, 128: 3}
