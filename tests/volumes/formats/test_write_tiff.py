from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from bigrock.errors import ParameterError
from bigrock.volumes.formats import open_source, write_tiff

GREY = np.random.default_rng(2).integers(0, 4000, (9, 7, 8)).astype("u2")
VOXEL = (1e-5, 2.25e-6, 1.5e-6)


def save(path: Path, voxels: np.ndarray = GREY, **options: object) -> Path:
    return write_tiff([voxels[:4], voxels[4:]], path, shape=voxels.shape, dtype=voxels.dtype, **options)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_small_grey_volumes_are_imagej_hyperstacks_with_their_scale(
    tmp_path: Path, dtype: str, compression: str | None
) -> None:
    voxels = (GREY % 250).astype(dtype)
    path = save(tmp_path / "a.tif", voxels, voxel_size=VOXEL, compression=compression)
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert not file.is_bigtiff
        assert file.series[0].axes == "ZYX"
        assert file.imagej_metadata["spacing"] == 10.0
        assert file.imagej_metadata["unit"] == "micron"
        assert file.pages[0].tags["XResolution"].value == (2, 3)
        assert file.pages[0].tags["YResolution"].value == (4, 9)
        assert file.pages[0].compression == (8 if compression else 1)
        np.testing.assert_array_equal(file.asarray(), voxels)


@pytest.mark.parametrize("dtype", ["i2", "u4", "f8"])
def test_other_types_are_bigtiff_with_ome_xml(tmp_path: Path, dtype: str) -> None:
    path = save(tmp_path / "a.tif", GREY.astype(dtype), voxel_size=VOXEL)
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert file.is_ome
        assert file.series[0].axes == "ZYX"
        assert 'PhysicalSizeZ="10.0"' in file.ome_metadata
        np.testing.assert_array_equal(file.asarray(), GREY)


def test_what_does_not_fit_a_classic_file_becomes_bigtiff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys.modules["bigrock.volumes.formats.write_tiff"], "_CLASSIC_BYTES", GREY.nbytes)
    path = save(tmp_path / "a.tif", voxel_size=VOXEL)
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
    assert open_source(path).voxel_size == pytest.approx(VOXEL)


def test_a_single_slice_keeps_its_voxel_size(tmp_path: Path) -> None:
    path = write_tiff([GREY[:1]], tmp_path / "a.tif", shape=(1, 7, 8), dtype="u2", voxel_size=VOXEL)
    source = open_source(path)
    assert source.shape == (1, 7, 8)
    assert source.voxel_size == pytest.approx(VOXEL)


def test_four_slices_are_slices_and_not_channels(tmp_path: Path) -> None:
    for dtype in ("u1", "i4"):
        voxels = GREY[:3].astype(dtype)
        path = write_tiff([voxels], tmp_path / f"{dtype}.tif", shape=voxels.shape, dtype=dtype)
        assert open_source(path).shape == (3, 7, 8)


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="compression='lzma'"):
        save(tmp_path / "a.tif", compression="lzma")
