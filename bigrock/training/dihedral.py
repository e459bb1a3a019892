"""Mirrored and turned images: what changes no physics, or no flow along the first axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["along_flow", "any_turn"]

Array = npt.NDArray[Any]


def along_flow(rng: np.random.Generator, image: Array) -> Array:
    """Return one of the 16 views of an image with the same permeability along its first axis.

    Mirrored along any axes, the two axes across the flow exchanged or not. A view, not a copy.

    Examples
    --------
    >>> along_flow(np.random.default_rng(0), np.zeros((3, 4, 5))).shape[0]
    3
    """
    if rng.random() < 0.5:
        image = image.swapaxes(1, 2)
    return _mirrored(rng, image)


def any_turn(rng: np.random.Generator, image: Array) -> Array:
    """Return one of the 48 views of an image: its axes in any order, each mirrored or not. A view, not a copy.

    Examples
    --------
    >>> sorted(any_turn(np.random.default_rng(0), np.zeros((3, 4, 5))).shape)
    [3, 4, 5]
    """
    return _mirrored(rng, image.transpose(rng.permutation(3)))


def _mirrored(rng: np.random.Generator, image: Array) -> Array:
    flips = tuple(slice(None, None, -1) if rng.random() < 0.5 else slice(None) for _ in range(3))
    return image[flips]
