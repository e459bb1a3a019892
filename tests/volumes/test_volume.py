"""Stored volumes: voxels, metadata, damage, and what is refused."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import zarr

from bigrock.errors import (
    CorruptChunkError,
    ParameterError,
)
from bigrock.geometry import BlockGrid, Region
from bigrock.units import parse_voxel_size
from bigrock.volumes import Source, Volume, create_volume, facts_of, open_volume

pytestmark = pytest.mark.usefixtures("strict_codecs")
SHAPE = (100, 70, 90)


def noise(dtype="uint16", shape=SHAPE):
    rng = np.random.default_rng(5)
    return rng.random(shape) < 0.3 if dtype == "bool" else (rng.random(shape) * 200).astype(dtype)


def filled(place, voxels, **options):
    volume = create_volume(
        place, voxels.shape, voxels.dtype, **{"shard": (64, 64, 64), "chunk": (32, 32, 32), **options}
    )
    for block in BlockGrid(volume.shape, volume.write_unit):
        volume.write(block.core, voxels[block.core.slices])
    return volume


DTYPES = [
    "bool",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_voxels_of_every_type_come_back(tmp_path, dtype):
    voxels = noise(dtype)
    filled(tmp_path / "v.zarr", voxels)
    volume = open_volume(tmp_path / "v.zarr")
    assert volume.dtype == dtype
    np.testing.assert_array_equal(volume[:], voxels)
    np.testing.assert_array_equal(
        volume.read(Region((60, 3, 31), (100, 70, 66))), voxels[60:100, 3:70, 31:66]
    )
    np.testing.assert_array_equal(volume[7, 3:, -1], voxels[7, 3:, -1])
    np.testing.assert_array_equal(volume[-1], voxels[-1])
    assert isinstance(volume, Source)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_compiled_codecs_and_zarrs_own_give_the_same_voxels(tmp_path, dtype):
    voxels = noise(dtype)
    filled(tmp_path / "v.zarr", voxels)
    compiled = open_volume(tmp_path / "v.zarr").array
    with zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.BatchedCodecPipeline"}):
        own = zarr.open_array(tmp_path / "v.zarr" / "0", mode="r+")
    pipelines = {type(array._async_array.codec_pipeline).__name__ for array in (compiled, own)}
    assert pipelines == {"ZarrsCodecPipeline", "BatchedCodecPipeline"}
    np.testing.assert_array_equal(compiled[:], own[:])
    own[:] = voxels[::-1]
    np.testing.assert_array_equal(compiled[:], voxels[::-1])


def test_facts_units_classes_and_history_come_back(tmp_path):
    history = [{"step": "import", "source": "scan.tif"}, {"step": "run", "kernel": {"name": "Classify"}}]
    options = {"voxel_size": "10, 5, 5 nm", "classes": {"pore": 0, "quartz": 3}, "history": history}
    create_volume(tmp_path / "v.zarr", SHAPE, "uint8", **options)
    volume = open_volume(tmp_path / "v.zarr")
    assert volume.voxel_size == parse_voxel_size("10, 5, 5 nm")
    assert (volume.classes, volume.history) == ({"pore": 0, "quartz": 3}, tuple(history))
    facts = facts_of(volume)
    assert (facts.shape, facts.kind, facts.classes) == (SHAPE, "labels", {"pore": 0, "quartz": 3})
    assert repr(volume) == (
        f"<Volume {tmp_path}/v.zarr: 100 × 70 × 90 uint8 labels, voxel 10 nm × 5 nm × 5 nm (z, y, x)>"
    )


def test_updates_are_stored(tmp_path):
    volume = create_volume(tmp_path / "v.zarr", SHAPE, "uint8", classes={"pore": 0}, complete=False)
    volume.update(complete=True, history=[{"step": "x"}])
    again = open_volume(tmp_path / "v.zarr")
    assert volume.complete is again.complete is True
    assert volume.history == again.history == ({"step": "x"},)
    assert again.classes == {"pore": 0}


def test_a_volume_travels_between_processes(tmp_path):
    voxels = noise()
    filled(tmp_path / "v.zarr", voxels)
    volume = pickle.loads(pickle.dumps(open_volume(tmp_path / "v.zarr")))
    np.testing.assert_array_equal(volume[:], voxels)


def test_a_volume_in_memory_does_not_travel_and_says_why():
    volume = create_volume("memory://stays-here", SHAPE, "uint8")
    with pytest.raises(ParameterError, match="workers in other processes would see another, empty volume"):
        pickle.dumps(volume)


def test_the_identity_follows_the_history_and_without_one_the_place(tmp_path):
    make = lambda name, **options: create_volume(tmp_path / name, SHAPE, "uint8", **options).identity()  # noqa: E731
    step = [{"step": "import", "time": "2026-01-01T00:00:00"}]
    assert make("a", history=step) == make("b", history=step)
    assert make("c", history=step) != make("d", history=[{"step": "import", "time": "2026-01-02T00:00:00"}])
    assert make("e") != make("f")


def test_a_volume_that_is_open_for_reading_cannot_be_written(tmp_path):
    filled(tmp_path / "v.zarr", noise())
    volume = open_volume(tmp_path / "v.zarr")
    with pytest.raises(ValueError, match="open for reading"):
        volume.write(Region((0, 0, 0), (64, 64, 64)), np.zeros((64, 64, 64), np.uint16))
    assert volume[:].any()


def shard_file(volume: Volume, i, j, k):
    return volume.store.root / "0" / "c" / str(i) / str(j) / str(k)


DAMAGE = {
    "flipped": lambda data: (
        data[: len(data) // 3] + bytes([data[len(data) // 3] ^ 1]) + data[len(data) // 3 + 1 :]
    ),
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "noise": lambda data: np.random.default_rng(0).bytes(len(data)),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_damaged_shard_is_an_error_that_names_its_file(tmp_path, damage, dtype):
    volume = filled(tmp_path / "v.zarr", noise(dtype))
    file = shard_file(volume, 1, 0, 1)
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    volume = open_volume(tmp_path / "v.zarr")
    with pytest.raises(CorruptChunkError) as refused:
        volume.read(Region.whole(SHAPE))
    assert str(file) in str(refused.value)
    assert str(shard_file(volume, 0, 0, 1)) not in str(refused.value)
    assert volume.read(Region((0, 0, 0), (64, 64, 64))).any()


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("pipeline", ["local", "wrapped"])
def test_a_torn_shard_is_written_again_wherever_it_lies(tmp_path, damage, pipeline):
    from zarr.storage import LocalStore, WrapperStore

    voxels = noise()
    volume = filled(tmp_path / "v.zarr", voxels)
    sound = {
        b.id: shard_file(volume, *(a // 64 for a in b.core.start)).read_bytes()
        for b in BlockGrid(SHAPE, (64,) * 3)
    }
    if pipeline == "wrapped":
        volume = open_volume(WrapperStore(LocalStore(tmp_path / "v.zarr")), mode="r+")
    for block in BlockGrid(SHAPE, (64, 64, 64)):
        file = (tmp_path / "v.zarr" / "0" / "c").joinpath(*(str(a // 64) for a in block.core.start))
        file.write_bytes(DAMAGE[damage](file.read_bytes()))
        volume.write(block.core, voxels[block.core.slices])
        assert pipeline == "wrapped" or file.read_bytes() == sound[block.id]
    np.testing.assert_array_equal(open_volume(tmp_path / "v.zarr")[:], voxels)


def test_writing_a_part_of_a_shard_at_the_far_face_keeps_the_rest_of_it(tmp_path):
    voxels = noise()
    volume = filled(tmp_path / "v.zarr", voxels)
    part = Region((70, 64, 64), (100, 70, 90))
    volume.write(part, np.full(part.shape, 7, np.uint16))
    voxels[part.slices] = 7
    np.testing.assert_array_equal(volume[:], voxels)


def test_the_same_voxels_are_the_same_bytes_every_time(tmp_path):
    voxels = noise(shape=(128, 128, 128))
    files = []
    for name in "abc":
        filled(tmp_path / name, voxels, shard=(128, 128, 128), chunk=(16, 16, 16))
        files.append((tmp_path / name / "0/c/0/0/0").read_bytes())
    assert files[0] == files[1] == files[2]


PARTS = [
    Region.whole(SHAPE),
    Region((0, 0, 0), (96, 70, 90)),
    Region((70, 3, 31), (71, 5, 70)),
    Region((31, 1, 1), (99, 69, 89)),
]


@pytest.mark.parametrize("region", PARTS, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_flipped_bit_is_an_error_and_never_a_grey_value(tmp_path, region, dtype):
    voxels = noise(dtype)
    volume = filled(tmp_path / "v.zarr", voxels)
    file = shard_file(volume, 1, 0, 1)
    data, named = file.read_bytes(), []
    for position in range(0, len(data), 997):
        file.write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
        try:
            np.testing.assert_array_equal(volume.read(region), voxels[region.slices])
        except CorruptChunkError as error:
            named.append(str(file) in str(error))
    assert all(named)
    assert named


def test_an_ome_zarr_image_of_other_software_opens(tmp_path):
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    scale = [{"type": "scale", "scale": [2, 1, 1]}]
    image = {"axes": axes, "datasets": [{"path": "full", "coordinateTransformations": scale}]}
    group = zarr.create_group(
        tmp_path / "v.zarr", attributes={"ome": {"version": "0.5", "multiscales": [image]}}
    )
    group.create_array("full", data=noise(shape=(10, 11, 12)), chunks=(5, 5, 5))
    volume = open_volume(tmp_path / "v.zarr")
    np.testing.assert_array_equal(volume[:], noise(shape=(10, 11, 12)))
    assert (volume.kind, volume.voxel_size, volume.history) == ("grey", (2e-6, 1e-6, 1e-6), ())
    assert volume.read_unit == volume.write_unit == (5, 5, 5)


def test_metadata_is_plain_json_that_people_can_read(tmp_path):
    create_volume(tmp_path / "v.zarr", SHAPE, "uint16", voxel_size="2.25 um")
    attributes = json.loads((tmp_path / "v.zarr" / "zarr.json").read_text())["attributes"]
    assert attributes["ome"]["version"] == "0.5"
    assert attributes["bigrock"]["kind"] == "grey"
