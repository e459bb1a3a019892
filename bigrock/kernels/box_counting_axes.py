"""Axes of what is counted in boxes: images as one slice, slices across an axis, the shortest side."""

from __future__ import annotations

from typing import Any

from bigrock.errors import ParameterError
from bigrock.geometry import Shape

__all__ = ["check_axis", "shortest_side", "turned", "volume_shape"]


def volume_shape(image: Any) -> Shape:
    """Return z, y, x of an array of two axes, as one slice, or three.

    Raises
    ------
    ParameterError
        If it has another number of axes, or no voxel.

    Examples
    --------
    >>> import numpy as np
    >>> volume_shape(np.zeros((3, 4)))
    (1, 3, 4)
    """
    shape = (1, *image.shape) if image.ndim == 2 else tuple(image.shape)
    if len(shape) != 3 or not all(shape):
        raise ParameterError(
            f"an array of shape {tuple(image.shape)} is no image and no volume: there are no boxes in it. Give two "
            "or three axes of at least one voxel."
        )
    z, y, x = shape
    return z, y, x


def shortest_side(shape: tuple[int, ...]) -> int:
    """Return the extent of the shortest axis, axes of one voxel left aside: a slice is no thin volume.

    Examples
    --------
    >>> shortest_side((1, 40, 30))
    30
    """
    return min((n for n in shape if n > 1), default=1)


def check_axis(axis: int | None) -> None:
    """Refuse what is no axis to take slices across.

    Raises
    ------
    ParameterError
        If it is not 0, 1, 2, or None.

    Examples
    --------
    >>> check_axis(None)
    """
    if axis not in (None, 0, 1, 2):
        raise ParameterError(
            f"axis={axis!r} is not known. Use 0, 1 or 2 for slices across z, y or x, or None for the volume."
        )


def turned(shape: Shape, axis: int | None) -> Shape:
    """Return z, y, x with one axis moved to the front.

    Examples
    --------
    >>> turned((10, 20, 30), 2)
    (30, 10, 20)
    """
    if axis is None:
        return shape
    z, y, x = (shape[axis], *shape[:axis], *shape[axis + 1 :])
    return z, y, x
