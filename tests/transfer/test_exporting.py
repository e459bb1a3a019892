from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage.io import imread

import bigrock as br
from bigrock.errors import ParameterError, UnsupportedFormatError, VolumeExistsError
from bigrock.volumes import ArraySource
from bigrock.volumes.formats import open_source

VOXEL = (4e-6, 2e-6, 3e-6)


@pytest.fixture
def volume(tmp_path: Path) -> br.Volume:
    grey = np.random.default_rng(0).integers(0, 65535, (70, 90, 110)).astype(np.uint16)
    source = ArraySource(grey, voxel_size=VOXEL)
    return br.import_volume(source, tmp_path / "grey.zarr", block=(64, 64, 64))


@pytest.mark.parametrize("name", ["a.tif", "a.tiff", "a.mhd", "a.nrrd", "a.npy"])
def test_what_is_exported_is_read_back_with_its_voxel_size(
    volume: br.Volume, tmp_path: Path, name: str
) -> None:
    source = open_source(str(br.export_volume(volume, tmp_path / name)))
    assert np.array_equal(source.read(br.volumes.Region.whole(source.shape)), volume[:])
    if not name.endswith(".npy"):
        assert source.voxel_size == pytest.approx(VOXEL)


@pytest.mark.parametrize("name", ["a.tif", "a.nrrd"])
def test_compressed_files_hold_the_same_voxels(volume: br.Volume, tmp_path: Path, name: str) -> None:
    source = open_source(str(br.export_volume(volume, tmp_path / name, compress=True)))
    assert np.array_equal(source.read(br.volumes.Region.whole(source.shape)), volume[:])


def test_a_crop_of_a_level_is_exported_alone(tmp_path: Path) -> None:
    grey = np.random.default_rng(1).integers(0, 255, (300, 40, 60)).astype(np.uint8)
    volume = br.import_volume(ArraySource(grey, voxel_size=VOXEL), tmp_path / "deep.zarr")
    file = br.export_volume(volume, tmp_path / "a.tif", level=1, crop="10:20, :, 5:25")
    assert np.array_equal(tifffile.imread(file), np.asarray(volume.levels[1])[10:20, :, 5:25])
    assert open_source(str(file)).voxel_size == pytest.approx([2 * v for v in VOXEL])


@pytest.mark.parametrize(("name", "pore"), [("mask.tif", 255), ("mask.nrrd", 1)])
def test_masks_become_eight_bits(tmp_path: Path, name: str, pore: int) -> None:
    mask = np.random.default_rng(2).random((5, 6, 7)) > 0.5
    volume = br.import_volume(ArraySource(mask), tmp_path / "mask.zarr")
    file = br.export_volume(volume, tmp_path / name)
    source = open_source(str(file))
    read = source.read(br.volumes.Region.whole(source.shape))
    assert read.dtype == np.uint8
    assert np.array_equal(read, mask * np.uint8(pore))


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_a_slice_is_a_picture_of_its_voxels(volume: br.Volume, tmp_path: Path, axis: str) -> None:
    file = br.export_slice(volume, tmp_path / "s.png", axis=axis, index=7)  # type: ignore[arg-type]
    assert np.array_equal(imread(file), np.take(volume[:], 7, axis="zyx".index(axis)))


def test_what_cannot_be_exported_is_refused_before_anything_is_written(
    volume: br.Volume, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedFormatError, match=r"\.jpg are not written"):
        br.export_volume(volume, tmp_path / "a.jpg")
    with pytest.raises(ParameterError, match="level 3 does not exist"):
        br.export_volume(volume, tmp_path / "a.tif", level=3)
    with pytest.raises(ParameterError, match="cannot be compressed"):
        br.export_volume(volume, tmp_path / "a.npy", compress=True)
    with pytest.raises(ParameterError, match="slice 70 does not exist"):
        br.export_slice(volume, tmp_path / "a.png", index=70)
    assert not list(tmp_path.glob("a.*"))
    (tmp_path / "there.npy").write_bytes(b"mine")
    with pytest.raises(VolumeExistsError):
        br.export_volume(volume, tmp_path / "there.npy")
    assert (tmp_path / "there.npy").read_bytes() == b"mine"
