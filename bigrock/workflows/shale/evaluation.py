"""How well a stack was segmented, on slices that training never saw: scores, errors, figures."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, PhaseError
from bigrock.geometry import Region
from bigrock.report.agreement_figures import compared_picture, confusion_picture
from bigrock.report.section import Section
from bigrock.report.tables import Grid
from bigrock.volumes import source_of
from bigrock.volumes.source import Source, Voxel, facts_of
from bigrock.workflows.shale.annotation_files import pore_names
from bigrock.workflows.shale.scoring import score_slices

__all__ = ["Evaluation", "evaluate", "evaluation_sections"]

Plane = npt.NDArray[np.uint8]
StackLike = Source | str | os.PathLike[str]

IGNORE = 255


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Scores of test slices; from `evaluate`.

    Attributes
    ----------
    scores : dict
        ``iou``, ``dice``, ``interior_iou`` by class, ``mean_iou``, ``pore_iou``, ``pixel_accuracy``,
        ``confusion`` (counts; rows: truth), ``confusion_normalised`` (by rows), ``porosity_bias``
        (with the interval of a bootstrap over slices), ``by_slice``.
    classes : dict
        Class table.
    pores : tuple of int
        Values of the classes that are pores.
    truth, predicted : dict
        Slice → class values.
    voxel_size : tuple of float or None
        Metres z, y, x.

    Examples
    --------
    >>> import bigrock
    >>> truth = {0: np.array([[0, 1]], np.uint8)}
    >>> stack = bigrock.ArraySource(np.array([[[0, 1]]], np.uint8), kind="labels", classes={"solid": 0, "pore": 1})
    >>> evaluate(stack, truth).scores["pixel_accuracy"]
    1.0
    """

    scores: dict[str, Any]
    classes: dict[str, int]
    pores: tuple[int, ...]
    truth: dict[int, Plane]
    predicted: dict[int, Plane]
    voxel_size: Voxel | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the scores, and of which classes and slices they are, as JSON-able values."""
        return {"classes": dict(self.classes), "slices": sorted(self.truth), **self.scores}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON text, and write it to a file where a path is given."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per slice: IoU of each class and of all pores, true and predicted porosity, pixels."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            heads = [f"iou {name}" for name in self.classes]
            writer.writerow(("slice", "pixels", *heads, "pore_iou", "porosity_true", "porosity_predicted"))
            writer.writerows(self._row(z) for z in sorted(self.truth))

    def _row(self, z: int) -> tuple[Any, ...]:
        told = self.scores["by_slice"][str(z)]
        known = self.truth[z] != IGNORE
        shares = [np.isin(plane[z][known], self.pores).mean() for plane in (self.truth, self.predicted)]
        ious = (told["iou"][name] for name in self.classes)
        return (z, int(known.sum()), *ious, told.get("pore_iou"), *map(float, shares))


def evaluate(
    prediction: StackLike,
    truth: StackLike | Mapping[int, npt.NDArray[Any]],
    *,
    slices: Sequence[int] | None = None,
    pores: Sequence[str] | None = None,
) -> Evaluation:
    """Return how well a segmented stack agrees with the labels of test slices.

    Scores from counts, exact; the interval of the porosity bias by a bootstrap over slices. Reads the
    test slices alone. Whether training has seen them is not known here: give slices that it has not.

    Parameters
    ----------
    prediction : Volume, Source or path
        A label volume, with class values 0, 1, 2….
    truth : Volume, Source, path, or mapping of int to ndarray
        Labels of the same stack; or slice → labels (y, x). 255 is left out.
    slices : sequence of int, optional
        Which slices; by default all that the mapping has, or all of the stack.
    pores : sequence of str, optional
        The classes that are pores; by default those whose names end in "pore".

    Returns
    -------
    Evaluation

    Raises
    ------
    ParameterError
        If a slice is not in the stack or the truth, has another shape, or nobody annotated it.
    PhaseError
        If the class tables differ, a value is no class, or a pore is none.

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> stack = Shale((6, 32, 32), level="easy").truth
    >>> evaluate(stack, stack, slices=[1, 4]).scores["mean_iou"]
    1.0
    """
    source = source_of(prediction)
    classes = _classes(source)
    wanted, planes = _truth(truth, source, slices)
    named = pore_names(classes) if pores is None else list(pores)
    missing = [name for name in named if name not in classes]
    if missing:
        raise PhaseError(f"pores={missing} are not classes of the prediction; its classes are {classes}.")
    values = tuple(classes[name] for name in named)
    predicted = {z: _plane(source, z) for z in wanted}
    for z in wanted:
        _check(planes[z], predicted[z], z)
    scores = score_slices(planes, predicted, classes, values)
    return Evaluation(scores, classes, values, planes, predicted, source.voxel_size)


def _classes(source: Source) -> dict[str, int]:
    classes = facts_of(source).classes
    if sorted(classes.values()) != list(range(len(classes))) or not classes:
        raise PhaseError(
            f"the prediction has the class table {classes}: scores need the values 0, 1, 2… of named classes. Give the "
            "label volume that a segmentation has made."
        )
    return classes


def _truth(
    truth: StackLike | Mapping[int, npt.NDArray[Any]], source: Source, slices: Sequence[int] | None
) -> tuple[list[int], dict[int, Plane]]:
    """Return the slices that are compared, and their labels."""
    depth = source.shape[0]
    if isinstance(truth, Mapping):
        wanted = sorted(truth if slices is None else slices)
    else:
        wanted = sorted(range(depth) if slices is None else slices)
    lacking = [z for z in wanted if not 0 <= z < depth or (isinstance(truth, Mapping) and z not in truth)]
    if lacking or not wanted:
        raise ParameterError(
            f"slices {lacking or 'none'} cannot be compared: the stack has slices 0 to {depth - 1}, and labels are "
            f"given of {sorted(truth) if isinstance(truth, Mapping) else 'the whole stack'}. Choose others."
        )
    if isinstance(truth, Mapping):
        return wanted, {z: np.asarray(truth[z]) for z in wanted}
    known = source_of(truth)
    told = facts_of(known).classes
    if known.shape != source.shape or (told and told != facts_of(source).classes):
        raise PhaseError(
            f"truth of {known.shape} voxels with classes {told} and prediction of {source.shape} with "
            f"{facts_of(source).classes} do not belong together. Give the labels of this stack."
        )
    return wanted, {z: _plane(known, z) for z in wanted}


def _plane(source: Source, z: int) -> Plane:
    _, height, width = source.shape
    return source.read(Region((z, 0, 0), (z + 1, height, width)))[0]


def _check(truth: npt.NDArray[Any], predicted: npt.NDArray[Any], z: int) -> None:
    if truth.shape != predicted.shape:
        raise ParameterError(
            f"the labels of slice {z} have shape {truth.shape}, and the stack has slices of {predicted.shape}: other "
            "pixels would be compared. Give labels of the whole slice; 255 where there are none."
        )
    if (truth == IGNORE).all():
        raise ParameterError(
            f"slice {z} has no label but {IGNORE}: there is nothing to compare. Annotate it, or leave it out."
        )


def evaluation_sections(found: Evaluation, grey: StackLike | None = None, *, most: int = 5) -> list[Section]:
    """Return the evaluation as sections of a page: scores and confusion matrix; slices side by side.

    Parameters
    ----------
    found : Evaluation
        From `evaluate`.
    grey : Volume, Source or path, optional
        The scan, shown beside the labels.
    most : int
        Slices shown, spread over all.

    Returns
    -------
    list of Section

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> rock = Shale((6, 32, 32), level="easy")
    >>> scores, slices = evaluation_sections(evaluate(rock.truth, rock.truth, slices=[1, 4]), rock)
    >>> [p.name for p in scores.pictures + slices.pictures]
    ['confusion', 'compared-1', 'compared-4']
    """
    scan = None if grey is None else source_of(grey)
    slices = np.array(sorted(found.truth))
    shown = slices[np.linspace(0, len(slices) - 1, min(most, len(slices))).round().astype(int)]
    pitch = None if found.voxel_size is None else found.voxel_size[1:]
    compared = [
        compared_picture(
            found.truth[z],
            found.predicted[z],
            found.classes,
            found.pores,
            index=z,
            grey=None if scan is None else _plane(scan, z),
            pitch=pitch,
            note=_said(found.scores["by_slice"][str(z)]["iou"]),
        )
        for z in shown.tolist()
    ]
    matrix = confusion_picture(np.array(found.scores["confusion"]), found.classes)
    grids = {"Scores": _grid(found)}
    if found.scores["porosity_bias"]:
        grids["Porosity"] = _porosity_grid(found.scores["porosity_bias"])
    return [
        Section("Test slices", [matrix], grids=grids),
        Section("Test slices, side by side", compared, columns=1),
    ]


def _said(ious: Mapping[str, float | None]) -> str:
    known = [f"{name} {value:.3f}" for name, value in ious.items() if value is not None]
    return f"IoU: {', '.join(known)}."


def _grid(found: Evaluation) -> Grid:
    told = found.scores
    rows = [
        (name, *(_number(told[score][name]) for score in ("iou", "interior_iou", "dice")))
        for name in found.classes
    ]
    rows.append(("mean", _number(told["mean_iou"]), "–", "–"))
    if "pore_iou" in told:
        rows.append(("all pores", _number(told["pore_iou"]), "–", "–"))
    note = f"{len(found.truth)} slices; pixel accuracy {_number(told['pixel_accuracy'])}."
    return Grid(("class", "IoU", "IoU off the borders", "Dice"), tuple(rows), note)


def _porosity_grid(bias: Mapping[str, float | None]) -> Grid:
    def percent(key: str) -> str:
        value = bias[key]
        return "–" if value is None else f"{100 * value:.3g}"

    def interval(prefix: str) -> str:
        return f"{percent(f'{prefix}low')} … {percent(f'{prefix}high')}"

    rows = (
        ("truth (%)", percent("truth"), ""),
        ("prediction (%)", percent("predicted"), ""),
        ("bias (percentage points)", percent("bias"), interval("")),
        ("relative bias (%)", percent("relative"), interval("relative_")),
    )
    return Grid(("porosity", "value", "95 % interval (bootstrap over slices)"), rows)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
