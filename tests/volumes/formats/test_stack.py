from __future__ import annotations

import pickle
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from bigrock.errors import (
    ParameterError,
    SliceStackError,
    SourceError,
    UnsupportedFormatError,
    VolumeNotFoundError,
)
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source
from bigrock.volumes.formats.stack import natural_key

GREY = np.random.default_rng(8).integers(0, 250, (12, 20, 30)).astype("u1")
BOX = Region((1, 3, 5), (11, 17, 30))


def write_slices(folder: Path, suffix: str = ".tif", voxels: np.ndarray = GREY, name: str = "slice") -> None:
    folder.mkdir(exist_ok=True)
    encode = {".png": imagecodecs.png_encode, ".bmp": imagecodecs.bmp_encode}
    for z, plane in enumerate(voxels):
        path = folder / f"{name}{z + 1}{suffix}"
        if suffix in encode:
            path.write_bytes(encode[suffix](plane))
        else:
            tifffile.imwrite(path, plane, compression="zlib" if z % 2 else None)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".bmp"])
@pytest.mark.parametrize("pattern", ["", "*"])
def test_a_folder_and_a_glob_are_read_in_natural_order(tmp_path: Path, suffix: str, pattern: str) -> None:
    write_slices(tmp_path / "scan", suffix)
    (tmp_path / "scan" / "notes.txt").write_text("slice 3 is blurred")
    (tmp_path / "scan" / ".hidden.tif").write_text("")
    path = tmp_path / "scan" / (pattern and f"*{suffix}")
    source = open_source(path)
    assert source.names[1:3] == (f"slice2{suffix}", f"slice3{suffix}")
    assert source.names[-1] == f"slice12{suffix}"
    got = pickle.loads(pickle.dumps(source)).read(BOX)
    np.testing.assert_array_equal(got, GREY[BOX.slices])
    assert source.dtype == np.dtype("u1")


def test_sixteen_bit_png_slices_keep_their_values(tmp_path: Path) -> None:
    voxels = GREY.astype("u2") * 250
    write_slices(tmp_path / "scan", ".png", voxels)
    source = open_source(tmp_path / "scan")
    assert source.dtype == np.dtype("u2")
    np.testing.assert_array_equal(source.read(BOX), voxels[BOX.slices])


def test_jpeg_slices_are_read_as_their_decoder_gives_them(tmp_path: Path) -> None:
    for z, plane in enumerate(GREY):
        (tmp_path / f"{z:03}.jpg").write_bytes(imagecodecs.jpeg_encode(plane, level=95))
    source = open_source(tmp_path)
    assert source.shape == GREY.shape
    oracle = imagecodecs.jpeg_decode((tmp_path / "004.jpg").read_bytes())
    np.testing.assert_array_equal(source.read(Region((4, 0, 0), (5, 20, 30)))[0], oracle)


def test_a_single_png_is_one_slice(tmp_path: Path) -> None:
    write_slices(tmp_path, ".png", GREY[:1])
    source = open_source(tmp_path / "slice1.png")
    assert source.shape == (1, 20, 30)


def test_missing_slices_are_named(tmp_path: Path) -> None:
    write_slices(tmp_path)
    (tmp_path / "slice5.tif").unlink()
    (tmp_path / "slice9.tif").unlink()
    with pytest.raises(
        SliceStackError, match=r"no slice 5, 9 between slice1.tif and slice12.tif \(2 missing\)"
    ):
        open_source(tmp_path)


def test_depth_coded_names_with_a_constant_step_are_complete(tmp_path: Path) -> None:
    for z, plane in enumerate(GREY):
        tifffile.imwrite(tmp_path / f"core_2um_z{z * 10:05}.tif", plane)
    np.testing.assert_array_equal(open_source(tmp_path).read(BOX), GREY[BOX.slices])
    (tmp_path / "core_2um_z00030.tif").unlink()
    with pytest.raises(SliceStackError, match="no slice 30"):
        open_source(tmp_path)


def test_a_number_that_comes_twice_is_named(tmp_path: Path) -> None:
    write_slices(tmp_path)
    tifffile.imwrite(tmp_path / "slice007.tif", GREY[0])
    with pytest.raises(SliceStackError, match="numbers twice"):
        open_source(tmp_path)


