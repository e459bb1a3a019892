"""How well classes were found, from counts: whatever is computed here, the counts are the evidence.

A confusion matrix holds the true class along its rows and the predicted one along its columns.
Matrices of slices add up. Unannotated pixels (255) are in none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, PhaseError
from bigrock.training.slices import IGNORE

__all__ = [
    "confusion_matrix",
    "dice",
    "iou",
    "pixel_accuracy",
    "ratio",
    "row_normalised",
    "scores",
    "without_borders",
]

Counts = npt.NDArray[np.uint64]
Labels = npt.NDArray[Any]
Shares = npt.NDArray[np.float64]


def confusion_matrix(truth: Labels, predicted: Labels, classes: int) -> Counts:
    """Return how many pixels of each true class were given each class; exact.

    Parameters
    ----------
    truth : ndarray of integers
        Values 0 … classes - 1; 255 is left out.
    predicted : ndarray of integers, same shape
        Values 0 … classes - 1.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray of uint64, shape (classes, classes)
        Rows: true class. Columns: predicted class.

    Raises
    ------
    ParameterError
        If the shapes differ.
    PhaseError
        If a value is no class.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1, 255]), np.array([0, 1, 1, 1]), 2)
    array([[1, 1],
           [0, 1]], dtype=uint64)
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape:
        raise ParameterError(
            f"truth of shape {truth.shape} and prediction of shape {predicted.shape} are not of the same pixels. "
            "Give both for the same region."
        )
    known = truth != IGNORE
    rows, columns = truth[known], predicted[known]
    for said, values in (("truth", rows), ("prediction", columns)):
        if values.size and not (int(values.min()) >= 0 and int(values.max()) < classes):
            raise PhaseError(
                f"the {said} holds values from {values.min()} to {values.max()}, and the classes are 0 to "
                f"{classes - 1}. Give class values; {IGNORE} in the truth is left out."
            )
    flat = rows.astype(np.intp) * classes + columns.astype(np.intp)
    return np.bincount(flat, minlength=classes**2).astype(np.uint64).reshape(classes, classes)


def row_normalised(counts: Counts) -> Shares:
    """Return the share of each true class that was given each class; NaN for a class that is not there.

    Parameters
    ----------
    counts : ndarray of uint64, shape (n, n)
        From `confusion_matrix`.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Rows add up to 1.

    Examples
    --------
    >>> row_normalised(np.array([[3, 1], [0, 2]], np.uint64)).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    return ratio(counts, counts.sum(1, keepdims=True))


def iou(counts: Counts) -> Shares:
    """Return the intersection over union of each class; NaN for a class in neither truth nor prediction.

    ``TP / (TP + FP + FN)``

    Parameters
    ----------
    counts : ndarray of uint64, shape (n, n)
        From `confusion_matrix`.

    Returns
    -------
    ndarray of float64, shape (n,)

    References
    ----------
    Jaccard, The distribution of the flora in the alpine zone, New Phytologist 11, 1912.

    Examples
    --------
    >>> iou(np.array([[3, 1], [0, 2]], np.uint64)).round(3).tolist()
    [0.75, 0.667]
    """
    hits = np.diag(counts)
    return ratio(hits, counts.sum(0) + counts.sum(1) - hits)


def dice(counts: Counts) -> Shares:
    """Return Dice's coefficient of each class; NaN for a class in neither truth nor prediction.

    ``2 TP / (2 TP + FP + FN)``

    Parameters
    ----------
    counts : ndarray of uint64, shape (n, n)
        From `confusion_matrix`.

    Returns
    -------
    ndarray of float64, shape (n,)

    References
    ----------
    Dice, Measures of the amount of ecologic association between species, Ecology 26, 1945.

    Examples
    --------
    >>> dice(np.array([[3, 1], [0, 2]], np.uint64)).round(3).tolist()
    [0.857, 0.8]
    """
    return ratio(2 * np.diag(counts), counts.sum(0) + counts.sum(1))


def pixel_accuracy(counts: Counts) -> float:
    """Return the share of the pixels that were given their class; NaN where there are none.

    Parameters
    ----------
    counts : ndarray of uint64, shape (n, n)
        From `confusion_matrix`.

    Returns
    -------
    float

    Examples
    --------
    >>> pixel_accuracy(np.array([[3, 1], [0, 4]], np.uint64))
    0.875
    """
    return float(ratio(np.trace(counts), counts.sum()))


def without_borders(truth: Labels, *, width: int = 1) -> npt.NDArray[np.uint8]:
    """Return the labels with 255 wherever another class is within `width` pixels.

    Annotators and networks differ most at the edges of pores, where the blur of the microscope leaves
    no truth: scores of what remains tell errors of kind from errors of a pixel.

    Parameters
    ----------
    truth : ndarray of integers, 2-D or 3-D
        Class values; 255 where nobody annotated, which makes no border.
    width : int
        Pixels along rows and columns and diagonals; slices are not compared with one another.

    Returns
    -------
    ndarray of uint8, same shape

    Examples
    --------
    >>> without_borders(np.array([[0, 0, 0, 1, 1]])).tolist()
    [[0, 0, 255, 255, 1]]
    """
    from scipy import ndimage

    truth = np.asarray(truth)
    size = (1,) * (truth.ndim - 2) + (2 * width + 1, 2 * width + 1)
    unknown = truth == IGNORE
    values = truth.astype(np.int16)
    highest = ndimage.maximum_filter(np.where(unknown, -1, values), size, mode="nearest")
    lowest = ndimage.minimum_filter(np.where(unknown, IGNORE, values), size, mode="nearest")
    return np.where((highest == lowest) & ~unknown, truth, IGNORE).astype(np.uint8)


def scores(counts: Counts, classes: Mapping[str, int], *, pores: Sequence[int] = ()) -> dict[str, Any]:
    """Return every score of a confusion matrix by the names of its classes, ready for JSON.

    Parameters
    ----------
    counts : ndarray of uint64, shape (n, n)
        From `confusion_matrix`.
    classes : mapping of str to int
        Class table.
    pores : sequence of int
        Classes that are pores; where there are some, the IoU of all of them as one is given as well.

    Returns
    -------
    dict
        ``iou``, ``dice`` (by class), ``mean_iou``, ``pixel_accuracy``, ``pore_iou``, ``confusion`` (counts) and
        ``confusion_normalised``. None where a class is in neither truth nor prediction.

    Examples
    --------
    >>> scores(np.array([[3, 1], [0, 4]], np.uint64), {"solid": 0, "pore": 1})["iou"]
    {'solid': 0.75, 'pore': 0.8}
    """
    overlap, coefficient = iou(counts), dice(counts)
    known = overlap[np.isfinite(overlap)]
    result: dict[str, Any] = {
        "iou": {name: _or_none(overlap[value]) for name, value in classes.items()},
        "dice": {name: _or_none(coefficient[value]) for name, value in classes.items()},
        "mean_iou": float(known.mean()) if known.size else None,
        "pixel_accuracy": _or_none(pixel_accuracy(counts)),
        "confusion": counts.tolist(),
        "confusion_normalised": [[_or_none(v) for v in row] for row in row_normalised(counts)],
    }
    if len(pores):
        is_pore = np.isin(np.arange(len(counts)), pores)
        hits = counts[np.ix_(is_pore, is_pore)].sum()
        union = counts[is_pore].sum() + counts[:, is_pore].sum() - hits
        result["pore_iou"] = _or_none(float(ratio(hits, union)))
    return result


def ratio(part: Any, whole: Any) -> Shares:
    """Return part / whole, NaN where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
