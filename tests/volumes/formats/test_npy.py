from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bigrock.errors import ParameterError, SourceError, TruncatedFileError, UnsupportedFormatError
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source
from bigrock.volumes.formats.inflate import InflatedSource
from bigrock.volumes.formats.raw import MappedSource

VOXELS = np.random.default_rng(3).integers(0, 60000, (6, 9, 8)).astype("u2")
BOX = Region((1, 2, 3), (5, 9, 7))


@pytest.mark.parametrize("dtype", ["u2", ">u2", "f4", ">f8", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_either_order_equals_numpy(tmp_path: Path, dtype: str, order: str) -> None:
    array = np.asarray(VOXELS.astype(dtype), order=order)
    np.save(tmp_path / "scan.npy", array)
    source = open_source(tmp_path / "scan.npy")
    np.testing.assert_array_equal(source.read(BOX), array[BOX.slices])
    assert source.shape == array.shape
    assert source.dtype == np.dtype(dtype).newbyteorder("=")
    assert source.voxel_size is None


def test_a_picture_is_one_slice_and_leading_single_axes_are_dropped(tmp_path: Path) -> None:
    np.save(tmp_path / "picture.npy", VOXELS[0])
    np.save(tmp_path / "five.npy", VOXELS[None, None])
    assert open_source(tmp_path / "picture.npy").shape == (1, 9, 8)
    np.testing.assert_array_equal(open_source(tmp_path / "five.npy").read(BOX), VOXELS[BOX.slices])
    np.save(tmp_path / "movie.npy", np.stack([VOXELS, VOXELS]))
    with pytest.raises(SourceError, match=r"\(2, 6, 9, 8\).*Select one channel or time step"):
        open_source(tmp_path / "movie.npy")


def test_a_cut_npy_file_and_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.npy"
    np.save(path, VOXELS)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(TruncatedFileError, match="10 are missing"):
        open_source(path)
    np.save(path, np.array([[[None]]]), allow_pickle=True)
    with pytest.raises(UnsupportedFormatError, match="object"):
        open_source(path)
    path.write_bytes(b"\x93NUMPY\x09\x00 what")
    with pytest.raises(UnsupportedFormatError, match=r"numpy\.save"):
        open_source(path)


@pytest.mark.parametrize(("save", "kind"), [(np.savez, MappedSource), (np.savez_compressed, InflatedSource)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_reads_the_named_or_the_only_volume(tmp_path: Path, save, kind, order: str) -> None:
    path = tmp_path / "scan.npz"
    save(path, image=np.asarray(VOXELS, order=order), voxel=2.5, note=np.array("text"))
    for source in (open_source(path), open_source(path, dataset="image")):
        assert isinstance(source, kind)
        np.testing.assert_array_equal(source.read(BOX), VOXELS[BOX.slices])


def test_npz_with_several_volumes_asks_which(tmp_path: Path) -> None:
    path = tmp_path / "scan.npz"
    np.savez(path, grey=VOXELS, mask=VOXELS > 9)
    with pytest.raises(ParameterError, match=r"grey \(6, 9, 8\), mask \(6, 9, 8\)"):
        open_source(path)
    with pytest.raises(ParameterError, match="'other' is not in"):
        open_source(path, dataset="other")
    assert open_source(path, dataset="mask").dtype == np.bool_


def test_a_zip_of_other_things_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        archive.writestr("readme.txt", "text")
    with pytest.raises(UnsupportedFormatError, match="without numpy arrays"):
        open_source(tmp_path / "scan.zip")


def test_a_broken_or_oddly_compressed_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.npz"
    np.savez(path, grey=VOXELS)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match="not a complete zip"):
        open_source(path)
    np.save(tmp_path / "a.npy", VOXELS)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.write(tmp_path / "a.npy", "a.npy")
    with pytest.raises(UnsupportedFormatError, match="savez_compressed"):
        open_source(path)
