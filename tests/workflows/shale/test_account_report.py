"""The page of an account holds its numbers and its figures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bigrock.datasets import Shale, ShaleTruth
from bigrock.report.palette import CLASSES
from bigrock.report.shale_figures import aspect_picture, organic_porosity_grid, stacked_profile
from bigrock.workflows.shale.account_report import account_sections, write_account_report
from bigrock.workflows.shale.accounting import account

ROCK = Shale((16, 48, 48), level="easy", seed=1)


@pytest.mark.parametrize("three", [False, True])
def test_the_page_has_the_definitions_the_volumes_and_the_view(three: bool, tmp_path: Path) -> None:
    labels = ShaleTruth(ROCK, three)
    found = account(labels, sample="easy", progress=False)
    page = write_account_report(found, labels, tmp_path / "page.html").read_text(encoding="utf-8")
    for word in (
        "hosted (taken)",
        "bulk",
        "notes",
        "Volumes",
        "µm³",
        "Pores in three dimensions",
        "Connectivity",
    ):
        assert word in page
    assert ("no class of organic matter" in page) == three
    hosted = found["organic_porosity"]["hosted"]
    assert three or f"{100 * hosted:.4g} %" in page


def test_sections_hold_pictures_for_light_pages_and_dark_ones() -> None:
    labels = ShaleTruth(ROCK)
    found = account(labels, min_pore_voxels=3, progress=False)
    sections = account_sections(found, labels, longest=24)
    pictures = [p for section in sections for p in section.pictures]
    assert [p.name for p in pictures] == ["shale-profile", "shale-aspect-ratios", "view"]
    assert all(p.dark and p.dark != p.png for p in pictures)
    assert "2 voxels per point" in pictures[-1].caption


def test_the_stack_has_the_colours_of_the_slices_and_leaves_out_the_largest_class() -> None:
    z = np.arange(4) * 1e-8
    shares = {"matrix": 0.7, "organic matter": 0.2, "organic pore": 0.1}
    profiles = {n: {"position": z, "porosity": np.full(4, s)} for n, s in shares.items()}
    picture = stacked_profile(profiles, {"matrix": 0, "organic matter": 1, "organic pore": 2})
    assert "the rest is matrix" in picture.caption
    pixels = np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).reshape(-1, 3)
    for colour in ("orange", "green"):
        near = np.abs(pixels.astype(int) - CLASSES[colour]).max(axis=1) < 12
        assert near.mean() > 0.05


def test_classes_without_a_whole_pore_have_no_curve() -> None:
    assert aspect_picture({"pore": {"number": 0}}, {"pore": 1}) is None


def test_the_reason_stands_where_the_number_is_missing() -> None:
    found = account(ShaleTruth(ROCK, three_classes=True), progress=False)
    rows = {row[0]: row[1:] for row in organic_porosity_grid(found.measurements["shale"]).rows}
    value, reason = rows["organic porosity, hosted (taken)"]
    assert value == "–"
    assert reason.startswith("the volume has no class of organic matter")
