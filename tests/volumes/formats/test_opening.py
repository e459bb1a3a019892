from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from bigrock.errors import ParameterError, UnsupportedFormatError, VolumeNotFoundError
from bigrock.geometry import Region
from bigrock.volumes.formats import SUPPORTED_FORMATS, open_source

GREY = np.random.default_rng(2).integers(0, 250, (6, 7, 8)).astype("u1")


def real(name: str) -> Path:
    """Return a file of the folder of real volumes, or skip the test."""
    folder = os.environ.get("BIGROCK_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data"
    path = Path(folder) / name
    if not path.exists():
        pytest.skip(f"real volume {path} is not there; set BIGROCK_TEST_DATA to the folder of real volumes")
    return path


def test_a_missing_path_names_the_nearest_folder(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError, match=f"nearest folder that exists is {tmp_path}"):
        open_source(tmp_path / "no" / "scan.tif")
    with pytest.raises(FileNotFoundError):
        open_source(tmp_path / "scan.raw", shape=(1, 1, 1), dtype="u1")


def test_an_unknown_file_lists_every_format(tmp_path: Path) -> None:
    (tmp_path / "scan.xyz").write_bytes(b"%PDF-1.7 and so on")
    with pytest.raises(UnsupportedFormatError) as caught:
        open_source(tmp_path / "scan.xyz")
    assert "%PDF" in str(caught.value)
    for kind, names in SUPPORTED_FORMATS.items():
        assert kind in str(caught.value)
        assert all(name in str(caught.value) for name in names)


def test_an_unknown_file_with_shape_and_type_is_raw(tmp_path: Path) -> None:
    (tmp_path / "scan.xyz").write_bytes(GREY.tobytes())
    source = open_source(tmp_path / "scan.xyz", shape=GREY.shape, dtype="u1")
    np.testing.assert_array_equal(source.read(Region.whole(GREY.shape)), GREY)


def test_content_decides_where_the_name_misleads(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "scan.img", GREY, photometric="minisblack")
    np.save(tmp_path / "scan.npy", GREY)
    (tmp_path / "scan.npy").rename(tmp_path / "scan")
    for name in ("scan.img", "scan"):
        np.testing.assert_array_equal(open_source(tmp_path / name).read(Region.whole(GREY.shape)), GREY)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("scan.npy", {"shape": (6, 7, 8), "dtype": "u1"}),
        ("scan.npy", {"dataset": "a"}),
        ("scan.npy", {"axes": "zyx"}),
        ("scan.tif", {"order": "F"}),
        ("scan.tif", {"offset": 8}),
        ("scan.h5", {"channel": 0}),
    ],
)
def test_options_that_the_format_does_not_have_are_refused(tmp_path: Path, name: str, options: dict) -> None:
    path = tmp_path / name
    if name.endswith("npy"):
        np.save(path, GREY)
    elif name.endswith("tif"):
        tifffile.imwrite(path, GREY, photometric="minisblack")
    else:
        with h5py.File(path, "w") as file:
            file["a"] = GREY
    with pytest.raises(ParameterError, match=f"{next(iter(options))}="):
        open_source(path, **options)


@pytest.mark.parametrize(
    "name",
    [
        "berea_200_openpnm/berea_100_to_300_seg.tif",
        "carbonate_slice_grey_2d/35_1_u16.tif",
        "drp374_06_00_256/drp374_06_00_256_seg.tif",
        "fibsem_flyem/grey_140x400x400_u8.tif",
        "qim3d_cement_128/cement_128x128x128.tif",
        "qim3d_shell_fibers_128/shell_225x128x128.tif",
    ],
)
def test_real_tiff_volumes_equal_tifffile_block_by_block(name: str) -> None:
    path = real(name)
    oracle = tifffile.imread(path)
    oracle = oracle if oracle.ndim == 3 else oracle[None]
    source = open_source(path)
    assert source.shape == oracle.shape
    assert source.voxel_size is None
    z, y, x = source.shape
    for region in (Region((z // 3, 5, 7), (z // 3 + 1, y - 3, x)), Region((z - 1, 0, 0), (z, y, x))):
        np.testing.assert_array_equal(source.read(region), oracle[region.slices])


def test_a_real_matlab_volume_equals_its_tiff_twin() -> None:
    matlab = open_source(real("drp374_06_00_256/374_06_00_256.mat"), dataset="bin")
    twin = open_source(real("drp374_06_00_256/drp374_06_00_256_seg.tif"))
    assert matlab.shape == twin.shape
    assert matlab.dtype == twin.dtype
    for z in range(0, 256, 64):
        region = Region((z, 0, 0), (z + 64, 256, 256))
        np.testing.assert_array_equal(matlab.read(region), twin.read(region))
