"""What the axes and lengths of a TIFF file mean: voxel sizes, channels, time; nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tiff_image import BOX, GREY, PLAIN, SHAPE

from bigrock.errors import (
    ParameterError,
    SourceError,
    TruncatedFileError,
)
from bigrock.geometry import Region
from bigrock.volumes.formats import open_source


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