def test_a_file_with_another_kind_of_name_is_named(tmp_path: Path) -> None:
    write_slices(tmp_path)
    tifffile.imwrite(tmp_path / "preview.tif", GREY[0])
    with pytest.raises(SliceStackError, match=r"preview\.tif.*'slice\*\.tif'"):
        open_source(tmp_path)
    assert open_source(tmp_path / "slice*.tif").shape == GREY.shape


def test_an_odd_sized_slice_is_named_with_both_sizes(tmp_path: Path) -> None:
    write_slices(tmp_path)
    tifffile.imwrite(tmp_path / "slice4.tif", GREY[0, :19])
    with pytest.raises(SliceStackError, match=r"1 of 12.*\(20, 30\) \(slice4.tif: \(19, 30\)\)"):
        open_source(tmp_path)


def test_mixed_types_are_named(tmp_path: Path) -> None:
    write_slices(tmp_path, ".png")
    (tmp_path / "slice4.png").write_bytes(imagecodecs.png_encode(GREY[0].astype("u2")))
    with pytest.raises(SliceStackError, match=r"differ in type.*uint8 \(slice4.png: uint16\)"):
        open_source(tmp_path)


def test_mixed_formats_are_refused(tmp_path: Path) -> None:
    write_slices(tmp_path, ".png")
    write_slices(tmp_path, ".tif")
    with pytest.raises(SliceStackError, match=r"several formats \(12 .*'\*\."):
        open_source(tmp_path)
    assert open_source(tmp_path / "*.png").shape == GREY.shape


def test_colour_slices_ask_for_a_channel(tmp_path: Path) -> None:
    colour = np.stack([GREY, GREY // 2, GREY // 3], -1)
    for suffix in (".png", ".tif"):
        folder = tmp_path / suffix
        folder.mkdir()
        for z, plane in enumerate(colour):
            if suffix == ".png":
                (folder / f"{z}.png").write_bytes(imagecodecs.png_encode(plane))
            else:
                tifffile.imwrite(folder / f"{z}.tif", plane, photometric="rgb")
        with pytest.raises(SourceError, match="channel="):
            open_source(folder)
        np.testing.assert_array_equal(open_source(folder, channel=1).read(BOX), GREY[BOX.slices] // 2)
        with pytest.raises(ParameterError, match="channel=5"):
            open_source(folder, channel=5)


def test_a_stack_of_volumes_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a1.tif", GREY, photometric="minisblack")
    with pytest.raises(SliceStackError, match="holds 12 slices"):
        open_source(tmp_path)


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError, match="no slice images"):
        open_source(tmp_path)
    with pytest.raises(VolumeNotFoundError, match="no slice images"):
        open_source(tmp_path / "*.tif")
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(UnsupportedFormatError, match=r"\.txt files"):
        open_source(tmp_path / "*.txt")


def test_damaged_slices_are_named(tmp_path: Path) -> None:
    write_slices(tmp_path, ".png")
    path = tmp_path / "slice6.png"
    data = path.read_bytes()
    path.write_bytes(data[:100])
    source = open_source(tmp_path)
    with pytest.raises(SourceError, match=r"slice6.png does not decode"):
        source.read(Region.whole(source.shape))
    path.write_bytes(b"PNG?")
    with pytest.raises(SourceError, match=r"slice6.png is not a complete"):
        open_source(tmp_path)


def test_a_slice_that_changes_after_opening_is_refused(tmp_path: Path) -> None:
    write_slices(tmp_path)
    source = open_source(tmp_path)
    before = source.identity()
    tifffile.imwrite(tmp_path / "slice2.tif", GREY[0, :9])
    assert source.identity() != before
    with pytest.raises(SliceStackError, match="changed since"):
        source.read(Region.whole(source.shape))


def test_numbers_sort_as_numbers() -> None:
    names = ["s10_2.tif", "s9_11.tif", "s9_2.tif"]
    assert sorted(names, key=natural_key) == ["s9_2.tif", "s9_11.tif", "s10_2.tif"]
