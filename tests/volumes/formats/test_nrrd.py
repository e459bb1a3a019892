from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import nrrd
import numpy as np
import pytest

from bigrock.errors import SourceError, TruncatedFileError, UnsupportedFormatError, VolumeNotFoundError
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source
from bigrock.volumes.formats.inflate import InflatedSource
from bigrock.volumes.formats.raw import MappedSource

GREY = np.random.default_rng(2).integers(0, 4000, (9, 7, 8)).astype("u2")
BOX = Region((3, 0, 5), (9, 6, 8))
MICRONS = {"spacings": [1.5, 2.5, 10.0], "space units": ["um", "um", "um"]}


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "u2", ">i2", "f4", "f8", "i8"])
def test_what_pynrrd_writes_is_read(tmp_path: Path, encoding: str, detached: bool, dtype: str) -> None:
    path = tmp_path / ("scan.nhdr" if detached else "scan.nrrd")
    array = GREY.astype(dtype)
    nrrd.write(str(path), array, {"encoding": encoding, "space dimension": 3}, index_order="C")
    source = open_source(path, finite=False)
    assert isinstance(source, MappedSource if encoding == "raw" else InflatedSource)
    got = pickle.loads(pickle.dumps(source)).read(BOX)
    np.testing.assert_array_equal(got, array[BOX.slices])
    assert got.dtype.isnative
    assert ("header" in source.identity()) == detached


def test_spacings_and_units_give_the_voxel_size(tmp_path: Path) -> None:
    path = str(tmp_path / "scan.nrrd")
    nrrd.write(path, GREY, {**MICRONS, "space dimension": 3}, index_order="C")
    assert open_source(path).voxel_size == pytest.approx((1e-5, 2.5e-6, 1.5e-6))


def test_the_length_of_space_directions_is_the_voxel_size(tmp_path: Path) -> None:
    path = str(tmp_path / "scan.nrrd")
    directions = [[0.0, 3.0, 4.0], [2.0, 0.0, 0.0], [0.0, 0.8, -0.6]]
    header = {"space": "left-posterior-superior", "space directions": directions}
    nrrd.write(path, GREY, {**header, "space units": ["mm", "mm", "mm"]}, index_order="C")
    assert open_source(path).voxel_size == pytest.approx((1e-3, 2e-3, 5e-3))
    nrrd.write(path, GREY, header, index_order="C")
    assert open_source(path).voxel_size is None


def by_hand(path: Path, data: bytes, **fields: str) -> None:
    header = {"type": "ushort", "dimension": "3", "sizes": "8 7 9", "endian": "little", "encoding": "raw"}
    header |= {key.replace("_", " "): value for key, value in fields.items()}
    lines = [
        "NRRD0004",
        "# a comment",
        *(f"{key}: {value}" for key, value in header.items()),
        "note:=free text",
    ]
    path.write_bytes(("\n".join(lines) + "\n\n").encode() + data)


@pytest.mark.parametrize(
    ("fields", "voxel"),
    [
        ({"spacings": "1 2 3", "units": '"um" "um" "nm"'}, (3e-9, 2e-6, 1e-6)),
        ({"spacings": "1 2 nan", "units": '"um" "um" "um"'}, None),
        ({"spacings": "1 2 unknown", "units": '"um" "um" "um"'}, None),
        ({"spacings": "1 2 3", "units": '"um" "um" "pixel"'}, None),
        ({"space_directions": "none (0,1,0) (0,0,1)", "space_units": '"um" "um" "um"'}, None),
    ],
)
def test_units_are_taken_per_axis_and_gaps_state_nothing(tmp_path: Path, fields: dict, voxel) -> None:
    by_hand(tmp_path / "scan.nrrd", GREY.tobytes(), **fields)
    found = open_source(tmp_path / "scan.nrrd").voxel_size
    assert found == (voxel and pytest.approx(voxel, rel=1e-12))


def test_skipped_lines_and_bytes_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "scan.nrrd"
    by_hand(path, b"a line\nanother\n12345" + GREY.tobytes(), line_skip="2", byte_skip="5")
    np.testing.assert_array_equal(open_source(path).read(BOX), GREY[BOX.slices])
    by_hand(path, b"anything" + GREY.tobytes(), byte_skip="-1")
    np.testing.assert_array_equal(open_source(path).read(BOX), GREY[BOX.slices])
    by_hand(path, gzip.compress(b"123" + GREY.tobytes()), byte_skip="3", encoding="gz")
    np.testing.assert_array_equal(open_source(path).read(BOX), GREY[BOX.slices])


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"encoding": "txt"}, UnsupportedFormatError, "encoding 'txt'"),
        ({"encoding": "bz2"}, UnsupportedFormatError, "raw or gzip"),
        ({"type": "block"}, UnsupportedFormatError, "'block'"),
        ({"sizes": "8 7 many"}, SourceError, "8 7 many"),
        ({"sizes": "3 8 7 9"}, SourceError, r"\(9, 7, 8, 3\)"),
        ({"byte_skip": "some"}, SourceError, "byte skip: some"),
        ({"endian": ""}, SourceError, "no byte order"),
        ({"sizes": "8 7 10"}, TruncatedFileError, "112 are missing"),
        ({"data_file": "LIST"}, UnsupportedFormatError, "several files"),
        ({"data_file": "slice%03d.raw 1 9 1"}, UnsupportedFormatError, "several files"),
        ({"data_file": "absent.raw"}, VolumeNotFoundError, r"absent\.raw"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, fields: dict, error: type, message: str) -> None:
    by_hand(tmp_path / "scan.nrrd", GREY.tobytes(), **fields)
    with pytest.raises(error, match=message):
        open_source(tmp_path / "scan.nrrd")


def test_damaged_headers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.nrrd"
    path.write_bytes(b"NRRD0004\ntype ushort\n\n")
    with pytest.raises(SourceError, match="damaged header line 'type ushort'"):
        open_source(path)
    path.write_bytes(b"NRRD0004\ntype: ushort\n\n")
    with pytest.raises(SourceError, match="sizes, encoding"):
        open_source(path)
    path.write_bytes(b"JPEG")
    with pytest.raises(UnsupportedFormatError, match="NRRD000"):
        open_source(path)
