from __future__ import annotations

import gzip
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest

from bigrock.errors import SourceError, TruncatedFileError, UnsupportedFormatError, VolumeNotFoundError
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source

GREY = np.random.default_rng(2).integers(0, 4000, (9, 7, 8)).astype("u2")
BOX = Region((3, 0, 5), (9, 6, 8))


def write(path: Path, data: bytes, **fields: str) -> None:
    header = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "DimSize": "8 7 9",
        "ElementType": "MET_USHORT",
        "ElementSpacing": "0.0015 0.0025 0.01",
    }
    data_file = fields.pop("ElementDataFile", "LOCAL" if path.suffix == ".mha" else "scan.raw")
    header |= fields | {"ElementDataFile": data_file}
    text = "".join(f"{key} = {value}\n" for key, value in header.items()).encode()
    if path.suffix == ".mha":
        path.write_bytes(text + data)
    else:
        path.write_bytes(text)
        (path.parent / "scan.raw").write_bytes(data)


@pytest.mark.parametrize("suffix", [".mhd", ".mha"])
@pytest.mark.parametrize("packed", [None, zlib.compress, gzip.compress])
@pytest.mark.parametrize("big", [False, True])
def test_every_form_is_read(tmp_path: Path, suffix: str, packed, big: bool) -> None:
    path = tmp_path / f"scan{suffix}"
    data = GREY.astype(">u2" if big else "<u2").tobytes()
    if packed is gzip.compress and suffix == ".mha":
        packed = zlib.compress
    write(
        path,
        packed(data) if packed else data,
        CompressedData=str(packed is not None),
        BinaryDataByteOrderMSB=str(big),
    )
    source = open_source(path)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source)).read(BOX), GREY[BOX.slices])
    assert source.voxel_size == (1e-5, 2.5e-6, 1.5e-6)
    assert ("header" in source.identity()) == (suffix == ".mhd")


def test_a_header_size_is_skipped_and_minus_one_takes_the_last_bytes(tmp_path: Path) -> None:
    for size in ("6", "-1"):
        write(tmp_path / "scan.mhd", b"header" + GREY.tobytes(), HeaderSize=size)
        np.testing.assert_array_equal(open_source(tmp_path / "scan.mhd").read(BOX), GREY[BOX.slices])


@pytest.mark.parametrize("spacing", ["1 1 1", "1.0 1.0 1.0", "0 0 0", "2 2", "x y z"])
def test_a_spacing_that_says_nothing_is_not_taken(tmp_path: Path, spacing: str) -> None:
    write(tmp_path / "scan.mha", GREY.tobytes(), ElementSpacing=spacing)
    assert open_source(tmp_path / "scan.mha").voxel_size is None


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"ElementType": "MET_STRING"}, UnsupportedFormatError, "MET_STRING"),
        ({"BinaryData": "False"}, UnsupportedFormatError, "as text"),
        ({"ElementNumberOfChannels": "3"}, UnsupportedFormatError, "3 channels"),
        ({"ElementDataFile": "s%03d.raw 1 9 1"}, UnsupportedFormatError, "several files"),
        ({"ElementDataFile": "absent.raw"}, VolumeNotFoundError, r"absent\.raw"),
        ({"DimSize": "8 7 10"}, TruncatedFileError, "112 are missing"),
        ({"DimSize": "8 7 many"}, SourceError, "DimSize = 8 7 many"),
        ({"HeaderSize": "none"}, SourceError, "HeaderSize = none"),
        ({"DimSize": ""}, SourceError, "shape"),
        ({"DimSize": "8 7 9 2"}, SourceError, r"\(2, 9, 7, 8\)"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, fields: dict, error: type, message: str) -> None:
    write(tmp_path / "scan.mhd", GREY.tobytes(), **fields)
    with pytest.raises(error, match=message):
        open_source(tmp_path / "scan.mhd")


def test_an_incomplete_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scan.mhd").write_text("ObjectType = Image\nNDims = 3\n")
    with pytest.raises(SourceError, match="DimSize, ElementType, ElementDataFile"):
        open_source(tmp_path / "scan.mhd")
