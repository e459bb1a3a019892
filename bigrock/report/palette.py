"""Colours that people with any colour vision can tell apart, and pixels painted with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "CLASSES",
    "class_colours",
    "grey_window",
    "paint_grey",
    "paint_labels",
    "paint_mask",
    "paint_overlay",
]

Pixels = npt.NDArray[Any]

CLASSES = {
    "blue": (0, 114, 178),
    "light grey": (226, 229, 233),
    "orange": (230, 159, 0),
    "green": (0, 158, 115),
    "purple": (204, 121, 167),
    "sky blue": (86, 180, 233),
    "vermilion": (213, 94, 0),
    "yellow": (240, 228, 66),
}
"""Okabe & Ito, Color universal design, 2008, with a light grey for black; the first is for pores."""

_OVERLAY = (86, 180, 233)
_TINT = 0.45


def grey_window(images: list[Pixels]) -> tuple[float, float]:
    """Return the grey levels shown as black and white: the 0.5 and 99.5 percentiles of the images.

    Parameters
    ----------
    images : list of array
        Grey slices of one volume.

    Returns
    -------
    tuple of float
        Black, white; white is greater.

    Examples
    --------
    >>> import numpy as np
    >>> grey_window([np.arange(1001)])
    (5.0, 995.0)
    """
    values = np.concatenate([image.ravel() for image in images])
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if finite.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(finite, (0.5, 99.5)))
    return (low, high) if high > low else (low, low + 1.0)


def paint_grey(image: Pixels, window: tuple[float, float]) -> Pixels:
    """Return a grey image as RGB, uint8; black and white where the window says.

    Examples
    --------
    >>> import numpy as np
    >>> paint_grey(np.array([[0, 10]]), (0, 10))[0, :, 0]
    array([  0, 255], dtype=uint8)
    """
    low, high = window
    scaled = (np.nan_to_num(image.astype(np.float32), nan=low) - low) * (255.0 / (high - low))
    return np.repeat(np.clip(np.rint(scaled), 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def paint_mask(mask: Pixels) -> Pixels:
    """Return a mask as RGB, uint8: pore blue, solid light grey.

    Examples
    --------
    >>> import numpy as np
    >>> paint_mask(np.array([[True]]))
    array([[[  0, 114, 178]]], dtype=uint8)
    """
    return np.where(
        mask.astype(bool)[..., None],
        np.array(CLASSES["blue"], np.uint8),
        np.array(CLASSES["light grey"], np.uint8),
    )


def class_colours(classes: Mapping[str, int]) -> dict[int, str]:
    """Return the name of the colour of each class: blue for "pore", then the palette in turn.

    Parameters
    ----------
    classes : mapping of str to int
        Class table of a label volume.

    Returns
    -------
    dict of int to str
        Label to a key of `CLASSES`.

    Examples
    --------
    >>> class_colours({"matrix": 0, "pore": 2, "clay": 1})
    {0: 'light grey', 2: 'blue', 1: 'orange'}
    """
    names = list(CLASSES)
    others = iter(range(1, len(classes) + 1))
    return {
        value: names[0 if name == "pore" else next(others) % len(names)] for name, value in classes.items()
    }


def paint_labels(labels: Pixels, classes: Mapping[str, int] | None = None) -> Pixels:
    """Return a label image as RGB, uint8, in the colours of `class_colours`.

    Labels without a class are painted in the colours of the palette in turn, 0 light grey.

    Examples
    --------
    >>> import numpy as np
    >>> paint_labels(np.array([[0, 1]]), {"pore": 1})[0, :, 0]
    array([226,   0], dtype=uint8)
    """
    table = np.array(list(CLASSES.values()), np.uint8)
    # Label 0 is mostly the background, and stands for the light grey at place 1.
    picture = table[(labels.astype(np.int64) + 1) % len(table)]
    for value, colour in class_colours(classes or {}).items():
        picture[labels == value] = CLASSES[colour]
    return picture


def paint_overlay(grey: Pixels, mask: Pixels, window: tuple[float, float]) -> Pixels:
    """Return a grey image as RGB, uint8, with the pores tinted and their outlines drawn.

    Parameters
    ----------
    grey : array (rows, columns)
        Grey levels.
    mask : array (rows, columns)
        True = pore.
    window : tuple of float
        Grey levels shown as black and white.

    Returns
    -------
    uint8 array (rows, columns, 3)
        The picture.

    Examples
    --------
    >>> import numpy as np
    >>> paint_overlay(np.zeros((3, 3)), np.zeros((3, 3), bool), (0, 1)).max()
    np.uint8(0)
    """
    picture = paint_grey(grey, window)
    pore = mask.astype(bool)
    tint = np.array(_OVERLAY, np.float32)
    picture[pore] = np.rint((1 - _TINT) * picture[pore] + _TINT * tint).astype(np.uint8)
    around = np.pad(pore, 1, mode="edge")
    inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    edge = pore & ~inner
    picture[edge] = tint.astype(np.uint8)
    return picture
