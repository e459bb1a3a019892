from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import zarr

from bigrock.errors import (
    CorruptChunkError,
    ParameterError,
    SourceError,
    UnsupportedFormatError,
    VolumeNotFoundError,
)
from bigrock.geometry import Region
from bigrock.volumes import Volume, create_volume
from bigrock.volumes.formats import open_source
from bigrock.volumes.source import Source

GREY = np.random.default_rng(2).integers(0, 4000, (20, 17, 23)).astype("u2")
BOX = Region((3, 0, 5), (19, 11, 23))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["u1", ">u2", "f4", "?"])
def test_an_array_of_either_format_equals_zarr(tmp_path: Path, version: int, dtype: str) -> None:
    array = (GREY % 2 if dtype == "?" else GREY % 250).astype(dtype)
    made = zarr.create_array(
        str(tmp_path / "a.zarr"), shape=GREY.shape, chunks=(4, 5, 6), dtype=dtype, zarr_format=version
    )
    made[:] = array
    source = open_source(tmp_path / "a.zarr", finite=False)
    assert isinstance(source, Source)
    assert source.read_unit == (4, 5, 6)
    got = pickle.loads(pickle.dumps(source)).read(BOX)
    np.testing.assert_array_equal(got, array[BOX.slices])
    assert got.dtype.isnative
    assert got.flags.c_contiguous


def test_a_sharded_array_is_read_by_the_chunk() -> None:
    array = zarr.create_array(
        "memory://sharded", shape=(8, 8, 8), chunks=(2, 2, 2), shards=(4, 4, 4), dtype="u1", overwrite=True
    )
    array[:] = 7
    source = open_source("memory://sharded")
    assert source.read_unit == (2, 2, 2)
    assert source.read(Region.whole((8, 8, 8))).min() == 7


def ome(path: Path, version: str, voxels: np.ndarray, axes: str, unit: str | None = "micrometer") -> None:
    group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == "0.4" else 3)
    for level, step in enumerate((1, 2)):
        group.create_array(
            str(level), data=voxels[..., ::step, ::step, ::step], chunks=(1,) * (voxels.ndim - 3) + (4, 5, 6)
        )
    kinds = {"t": "time", "c": "channel"}
    named = [{"name": a, "type": kinds.get(a, "space")} for a in axes]
    for axis in named:
        if axis["type"] == "space" and unit:
            axis["unit"] = unit
    scale = [1.0] * (len(axes) - 3) + [10.0, 2.5, 1.5]
    scales = [[*scale[:-3], *(s * step for s in scale[-3:])] for step in (1, 2)]
    image = {
        "axes": named,
        "datasets": [
            {"path": str(k), "coordinateTransformations": [{"type": "scale", "scale": s}]}
            for k, s in enumerate(scales)
        ],
        "version": version,
    }
    group.attrs.update(
        {"multiscales": [image]} if version == "0.4" else {"ome": {"version": "0.5", "multiscales": [image]}}
    )


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["zyx", "tczyx"])
def test_ome_zarr_is_read_at_full_resolution_with_its_voxel_size(
    tmp_path: Path, version: str, axes: str
) -> None:
    voxels = GREY if axes == "zyx" else GREY[None, None]
    ome(tmp_path / "a.zarr", version, voxels, axes)
    source = open_source(tmp_path / "a.zarr")
    assert source.shape == GREY.shape
    assert source.voxel_size == pytest.approx((1e-5, 2.5e-6, 1.5e-6), rel=1e-12)
    np.testing.assert_array_equal(source.read(BOX), GREY[BOX.slices])


def test_ome_zarr_without_units_states_no_voxel_size(tmp_path: Path) -> None:
    ome(tmp_path / "a.zarr", "0.4", GREY, "zyx", unit=None)
    assert open_source(tmp_path / "a.zarr").voxel_size is None
    assert open_source(tmp_path / "a.zarr", voxel_size=(1e-6,) * 3).voxel_size == (1e-6,) * 3


def test_channels_must_be_selected(tmp_path: Path) -> None:
    ome(tmp_path / "a.zarr", "0.5", np.stack([GREY, GREY + 1])[None], "tczyx")
    with pytest.raises(SourceError, match=r"\(1, 2, 20, 17, 23\).*channel="):
        open_source(tmp_path / "a.zarr")
    np.testing.assert_array_equal(open_source(tmp_path / "a.zarr", channel=1).read(BOX), GREY[BOX.slices] + 1)
    with pytest.raises(ParameterError, match="channel=2"):
        open_source(tmp_path / "a.zarr", channel=2)


def test_time_series_of_channels_are_refused(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "a.zarr"), shape=(2, 3, 4, 5, 6), chunks=(1, 1, 4, 5, 6), dtype="u1")
    with pytest.raises(SourceError, match="channels or time steps"):
        open_source(tmp_path / "a.zarr", channel=0)


def test_a_group_asks_which_array(tmp_path: Path) -> None:
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    group.create_array("scan/grey", data=GREY, chunks=(4, 5, 6))
    assert open_source(tmp_path / "a.zarr").shape == GREY.shape
    group.create_array("mask", data=GREY > 9, chunks=(4, 5, 6))
    with pytest.raises(ParameterError, match="which one is meant"):
        open_source(tmp_path / "a.zarr")
    np.testing.assert_array_equal(
        open_source(tmp_path / "a.zarr", dataset="scan/grey").read(BOX), GREY[BOX.slices]
    )
    with pytest.raises(ParameterError, match="'nothing' is not in"):
        open_source(tmp_path / "a.zarr", dataset="nothing")


def test_a_picture_is_one_slice(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "a.zarr"), data=GREY[0], chunks=(5, 6))
    source = open_source(tmp_path / "a.zarr")
    np.testing.assert_array_equal(source.read(Region((0, 2, 3), (1, 9, 9))), GREY[:1, 2:9, 3:9])


def test_a_bigrock_volume_is_returned_as_it_is(tmp_path: Path) -> None:
    volume = create_volume(tmp_path / "a.zarr", shape=(8, 8, 8), dtype="u1", voxel_size=(1e-6,) * 3)
    assert isinstance(volume, Volume)
    assert isinstance(open_source(tmp_path / "a.zarr"), Volume)


def test_nothing_and_what_is_no_zarr_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError):
        open_source("memory://nothing-is-here")
    with pytest.raises(VolumeNotFoundError):
        open_source(tmp_path / "absent.zarr")
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises((UnsupportedFormatError, VolumeNotFoundError)):
        open_source(tmp_path / "empty.zarr")


def test_a_damaged_chunk_is_named(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "a.zarr"), data=GREY, chunks=(20, 17, 23))
    (tmp_path / "a.zarr/c/0/0/0").write_bytes(b"damaged")
    with pytest.raises(CorruptChunkError, match="a chunk is damaged"):
        open_source(tmp_path / "a.zarr").read(BOX)
