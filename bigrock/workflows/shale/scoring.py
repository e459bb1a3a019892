"""Scores of slices whose labels are known: of a network, and of what a network has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.training import (
    TrainingSlice,
    confusion_matrix,
    porosity_bias,
    random_forest,
    scores,
    without_borders,
)
from bigrock.volumes import Source
from bigrock.workflows.shale.annotation_prelabels import PrelabelSettings, prelabels

__all__ = ["forest_scores", "otsu_scores", "score_slices"]

Planes = Mapping[int, npt.NDArray[np.uint8]]


def score_slices(
    truth: Planes, predicted: Planes, classes: Mapping[str, int], pores: Sequence[int]
) -> dict[str, Any]:
    """Return the scores of all slices together and of each, ready for JSON.

    Parameters
    ----------
    truth, predicted : mapping of int to ndarray
        Slice → class values; 255 in the truth is left out.
    classes : mapping of str to int
        Class table.
    pores : sequence of int
        Values of the classes that are pores.

    Returns
    -------
    dict
        As `bigrock.training.scores`, with ``interior_iou`` (pixels at borders of classes left out),
        ``porosity_bias`` (`bigrock.training.PorosityBias` as a dict; None without pores) and ``by_slice``.

    Examples
    --------
    >>> truth = {7: np.array([[0, 0, 1, 1]], np.uint8)}
    >>> found = score_slices(truth, truth, {"solid": 0, "pore": 1}, [1])
    >>> found["iou"], found["porosity_bias"]["relative"]
    ({'solid': 1.0, 'pore': 1.0}, 0.0)
    """
    n = len(classes)
    matrices = {z: confusion_matrix(truth[z], predicted[z], n) for z in sorted(truth)}
    told = scores(np.sum(list(matrices.values()), axis=0), classes, pores=pores)
    inside = [confusion_matrix(without_borders(truth[z]), predicted[z], n) for z in matrices]
    told["interior_iou"] = scores(np.sum(inside, axis=0), classes)["iou"]
    bias = porosity_bias(list(matrices.values()), pores)._asdict() if len(pores) else None
    told["porosity_bias"] = bias and {k: float(v) if np.isfinite(v) else None for k, v in bias.items()}
    told["by_slice"] = {
        str(z): {k: v for k, v in scores(m, classes, pores=pores).items() if k in ("iou", "pore_iou")}
        for z, m in matrices.items()
    }
    return told


def forest_scores(
    learnt: Sequence[TrainingSlice],
    held: Sequence[TrainingSlice],
    images: Mapping[int, npt.NDArray[np.float32]],
    truth: Planes,
    classes: Mapping[str, int],
    pores: Sequence[int],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the scores of a random forest trained on the same slices.

    Parameters
    ----------
    learnt, held : sequence of TrainingSlice
        What it learns from, and what the weights of its classes are chosen by.
    images : mapping of int to ndarray
        Slices to segment, standardised.
    truth : mapping of int to ndarray
        Their labels.
    classes : mapping of str to int
        Class table.
    pores : sequence of int
        Values of the classes that are pores.
    seed : int
        Of the forest.

    Returns
    -------
    dict
        As `score_slices` gives it.

    Examples
    --------
    >>> label = np.tile(np.repeat(np.uint8([0, 1]), 8), (32, 2))
    >>> image = label.astype(np.float32)
    >>> known = [TrainingSlice(image, label)]
    >>> found = forest_scores(known, known, {3: image}, {3: label}, {"solid": 0, "pore": 1}, [1])
    >>> found["iou"]["pore"] > 0.9
    True
    """
    forest = random_forest(learnt, classes, validation=held, seed=seed)
    return score_slices(truth, {z: forest(image) for z, image in images.items()}, classes, pores)


def otsu_scores(
    stack: Source, truth: Planes, classes: Mapping[str, int], pores: Sequence[int], **how: Any
) -> dict[str, Any]:
    """Return the scores of the pre-labels: guarded local Otsu, and pores parted by what they lie in.

    Parameters
    ----------
    stack : Source
        Grey levels.
    truth : mapping of int to ndarray
        Labels of slices.
    classes : mapping of str to int
        Class table.
    pores : sequence of int
        Values of the classes that are pores.
    **how
        For `bigrock.reduce`: executor, ram, progress.

    Returns
    -------
    dict
        As `score_slices` gives it.
    """
    found = prelabels(stack, sorted(truth), classes, PrelabelSettings(), **how)
    return score_slices(truth, found, classes, pores)
