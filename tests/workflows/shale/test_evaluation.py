"""Scores of test slices against scikit-learn and counting, and their figures."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score

import bigrock
from bigrock.datasets import Shale
from bigrock.errors import ParameterError, PhaseError
from bigrock.geometry import Region
from bigrock.report.agreement_figures import confusion_picture, paint_errors
from bigrock.workflows.shale.evaluation import evaluate, evaluation_sections

ROCK = Shale((8, 40, 48), level="easy", seed=1)
TRUTH = ROCK.truth.read(Region.whole(ROCK.shape))
CLASSES = ROCK.truth.classes


def source(voxels: np.ndarray, classes=CLASSES) -> bigrock.ArraySource:
    return bigrock.ArraySource(voxels, ROCK.voxel_size, kind="labels", classes=classes)


def flawed(share: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(5)
    wrong = rng.random(TRUTH.shape) < share
    return np.where(wrong, rng.integers(0, 4, TRUTH.shape), TRUTH).astype(np.uint8)


def test_scores_are_those_of_scikit_learn() -> None:
    labels = {1: TRUTH[1].copy(), 5: TRUTH[5].copy()}
    labels[1][30:34], labels[1][34:38], labels[5][:10] = 2, 3, 255
    found = evaluate(source(flawed()), labels)
    true, seen = (np.concatenate([a[z].ravel() for z in labels]) for a in (labels, flawed()))
    true, seen = true[true != 255], seen[true != 255]
    told = found.scores
    np.testing.assert_array_equal(told["confusion"], confusion_matrix(true, seen, labels=range(4)))
    np.testing.assert_allclose(list(told["iou"].values()), jaccard_score(true, seen, average=None))
    np.testing.assert_allclose(list(told["dice"].values()), f1_score(true, seen, average=None))
    rows = confusion_matrix(true, seen, labels=range(4), normalize="true")
    np.testing.assert_allclose(told["confusion_normalised"], rows)
    bias = told["porosity_bias"]
    assert bias["bias"] == pytest.approx((seen >= 2).mean() - (true >= 2).mean())
    assert bias["low"] <= bias["bias"] <= bias["high"]


def test_truth_is_a_mapping_or_a_volume() -> None:
    from_volume = evaluate(source(flawed()), ROCK.truth, slices=[2, 6])
    assert from_volume.scores == evaluate(source(flawed()), {2: TRUTH[2], 6: TRUTH[6]}).scores
    assert evaluate(source(flawed()), ROCK.truth).scores["by_slice"].keys() == {str(z) for z in range(8)}
    some = evaluate(source(flawed()), {z: TRUTH[z] for z in range(8)}, slices=[3])
    assert sorted(some.truth) == [3]


def test_files_hold_every_slice(tmp_path: Path) -> None:
    found = evaluate(source(flawed()), {0: TRUTH[0], 7: TRUTH[7]})
    found.to_csv(tmp_path / "slices.csv")
    with (tmp_path / "slices.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["slice"] for row in rows] == ["0", "7"]
    assert float(rows[1]["porosity_true"]) == (TRUTH[7] >= 2).mean()
    assert float(rows[0]["iou matrix"]) == found.scores["by_slice"]["0"]["iou"]["matrix"]
    told = json.loads(found.to_json(tmp_path / "scores.json"))
    assert told == json.loads((tmp_path / "scores.json").read_text())
    assert told["slices"] == [0, 7]


def test_errors_have_a_colour_for_each_kind() -> None:
    truth = np.array([[0, 0, 2, 2, 2, 1, 255]])
    seen = np.array([[0, 3, 1, 3, 2, 0, 0]])
    painted = paint_errors(truth, seen, CLASSES, [2, 3])[0].astype(int).tolist()
    assert painted[1] == [213, 94, 0], "a pore that is none"
    assert painted[2] == [0, 114, 178], "a pore that was missed"
    assert painted[3] == [240, 228, 66], "the other kind of pore"
    assert painted[5] == [95, 99, 107], "another class"
    assert painted[6] in ([196] * 3, [226] * 3), "not known"
    assert min(painted[0] + painted[4]) > 200, "right is pale"


def test_sections_show_slices_spread_over_all() -> None:
    found = evaluate(source(flawed()), ROCK.truth)
    scores, slices = evaluation_sections(found, ROCK, most=3)
    assert [p.name for p in slices.pictures] == ["compared-0", "compared-4", "compared-7"]
    assert slices.columns == 1
    assert {"Scores", "Porosity"} == set(scores.grids)
    wide, narrow = (
        Image.open(io.BytesIO(p.png)).width
        for p in (slices.pictures[0], evaluation_sections(found, most=1)[1].pictures[0])
    )
    assert wide > narrow


def test_a_class_that_is_nowhere_has_no_share() -> None:
    picture = confusion_picture(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 5]]), {"a": 0, "b": 1, "c": 2})
    assert picture.dark != picture.png


def test_what_cannot_be_compared_is_refused() -> None:
    stack = source(flawed())
    with pytest.raises(ParameterError, match=r"slices \[9\] cannot be compared"):
        evaluate(stack, {9: TRUTH[0]})
    with pytest.raises(ParameterError, match=r"slices \[4\] cannot be compared"):
        evaluate(stack, {1: TRUTH[1]}, slices=[1, 4])
    with pytest.raises(ParameterError, match="slices none"):
        evaluate(stack, {})
    with pytest.raises(ParameterError, match="shape"):
        evaluate(stack, {1: TRUTH[1, :8]})
    with pytest.raises(ParameterError, match="no label but 255"):
        evaluate(stack, {1: np.full((40, 48), 255, np.uint8)})
    with pytest.raises(PhaseError, match="classes are 0 to 3"):
        evaluate(stack, {1: np.full((40, 48), 9, np.uint8)})
    with pytest.raises(PhaseError, match="do not belong together"):
        evaluate(stack, source(TRUTH[:4]))
    with pytest.raises(PhaseError, match=r"pores=\['hole'\]"):
        evaluate(stack, {1: TRUTH[1]}, pores=["hole"])
    with pytest.raises(PhaseError, match="values 0, 1, 2"):
        evaluate(source(flawed(), {"matrix": 0, "pore": 7}), {1: TRUTH[1]})
