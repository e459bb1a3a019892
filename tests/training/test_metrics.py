"""Scores are those that MONAI and counting pixel by pixel give; intervals repeat."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics.confusion_matrix import get_confusion_matrix
from monai.metrics.meandice import DiceMetric
from monai.metrics.meaniou import MeanIoU

from bigrock.errors import ParameterError, PhaseError
from bigrock.training import (
    confusion_matrix,
    dice,
    iou,
    pixel_accuracy,
    porosity_bias,
    row_normalised,
    scores,
    without_borders,
)

CLASSES = {"matrix": 0, "organic": 1, "pore": 2}


def labels(seed: int, shape: tuple[int, ...] = (23, 17)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=shape).astype(np.uint8)
    predicted = np.where(rng.random(shape) < 0.7, truth, rng.integers(3, size=shape)).astype(np.uint8)
    return truth, predicted


def one_hot(values: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.from_numpy(values.astype(np.int64)), 3).movedim(-1, 0)[None]


@given(st.integers(0, 10_000))
def test_the_matrix_counts_every_annotated_pixel_as_a_loop_does(seed: int) -> None:
    truth, predicted = labels(seed, (5, 7))
    truth[np.random.default_rng(seed).random(truth.shape) < 0.3] = 255
    wanted = np.zeros((3, 3), np.uint64)
    for true, given_class in zip(truth.ravel(), predicted.ravel(), strict=True):
        if true != 255:
            wanted[true, given_class] += np.uint64(1)
    found = confusion_matrix(truth, predicted, 3)
    assert found.dtype == np.uint64
    assert (found == wanted).all()


def test_iou_and_dice_are_those_of_monai() -> None:
    truth, predicted = labels(1)
    counts = confusion_matrix(truth, predicted, 3)
    theirs_iou = MeanIoU(reduction="none")(one_hot(predicted), one_hot(truth))
    theirs_dice = DiceMetric(reduction="none")(one_hot(predicted), one_hot(truth))
    assert iou(counts) == pytest.approx(theirs_iou.numpy()[0], rel=1e-6)
    assert dice(counts) == pytest.approx(theirs_dice.numpy()[0], rel=1e-6)


def test_true_positives_and_misses_are_those_of_monai() -> None:
    truth, predicted = labels(2)
    counts = confusion_matrix(truth, predicted, 3).astype(int)
    theirs = get_confusion_matrix(one_hot(predicted), one_hot(truth))[0].numpy()
    assert (np.diag(counts) == theirs[:, 0]).all()
    assert (counts.sum(0) - np.diag(counts) == theirs[:, 1]).all()
    assert (counts.sum(1) - np.diag(counts) == theirs[:, 3]).all()


def test_a_class_that_is_nowhere_has_no_score() -> None:
    counts = confusion_matrix(np.zeros((4, 4), int), np.zeros((4, 4), int), 3)
    assert np.isnan(iou(counts)[1:]).all()
    assert np.isnan(row_normalised(counts)[1:]).all()
    judged = scores(counts, CLASSES, pores=[2])
    assert judged["iou"] == {"matrix": 1.0, "organic": None, "pore": None}
    assert judged["mean_iou"] == 1.0
    assert judged["pore_iou"] is None


def test_scores_of_no_pixel_are_none() -> None:
    judged = scores(np.zeros((3, 3), np.uint64), CLASSES)
    assert judged["mean_iou"] is None
    assert judged["pixel_accuracy"] is None


def test_accuracy_is_the_share_of_equal_pixels_and_rows_add_up_to_one() -> None:
    truth, predicted = labels(3)
    counts = confusion_matrix(truth, predicted, 3)
    assert pixel_accuracy(counts) == pytest.approx((truth == predicted).mean())
    assert row_normalised(counts).sum(1) == pytest.approx(1)


def test_all_pores_as_one_are_scored_as_if_they_were_one_class() -> None:
    truth, predicted = labels(4)
    judged = scores(confusion_matrix(truth, predicted, 3), CLASSES, pores=[1, 2])
    binary = confusion_matrix(truth > 0, predicted > 0, 2)
    assert judged["pore_iou"] == pytest.approx(iou(binary)[1])


def test_values_that_are_no_class_are_refused() -> None:
    with pytest.raises(PhaseError, match="truth holds values from 0 to 7"):
        confusion_matrix(np.array([0, 7]), np.array([0, 0]), 3)
    with pytest.raises(PhaseError, match="prediction holds"):
        confusion_matrix(np.array([0, 1]), np.array([0, 255]), 3)
    with pytest.raises(ParameterError, match="not of the same pixels"):
        confusion_matrix(np.zeros(2, int), np.zeros(3, int), 3)


def test_without_borders_keeps_pixels_whose_neighbours_are_of_their_class() -> None:
    truth = np.random.default_rng(5).integers(2, size=(9, 11)).astype(np.uint8)
    truth[4:, 4:] = 1
    truth[0, 0] = 255
    found = without_borders(truth)
    for y, x in np.ndindex(truth.shape):
        near = truth[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        alone = truth[y, x] != 255 and set(near.ravel().tolist()) <= {int(truth[y, x]), 255}
        assert found[y, x] == (truth[y, x] if alone else 255)


def test_errors_at_the_edge_do_not_touch_the_interior_iou() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[5:15, 5:15] = 1
    predicted = np.zeros_like(truth)
    predicted[6:14, 6:14] = 1
    assert iou(confusion_matrix(truth, predicted, 2))[1] == pytest.approx(0.64)
    assert iou(confusion_matrix(without_borders(truth), predicted, 2))[1] == 1.0


def test_slices_of_a_stack_have_no_borders_with_one_another() -> None:
    truth = np.stack([np.zeros((4, 4)), np.ones((4, 4))]).astype(np.uint8)
    assert (without_borders(truth) == truth).all()


def test_the_bias_is_the_difference_of_porosities_and_lies_in_its_interval() -> None:
    pairs = [labels(seed) for seed in range(5)]
    matrices = [confusion_matrix(truth, predicted, 3) for truth, predicted in pairs]
    found = porosity_bias(matrices, [1, 2], seed=1)
    true = np.mean([truth > 0 for truth, _ in pairs])
    made = np.mean([predicted > 0 for _, predicted in pairs])
    assert found.truth == pytest.approx(true)
    assert found.bias == pytest.approx(made - true)
    assert found.relative == pytest.approx(made / true - 1)
    assert found.low <= found.bias <= found.high
    assert found.relative_low <= found.relative <= found.relative_high


def test_the_interval_repeats_with_its_seed_and_is_a_point_for_equal_slices() -> None:
    matrices = [confusion_matrix(*labels(seed), 3) for seed in range(4)]
    assert porosity_bias(matrices, [2], seed=3) == porosity_bias(matrices, [2], seed=3)
    same = porosity_bias(matrices[:1] * 4, [2])
    assert same.low == pytest.approx(same.high)


def test_the_bootstrap_interval_is_near_that_of_the_normal_theory() -> None:
    rng = np.random.default_rng(0)
    matrices = []
    for shift in rng.normal(0, 0.02, 60):
        found = round(10_000 * (0.2 + shift))
        matrices.append(np.array([[8000 - max(0, found - 2000), max(0, found - 2000)],
                                  [max(0, 2000 - found), min(2000, found)]], np.uint64))  # fmt: skip
    bias = porosity_bias(matrices, [1])
    each = [(float(m[:, 1].sum()) - float(m[1].sum())) / 10_000 for m in matrices]
    half = 1.96 * np.std(each) / np.sqrt(len(each))
    assert (bias.high - bias.low) / 2 == pytest.approx(half, rel=0.1)


def test_no_slice_is_an_error() -> None:
    with pytest.raises(ParameterError, match="no slice was scored"):
        porosity_bias([], [1])
    with pytest.raises(ParameterError, match="make no interval"):
        porosity_bias([np.eye(2, dtype=np.uint64)], [1], level=1.5)
