"""Truth, prediction and errors of a slice side by side, and confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.report.drawing import new_figure, png_of, scale_bar
from bigrock.report.figures import Picture
from bigrock.report.palette import CLASSES, grey_window, paint_grey, paint_labels
from bigrock.report.plots import DARK, LIGHT, Ink
from bigrock.units import format_length

__all__ = ["compared_picture", "confusion_picture", "paint_errors"]

Array = npt.NDArray[Any]

IGNORE = 255
_ERRORS = {
    "pore that is none": CLASSES["vermilion"],
    "pore that was missed": CLASSES["blue"],
    "pore of the other kind": CLASSES["yellow"],
    "other class": (95, 99, 107),
}
_PALE = 0.82
_PANEL, _GAP, _TOP, _BOTTOM = 300, 10, 26, 34


def paint_errors(truth: Array, predicted: Array, classes: Mapping[str, int], pores: Sequence[int]) -> Array:
    """Return an image of what was taken for what, RGB, uint8: right pale in the colours of the classes.

    Parameters
    ----------
    truth, predicted : ndarray of integers, (rows, columns)
        Class values; 255 in the truth (nobody annotated it) is hatched.
    classes : mapping of str to int
        Class table.
    pores : sequence of int
        Values of the classes that are pores.

    Returns
    -------
    ndarray of uint8, (rows, columns, 3)
        Vermilion: a pore that is none. Blue: a pore that was missed. Yellow: a pore of the other kind.
        Dark grey: another error.

    Examples
    --------
    >>> paint_errors(np.array([[0, 1, 2]]), np.array([[1, 0, 1]]), {"a": 0, "b": 1, "c": 2}, [1, 2])[0].tolist()
    [[213, 94, 0], [0, 114, 178], [240, 228, 66]]
    """
    painted = paint_labels(truth, classes).astype(np.float32)
    painted = np.rint(_PALE * 255 + (1 - _PALE) * painted).astype(np.uint8)
    is_pore, was_pore = np.isin(truth, pores), np.isin(predicted, pores)
    wrong = truth != predicted
    kinds = (~is_pore & was_pore, is_pore & ~was_pore, is_pore & was_pore, ~is_pore & ~was_pore)
    for kind, colour in zip(kinds, _ERRORS.values(), strict=True):
        painted[wrong & kind] = colour
    return _hatched(painted, truth == IGNORE)


def _hatched(painted: Array, unknown: Array) -> Array:
    """Return the image with stripes where nothing is known."""
    rows, columns = np.indices(unknown.shape)
    stripes = np.where((rows + columns) // max(2, min(unknown.shape) // 40) % 2, 196, 226)
    return np.where(unknown[..., None], stripes[..., None], painted).astype(np.uint8)


def compared_picture(
    truth: Array,
    predicted: Array,
    classes: Mapping[str, int],
    pores: Sequence[int],
    *,
    index: int,
    grey: Array | None = None,
    pitch: tuple[float, float] | None = None,
    note: str = "",
) -> Picture:
    """Return one slice as a picture: grey levels, truth, prediction and errors side by side.

    Parameters
    ----------
    truth, predicted : ndarray of integers, (rows, columns)
        Class values; 255 in the truth is not known.
    classes : mapping of str to int
        Class table.
    pores : sequence of int
        Values of the classes that are pores.
    index : int
        Number of the slice.
    grey : ndarray, (rows, columns), optional
        Its grey levels.
    pitch : (float, float), optional
        Metres per row and column.
    note : str
        Said in the caption, such as scores.

    Examples
    --------
    >>> labels = np.eye(8, dtype=np.uint8)
    >>> compared_picture(labels, labels, {"solid": 0, "pore": 1}, [1], index=5).name
    'compared-5'
    """
    true_image = paint_labels(np.where(truth == IGNORE, 0, truth), classes)
    panels = {"truth": _hatched(true_image, truth == IGNORE), "prediction": paint_labels(predicted, classes)}
    panels["errors"] = paint_errors(truth, predicted, classes, pores)
    if grey is not None:
        panels = {"grey": paint_grey(grey, grey_window([grey])), **panels}
    light, dark = (_side_by_side(panels, pitch, ink) for ink in (LIGHT, DARK))
    caption = f"Slice {index}. {note}".strip()
    return Picture(f"compared-{index}", light, "", caption, f"{', '.join(panels)} of slice {index}", dark)


def _side_by_side(panels: Mapping[str, Array], pitch: tuple[float, float] | None, ink: Ink) -> bytes:
    from matplotlib.patches import Patch, Rectangle

    rows, columns = next(iter(panels.values())).shape[:2]
    high, wide = pitch or (1.0, 1.0)
    panel = int(_PANEL * min(2.0, max(0.4, rows * high / (columns * wide))))
    width = len(panels) * (_PANEL + _GAP) - _GAP
    height = panel + _TOP + _BOTTOM
    figure = new_figure(width, height, ink.paper, scale=2)
    for k, (name, image) in enumerate(panels.items()):
        place = (k * (_PANEL + _GAP) / width, _BOTTOM / height, _PANEL / width, panel / height)
        axes = figure.add_axes(place)
        axes.imshow(image, interpolation="nearest", aspect="auto")
        axes.set_axis_off()
        axes.set_title(name, color=ink.text, fontsize=10, pad=4)
    names = [
        Patch(color=tuple((np.array(colour) / 255).tolist()), label=name) for name, colour in _ERRORS.items()
    ]
    figure.legend(
        handles=names,
        loc="lower right",
        bbox_to_anchor=(1.0, -0.01),
        ncols=len(names),
        fontsize=8.5,
        labelcolor=ink.text,
        frameon=False,
        handlelength=1.0,
        columnspacing=1.2,
        borderpad=0.4,
    )
    if pitch is not None:
        length = scale_bar(columns * wide / 3)
        part = length / (columns * wide) * _PANEL / width
        bar = Rectangle((0, 20 / height), part, 4 / height, transform=figure.transFigure, color=ink.text)
        figure.add_artist(bar)
        figure.text(0, 15 / height, format_length(length), color=ink.text, fontsize=8.5, va="top")
    return png_of(figure)


def confusion_picture(counts: Array, classes: Mapping[str, int]) -> Picture:
    """Return a confusion matrix as a picture: pixels, and shares of each true class.

    Parameters
    ----------
    counts : ndarray of integers, (n, n)
        Rows: true class. Columns: predicted class.
    classes : mapping of str to int
        Class table.

    Examples
    --------
    >>> confusion_picture(np.array([[9, 1], [2, 8]]), {"solid": 0, "pore": 1}).name
    'confusion'
    """
    counts = np.asarray(counts, float)
    names = [name for name, _ in sorted(classes.items(), key=lambda item: item[1])]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    light, dark = (_matrices(counts, shares, names, ink) for ink in (LIGHT, DARK))
    caption = "Rows: truth. Columns: prediction. Left: pixels. Right: shares of each true class."
    return Picture(
        "confusion", light, "", caption, "confusion matrix: pixels, and shares by true class", dark
    )


def _matrices(counts: Array, shares: Array, names: Sequence[str], ink: Ink) -> bytes:
    from matplotlib.colors import LinearSegmentedColormap

    cell, left, top = 74, 112, 46
    side = cell * len(names)
    width, height = left + 2 * side + 40, top + side + 34
    figure = new_figure(width, height, ink.paper, scale=2)
    shading = LinearSegmentedColormap.from_list("shares", [ink.paper, ink.data])
    words = (
        [[f"{int(n):,}".replace(",", "\N{NO-BREAK SPACE}") for n in row] for row in counts],
        [[f"{100 * s:.1f} %" if np.isfinite(s) else "–" for s in row] for row in shares],
    )
    for k, cells in enumerate(words):
        start = left + k * (side + 24)
        axes = figure.add_axes((start / width, 34 / height, side / width, side / height))
        axes.imshow(np.nan_to_num(shares), cmap=shading, vmin=0, vmax=1)
        for i, row in enumerate(cells):
            for j, text in enumerate(row):
                colour = ink.paper if np.nan_to_num(shares[i, j]) > 0.55 else ink.text
                axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=8.5)
        axes.set_xticks(range(len(names)), [n.replace(" ", "\n") for n in names], fontsize=8.5)
        axes.xaxis.tick_top()
        axes.set_yticks(range(len(names)), names if k == 0 else [], fontsize=8.5)
        axes.tick_params(length=0, colors=ink.text)
        axes.set_xlabel(("pixels", "shares of the true class")[k], color=ink.text, fontsize=9.5)
        for spine in axes.spines.values():
            spine.set_color(ink.grid)
    return png_of(figure, palette=96)
