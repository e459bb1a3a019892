"""The few-slice loop: a stack and a few annotated slices become labels of the whole stack."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import bigrock
from bigrock.datasets import Shale
from bigrock.errors import (
    BigrockError,
    NonFiniteError,
    ParameterError,
    PhaseError,
    ResumeError,
    VolumeExistsError,
    VoxelSizeError,
)
from bigrock.geometry import Region
from bigrock.models import load_bundle, segmentation_kernel
from bigrock.workflows.shale.segmenting import FewSliceResult, segment_from_slices

SHAPE = (24, 64, 64)
SHALE = Shale(SHAPE, level="easy", seed=1)
CLASSES = SHALE.truth.classes
VOXEL = (1e-8, 5e-9, 5e-9)
QUICK = {
    "selection": {"apart": 2},
    "network": {"features": [8, 8, 16]},
    "training": {"max_epochs": 8, "steps_per_epoch": 8, "batch": 4, "patch": 32, "threads": 1},
}


@pytest.fixture(scope="module")
def grey() -> npt.NDArray[Any]:
    return SHALE.read(Region.whole(SHAPE))


@pytest.fixture(scope="module")
def truth() -> npt.NDArray[Any]:
    return SHALE.truth.read(Region.whole(SHAPE))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> FewSliceResult:
    out = tmp_path_factory.mktemp("few") / "job"
    return segment_from_slices(
        SHALE, SHALE.truth, out, slices=4, classes=CLASSES, config=QUICK, progress=False
    )


def stack(grey: npt.NDArray[Any]) -> bigrock.ArraySource:
    return bigrock.ArraySource(grey, VOXEL)


def test_the_whole_stack_gets_the_classes_that_were_learnt(result: FewSliceResult) -> None:
    assert (result.volume.shape, result.volume.kind, result.volume.classes) == (SHAPE, "labels", CLASSES)
    assert result.volume.voxel_size == VOXEL
    assert set(result.metrics["iou"]) == set(CLASSES)
    assert result.metrics["iou"]["matrix"] > 0.8
    assert result.metrics["scored_on"] == "test"


def test_no_slice_has_two_parts_and_the_distance_to_what_was_learnt_is_told(result: FewSliceResult) -> None:
    parts = result.parts
    every = parts.training + parts.validation + parts.test
    assert len(set(every)) == len(every) == 4 + 2 + 5
    told = result.metrics["slices"]
    assert told["nearest_test"] == min(abs(a - b) for a in parts.test for b in parts.training) >= 2
    assert told["interval_m"] == pytest.approx(24 * 1e-8 / 5)


def test_the_scores_are_those_of_the_volume_that_lies_on_disk(
    result: FewSliceResult, truth: npt.NDArray[Any]
) -> None:
    slices = list(result.parts.test)
    found, true = result.volume[:][slices], truth[slices]
    for name, value in CLASSES.items():
        both, either = (
            ((found == value) & (true == value)).sum(),
            ((found == value) | (true == value)).sum(),
        )
        assert result.metrics["iou"][name] == pytest.approx(both / either if either else 0)
    stored = json.loads((result.folder / "metrics.json").read_text())
    assert stored["iou"] == result.metrics["iou"]


def test_the_bundle_alone_gives_the_same_labels(result: FewSliceResult, tmp_path: Path) -> None:
    moved = shutil.copytree(result.bundle.folder, tmp_path / "elsewhere")
    shutil.rmtree(moved / "training")
    again = bigrock.run(
        segmentation_kernel(load_bundle(moved)), SHALE, tmp_path / "again.zarr", progress=False
    )
    np.testing.assert_array_equal(again[:], result.volume[:])


def test_the_same_call_again_does_nothing_anew(result: FewSliceResult) -> None:
    files = {p: p.stat().st_mtime_ns for p in (result.folder / "segmentation.zarr").rglob("*") if p.is_file()}
    again = segment_from_slices(
        SHALE, SHALE.truth, result.folder, slices=4, classes=CLASSES, config=QUICK, progress=False
    )
    assert again.metrics == result.metrics
    assert {p: p.stat().st_mtime_ns for p in files} == files


def test_a_test_slice_that_was_painted_anew_is_scored_anew(
    result: FewSliceResult, truth: npt.NDArray[Any], tmp_path: Path
) -> None:
    place = shutil.copytree(result.folder, tmp_path / "job")
    painted, z = truth.copy(), result.parts.test[0]
    painted[z] = np.where(result.volume[z] == 0, 0, 255)
    given = {"slices": result.parts, "classes": CLASSES, "progress": False}
    labels = bigrock.ArraySource(painted, VOXEL, kind="labels", classes=CLASSES)
    again = segment_from_slices(SHALE, labels, place, config=QUICK, **given)
    assert again.trained.history.epochs == result.trained.history.epochs
    assert again.metrics["by_slice"][str(z)]["iou"]["matrix"] == 1.0
    assert again.metrics["seconds"] == result.metrics["seconds"]
    other = segment_from_slices(SHALE, labels, place, config={**QUICK, "pores": ("organic pore",)}, **given)
    assert other.metrics["pore_iou"] == other.metrics["iou"]["organic pore"]


def test_a_job_that_is_not_to_be_continued_is_refused_before_its_model_is_replaced(
    result: FewSliceResult,
) -> None:
    weights = result.folder / "model" / "models" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    with pytest.raises(VolumeExistsError, match="refuses to continue"):
        segment_from_slices(
            SHALE, SHALE.truth, result.folder, slices=4, classes=CLASSES, config=QUICK, resume=False,
            progress=False,
        )  # fmt: skip
    assert weights.stat().st_mtime_ns == before


def test_other_slices_in_the_same_folder_are_refused(result: FewSliceResult) -> None:
    with pytest.raises(ResumeError):
        segment_from_slices(
            SHALE, SHALE.truth, result.folder, slices=3, classes=CLASSES, config=QUICK, progress=False
        )


def test_labels_of_single_slices_are_enough(
    grey: npt.NDArray[Any], truth: npt.NDArray[Any], tmp_path: Path
) -> None:
    painted = {z: truth[z].copy() for z in (3, 10, 17)}
    painted[3][:, :20] = 255
    out = segment_from_slices(
        stack(grey), painted, tmp_path / "few", slices=[3, 10, 17], classes=CLASSES,
        config={**QUICK, "network": {"features": [4, 4, 8], "neighbours": 1}}, progress=False,
    )  # fmt: skip
    assert out.parts.to_dict() == {
        "training": [3, 10, 17], "validation": [], "test": [], "nearest_test": None
    }  # fmt: skip
    assert out.metrics["scored_on"] == "training"
    assert out.volume.shape == SHAPE


def test_clean_up_takes_specks_and_flicker_away_and_a_forest_is_scored_beside(tmp_path: Path) -> None:
    config = {**QUICK, "clean_up": {"majority": 1, "min_pore_voxels": 6}, "baselines": True}
    out = segment_from_slices(
        SHALE, SHALE.truth, tmp_path / "job", slices=4, classes=CLASSES, config=config, progress=False
    )
    raw = bigrock.open_volume(tmp_path / "job" / "network.zarr")[:]
    assert (raw != out.volume[:]).any()
    pores = bigrock.kernels.find_components(out.volume[:] == CLASSES["inorganic pore"])
    assert pores.voxels.min(initial=6) >= 6
    assert set(out.metrics["random_forest"]["iou"]) == set(CLASSES)


def changed(array: npt.NDArray[Any], at: Any, value: Any) -> npt.NDArray[Any]:
    array = array.copy()
    array[at] = value
    return array


BAD: dict[str, tuple[dict[str, Any], type[BigrockError], str]] = {
    "too many slices": ({"slices": 25}, ParameterError, "25 training slices"),
    "no slice": ({"slices": 0}, ParameterError, "nothing would be learnt"),
    "overlap": (
        {"slices": {"training": [2, 8], "test": [8]}},
        ParameterError,
        "slice 8 is given for training and for test",
    ),
    "outside": ({"slices": [4, 24]}, ParameterError, "slice 24 is not in the stack"),
    "twice": ({"slices": [4, 4]}, ParameterError, "twice"),
    "no number": ({"slices": "six"}, ParameterError, "whole numbers"),
    "no voxel size": ({"voxel_size": None}, VoxelSizeError, "has no voxel size"),
    "nan": ({"grey": np.nan}, NonFiniteError, "NaN"),
    "label outside the table": ({"label": 9}, PhaseError, "hold 9"),
    "class that nobody annotated": (
        {"classes": {**CLASSES, "pyrite": 4}},
        PhaseError,
        "annotated as pyrite",
    ),
    "classes with a gap": ({"classes": {"matrix": 0, "pore": 2}}, ParameterError, "number"),
    "all of a slice ignored": (
        {"labels": {3: np.full(SHAPE[1:], 255, np.uint8)}},
        ParameterError,
        "slice 3 hold no annotated pixel",
    ),
    "nothing annotated": ({"labels": {}}, ParameterError, "no pixel of the labels"),
    "labels of another shape": (
        {"labels": {3: np.zeros((4, 4), np.uint8)}},
        ParameterError,
        "slices of the stack",
    ),
    "labels that are no integers": (
        {"labels": {3: np.zeros(SHAPE[1:])}},
        ParameterError,
        "no class values",
    ),
    "slice beyond the stack": (
        {"labels": {99: np.zeros(SHAPE[1:], np.uint8)}},
        ParameterError,
        "slice 99",
    ),
    "unknown setting": ({"config": {"trainig": {}}}, ParameterError, "did you mean training"),
    "unknown training setting": ({"config": {"training": {"epochs": 3}}}, ParameterError, "max_epochs"),
    "unknown pore": ({"config": {"pores": ["vug"]}}, ParameterError, "vug"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_before_anything_is_written(
    case: str, grey: npt.NDArray[Any], truth: npt.NDArray[Any], tmp_path: Path
) -> None:
    given, error, told = BAD[case]
    values = grey if "grey" not in given else changed(grey.astype(np.float32), (2, 3, 4), given["grey"])
    source = bigrock.ArraySource(values, given.get("voxel_size", VOXEL))
    labels: Any = truth if "label" not in given else changed(truth, (5, 1, 1), given["label"])
    labels = given.get("labels", bigrock.ArraySource(labels, VOXEL, kind="labels", classes=CLASSES))
    options = {"slices": given.get("slices", 4), "classes": given.get("classes", CLASSES)}
    with pytest.raises(error, match=told):
        segment_from_slices(
            source, labels, tmp_path / "job", config=given.get("config"), progress=False, **options
        )
    assert not (tmp_path / "job").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(VolumeExistsError, match="other files"):
        segment_from_slices(SHALE, SHALE.truth, tmp_path, slices=4, classes=CLASSES, progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
