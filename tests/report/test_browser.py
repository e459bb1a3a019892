"""The page as Chromium shows it; skipped where no browser is installed."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from PIL import Image

import bigrock
from bigrock.datasets import Sandstone
from bigrock.report import write_report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next((path for path in map(shutil.which, NAMES) if path), None)

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason=f"no browser is installed: none of {', '.join(NAMES)}"
)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    rock = Sandstone((48, 64, 64), grain_diameter_voxels=16)
    measured = bigrock.measure(
        rock.truth, ["porosity", "profiles", "connectivity", "fractal"], progress=False
    )
    path = tmp_path_factory.mktemp("browser") / "report.html"
    return write_report({"before": rock, "after": rock.truth}, path, measurements=measured)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(params=[(1280, "light"), (400, "light"), (1280, "dark")], ids=["wide", "narrow", "dark"])
def opened(request, browser, page_file):
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda asked: problems.append(asked.url[:80]))
    page.goto(page_file.as_uri(), wait_until="load")
    yield page, problems
    context.close()


def test_the_page_opens_without_a_message_and_paints_every_image(opened):
    page, problems = opened
    images = page.evaluate("Array.from(document.images, i => [i.complete, i.naturalWidth, i.clientWidth])")
    assert len(images) == 9 + 2 + 3 + 1 + 2
    assert all(complete and natural > 0 and shown > 100 for complete, natural, shown in images)
    assert problems == []


def test_nothing_is_wider_than_the_screen(opened):
    page, _ = opened
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width == screen


def test_the_screenshot_is_a_page_and_not_blank(opened):
    page, _ = opened
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")).astype(int)
    assert shot.shape[0] > 1500
    ground = shot[2, 2]
    painted = np.abs(shot - ground).max(axis=-1) > 20
    assert painted.mean() > 0.1
    # The blue of the pores is on the page.
    assert (np.abs(shot - (0, 114, 178)).max(axis=-1) < 4).mean() > 0.005


def test_a_dark_screen_gets_dark_plots(opened):
    page, _ = opened
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    sources = page.evaluate(
        "Array.from(document.querySelectorAll('picture'), p => p.querySelector('img').currentSrc === "
        "p.querySelector('source').srcset)"
    )
    assert sources == [dark] * 8


def test_the_page_prints_on_a_few_sheets(browser, page_file):
    page = browser.new_page()
    page.goto(page_file.as_uri())
    sheets = page.pdf(format="A4")
    page.close()
    assert sheets.startswith(b"%PDF")
    assert 2 <= sheets.count(b"/Type /Page\n") <= 8
