"""New volumes: levels, kinds, and what is never deleted."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from bigrock.errors import ParameterError, UnitError, VolumeExistsError
from bigrock.geometry import Region
from bigrock.volumes import create_volume, exists, open_volume, pyramid_levels


@pytest.mark.parametrize(
    ("dtype", "classes", "kind"),
    [
        ("bool", None, "mask"),
        ("uint8", None, "grey"),
        ("uint8", {"pore": 0}, "labels"),
        ("float32", None, "grey"),
    ],
)
def test_the_kind_follows_from_type_and_class_table(tmp_path, dtype, classes, kind):
    volume = create_volume(tmp_path / "v.zarr", (4, 5, 6), dtype, classes=classes)
    assert volume.kind == open_volume(tmp_path / "v.zarr").kind == kind
    assert volume.classes == (classes or {})


def test_a_new_volume_reads_as_zeros_and_takes_no_space_for_them(tmp_path):
    volume = create_volume(tmp_path / "v.zarr", (300, 300, 300), "uint16")
    assert not volume[:].any()
    assert sum(f.stat().st_size for f in (tmp_path / "v.zarr").rglob("*") if f.is_file()) < 10_000


def test_big_endian_types_are_stored_in_native_order(tmp_path):
    assert create_volume(tmp_path / "v.zarr", (4, 5, 6), ">u2").dtype == np.dtype("=u2")


@pytest.mark.parametrize("shard", [(5, 5, 5), (25, 25, 25), (16, 64, 8), (300, 20, 20)])
def test_the_layout_that_is_asked_for_is_the_layout_on_disk(tmp_path, shard):
    volume = create_volume(tmp_path / "v.zarr", (65, 31, 50), "uint16", shard=shard, levels=2)
    assert volume.write_unit == volume.array.shards == shard
    volume = create_volume(tmp_path / "w.zarr", (65, 31, 50), "uint16", chunk=(5, 5, 5), shard=(25, 25, 5))
    assert (volume.read_unit, volume.write_unit) == ((5, 5, 5), (25, 25, 5))


def test_a_pyramid_ends_where_every_axis_is_at_most_256_voxels_long():
    assert [pyramid_levels((n, 3, 3)) for n in (1, 256, 257, 512, 513, 4096)] == [1, 1, 2, 2, 3, 5]


def test_levels_halve_and_round_up(tmp_path):
    volume = create_volume(tmp_path / "v.zarr", (1025, 130, 7), "uint8", levels=4)
    assert [level.shape for level in volume.levels] == [
        (1025, 130, 7),
        (513, 65, 4),
        (257, 33, 2),
        (129, 17, 1),
    ]


@pytest.mark.parametrize("shape", [(100, 100), (0, 5, 5), (5, 5, 5, 5)])
def test_shapes_that_are_no_volume_are_refused(tmp_path, shape):
    with pytest.raises(ParameterError, match="cannot be a volume"):
        create_volume(tmp_path / "v.zarr", shape, "uint8")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["complex64", "U3", "M8[s]", "O"])
def test_types_that_are_no_voxels_are_refused(tmp_path, dtype):
    with pytest.raises(ParameterError, match="cannot be a volume"):
        create_volume(tmp_path / "v.zarr", (3, 3, 3), dtype)


def test_a_voxel_size_without_unit_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(UnitError):
        create_volume(tmp_path / "v.zarr", (3, 3, 3), "uint8", voxel_size="2.25")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_destination_is_kept_unless_overwriting_is_asked_for(tmp_path):
    place = tmp_path / "v.zarr"
    create_volume(place, (3, 3, 3), "uint8").write(Region.whole((3, 3, 3)), np.ones((3, 3, 3), np.uint8))
    with pytest.raises(VolumeExistsError, match="exists already"):
        create_volume(place, (3, 3, 3), "uint8")
    assert open_volume(place)[:].all()
    create_volume(place, (4, 4, 4), "uint16", overwrite=True)
    assert (open_volume(place).shape, open_volume(place)[:].any()) == ((4, 4, 4), False)


def test_overwriting_never_deletes_a_folder_that_is_no_volume(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(VolumeExistsError, match="is no zarr volume: overwriting would delete it"):
        create_volume(tmp_path, (3, 3, 3), "uint8", overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_zarr_stores_of_other_software_can_be_overwritten(tmp_path):
    zarr.create_array(tmp_path / "v.zarr", shape=(3, 3), dtype="u1", zarr_format=2)
    create_volume(tmp_path / "v.zarr", (3, 3, 3), "uint8", overwrite=True)
    assert open_volume(tmp_path / "v.zarr").shape == (3, 3, 3)
    assert not (tmp_path / "v.zarr" / ".zarray").exists()


def test_memory_volumes_are_deleted_as_folders_are():
    create_volume("memory://create-twice", (3, 3, 3), "uint8", levels=2)
    create_volume("memory://create-twice", (3, 3, 3), "uint8", overwrite=True)
    assert len(open_volume("memory://create-twice").levels) == 1


def test_nothing_exists_where_nothing_was_stored(tmp_path):
    assert not exists(tmp_path / "v.zarr")
    assert not exists("memory://nothing-here")
    create_volume(tmp_path / "v.zarr", (3, 3, 3), "uint8")
    assert exists(tmp_path / "v.zarr")


@pytest.mark.parametrize(
    ("translation", "voxel_size"), [((1e-6, 0, 0), None), ((1e-6, 0), "2 um"), ((np.nan, 0, 0), "2 um")]
)
def test_a_translation_that_has_no_meaning_is_refused_and_nothing_is_deleted(
    tmp_path, translation, voxel_size
):
    create_volume(tmp_path / "v.zarr", (4, 5, 6), "uint8")
    with pytest.raises(ParameterError, match="translation="):
        create_volume(
            tmp_path / "v.zarr",
            (4, 5, 6),
            "uint8",
            voxel_size=voxel_size,
            translation=translation,
            overwrite=True,
        )
    assert open_volume(tmp_path / "v.zarr").shape == (4, 5, 6)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_no_destination(tmp_path, overwrite):
    (tmp_path / "notes.txt").write_text("held")
    with pytest.raises(VolumeExistsError, match="is a file"):
        create_volume(tmp_path / "notes.txt", (4, 4, 4), "uint8", overwrite=overwrite)
    assert (tmp_path / "notes.txt").read_text() == "held"
