"""The demo: a made-up sandstone with known truth, or a real scan."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from bigrock.errors import VolumeExistsError
from bigrock.workflows import SegmentSettings, demo

QUICK = SegmentSettings(report={"figures": False})  # type: ignore[arg-type]
SHAPE = (48, 128, 128)


def shared_scan(name: str) -> Path:
    """A real scan that is kept beside the project; the test is skipped where there is none."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BIGROCK_TEST_DATA") or beside)
    path = folder / name
    if not path.exists():
        pytest.skip(f"no real scan at {path}; BIGROCK_TEST_DATA names the folder that holds it")
    return path


def test_the_demo_finds_the_porosity_of_its_sandstone_better_than_one_threshold(tmp_path: Path) -> None:
    result = demo(tmp_path / "demo", shape=SHAPE, settings=QUICK, progress=False)
    assert result.found is not None
    assert result.found_by_global_otsu is not None
    assert result.porosity == result.found.porosity
    assert abs(result.porosity - result.found.true_porosity) < 0.02
    assert result.found.iou > 0.85
    assert result.found.iou > result.found_by_global_otsu.iou


def test_another_demo_in_the_same_folder_is_refused_and_may_overwrite(tmp_path: Path) -> None:
    first = demo(tmp_path / "demo", shape=SHAPE, settings=QUICK, progress=False)
    with pytest.raises(VolumeExistsError, match="seed: 0 then, 1 now"):
        demo(tmp_path / "demo", shape=SHAPE, seed=1, settings=QUICK, progress=False)
    second = demo(tmp_path / "demo", shape=SHAPE, seed=1, settings=QUICK, overwrite=True, progress=False)
    assert second.porosity != first.porosity


def test_the_demo_runs_on_the_real_grey_cement(tmp_path: Path) -> None:
    path = shared_scan("qim3d_cement_128/cement_128x128x128.tif")
    result = demo(tmp_path / "demo", source=path, settings=QUICK, progress=False)
    scan = tifffile.imread(path)
    mask = result.pores[:]
    np.testing.assert_array_equal(result.scan[:], scan)
    assert result.found is None
    assert result.porosity is not None
    assert 0.14 < result.porosity < 0.22
    assert float(scan[mask].mean()) < 75 < float(scan[~mask].mean())
    assert "cement_128x128x128.tif" in result.report.read_text()
