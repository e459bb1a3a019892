"""Sections of a page: every measure that has curves is drawn, for one phase, for classes, from a JSON file."""

from __future__ import annotations

import io
import json
import re
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import bigrock
from bigrock.measures import MEASURES, Measurements, PolarityWarning
from bigrock.report import write_curves, write_report
from bigrock.report.results import read_results
from bigrock.report.section import Section
from bigrock.report.sections import SECTIONS, sections_of

WITHOUT_FIGURES = {"porosity", "histogram", "euler", "surface", "minkowski"}
OF_PHASE = [name for name, m in MEASURES.items() if m.of == "phase"]


def grey() -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(3).standard_normal((40, 44, 48)), 2)
    return np.clip(128 + 50 * field / field.std(), 0, 255).astype(np.uint8)


ROCK = bigrock.ArraySource(grey() < 90, (2e-6,) * 3)
LABELS = bigrock.ArraySource(
    np.digitize(grey(), [90, 150]).astype(np.uint8),
    (2e-6,) * 3,
    "labels",
    {"pore": 0, "clay <wet>": 1, "quartz": 2},
)


def measured(source: Any, what: Any, **options: Any) -> Measurements:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolarityWarning)
        return bigrock.measure(source, what, progress=False, executor="serial", **options)


@pytest.fixture(scope="module")
def of_rock() -> Measurements:
    return measured(ROCK, OF_PHASE)


@pytest.fixture(scope="module", params=["rock", "classes"])
def found_and_drawn(request: Any, of_rock: Measurements) -> tuple[Measurements, list[Section]]:
    found = of_rock if request.param == "rock" else measured(LABELS, OF_PHASE, classes="all")
    return found, sections_of(read_results(found))


def test_every_measure_with_curves_has_a_section(found_and_drawn: tuple[Measurements, list[Section]]) -> None:
    found, sections = found_and_drawn
    with_curves = [name for name in found if name not in WITHOUT_FIGURES]
    by_class = "classes" in found.volume
    assert len(sections) == len(with_curves) - (
        not by_class
    )  # profiles of one phase have a place of their own
    for section in sections:
        assert section.pictures


def test_pictures_are_light_and_dark_with_words_and_names_of_their_own(
    found_and_drawn: tuple[Measurements, list[Section]],
) -> None:
    pictures = [picture for section in found_and_drawn[1] for picture in section.pictures]
    assert len({picture.name for picture in pictures}) == len(pictures)
    for picture in pictures:
        assert picture.alt
        assert re.fullmatch(r"[\w.-]+", picture.name)
        assert picture.dark is not None
        light, dark = (
            np.asarray(Image.open(io.BytesIO(p)).convert("L")) for p in (picture.png, picture.dark)
        )
        assert light.mean() > 180 > 70 > dark.mean()
        assert light.std() > 5
        assert light.shape == dark.shape


def test_measures_of_values_have_sections_as_well() -> None:
    names = [name for name, m in MEASURES.items() if m.of == "values" and name not in WITHOUT_FIGURES]
    found = measured(bigrock.ArraySource(grey()), names)
    assert len(sections_of(read_results(found))) == len(names)


def part(found: Measurements, *names: str) -> Measurements:
    return Measurements({name: found[name] for name in names}, found.units, found.volume)


def test_a_page_is_written_from_measurements_and_from_json(of_rock: Measurements, tmp_path: Any) -> None:
    some = part(of_rock, "connectivity", "rev")
    page = write_report(ROCK, tmp_path / "a.html", measurements=some).read_text(encoding="utf-8")
    kept = json.loads(some.to_json())
    again = write_report(ROCK, tmp_path / "b.html", measurements=kept).read_text(encoding="utf-8")
    for heading in ("Connectivity", "Representative elementary volume"):
        assert f"<h2>{heading}</h2>" in page
        assert f"<h2>{heading}</h2>" in again
    assert "Largest components" in page
    assert "Largest components" not in again


def test_curves_are_written_as_png_files_without_a_volume(of_rock: Measurements, tmp_path: Any) -> None:
    files = write_curves(part(of_rock, "lacunarity", "profiles"), tmp_path / "new")
    assert sorted(f.name for f in files) == [
        "lacunarity.png",
        "profile-x.png",
        "profile-y.png",
        "profile-z.png",
    ]
    assert all(file.stat().st_size > 1000 for file in files)


def test_label_volumes_of_thousands_of_ids_have_a_page(tmp_path: Any) -> None:
    ids = np.arange(20**3, dtype=np.uint32).reshape(20, 20, 20)
    page = write_report(bigrock.ArraySource(ids, kind="labels"), tmp_path / "a.html").read_text(
        encoding="utf-8"
    )
    assert "One colour per label, in turn." in page


def test_classes_stand_side_by_side_and_are_escaped(tmp_path: Any) -> None:
    found = measured(LABELS, ["porosity", "euler"], classes="all")
    page = write_report(LABELS, tmp_path / "a.html", measurements=found).read_text(encoding="utf-8")
    assert "<h2>Classes</h2>" in page
    assert "<wet>" not in page
    assert "clay &lt;wet&gt;" in page
    assert page.count('<th scope="col">quartz</th>') == 2


def test_a_measure_without_a_section_of_its_own_has_its_curves_drawn() -> None:
    own = {"own_thing": {"radius": np.arange(5.0), "share": np.linspace(0, 1, 5), "few": np.arange(2)}}
    [section] = sections_of(read_results(Measurements(own, {"own_thing": {"radius": "m"}}, {})))
    assert (section.heading, len(section.pictures)) == ("Own thing", 1)
    nothing = {"own_thing": {"radius": np.arange(2.0), "total": 3}}
    assert sections_of(read_results(Measurements(nothing, {}, {}))) == []


@pytest.mark.parametrize("fill", [False, True], ids=["empty", "full"])
def test_a_phase_of_nothing_and_of_everything_is_drawn(fill: bool) -> None:
    mask = bigrock.ArraySource(np.full((12, 12, 12), fill), (2e-6,) * 3)
    sections_of(read_results(measured(mask, OF_PHASE)))


def test_every_section_is_of_a_measure_that_there_is() -> None:
    assert set(SECTIONS) <= set(MEASURES)
