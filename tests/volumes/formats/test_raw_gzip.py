"""Raw files packed with gzip: no byte is decoded in vain, and damage is an error."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from raw_voxels import some_voxels

from bigrock.errors import ParameterError, SourceError, TruncatedFileError
from bigrock.geometry import Region
from bigrock.volumes.formats import inflate, open_source


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each step of decoding."""
    lengths: list[int] = []
    plain = inflate._Decoder.step

    def counted(self: object, file: object, most: int) -> bytes:
        data = plain(self, file, most)
        lengths.append(len(data))
        return data

    monkeypatch.setattr(inflate._Decoder, "step", counted)
    return lengths


def test_a_truncated_gzip_file_is_refused_at_the_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.gz"
    packed = gzip.compress(np.random.default_rng(1).bytes(8000))
    path.write_bytes(packed[:4000])
    source = open_source(path, shape=(8, 10, 100), dtype="u1")
    source.read(Region((0, 0, 0), (2, 10, 100)))
    with pytest.raises(TruncatedFileError, match="takes 8,000"):
        source.read(Region((7, 0, 0), (8, 1, 1)))


def test_a_longer_gzip_stream_is_refused_when_its_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.gz"
    path.write_bytes(gzip.compress(bytes(1001)))
    source = open_source(path, shape=(10, 10, 10), dtype="u1")
    with pytest.raises(SourceError, match=r"more than the 1,000 bytes"):
        source.read(Region((9, 0, 0), (10, 10, 10)))
    with pytest.raises(ParameterError, match="counts from the end"):
        open_source(path, shape=(10, 10, 10), dtype="u1", offset=-1)


def test_a_damaged_gzip_stream_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.gz"
    packed = bytearray(gzip.compress(np.random.default_rng(1).integers(0, 9, 9000).astype("u1").tobytes()))
    packed[1000:1100] = bytes(100)
    path.write_bytes(packed)
    source = open_source(path, shape=(9, 10, 100), dtype="u1")
    with pytest.raises(SourceError):
        source.read(Region.whole((9, 10, 100)))


def test_gzip_slabs_in_order_decode_every_byte_once(tmp_path: Path, decoded: list[int]) -> None:
    voxels = some_voxels("u1", (60, 64, 64))
    path = tmp_path / "scan.gz"
    path.write_bytes(gzip.compress(voxels.tobytes()))
    source = open_source(path, shape=voxels.shape, dtype="u1")
    for z in range(0, 60, 10):
        region = Region((z, 0, 0), (z + 10, 64, 64))
        np.testing.assert_array_equal(source.read(region), voxels[region.slices])
    assert sum(decoded) == voxels.nbytes


def test_gzip_goes_back_to_the_nearest_kept_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[int]
) -> None:
    monkeypatch.setattr(inflate, "_STATE_EVERY", 1 << 16)
    monkeypatch.setattr(inflate, "_OUTPUT_BYTES", 1 << 14)
    voxels = some_voxels("u1", (60, 64, 64))
    path = tmp_path / "scan.gz"
    path.write_bytes(gzip.compress(voxels.tobytes()))
    source = open_source(path, shape=voxels.shape, dtype="u1")
    source.read(Region.whole(voxels.shape))
    decoded.clear()
    region = Region((40, 0, 0), (41, 64, 64))
    np.testing.assert_array_equal(source.read(region), voxels[region.slices])
    assert sum(decoded) <= (1 << 16) + (1 << 14) + 2 * 64 * 64
