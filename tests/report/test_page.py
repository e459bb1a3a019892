from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import bigrock
from bigrock.datasets import Sandstone
from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.report import write_figures, write_report
from bigrock.volumes import ArraySource, create_volume, open_volume

VOID = {"meta", "link", "img", "source", "br", "input"}
ROCK = Sandstone((40, 64, 96), seed=2, grain_diameter_voxels=14)


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects what a browser would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.images: list[dict[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.loads += [given[name] for name in ("src", "srcset", "href", "poster", "action") if name in given]
        if tag == "img":
            self.images.append(given)
        assert tag != "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style" and data.strip():
            self.words.append(" ".join(data.split()))


def _store(source, path, history):
    volume = create_volume(
        path,
        source.shape,
        source.dtype,
        voxel_size=source.voxel_size,
        kind=source.kind,
        levels=2,
        history=history,
    )
    for block in BlockGrid(volume.shape, volume.write_unit):
        volume.write(block.core, source.read(block.core))
    return open_volume(path)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    imported = {
        "step": "import",
        "time": "2026-01-02T03:04:05+00:00",
        "bigrock": "0.1.0",
        "source": "/data/<scan>.raw",
    }
    run = {"step": "run", "kernel": {"name": "LocalOtsu", "version": 1, "radius": 31}}
    scan = _store(ROCK, folder / "scan.zarr", [imported])
    return scan, _store(ROCK.truth, folder / "mask.zarr", [imported, run])


@pytest.fixture(scope="module")
def measured(pair):
    scan, mask = pair
    return [
        bigrock.measure(mask, ["porosity", "profiles"], progress=False),
        bigrock.measure(scan, ["histogram"], progress=False),
    ]


@pytest.fixture(scope="module")
def page(pair, measured, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "deep" / "report.html"
    assert write_report(list(pair), path, measurements=measured, title="Rock <1> & mask") == path
    return path.read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_loads_nothing(page):
    parsed = Page(page)
    assert parsed.loads
    assert all(load.startswith("data:") for load in parsed.loads)
    assert not re.search(r"@import|url\(|https?://", page)


def test_the_page_shows_title_version_values_and_units(page, measured):
    words = Page(page).words
    text = " ".join(words)
    assert "Rock <1> & mask" in words
    assert f"bigrock {bigrock.__version__}" in words
    assert f"{100 * measured[0]['porosity']['total']:.2f}" in text
    assert "40 × 64 × 96" in text
    assert "2.25 µm" in text
    assert "90 µm × 144 µm × 216 µm" in text
    assert f"{measured[1]['histogram']['otsu']:.5g}" in text


def test_provenance_is_told_once_and_escaped(page):
    text = " ".join(Page(page).words)
    assert text.count("/data/<scan>.raw") == 1
    assert "<scan>" not in page
    assert "Made by the first step of mask, below." in text
    assert "LocalOtsu(radius=31), code version 1" in text
    assert "2026-01-02 03:04:05 UTC" in text


def test_every_plane_is_shown_before_after_and_overlaid(page):
    alts = [image["alt"] for image in Page(page).images]
    for plane in ("xy", "xz", "yz"):
        shown = [alt for alt in alts if alt.startswith(f"{plane} slice")]
        assert len(shown) == 3
        assert "outlined" in shown[2]
    assert sum("histogram" in alt for alt in alts) == 2
    assert sum("porosity of the slices" in alt for alt in alts) == 3


def test_images_decode_to_the_expected_sizes(page):
    sizes = []
    for image in Page(page).images:
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        decoded = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        pixels = np.asarray(decoded.convert("L"))
        assert pixels.std() > 5
        sizes.append(pixels.shape)
    # 64 × 96, 40 × 96 and 40 × 64 voxels, enlarged by the whole number nearest to 640 pixels.
    assert sizes[:9] == [(448, 672)] * 3 + [(280, 672)] * 3 + [(400, 640)] * 3
    assert sizes[9:] == [(580, 920)] * 2 + [(520, 760)] * 3


def test_without_measurements_the_histogram_is_that_of_the_slices(pair, tmp_path):
    text = " ".join(Page(write_report(pair, tmp_path / "r.html").read_text(encoding="utf-8")).words)
    assert "Grey histogram of the slices shown" in text
    assert "12 544 voxels" in text
    assert "Porosity profiles" not in text


def test_results_may_come_from_a_json_file(pair, measured, tmp_path):
    written = write_report(pair, tmp_path / "r.html", measurements=measured[0].to_dict())
    assert "Porosity profiles" in " ".join(Page(written.read_text(encoding="utf-8")).words)


def test_a_single_volume_and_labels_have_a_page(tmp_path):
    labels = ArraySource(
        np.arange(27, dtype=np.uint8).reshape(3, 3, 3) % 3,
        kind="labels",
        classes={"pore": 0, "quartz": 1, "clay": 2},
    )
    parsed = Page(write_report(labels, tmp_path / "r.html").read_text(encoding="utf-8"))
    assert len(parsed.images) == 3
    text = " ".join(parsed.words)
    assert "Pore (0) blue, quartz (1) light grey, clay (2) orange." in text
    assert "not stated" in text


def test_volumes_of_different_shapes_have_no_overlay(tmp_path):
    other = Sandstone((20, 30, 30), grain_diameter_voxels=10).truth
    parsed = Page(
        write_report({"scan": ROCK, "other": other}, tmp_path / "r.html").read_text(encoding="utf-8")
    )
    assert len([i for i in parsed.images if "slice of" in i["alt"]]) == 6


def test_no_volume_is_no_report(tmp_path):
    with pytest.raises(ParameterError, match="no volume"):
        write_report([], tmp_path / "r.html")


def test_every_figure_is_written_as_a_png_file(pair, measured, tmp_path):
    files = write_figures(pair, tmp_path / "figures", measurements=measured)
    assert sorted(f.name for f in files) == sorted(
        [f"slice-{p}-{n}.png" for p in ("xy", "xz", "yz") for n in ("scan", "mask", "overlay")]
        + ["histogram-linear.png", "histogram-logarithmic.png"]
        + [f"profile-{axis}.png" for axis in "zyx"]
    )
    for file in files:
        with Image.open(file) as image:
            image.verify()


def test_no_figure_is_left_in_matplotlibs_global_state(pair, tmp_path):
    from matplotlib import _pylab_helpers

    write_report(pair, tmp_path / "r.html")
    assert _pylab_helpers.Gcf.get_all_fig_managers() == []


@pytest.mark.parametrize("marked", [True, False])
def test_the_global_threshold_is_marked_unless_it_takes_no_part(tmp_path, marked):
    page = write_report(ROCK, tmp_path / "page.html", mark_threshold=marked).read_text(encoding="utf-8")
    assert "Grey histogram" in page
    assert ("global threshold" in page) == marked
