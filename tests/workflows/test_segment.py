"""The main job: it finds the pores, keeps what it did, continues, and refuses what would destroy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from skimage.filters import rank

import bigrock
from bigrock.datasets import Sandstone
from bigrock.engine import Progress
from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.geometry import Region
from bigrock.kernels import LocalOtsu
from bigrock.workflows import SegmentResult, SegmentSettings, segment
from bigrock.workflows.segment_kernel import segmentation_kernel
from bigrock.workflows.segment_numbers import measure_once

ROCK = Sandstone((40, 96, 96), seed=4, grain_diameter_voxels=14)
PLAIN = {"radius": 9, "min_contrast": 0.0, "min_pore_fraction": 0.0}


def settings(**values: object) -> SegmentSettings:
    return SegmentSettings(**({"report": {"figures": False}} | values))  # type: ignore[arg-type]


def file_times(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in (folder / "pores.zarr").rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> SegmentResult:
    return segment(ROCK, tmp_path_factory.mktemp("jobs") / "rock", truth=ROCK.truth, progress=False)


def test_the_pores_of_a_sandstone_are_found_and_compared_with_the_truth(done: SegmentResult) -> None:
    result = done
    truth = ROCK.truth.read(Region.whole(ROCK.shape))
    mask = result.pores[:]
    union = np.count_nonzero(mask | truth)
    assert result.found is not None
    assert result.found_by_global_otsu is not None
    assert result.found.iou == np.count_nonzero(mask & truth) / union
    assert result.found.iou > max(0.85, result.found_by_global_otsu.iou)
    assert result.porosity == mask.mean()
    assert result.found.true_porosity == truth.mean()


def test_an_8_bit_scan_without_guards_is_thresholded_exactly_as_skimage_does(tmp_path: Path) -> None:
    rock = Sandstone((12, 64, 64), seed=4, grain_diameter_voxels=14, dtype="uint8")
    scan = rock.read(Region.whole(rock.shape))
    plain = settings(local_otsu=PLAIN, standardize="none")
    result = segment(rock, tmp_path / "rock", settings=plain, progress=False)
    oracle = np.stack([s <= rank.otsu(s, np.ones((19, 19), np.uint8)) for s in scan])
    np.testing.assert_array_equal(result.pores[:], oracle)


def test_the_folder_holds_volumes_numbers_figures_and_the_page(done: SegmentResult) -> None:
    result = done
    held = {p.name for p in result.folder.iterdir()}
    assert held == {
        "scan.zarr",
        "pores.zarr",
        "scan.json",
        "scan.csv",
        "pores.json",
        "pores.csv",
        "agreement.json",
        "figures",
        "report.html",
    }
    assert json.loads((result.folder / "pores.json").read_text())["porosity"]["total"] == result.porosity
    assert list((result.folder / "figures").glob("*.png"))
    assert "data:image/png" in result.report.read_text()


def test_the_resolved_settings_stand_in_the_history_of_the_mask(tmp_path: Path) -> None:
    chosen = settings(local_otsu={"radius": 9}, standardize="slice")
    result = segment(ROCK, tmp_path / "rock", settings=chosen, progress=False)
    config = result.pores.history[-1]["config"]
    assert SegmentSettings(**config) == chosen
    assert config["local_otsu"]["ndim"] == 2
    assert [step["step"] for step in result.pores.history] == ["import", "run"]


def test_a_finished_job_is_not_run_again(tmp_path: Path) -> None:
    first = segment(ROCK, tmp_path / "rock", settings=settings(), truth=ROCK.truth, progress=False)
    before = file_times(first.folder)
    events: list[Progress] = []
    second = segment(ROCK, tmp_path / "rock", settings=settings(), truth=ROCK.truth, progress=events.append)
    assert events == []
    assert file_times(first.folder) == before
    assert {**second.to_dict(), "seconds": 0} == {**first.to_dict(), "seconds": 0}


def test_a_mask_made_by_an_older_kernel_is_not_taken_for_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment(ROCK, tmp_path / "rock", settings=settings(), progress=False)
    monkeypatch.setattr(LocalOtsu, "version", LocalOtsu.version + 1)
    with pytest.raises(VolumeExistsError, match="version"):
        segment(ROCK, tmp_path / "rock", settings=settings(), progress=False)


def test_a_job_that_was_stopped_is_continued(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop_in_the_run(event: Progress) -> None:
        if event.title == "run" and event.done:
            raise StoppedError

    fine = settings(run={"executor": "serial"})
    with pytest.raises(StoppedError):
        segment(ROCK, tmp_path / "rock", settings=fine, progress=stop_in_the_run)
    result = segment(ROCK, tmp_path / "rock", settings=fine, progress=False)
    whole = segment(ROCK, tmp_path / "whole", settings=fine, progress=False)
    np.testing.assert_array_equal(result.pores[:], whole.pores[:])


def test_other_settings_in_the_same_folder_are_refused_and_may_overwrite(tmp_path: Path) -> None:
    segment(ROCK, tmp_path / "rock", settings=settings(local_otsu={"radius": 9}), progress=False)
    other = settings(local_otsu={"radius": 12})
    with pytest.raises(VolumeExistsError, match="radius: 9 then, 12 now"):
        segment(ROCK, tmp_path / "rock", settings=other, progress=False)
    result = segment(ROCK, tmp_path / "rock", settings=other, overwrite=True, progress=False)
    assert result.pores.history[-1]["config"]["local_otsu"]["radius"] == 12
    assert result.porosity == result.pores[:].mean()


def test_another_scan_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    segment(ROCK, tmp_path / "rock", settings=settings(), progress=False)
    with pytest.raises(VolumeExistsError, match="seed"):
        segment(Sandstone(ROCK.shape, seed=5), tmp_path / "rock", settings=settings(), progress=False)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(VolumeExistsError, match="other files"):
        segment(ROCK, tmp_path, settings=settings(), progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_scan_that_is_segmented_already_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="takes grey levels, and the volume is a mask"):
        segment(ROCK.truth, tmp_path / "rock", progress=False)


def test_a_url_is_no_folder_for_a_page() -> None:
    with pytest.raises(ParameterError, match="is a URL"):
        segment(ROCK, "s3://bucket/rock", progress=False)


def test_a_volume_is_used_where_it_lies(tmp_path: Path) -> None:
    volume = bigrock.import_volume(ROCK, tmp_path / "core.zarr", progress=False)
    result = segment(tmp_path / "core.zarr", tmp_path / "out", settings=settings(), progress=False)
    assert result.scan.path == volume.path
    assert not (tmp_path / "out" / "scan.zarr").exists()


def test_what_is_said_of_the_scan_reaches_the_import(tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", ROCK.read(Region.whole(ROCK.shape)))
    chosen = settings(scan={"voxel_size": "10, 5, 5 nm", "crop": "4:20, :, 0:64"})
    result = segment(tmp_path / "scan.npy", tmp_path / "out", settings=chosen, progress=False)
    assert result.scan.shape == (16, 96, 64)
    assert result.to_dict()["voxel_size_m"] == [1e-8, 5e-9, 5e-9]


def drifting(amplitude: float) -> bigrock.ArraySource:
    """A sandstone whose brightness rises along z by so many contrasts of pore and grain."""
    scan = ROCK.read(Region.whole(ROCK.shape)).astype(np.float32)
    drift = np.linspace(0, amplitude * 14600, scan.shape[0], dtype=np.float32)
    return bigrock.ArraySource(scan + drift[:, None, None])


@pytest.mark.parametrize(("amplitude", "stages"), [(0.0, 1), (4.0, 2)])
def test_slices_are_standardised_only_where_their_brightness_drifts(amplitude: float, stages: int) -> None:
    kernel = segmentation_kernel(SegmentSettings(), drifting(amplitude), progress=False)
    assert len(getattr(kernel, "stages", (kernel,))) == stages


def test_drift_of_brightness_does_not_change_what_is_found() -> None:
    def pores(amplitude: float) -> np.ndarray:  # type: ignore[type-arg]
        scan = drifting(amplitude)
        kernel = segmentation_kernel(SegmentSettings(), scan, progress=False)
        return bigrock.run(kernel, scan, f"memory://drift-{amplitude}.zarr", progress=False)[:]

    truth = ROCK.truth.read(Region.whole(ROCK.shape))
    for found in (pores(0.0), pores(4.0)):
        assert np.count_nonzero(found & truth) / np.count_nonzero(found | truth) > 0.8


def test_the_one_read_of_auto_fits_the_threshold_as_its_own_read_would() -> None:
    kernel = segmentation_kernel(SegmentSettings(), ROCK, progress=False)
    section = SegmentSettings().local_otsu.model_dump()
    assert kernel == LocalOtsu(**section).fit(ROCK, progress=False)


def test_measures_have_settings_and_are_taken_again_where_these_change(tmp_path: Path) -> None:
    rock = Sandstone((24, 48, 48), grain_diameter_voxels=12)
    coarse = settings(measures=["porosity", "lacunarity sizes=2,3"], local_otsu={"radius": 7})
    result = segment(rock, tmp_path / "rock", settings=coarse, progress=False)
    assert list(result.measurements["lacunarity"]["sizes"]) == [2, 3]
    fine = settings(measures=["porosity", "lacunarity sizes=2,4", "connectivity"])
    pores = bigrock.open_volume(tmp_path / "rock" / "pores.zarr")
    measured = measure_once(pores, fine.measures, tmp_path / "rock" / "pores", {})
    assert list(measured["lacunarity"]["sizes"]) == [2, 4]
    assert (tmp_path / "rock" / "pores-tables" / "connectivity-components.parquet").exists()
    again = measure_once(pores, fine.measures, tmp_path / "rock" / "pores", {})
    assert again["connectivity"]["components"].equals(measured["connectivity"]["components"])
