from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bigrock.report.drawing import draw_slice, scale_bar
from bigrock.report.plots import DARK, draw_histogram, draw_profile
from bigrock.report.slices import Slice


def _open(png: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(png))
    image.load()
    return np.asarray(image.convert("RGB"))


@given(st.floats(1e-12, 1e12))
def test_scale_bars_are_round_and_as_long_as_allowed(length):
    bar = scale_bar(length)
    assert 0.39 * length < bar <= length * (1 + 1e-6)
    assert f"{bar:.0e}"[0] in "125"
    assert float(f"{bar:.0e}") == pytest.approx(bar)


@pytest.mark.parametrize("length", [1e-6, 2e-4, 5e-9, 1.0, 200.0])
def test_a_round_length_is_its_own_scale_bar(length):
    assert scale_bar(length) == pytest.approx(length)


@pytest.mark.parametrize(
    ("shape", "voxel", "size"),
    [
        ((256, 256), None, (512, 512)),
        ((192, 256), (1e-6,) * 3, (384, 512)),
        ((1024, 1000), None, (1024, 1000)),
        ((100, 100), (1.0, 2e-8, 1e-8), (600, 300)),
        ((20, 300), None, (150, 600)),
        ((600, 20), None, (600, 200)),
    ],
)
def test_slices_are_enlarged_by_whole_pixels_in_the_shape_of_their_voxels(shape, voxel, size):
    cut = Slice(np.zeros(shape), "xy", 0, 1, voxel)
    picture = np.zeros((*shape, 3), np.uint8)
    assert _open(draw_slice(cut, picture)).shape[:2] == size


def test_pixels_of_the_slice_are_kept_as_they_are():
    pixels = np.random.default_rng(1).integers(0, 255, (160, 160, 1), np.uint8)
    shown = _open(draw_slice(Slice(pixels[..., 0], "xy", 0, 1, None), np.repeat(pixels, 3, axis=-1)))
    assert shown.shape == (640, 640, 3)
    # The middle is clear of the scale bar and the names of the axes.
    assert np.array_equal(shown[200:400:4, 200:400:4, 0], pixels[50:100, 50:100, 0])
    assert np.array_equal(shown[203:403:4, 203:403:4, 0], pixels[50:100, 50:100, 0])


def test_the_scale_bar_has_the_length_that_it_states():
    cut = Slice(np.zeros((200, 300)), "xy", 0, 1, (1e-6, 1e-6, 1e-6))
    shown = _open(draw_slice(cut, np.zeros((200, 300, 3), np.uint8)))
    rows = (shown[:, :, 0] == 255).sum(axis=1)
    # 100 µm are 100 voxels, drawn 2 pixels wide each.
    assert rows.max() == pytest.approx(200, abs=2)


def test_the_threshold_is_marked_where_it_lies():
    counts = np.ones(100, int)
    with_mark = _open(draw_histogram(np.arange(100), counts, threshold=50))
    without = _open(draw_histogram(np.arange(100), counts))
    assert with_mark.shape == without.shape == (580, 920, 3)
    orange = (with_mark[..., 0] > 180) & (with_mark[..., 2] < 60)
    # Axes from 66 to 432 CSS pixels of 460: 50 lies at 50/99 of them.
    assert np.median(np.nonzero(orange)[1]) / 2 == pytest.approx(66 + (432 - 66) * 50 / 99, abs=3)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("size", [1, 2, 65536])
def test_histograms_of_any_length_are_drawn(size, log):
    counts = np.random.default_rng(2).integers(0, 1000, size)
    counts[0] = 1
    assert _open(draw_histogram(np.arange(size), counts, threshold=0.5, log=log)).std() > 1


def test_profiles_are_drawn_on_light_and_dark_paper():
    line = {"position": np.arange(50), "porosity": np.linspace(0.1, 0.3, 50)}
    light = _open(draw_profile("z", line, total=0.2, unit="µm"))
    dark = _open(draw_profile("z", line, total=0.2, unit="µm", ink=DARK))
    assert light.shape == dark.shape == (520, 760, 3)
    assert light[0, 0, 0] == 255
    assert dark[0, 0, 0] < 50
