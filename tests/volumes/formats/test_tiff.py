"""TIFF files: every kind is read as tifffile reads it, and no more than is needed."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tiff_image import BOX, GREY, PLAIN, SHAPE

from bigrock.errors import (
    ParameterError,
    SliceStackError,
    SourceError,
    TruncatedFileError,
    UnsupportedFormatError,
)
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source, tiff_pages
from bigrock.volumes.formats import tiff as tiff_module
from bigrock.volumes.source import Source

KINDS = {
    "plain": {},
    "big-endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
    "ImageJ": {"imagej": True},
    "OME": {"ome": True},
    "zlib": {"compression": "zlib"},
    "zlib predictor big-endian": {"compression": "zlib", "predictor": True, "byteorder": ">"},
    "lzw strips": {"compression": "lzw", "rowsperstrip": 16},
    "zstd tiles": {"compression": "zstd", "tile": (32, 16)},
    "packbits": {"compression": "packbits", "rowsperstrip": 7},
    "jpeg2000 tiles": {"compression": "jpeg2000", "tile": (64, 64)},
    "plain tiles": {"tile": (16, 32)},
    "plain strips": {"rowsperstrip": 9},
    "no shape note": {"metadata": None},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_tiff_equals_tifffile(tmp_path: Path, kind: str) -> None:
    options = dict(KINDS[kind])
    file = {key: options.pop(key) for key in ("byteorder", "bigtiff", "imagej", "ome") if key in options}
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, GREY, **PLAIN, **file, **options)
    source = open_source(path)
    oracle = tifffile.imread(path)
    assert isinstance(source, Source)
    assert source.shape == SHAPE
    assert source.dtype == np.dtype("u2")
    np.testing.assert_array_equal(source.read(Region.whole(SHAPE)), oracle)
    got = pickle.loads(pickle.dumps(source)).read(BOX)
    np.testing.assert_array_equal(got, oracle[BOX.slices])
    assert got.flags.c_contiguous
    assert got.dtype.isnative
    assert source.voxel_size is None


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u4", "f2", "f4", "f8", "?"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_every_voxel_type_equals_tifffile(tmp_path: Path, dtype: str, compression: str | None) -> None:
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, (GREY % 2 if dtype == "?" else GREY % 120).astype(dtype), compression=compression)
    np.testing.assert_array_equal(open_source(path).read(BOX), tifffile.imread(path)[BOX.slices])


def test_pages_written_one_by_one_are_one_volume(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    with tifffile.TiffWriter(path) as writer:
        for page in GREY:
            writer.write(page, metadata=None)
    np.testing.assert_array_equal(open_source(path).read(BOX), GREY[BOX.slices])


def test_a_single_image_is_one_slice(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "slice.tif", GREY[0])
    source = open_source(tmp_path / "slice.tif")
    assert source.shape == (1, 70, 50)
    np.testing.assert_array_equal(source.read(Region.whole(source.shape))[0], GREY[0])


def test_only_the_touched_tiles_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, GREY, tile=(16, 16), compression="zlib", **PLAIN)
    source = open_source(path)
    assert source.read_unit == (1, 16, 16)
    seen: list[tuple[int, int]] = []
    plain = tiff_module._segment

    def counted(pages, z, index, file, name):
        seen.append((z, index))
        return plain(pages, z, index, file, name)

    monkeypatch.setattr(tiff_module, "_segment", counted)
    source.read(Region((2, 16, 0), (4, 33, 16)))
    assert seen == [(2, 4), (2, 8), (3, 4), (3, 8)]


def test_strips_that_are_not_neighbours_are_not_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    with tifffile.TiffWriter(path) as writer:
        for page in GREY:
            writer.write(page, metadata=None, rowsperstrip=35)
    swapped = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        page = file.pages[2]
        tag, (first, second) = page.tags["StripOffsets"], page.dataoffsets
        data = bytearray(swapped)
        data[first : first + 3500], data[second : second + 3500] = (
            data[second : second + 3500],
            data[first : first + 3500],
        )
    path.write_bytes(data)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[2].tags["StripOffsets"].overwrite((second, first))
    assert tag.count == 2
    np.testing.assert_array_equal(open_source(path).read(BOX), GREY[BOX.slices])


def test_uncompressed_pages_are_read_by_the_voxel(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", GREY, **PLAIN)
    assert open_source(tmp_path / "scan.tif").read_unit == (1, 1, 1)


def test_pages_of_different_size_are_refused_and_one_can_be_selected(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(GREY[0], metadata=None)
        writer.write(GREY[1, :30], metadata=None)
    with pytest.raises(SliceStackError, match=r"2 images.*\(70, 50\).*\(30, 50\)"):
        open_source(path)
    assert open_source(path, dataset="1").shape == (1, 30, 50)
    with pytest.raises(ParameterError, match="dataset=7"):
        open_source(path, dataset="7")
    with pytest.raises(ParameterError, match="'grey' is not the number"):
        open_source(path, dataset="grey")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_cut_tiff_is_refused(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, GREY, compression=compression, metadata=None, **PLAIN)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 3000])
    with pytest.raises(TruncatedFileError, match="cut off"):
        open_source(path).read(Region.whole(SHAPE))
    path.write_bytes(whole[: len(whole) - 30])
    with pytest.raises(TruncatedFileError, match="cut off"):
        open_source(path).read(Region.whole(SHAPE))
    path.write_bytes(whole[:20])
    with pytest.raises(TruncatedFileError, match="cut off"):
        open_source(path)


def test_a_damaged_strip_names_its_slice(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, GREY, compression="zlib", **PLAIN)
    with tifffile.TiffFile(path) as file:
        start, count = file.pages[3].dataoffsets[0], file.pages[3].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[start : start + count] = bytes(count)
    path.write_bytes(data)
    source = open_source(path)
    source.read(Region((0, 0, 0), (3, 70, 50)))
    with pytest.raises(SourceError, match="slice 3"):
        source.read(Region((3, 0, 0), (4, 70, 50)))


def test_what_is_no_tiff_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(UnsupportedFormatError, match="not a TIFF"):
        open_source(path)


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, GREY, **PLAIN)
    source = open_source(path)
    before = source.identity()
    tifffile.imwrite(path, GREY[:, :60] + 1, **PLAIN)
    assert source.shape == (5, 60, 50)
    assert source.identity() != before


def test_an_ome_tiff_of_several_files_is_one_volume(tmp_path: Path) -> None:
    planes = "".join(
        f'<TiffData IFD="0" FirstZ="{z}" PlaneCount="1"><UUID FileName="z{z}.ome.tif">urn:uuid:{z}</UUID></TiffData>'
        for z in range(5)
    )
    for z, page in enumerate(GREY):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{z}"><Image ID="Image:0">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="50" SizeY="70" SizeZ="5" SizeC="1" '
            'SizeT="1" PhysicalSizeX="1" PhysicalSizeY="2" PhysicalSizeZ="3">'
            f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{planes}</Pixels></Image></OME>'
        )
        tifffile.imwrite(tmp_path / f"z{z}.ome.tif", page, description=xml, metadata=None)
    source = open_source(tmp_path / "z0.ome.tif")
    np.testing.assert_array_equal(source.read(BOX), GREY[BOX.slices])
    assert source.voxel_size == (3e-6, 2e-6, 1e-6)
    assert len(source.identity()["files"]) == 4
    (tmp_path / "z3.ome.tif").unlink()
    with pytest.raises(SliceStackError, match=r"z3\.ome\.tif.*is gone"):
        source.read(BOX)
    tiff_pages.read_pages.cache_clear()
    with pytest.raises(SliceStackError, match="slice 3 is not stored"):
        open_source(tmp_path / "z0.ome.tif")


@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "tile": (16, 16)}])
def test_threads_read_one_file_at_once(tmp_path: Path, options: dict) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", GREY, **PLAIN, **options)
    source = open_source(tmp_path / "scan.tif")
    tiff_pages.read_pages.cache_clear()
    right: list[bool] = []
    threads = [
        threading.Thread(target=lambda: right.append(np.array_equal(source.read(BOX), GREY[BOX.slices])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 8


def test_a_large_sparse_tiff_is_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    shape = (3000, 1024, 1024)
    tifffile.memmap(path, shape=shape, dtype="u1", bigtiff=True, photometric="minisblack")
    source = open_source(path)
    import tracemalloc

    tracemalloc.start()
    source.read(Region((1500, 10, 10), (1532, 42, 42)))
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
