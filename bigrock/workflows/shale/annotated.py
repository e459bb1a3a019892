"""Labels of some slices of a stack: from a label volume or a few arrays, checked before anything is trained."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reducing import reduce
from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError, PhaseError
from bigrock.geometry import Block, Region, Shape
from bigrock.training import IGNORE
from bigrock.volumes import Source, source_of
from bigrock.volumes.source import Facts, facts_of

__all__ = ["AnnotatedSlices", "LabelCounts", "Labels", "annotated_slices"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LabelCounts(Reduction):
    """How often each label 0 … 255 occurs in each slice, from any blocks; uint64, shape (z, 256).

    Examples
    --------
    >>> import bigrock
    >>> labels = bigrock.ArraySource(np.array([[[0, 1]], [[255, 255]]], np.uint8), kind="labels")
    >>> [counts] = bigrock.reduce(labels, [LabelCounts()])
    >>> counts[:, [0, 1, 255]].tolist()
    [[1, 1, 0], [0, 0, 2]]
    """

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The labels of one slice at a time, as indices."""
        return 8.0

    def state_bytes(self, facts: Facts) -> float:
        """256 counts a slice."""
        return 2048.0 * facts.shape[0]

    def block(self, array: Array, block: Block) -> Array:
        """Return the counts of the core."""
        counts = np.zeros((block.volume[0], 256), np.uint64)
        for z, plane in enumerate(array[block.trim], block.core.start[0]):
            counts[z] = np.bincount(plane.ravel().astype(np.uint8, copy=False), minlength=256)
        return counts

    def combine(self, a: Array, b: Array) -> Array:
        """Return the sums."""
        a += b
        return a

    def finish(self, state: Array, facts: Facts) -> Array:
        """Return the counts of the whole stack."""
        return state


@dataclass(frozen=True, eq=False)
class AnnotatedSlices:
    """Labels of slices, known to fit a stack and its classes; from `annotated_slices`.

    Attributes
    ----------
    source : Source or mapping
        Where the labels are.
    classes : dict of str to int
        The class table.
    counts : ndarray of uint64, shape (z, 256)
        How often each label occurs in each slice.

    Examples
    --------
    >>> given = {3: np.zeros((4, 4), np.uint8)}
    >>> annotated_slices(given, (8, 4, 4), {"solid": 0, "pore": 1}).available
    [3]
    """

    source: Source | Mapping[int, Array]
    classes: Mapping[str, int]
    counts: Array

    @property
    def available(self) -> list[int]:
        """Slices with annotated pixels, from below."""
        return [int(z) for z in np.flatnonzero(self.counts[:, :IGNORE].sum(1))]

    def missing(self, slices: list[int]) -> list[str]:
        """Return the classes that are annotated in none of the slices."""
        found = self.counts[slices].sum(0)
        return [name for name, value in self.classes.items() if not found[value]]

    def read(self, z: int) -> npt.NDArray[np.uint8]:
        """Return the labels of a slice."""
        if isinstance(self.source, Mapping):
            return np.asarray(self.source[z]).astype(np.uint8)
        _, y, x = self.source.shape
        return self.source.read(Region((z, 0, 0), (z + 1, y, x)))[0].astype(np.uint8)


Labels = Source | str | os.PathLike[str] | Mapping[int, Array] | AnnotatedSlices
"""A label volume, its path, or slice → 2-D array; 255 where nobody annotated. Or these, checked before."""


