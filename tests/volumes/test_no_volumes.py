"""What is no volume, or none that is whole, is refused with its name and what to do."""

from __future__ import annotations

import pytest
import zarr

from bigrock.errors import IncompleteVolumeError, NotAVolumeError, VolumeNotFoundError
from bigrock.volumes import create_volume, open_volume


def test_nothing_stored_is_not_found_and_opening_leaves_nothing_behind(tmp_path):
    with pytest.raises(VolumeNotFoundError, match="nothing is stored at"):
        open_volume(tmp_path / "v.zarr")
    assert list(tmp_path.iterdir()) == []


def an_array(place):
    zarr.create_array(place, shape=(3, 3, 3), dtype="u1")


def a_v2_group(place):
    zarr.create_group(place, zarr_format=2)


def a_plain_group(place):
    zarr.create_group(place)


def an_image_in_two_dimensions(place):
    group = zarr.create_group(
        place, attributes={"ome": {"multiscales": [{"axes": [], "datasets": [{"path": "0"}]}]}}
    )
    group.create_array("0", shape=(3, 3), dtype="u1")


def an_image_without_its_array(place):
    create_volume(place, (3, 3, 3), "u1")
    (place / "0" / "zarr.json").unlink()


def a_text_file(place):
    place.write_text("hello")


def a_folder_of_slices(place):
    place.mkdir()
    (place / "slice_0001.tif").write_bytes(b"II*\0")


def broken_metadata(place):
    place.mkdir()
    (place / "zarr.json").write_text("{ not json")


@pytest.mark.parametrize(
    "make",
    [
        an_array,
        a_v2_group,
        a_plain_group,
        an_image_in_two_dimensions,
        an_image_without_its_array,
        a_text_file,
        a_folder_of_slices,
        broken_metadata,
    ],
)
def test_what_is_no_volume_is_refused_with_its_name_and_the_remedy(tmp_path, make):
    place = tmp_path / "v.zarr"
    make(place)
    with pytest.raises(NotAVolumeError) as refused:
        open_volume(place)
    assert str(place) in str(refused.value)
    assert "import_volume" in str(refused.value)


def test_a_volume_whose_run_was_interrupted_is_refused(tmp_path):
    create_volume(tmp_path / "v.zarr", (100, 70, 90), "uint8", complete=False)
    with pytest.raises(IncompleteVolumeError, match="Run the same command again to resume it"):
        open_volume(tmp_path / "v.zarr")
    assert open_volume(tmp_path / "v.zarr", partial=True).complete is False
