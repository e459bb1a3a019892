"""The baseline is a fair one: features that tell textures apart, frequencies of classes respected."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from bigrock.errors import PhaseError
from bigrock.training import TrainingSlice, confusion_matrix, iou, random_forest
from bigrock.training.forest import local_features

CLASSES = {"matrix": 0, "rare": 1}


def ground(seed: int) -> TrainingSlice:
    """Small round bodies in noise: their grey level alone does not tell them."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal((80, 80)), 3)
    label = (field > np.quantile(field, 0.93)).astype(np.uint8)
    return TrainingSlice(label + 0.8 * rng.standard_normal(label.shape), label, str(seed))


def quality(seed: int, **options: object) -> float:
    forest = random_forest([ground(0), ground(1)], CLASSES, trees=20, per_class=800, **options)  # type: ignore[arg-type]
    return float(iou(confusion_matrix(ground(seed).label, forest(ground(seed).image), 2))[1])


def test_it_finds_what_a_threshold_does_not() -> None:
    item = ground(9)
    best = max(
        iou(confusion_matrix(item.label, (item.image[0] > at).astype(int), 2))[1]
        for at in np.linspace(0, 2, 40)
    )
    assert quality(9, validation=[ground(5)]) > best + 0.2


def test_frequencies_of_classes_are_respected_where_that_scores_better() -> None:
    forest = random_forest([ground(0)], CLASSES, validation=[ground(5)], trees=20, per_class=800)
    assert forest.priors[1] < forest.priors[0]


def test_the_same_seed_gives_the_same_labels() -> None:
    one = random_forest([ground(0)], CLASSES, trees=5, per_class=200, seed=3)(ground(4).image)
    two = random_forest([ground(0)], CLASSES, trees=5, per_class=200, seed=3)(ground(4).image)
    assert (one == two).all()
    assert one.dtype == np.uint8


def test_a_slice_in_which_a_class_is_missing_and_pixels_are_unannotated_is_used() -> None:
    item = ground(1)
    label = np.where(np.arange(80) < 40, 255, 0) * np.ones((80, 1))
    partly = TrainingSlice(item.image, label.astype(np.uint8))
    assert random_forest([ground(0), partly], CLASSES, trees=5, per_class=200)(item.image).max() == 1
    with pytest.raises(PhaseError, match="annotated as rare"):
        random_forest([partly], CLASSES)


def test_features_are_those_of_scikit_image_and_there_for_neighbours() -> None:
    from skimage.feature import hessian_matrix, hessian_matrix_eigvals

    image = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((40, 40)), 2).astype(np.float32)
    features = local_features(image, (2.0,))
    hessian = hessian_matrix(image, sigma=2.0, mode="reflect", order="rc", use_gaussian_derivatives=True)
    theirs = hessian_matrix_eigvals(hessian)
    inside = (slice(10, -10), slice(10, -10))
    for own, wanted in zip(features[3:5], theirs, strict=True):
        assert own[inside] == pytest.approx(wanted[inside], abs=0.05 * float(np.abs(wanted).max()))
    assert len(local_features(np.stack([image] * 3), (1.0, 2.0))) == 3 + 2 * (7 + 2)
