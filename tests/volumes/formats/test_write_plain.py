from __future__ import annotations

from pathlib import Path

import nrrd
import numpy as np
import pytest

from bigrock.errors import ParameterError, UnsupportedFormatError
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source, write_npy, write_nrrd, write_raw_mhd

GREY = np.random.default_rng(2).integers(0, 4000, (9, 7, 8)).astype("u2")
VOXEL = (1e-5, 2.25e-6, 1.5e-6)
OPTIONS = {"shape": GREY.shape, "dtype": "u2"}


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_pynrrd_reads_what_is_written(tmp_path: Path, compression: str | None) -> None:
    path = write_nrrd(
        [GREY[:5], GREY[5:]], tmp_path / "a.nrrd", voxel_size=VOXEL, compression=compression, **OPTIONS
    )
    data, header = nrrd.read(str(path), index_order="C")
    np.testing.assert_array_equal(data, GREY)
    assert header["encoding"] == (compression or "raw")
    np.testing.assert_allclose(header["space directions"], np.diag([0.0015, 0.00225, 0.01]))
    assert header["space units"] == ["mm"] * 3
    np.testing.assert_array_equal(open_source(path).read(Region.whole(GREY.shape)), GREY)
    assert open_source(path).voxel_size == pytest.approx(VOXEL)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u4", "i8", "u8", "f4", "f8"])
def test_pynrrd_understands_every_type(tmp_path: Path, dtype: str) -> None:
    voxels = (GREY % 120).astype(dtype)
    path = write_nrrd([voxels], tmp_path / "a.nrrd", shape=GREY.shape, dtype=dtype)
    data, _ = nrrd.read(str(path), index_order="C")
    assert data.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(data, voxels)


def test_the_same_volume_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.nrrd", "b.nrrd"):
        write_nrrd([GREY], tmp_path / name, compression="gzip", **OPTIONS)
    assert (tmp_path / "a.nrrd").read_bytes() == (tmp_path / "b.nrrd").read_bytes()


def test_the_raw_file_is_the_bytes_of_the_array_and_the_header_says_so(tmp_path: Path) -> None:
    path = write_raw_mhd([GREY], tmp_path / "a.raw", voxel_size=VOXEL, **OPTIONS)
    assert path == tmp_path / "a.mhd"
    assert (tmp_path / "a.raw").read_bytes() == GREY.astype("<u2").tobytes()
    lines = dict(line.split(" = ") for line in path.read_text().splitlines())
    assert lines["DimSize"] == "8 7 9"
    assert lines["ElementSpacing"] == "0.0015 0.00225 0.01"
    assert lines["ElementType"] == "MET_USHORT"
    assert list(lines)[-1] == "ElementDataFile"
    write_raw_mhd([GREY], tmp_path / "b.mhd", **OPTIONS)
    assert "ElementSpacing" not in (tmp_path / "b.mhd").read_text()


@pytest.mark.parametrize("dtype", ["?", "u1", ">u2", "f2", "f8"])
def test_numpy_maps_what_is_written(tmp_path: Path, dtype: str) -> None:
    voxels = (GREY % 2).astype(dtype)
    path = write_npy([voxels[:1], voxels[1:]], tmp_path / "a.npy", shape=GREY.shape, dtype=dtype)
    mapped = np.load(path, mmap_mode="r")
    assert mapped.dtype == np.dtype(dtype).newbyteorder("<")
    np.testing.assert_array_equal(mapped, voxels)


def test_types_that_a_format_does_not_have_are_refused(tmp_path: Path) -> None:
    half = GREY.astype("f2")
    for write, name in ((write_raw_mhd, "a.mhd"), (write_nrrd, "a.nrrd")):
        with pytest.raises(UnsupportedFormatError, match="float16"):
            write([half], tmp_path / name, shape=GREY.shape, dtype="f2")
    with pytest.raises(ParameterError, match="'bzip2'"):
        write_nrrd([GREY], tmp_path / "a.nrrd", compression="bzip2", **OPTIONS)
    assert list(tmp_path.iterdir()) == []
