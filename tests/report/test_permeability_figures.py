"""Figures of permeability: colours are those of the values, and what is unknown or zero breaks nothing."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import LogNorm
from PIL import Image

from bigrock.report.permeability_curves import k_profile_picture, k_rev_picture, upscaled_grid
from bigrock.report.permeability_figures import agreement_picture, map_picture, millidarcy
from bigrock.units import DARCY_M2


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def has_colour(image: np.ndarray, colour: np.ndarray, least: int) -> bool:
    return bool((np.abs(image - colour).max(axis=-1) <= 8).sum() >= least)


def test_cells_of_a_map_have_the_colours_of_their_logarithms():
    values = np.array([1.0, 10.0, 30.0, 1000.0]).reshape(1, 2, 2)
    image = pixels(map_picture("k", values, 1e-4, label="k (mD)", log=True).png)
    for value in values.ravel():
        colour = 255 * np.array(colormaps["viridis"](LogNorm(1, 1000)(value))[:3])
        assert has_colour(image, colour, least=5000)


def test_given_limits_decide_the_colours():
    image = pixels(map_picture("k", np.full((1, 1, 1), 10.0), 1e-4, label="", log=True, limits=(1, 100)).png)
    assert has_colour(image, 255 * np.array(colormaps["viridis"](0.5)[:3]), least=50_000)


def test_windows_without_flow_are_blank_and_crossed():
    values = np.array([0.0, np.nan, 5.0, 7.0]).reshape(1, 1, 4)
    image = pixels(map_picture("k", values, 1e-4, label="k (mD)", log=True).png)
    assert has_colour(image, np.array([0xDD, 0xE1, 0xE6]), least=20_000)


@pytest.mark.parametrize("values", [np.zeros((2, 2, 2)), np.full((2, 3, 4), np.nan), np.full((1, 1, 1), 3.0)])
@pytest.mark.parametrize("log", [False, True])
def test_a_map_without_contrast_is_drawn(values, log):
    picture = map_picture("k", values, 1e-4, label="k", log=log)
    assert picture.png[1:4] == b"PNG"
    assert picture.dark is not None
    assert picture.dark[1:4] == b"PNG"


def test_millidarcies_are_thousandths_of_a_darcy():
    assert millidarcy(DARCY_M2) == pytest.approx(1000)


def test_curves_with_unknown_values_are_drawn():
    told = {
        "position": [1e-5, 2e-5, 3e-5],
        "arithmetic_m2": [1e-13, 2e-13, 0.0],
        "geometric_of_flowing_m2": [1e-13, 1e-13, None],
        "log10_deviation": [0.3, None, None],
    }
    assert k_profile_picture("y", told).name == "k-profile-y"
    rows = [
        {"edge_m": 1e-5, "arithmetic_m2": 1e-13, "variation": 0.4},
        {"edge_m": 2e-5, "arithmetic_m2": 0.0, "variation": None},
    ]
    assert k_rev_picture("z", {"one": rows, "none": []}, 2e-5).png[1:4] == b"PNG"
    pairs = {"z": (np.array([0.0, 1.0, np.nan]), np.array([1.0, 2.0, 3.0])), "y": (np.zeros(2), np.zeros(2))}
    assert agreement_picture("a", pairs, x_label="x", y_label="y").png[1:4] == b"PNG"


def test_upscaled_k_is_told_in_every_unit_and_what_is_unknown_as_a_dash():
    told = {"arithmetic_m2": DARCY_M2, "geometric_m2": 0.0, "harmonic_m2": 0.0, "darcy_m2": DARCY_M2 / 2}
    grid = upscaled_grid({"x": {**told, "geometric_of_flowing_m2": None, "zero_share": 0.5}})
    assert grid.rows == (("x", "4.935e-13 m² = 0.5 D = 500 mD", "1000", "0", "0", "–", "50 %"),)
    nothing = dict.fromkeys([*told, "geometric_of_flowing_m2", "zero_share"])
    assert upscaled_grid({"x": nothing}).rows == (("x", *["–"] * 6),)


@pytest.mark.parametrize(
    ("values", "log", "told"),
    [
        (np.full((2, 2, 2), 25.0), False, "25"),
        (np.full((2, 2, 2), 3.0), True, "3"),
        (np.array([0.0, 3.0]).reshape(1, 1, 2), True, "3"),
        (np.zeros((2, 2, 2)), False, "0"),
        (np.zeros((2, 2, 2)), True, "k: 0 everywhere"),
        (np.full((2, 2, 2), np.nan), True, "k: no value"),
    ],
)
def test_the_bar_of_a_map_of_one_value_tells_that_value_alone(monkeypatch, values, log, told):
    figures = []
    monkeypatch.setattr(
        "bigrock.report.permeability_figures.png_of", lambda figure, **_: figures.append(figure) or b""
    )
    map_picture("k", values, 1e-4, label="k", log=log)
    *_, bar = figures[0].axes
    numbers = [tick.get_text() for tick in bar.get_yticklabels()]
    said = [text.get_text() for text in figures[0].texts]
    assert numbers == []
    assert said == [told] if ":" in told else bar.get_title() == told


def test_numbers_along_the_axes_of_the_scatter_do_not_overprint(monkeypatch):
    figures = []
    monkeypatch.setattr("bigrock.report.charts.png_of", lambda figure, **_: figures.append(figure) or b"")
    for low, high in ((310.0, 470.0), (310.0, 2900.0), (20.0, 900.0), (1.0, 9e4)):
        pairs = {"z": (np.array([low, high]), np.array([high, low]))}
        agreement_picture("a", pairs, x_label="x", y_label="y")
    for figure in figures:
        figure.canvas.draw()
        for k, axis in enumerate((figure.axes[0].xaxis, figure.axes[0].yaxis)):
            low, high = axis.get_view_interval()
            labels = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
            shown = [t for t in labels if t.get_text() and low <= t.get_position()[k] <= high]
            boxes = [label.get_window_extent() for label in shown]
            assert len(boxes) >= 2
            assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
