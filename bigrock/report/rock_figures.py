"""Slices of rocks side by side: the truth, what is left at low resolution, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.report.drawing import new_figure, png_of
from bigrock.report.figures import Picture
from bigrock.report.palette import CLASSES
from bigrock.report.plots import DARK, LIGHT, Ink

__all__ = ["rocks_picture"]

Array = npt.NDArray[Any]

_PANEL, _GAP, _TOP, _LEFT = 132, 8, 26, 78


def rocks_picture(
    name: str, rows: Mapping[str, Sequence[Array]], columns: Sequence[str], *, caption: str = ""
) -> Picture:
    """Return slices of pore fractions in a table: a row for each rock, a column for each image of it.

    Parameters
    ----------
    name : str
        Of the file, without ending.
    rows : mapping of str to sequence of ndarray (y, x)
        Name of a rock to its images, from 0 (solid, light) to 1 (pore, blue); of any extents.
    columns : sequence of str
        What each image is.
    caption : str
        As in `Picture`.

    Examples
    --------
    >>> rocks_picture("rocks", {"pack": [np.eye(4), np.eye(8)]}, ["coarse", "fine"]).name
    'rocks'
    """
    light, dark = (_drawn(rows, columns, ink) for ink in (LIGHT, DARK))
    return Picture(name, light, "", caption, f"slices of rocks: {', '.join(columns)}", dark)


def _drawn(rows: Mapping[str, Sequence[Array]], columns: Sequence[str], ink: Ink) -> bytes:
    width = _LEFT + len(columns) * (_PANEL + _GAP)
    height = _TOP + len(rows) * (_PANEL + _GAP)
    figure = new_figure(width, height, ink.paper, scale=2)
    for i, (rock, images) in enumerate(rows.items()):
        bottom = height - _TOP - i * (_PANEL + _GAP) - _PANEL
        middle = (bottom + _PANEL / 2) / height
        figure.text((_LEFT - 8) / width, middle, rock, color=ink.text, fontsize=9, ha="right", va="center")
        for j, image in enumerate(images):
            left = (_LEFT + j * (_PANEL + _GAP)) / width
            axes = figure.add_axes((left, bottom / height, _PANEL / width, _PANEL / height))
            axes.imshow(_painted(image), interpolation="nearest")
            axes.set_axis_off()
            if not i:
                axes.set_title(columns[j], color=ink.text, fontsize=9, pad=5)
    return png_of(figure, palette=128)


def _painted(image: Array) -> Array:
    """Return pore fractions as RGB, from light grey to blue."""
    share = np.clip(np.asarray(image, np.float32), 0, 1)[..., None]
    solid, pore = (np.array(CLASSES[colour], np.float32) for colour in ("light grey", "blue"))
    return np.rint(solid + share * (pore - solid)).astype(np.uint8)
