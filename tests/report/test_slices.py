from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from bigrock.errors import ParameterError
from bigrock.geometry import Region
from bigrock.report.slices import PLANES, read_slice
from bigrock.volumes import ArraySource, create_volume, open_volume


@dataclass
class Ramp:
    """A source of any size whose voxels are z + y + x, modulo 251; counts what is read of it."""

    shape: tuple[int, int, int]
    voxel_size: tuple[float, float, float] | None = None
    dtype: np.dtype = field(default_factory=lambda: np.dtype("uint8"))
    read_unit: tuple[int, int, int] = (1, 1, 1)
    largest: int = 0

    def read(self, region: Region):
        self.largest = max(self.largest, region.voxels)
        z, y, x = (np.arange(a, b, dtype=np.uint64) for a, b in zip(region.start, region.stop, strict=True))
        return ((z[:, None, None] + y[:, None] + x) % 251).astype(np.uint8)

    def identity(self):
        return {}


@pytest.fixture
def volume(tmp_path):
    array = np.random.default_rng(1).integers(0, 255, (40, 130, 260), np.uint8)
    made = create_volume(
        tmp_path / "v.zarr",
        array.shape,
        "uint8",
        levels=3,
        voxel_size="10, 5, 5 nm",
        chunk=(32, 32, 32),
        shard=(64, 64, 64),
    )
    for z in range(0, 40, 64):
        for y in range(0, 130, 64):
            for x in range(0, 260, 64):
                core = Region((z, y, x), (z, y, x)).grow((64, 64, 64), array.shape)
                core = Region((z, y, x), core.stop)
                made.write(core, array[core.slices])
    return open_volume(tmp_path / "v.zarr"), array


def test_the_middle_slices_are_those_of_the_array(volume):
    stored, array = volume
    expected = {"xy": array[20], "xz": array[:, 65], "yz": array[:, :, 130]}
    for plane in PLANES:
        cut = read_slice(stored, plane)
        assert cut.step == 1
        assert np.array_equal(cut.pixels, expected[plane])


@pytest.mark.parametrize(("longest", "level"), [(300, 0), (260, 0), (259, 1), (130, 1), (100, 2)])
def test_the_finest_level_that_is_small_enough_is_read(volume, longest, level):
    stored, _ = volume
    cut = read_slice(stored, "xy", 21, longest=longest)
    assert cut.step == 2**level
    assert np.array_equal(cut.pixels, stored.levels[level][21 >> level])


def test_a_slice_is_thinned_where_no_level_is_small_enough(volume):
    stored, _ = volume
    cut = read_slice(stored, "xy", 0, longest=20)
    assert cut.step == 4 * 4
    assert np.array_equal(cut.pixels, stored.levels[2][0][::4, ::4])


def test_a_huge_source_is_read_in_strips():
    ramp = Ramp((5, 8_000, 6_000))
    cut = read_slice(ramp, "xy", 3)
    assert cut.pixels.shape == (1000, 750)
    assert ramp.largest <= 2**22
    rows, columns = np.arange(1000) * 8, np.arange(750) * 8
    assert np.array_equal(cut.pixels, (3 + rows[:, None] + columns) % 251)


def test_the_pitch_follows_the_voxel_size_and_the_level(volume):
    stored, _ = volume
    assert read_slice(stored, "xz", longest=130).pitch == (2e-8, 1e-8)
    assert read_slice(stored, "xy").pitch == (5e-9, 5e-9)
    assert read_slice(ArraySource(np.zeros((2, 3, 4), np.uint8)), "yz").pitch == (1.0, 1.0)


def test_axes_are_named_as_they_lie_in_the_picture(volume):
    assert {p: read_slice(volume[0], p).axis_names for p in PLANES} == {
        "xy": ("z", "y", "x"),
        "xz": ("y", "z", "x"),
        "yz": ("x", "z", "y"),
    }


@pytest.mark.parametrize("index", [-1, 40])
def test_a_slice_outside_the_volume_is_refused(volume, index):
    with pytest.raises(ParameterError, match="outside a volume of 40 slices"):
        read_slice(volume[0], "xy", index)
