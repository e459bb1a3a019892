from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile

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

SHAPE = (5, 70, 50)
GREY = np.random.default_rng(5).integers(0, 4000, SHAPE).astype("u2")
BOX = Region((1, 13, 7), (4, 66, 41))
PLAIN = {"photometric": "minisblack"}
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


@pytest.mark.parametrize(
    ("unit", "factor"), [("micron", 1e-6), ("um", 1e-6), ("\\u00B5m", 1e-6), ("nm", 1e-9)]
)
def test_imagej_voxel_size_is_read_per_axis(tmp_path: Path, unit: str, factor: float) -> None:
    path = tmp_path / "scan.tif"
    tifffile.imwrite(
        path, GREY, imagej=True, resolution=(1 / 2.5, 1 / 1.25), metadata={"spacing": 5.0, "unit": unit}
    )
    voxel = open_source(path).voxel_size
    assert voxel == pytest.approx((5 * factor, 1.25 * factor, 2.5 * factor), rel=1e-6)
    assert open_source(path, voxel_size=(1e-6,) * 3).voxel_size == (1e-6,) * 3


@pytest.mark.parametrize(
    "metadata",
    [{"spacing": 5.0, "unit": "pixel"}, {"unit": "um"}, {"spacing": 2.0}, {"spacing": 0, "unit": "um"}],
)
def test_an_imagej_file_that_does_not_state_all_lengths_states_none(tmp_path: Path, metadata: dict) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", GREY, imagej=True, resolution=(2, 2), metadata=metadata)
    assert open_source(tmp_path / "scan.tif").voxel_size is None


def test_resolution_tags_alone_state_no_voxel_size(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", GREY, resolution=(72, 72), resolutionunit="INCH", **PLAIN)
    assert open_source(tmp_path / "scan.tif").voxel_size is None


def test_ome_voxel_size_is_read_with_its_units(tmp_path: Path) -> None:
    path = tmp_path / "scan.ome.tif"
    sizes = {"PhysicalSizeX": 2.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 10, "PhysicalSizeZUnit": "nm"}
    tifffile.imwrite(path, GREY, ome=True, metadata={"axes": "ZYX", **sizes})
    assert open_source(path).voxel_size == pytest.approx((1e-8, 5e-7, 2.5e-6), rel=1e-9)
    tifffile.imwrite(path, GREY, ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 2.5})
    assert open_source(path).voxel_size is None


def test_colour_asks_for_a_channel_and_reads_it(tmp_path: Path) -> None:
    colour = np.stack([GREY, GREY + 1, GREY + 2], -1)
    for planar in ("contig", "separate"):
        path = tmp_path / f"{planar}.tif"
        stored = colour if planar == "contig" else np.moveaxis(colour, -1, 1)
        tifffile.imwrite(
            path, stored, photometric="rgb", planarconfig=planar, compression="zlib", rowsperstrip=16
        )
        with pytest.raises(SourceError, match=r"3 colours \(RGB\).*channel="):
            open_source(path)
        np.testing.assert_array_equal(open_source(path, channel=2).read(BOX), GREY[BOX.slices] + 2)
        with pytest.raises(ParameterError, match="channel=3"):
            open_source(path, channel=3)


def test_channels_of_a_hyperstack_are_selected(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    stack = np.stack([GREY, GREY + 5], 1)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZCYX"}, compression="zlib")
    with pytest.raises(SourceError, match="2 channels"):
        open_source(path)
    np.testing.assert_array_equal(open_source(path, channel=1).read(BOX), GREY[BOX.slices] + 5)


def test_an_uncompressed_hyperstack_with_channels_is_read_or_refused_never_scrambled(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    stack = np.stack([GREY, GREY + 5], 1)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZCYX"})
    np.testing.assert_array_equal(open_source(path, channel=1).read(BOX), GREY[BOX.slices] + 5)


def test_a_few_planes_labelled_channels_are_slices_only_if_the_caller_says_so(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, GREY[:3], imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(SourceError, match=r"3 channels.*axes='zyx'"):
        open_source(path)
    np.testing.assert_array_equal(open_source(path, axes="zyx").read(Region.whole((3, 70, 50))), GREY[:3])
    assert open_source(path, channel=1).shape == (1, 70, 50)
    with pytest.raises(ParameterError, match="axes='xyz'"):
        open_source(path, axes="xyz")


def test_time_steps_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", np.stack([GREY, GREY]), imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(SourceError, match=r"TZYX.*Save one time step"):
        open_source(tmp_path / "scan.tif")


def test_an_imagej_stack_whose_pages_have_no_tags_of_their_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    note = f"ImageJ=1.53t\nimages={SHAPE[0]}\nslices={SHAPE[0]}\nunit=micron\nspacing=3.0\n"
    tifffile.imwrite(path, GREY[0], byteorder=">", description=note, metadata=None, resolution=(0.5, 0.5))
    with path.open("ab") as file:
        file.write(GREY[1:].astype(">u2").tobytes())
    source = open_source(path)
    assert source.shape == SHAPE
    np.testing.assert_array_equal(source.read(BOX), tifffile.imread(path)[BOX.slices])
    np.testing.assert_array_equal(source.read(BOX), GREY[BOX.slices])
    assert source.voxel_size == pytest.approx((3e-6, 2e-6, 2e-6))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TruncatedFileError, match="cut off"):
        open_source(path)


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
