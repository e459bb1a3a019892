"""Annotated slices: what a network is trained on, checked before anything is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import NonFiniteError, ParameterError, PhaseError

__all__ = ["IGNORE", "TrainingSlice", "check_slices", "class_counts", "digest_of"]

IGNORE = 255
"""Label of pixels that nobody annotated: they are neither learnt nor scored."""


@dataclass(frozen=True, eq=False)
class TrainingSlice:
    """A slice and the class of its pixels.

    Parameters
    ----------
    image : ndarray of float32, shape (1 + 2·neighbours, y, x)
        Standardised grey levels (`bigrock.kernels.standardize`): the slices before it, itself and those after it.
        Other real types are converted; (y, x) is taken as one slice.
    label : ndarray of uint8, shape (y, x)
        Class values; 255 where nobody annotated.
    name : str
        For messages.

    Raises
    ------
    ParameterError
        If shapes or types do not fit.
    NonFiniteError
        If the image holds NaN or infinity.

    Examples
    --------
    >>> TrainingSlice(np.zeros((4, 5), np.float32), np.zeros((4, 5), np.uint8)).image.shape
    (1, 4, 5)
    """

    image: npt.NDArray[np.float32]
    label: npt.NDArray[np.uint8]
    name: str = ""

    def __post_init__(self) -> None:
        image, label = np.asarray(self.image), np.asarray(self.label)
        said = f"slice {self.name}" if self.name else "a slice"
        image = image[None] if image.ndim == 2 else image
        if image.ndim != 3 or label.ndim != 2 or image.shape[1:] != label.shape or not label.size:
            raise ParameterError(
                f"{said} has an image of shape {np.shape(self.image)} and a label of shape {label.shape}: pixels "
                "would get the classes of others. Give (slices, y, x) and (y, x) with the same y and x."
            )
        if label.dtype.kind not in "ui" or image.dtype.kind not in "uif":
            raise ParameterError(
                f"{said} has an image of {image.dtype} and a label of {label.dtype}. Give real numbers, and "
                "integers from the class table."
            )
        if int(label.min()) < 0 or int(label.max()) > IGNORE:
            raise ParameterError(
                f"{said} has labels from {label.min()} to {label.max()}. Give values of the class table, and "
                f"{IGNORE} where nobody annotated."
            )
        if not np.isfinite(image).all():
            raise NonFiniteError(
                f"{said} holds NaN or infinity: every weight would become NaN. Replace or mask these pixels before."
            )
        object.__setattr__(self, "image", np.ascontiguousarray(image, np.float32))
        object.__setattr__(self, "label", np.ascontiguousarray(label, np.uint8))


def class_counts(slices: Sequence[TrainingSlice]) -> npt.NDArray[np.int64]:
    """Return how many pixels have each of the labels 0 … 255."""
    counts = np.zeros(256, np.int64)
    for item in slices:
        counts += np.bincount(item.label.ravel(), minlength=256)
    return counts


def check_slices(
    slices: Sequence[TrainingSlice], classes: Mapping[str, int], channels: int, *, role: str, every: bool
) -> None:
    """Refuse slices that a network cannot be trained on, or scored with.

    Parameters
    ----------
    slices : sequence of TrainingSlice
        What is given.
    classes : mapping of str to int
        Class table.
    channels : int
        Slices that the network is given at once.
    role : str
        "training", "validation"…, for messages.
    every : bool
        Whether every class must be annotated somewhere.

    Raises
    ------
    ParameterError
        If there are none, or they have another number of channels, or one holds no annotated pixel.
    PhaseError
        If a label is not in the class table, or a class is annotated nowhere.
    """
    if not slices:
        raise ParameterError(f"there are no {role} slices. Annotate at least one.")
    for place, item in enumerate(slices):
        said = f"{role} slice {item.name or place}"
        if len(item.image) != channels:
            raise ParameterError(
                f"{said} has {len(item.image)} channels, and the network is given {channels}. Give the slice with "
                f"{(channels - 1) // 2} neighbours on each side, or set `neighbours` to what there is."
            )
        _check_labels(item.label, classes, said)
    counts = class_counts(slices)
    missing = [name for name, value in classes.items() if not counts[value]]
    if every and missing:
        raise PhaseError(
            f"no pixel of the {role} slices is annotated as {', '.join(missing)}: the network would never give that "
            "class. Annotate some, choose other slices, or leave the class out of the table."
        )


def _check_labels(label: npt.NDArray[np.uint8], classes: Mapping[str, int], said: str) -> None:
    found = np.flatnonzero(np.bincount(label.ravel(), minlength=256))
    if found.tolist() == [IGNORE]:
        raise ParameterError(
            f"{said} holds no annotated pixel (all are {IGNORE}): nothing could be learnt from it. Annotate it, or "
            "leave it out."
        )
    odd = sorted(set(found.tolist()) - set(classes.values()) - {IGNORE})
    if odd:
        raise PhaseError(
            f"{said} has the labels {odd}, which are not in the class table {dict(classes)}. Correct the labels, or "
            f"name the classes; unannotated pixels are {IGNORE}."
        )


def digest_of(slices: Sequence[TrainingSlice]) -> str:
    """Return the SHA-256 of all images and labels, in their order."""
    digest = hashlib.sha256()
    for item in slices:
        arrays: tuple[npt.NDArray[Any], ...] = (item.image, item.label)
        for array in arrays:
            digest.update(str(array.shape).encode())
            digest.update(array.data)
    return digest.hexdigest()
