from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.exposure import rescale_intensity
from skimage.io import imread

from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.volumes.formats import write_png_slice

PLANE = np.random.default_rng(2).integers(0, 250, (20, 30)).astype("u1")


@pytest.mark.parametrize("dtype", ["u1", "u2", ">u2"])
def test_levels_are_written_exactly(tmp_path: Path, dtype: str) -> None:
    plane = PLANE.astype(dtype) * (1 if dtype == "u1" else 260)
    np.testing.assert_array_equal(imread(write_png_slice(plane, tmp_path / "a.png")), plane)


def test_masks_are_black_and_white(tmp_path: Path) -> None:
    path = write_png_slice(PLANE > 99, tmp_path / "a.png")
    np.testing.assert_array_equal(imread(path), (PLANE > 99) * 255)


@pytest.mark.parametrize("dtype", ["u1", "i4", "f4"])
def test_a_window_is_spread_over_8_bits(tmp_path: Path, dtype: str) -> None:
    plane = PLANE.astype(dtype)
    got = imread(write_png_slice(plane, tmp_path / "a.png", window=(50, 150)))
    oracle = rescale_intensity(plane.astype("f8"), in_range=(50, 150), out_range=(0, 255))
    np.testing.assert_array_equal(got, np.rint(oracle))
    ranged = imread(write_png_slice(plane, tmp_path / "b.png", window="range"))
    assert (ranged.min(), ranged.max()) == (0, 255)


def test_flat_and_empty_slices_have_a_range_too(tmp_path: Path) -> None:
    for k, plane in enumerate((np.full((3, 4), 7.0), np.full((3, 4), np.nan))):
        assert imread(write_png_slice(plane, tmp_path / f"{k}.png", window="range")).max() == 0


def test_nan_is_black(tmp_path: Path) -> None:
    plane = np.array([[np.nan, 0.0, 1.0, np.inf]])
    got = imread(write_png_slice(plane, tmp_path / "a.png", window=(0, 1)))
    assert got.tolist() == [[0, 0, 255, 255]]


def test_what_cannot_be_a_picture_is_refused(tmp_path: Path) -> None:
    for plane, options, message in (
        (PLANE[None], {}, "not a slice"),
        (PLANE.astype("f4"), {}, "window='range'"),
        (PLANE, {"window": (5, 5)}, "increasing pair"),
    ):
        with pytest.raises(ParameterError, match=message):
            write_png_slice(plane, tmp_path / "a.png", **options)
    write_png_slice(PLANE, tmp_path / "a.png")
    with pytest.raises(VolumeExistsError):
        write_png_slice(PLANE, tmp_path / "a.png")
    write_png_slice(PLANE, tmp_path / "a.png", overwrite=True)