def annotated_slices(labels: Labels, shape: Shape, classes: Mapping[str, int], **how: Any) -> AnnotatedSlices:
    """Return the labels of a stack, once it is known that they fit it.

    A label volume is read once, in blocks.

    Parameters
    ----------
    labels : Source, path, mapping of int to ndarray, or AnnotatedSlices
        A label volume of the stack's shape, or slice → labels (y, x); 255 where nobody annotated.
    shape : tuple of int
        Of the stack.
    classes : mapping of str to int
        The class table.
    **how
        For `bigrock.reduce`: executor, ram, progress.

    Returns
    -------
    AnnotatedSlices

    Raises
    ------
    ParameterError
        If the labels have another shape, lie outside the stack, or hold no annotated pixel.
    PhaseError
        If a label is no class, or the volume has another class table.

    Examples
    --------
    >>> annotated_slices({9: np.zeros((4, 4), np.uint8)}, (8, 4, 4), {"solid": 0, "pore": 1})
    Traceback (most recent call last):
    bigrock.errors.ParameterError: labels name slice 9, and the stack has the slices 0 to 7. ...
    """
    if isinstance(labels, AnnotatedSlices):
        return labels
    if isinstance(labels, Mapping):
        given = {_slice_number(z): np.asarray(label) for z, label in labels.items()}
        counts = _counted(given, shape)
        source: Any = given
    else:
        source = source_of(labels)
        _check_volume(source, shape, classes)
        [counts] = reduce(source, [LabelCounts()], title="labels", **how)
    found = AnnotatedSlices(source, dict(classes), counts)
    _check_values(counts, classes)
    if not found.available:
        raise ParameterError(
            "no pixel of the labels is annotated: nothing could be learnt. Annotate some slices."
        )
    return found


def _slice_number(z: Any) -> int:
    try:
        return int(operator.index(z))
    except TypeError:
        raise ParameterError(
            f"labels are given for slice {z!r}, which is no number. Give slice → labels, slices counted from 0."
        ) from None


def _counted(given: Mapping[int, Array], shape: Shape) -> Array:
    """Return the counts of slices in memory; refuse what does not fit the stack."""
    counts = np.zeros((shape[0], 256), np.uint64)
    for z, label in given.items():
        if not 0 <= z < shape[0]:
            raise ParameterError(
                f"labels name slice {z}, and the stack has the slices 0 to {shape[0] - 1}. Count the slices from 0."
            )
        if label.shape != shape[1:]:
            raise ParameterError(
                f"the labels of slice {z} have the shape {label.shape}, and the slices of the stack {shape[1:]}: "
                "pixels would get the classes of others. Give labels of whole slices."
            )
        _check_type(label.dtype, f"the labels of slice {z}")
        if label.dtype.kind != "b" and (int(label.min()) < 0 or int(label.max()) > IGNORE):
            raise PhaseError(
                f"the labels of slice {z} run from {label.min()} to {label.max()}. Give values of the class table, and "
                f"{IGNORE} where nobody annotated."
            )
        counts[z] = np.bincount(label.ravel().astype(np.uint8), minlength=256)
        if counts[z, IGNORE] == label.size:
            raise ParameterError(
                f"the labels of slice {z} hold no annotated pixel (all are {IGNORE}): nothing could be learnt from it. "
                "Annotate it, or leave it out."
            )
    return counts


def _check_type(dtype: np.dtype[Any], said: str) -> None:
    if dtype.kind not in "bui":
        raise ParameterError(
            f"{said} are of type {dtype}, which are no class values. Give integers, such as uint8."
        )


def _check_volume(source: Source, shape: Shape, classes: Mapping[str, int]) -> None:
    if source.shape != shape:
        raise ParameterError(
            f"the labels have the shape {source.shape}, and the stack {shape}: voxels would get the classes of others. "
            "Give labels of the same voxels."
        )
    _check_type(np.dtype(source.dtype), "the labels")
    if np.dtype(source.dtype).itemsize > 1:
        raise ParameterError(
            f"the labels are of type {source.dtype}, and classes are numbers up to {IGNORE}. Store them as uint8."
        )
    table = facts_of(source).classes
    wrong = {name: value for name, value in table.items() if classes.get(name, value) != value}
    if wrong:
        raise PhaseError(
            f"the labels say {wrong}, and the class table {dict(classes)}: classes would get the names of others. Use "
            "the numbers of the labels."
        )


def _check_values(counts: Array, classes: Mapping[str, int]) -> None:
    found = counts.sum(0)
    odd = [int(v) for v in np.flatnonzero(found) if v != IGNORE and v not in classes.values()]
    if odd:
        where = int(np.flatnonzero(counts[:, odd].sum(1))[0])
        raise PhaseError(
            f"the labels hold {_listed(odd)} (first in slice {where}), and the class table is "
            f"{dict(classes)}. Correct the labels, or name these classes; unannotated pixels are {IGNORE}."
        )


def _listed(values: list[int], most: int = 8) -> str:
    named = ", ".join(map(str, values[:most]))
    return f"{named} and {len(values) - most} other values" if len(values) > most else named
