"""Which annotated slices a network learns from, which choose its weights, and which score it."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bigrock.errors import ParameterError
from bigrock.training import IGNORE, TrainingSlice
from bigrock.volumes.source import Voxel
from bigrock.workflows.shale.annotated import AnnotatedSlices
from bigrock.workflows.shale.selection import SliceChoice, select_slices

__all__ = ["Parts", "Slices", "held_out", "parts_of"]


_HELD_OUT = 5


@dataclass(frozen=True, slots=True)
class Parts:
    """Slices by what they are for; no slice is in two of them.

    Attributes
    ----------
    training, validation, test : tuple of int
        Slices, from below. Where `validation` is empty, a strip of every training slice is held out for it.

    Raises
    ------
    ParameterError
        If a slice is in two parts.

    Examples
    --------
    >>> Parts((3, 9), (6,), (1,)).nearest_test
    2
    """

    training: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]

    def __post_init__(self) -> None:
        seen: dict[int, str] = {}
        for name in ("training", "validation", "test"):
            for z in getattr(self, name):
                if z in seen:
                    raise ParameterError(
                        f"slice {z} is given for {seen[z]} and for {name}: the scores would be of what was learnt, and "
                        "not of what was found. Give different slices."
                    )
                seen[z] = name

    @property
    def nearest_test(self) -> int | None:
        """Slices between a test slice and the training slice nearest to it; None without test slices."""
        if not self.test:
            return None
        return min(abs(a - b) for a in self.test for b in self.training)

    def to_dict(self) -> dict[str, Any]:
        """Return the slices as JSON."""
        parts = {name: list(getattr(self, name)) for name in ("training", "validation", "test")}
        return {**parts, "nearest_test": self.nearest_test}


Slices = int | Sequence[int] | Mapping[str, Sequence[int]] | SliceChoice | Parts
"""How many training slices; which; or which for "training", "validation" and "test"."""


def parts_of(
    slices: Slices, labels: AnnotatedSlices, *, voxel_size: Voxel, test: int = 5, apart: int | None = None
) -> Parts:
    """Return the parts of a stack, all of them annotated.

    A number of training slices takes the places of `select_slices`: training slices at equal intervals,
    validation slices at 1/3 and 2/3, test slices by a Halton sequence; where these are not annotated,
    the annotated slices that are nearest. Given training slices leave the others to validation and test.

    Parameters
    ----------
    slices : int, sequence of int, mapping, SliceChoice or Parts
        How many training slices; which; or every part by its name.
    labels : AnnotatedSlices
        What is annotated.
    voxel_size : tuple of float
        Metres z, y, x.
    test : int
        How many test slices there are at most.
    apart : int, optional
        As for `select_slices`.

    Returns
    -------
    Parts

    Raises
    ------
    ParameterError
        If more slices are asked for than there are, one is not annotated, or one is in two parts.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.workflows.shale.annotated import annotated_slices
    >>> given = {z: np.zeros((4, 4), np.uint8) for z in (3, 5, 7, 10, 13, 20)}
    >>> labels = annotated_slices(given, (24, 4, 4), {"solid": 0, "pore": 1})
    >>> parts_of(2, labels, voxel_size=(1e-8, 1e-8, 1e-8))
    Parts(training=(7, 13), validation=(10, 20), test=(3, 5))
    """
    depth = len(labels.counts)
    if isinstance(slices, SliceChoice):
        slices = Parts(slices.train, slices.validation, slices.test)
    if isinstance(slices, Parts):
        slices = {"training": slices.training, "validation": slices.validation, "test": slices.test}
    if isinstance(slices, Mapping):
        return _named(slices, labels, depth)
    if isinstance(slices, Sequence):
        training = _checked(slices, labels, depth, "training")
        wanted = _wanted(depth, len(training), voxel_size, test, apart)
    else:
        count = _count(slices, labels, depth)
        wanted = _wanted(depth, count, voxel_size, test, apart)
        training = _nearest(wanted.train, labels.available)
    left = [z for z in labels.available if z not in training]
    validation = _nearest(wanted.validation, left)
    left = [z for z in left if z not in validation]
    return Parts(training, validation, _nearest(wanted.test, left))


def held_out(slices: Sequence[TrainingSlice], stride: int) -> tuple[list[TrainingSlice], list[TrainingSlice]]:
    """Return training slices without their last fifth, and that fifth for validation.

    For stacks in which nothing but the training slices is annotated. The same images with other
    labels: rows that are not a part's are 255 in it, and as many rows between the parts as the
    network's stride are in neither.

    Parameters
    ----------
    slices : sequence of TrainingSlice
        Annotated slices.
    stride : int
        Rows left out between the parts.

    Returns
    -------
    tuple of two lists of TrainingSlice
        To learn from, and to choose the weights by.

    Examples
    --------
    >>> import numpy as np
    >>> whole = TrainingSlice(np.zeros((20, 4)), np.zeros((20, 4), np.uint8))
    >>> [learnt], [held] = held_out([whole], stride=4)
    >>> int((learnt.label == 0).sum()) // 4, int((held.label == 0).sum()) // 4
    (12, 4)
    """
    learnt, held = [], []
    for item in slices:
        edge = item.label.shape[0] - max(1, item.label.shape[0] // _HELD_OUT)
        above, below = item.label.copy(), item.label.copy()
        above[max(0, edge - stride) :] = IGNORE
        below[:edge] = IGNORE
        learnt.append(TrainingSlice(item.image, above, item.name))
        held.append(TrainingSlice(item.image, below, f"{item.name}, held out"))
    return learnt, held


def _named(slices: Mapping[str, Sequence[int]], labels: AnnotatedSlices, depth: int) -> Parts:
    names = ("training", "validation", "test")
    unknown = [str(name) for name in slices if name not in names]
    if unknown or not slices.get("training"):
        raise ParameterError(
            f"slices names {', '.join(map(str, slices)) or 'nothing'}. Give slices for 'training', and for "
            "'validation' and 'test' where there are some."
        )
    return Parts(*(_checked(slices.get(name, ()), labels, depth, name) for name in names))


def _count(slices: Any, labels: AnnotatedSlices, depth: int) -> int:
    count, there = _whole_number(slices), len(labels.available)
    if count < 1:
        raise ParameterError(
            f"slices={count}: nothing would be learnt. Give a number of training slices, 1 or more."
        )
    if count > there:
        raise ParameterError(
            f"{count} training slices are asked for, and {there} of the {depth} slices are annotated. Annotate "
            "more, or ask for fewer."
        )
    return count


def _wanted(depth: int, count: int, voxel_size: Voxel, test: int, apart: int | None) -> SliceChoice:
    """Return the choice for a stack of which all is annotated; with fewer test slices where it is short."""
    test = min(test, max(0, depth - count - 2))
    return select_slices(depth, count, voxel_size=voxel_size, test=test, apart=apart)


def _nearest(places: Sequence[int], there: Sequence[int]) -> tuple[int, ...]:
    """Return for each place the nearest slice that no earlier place took, as long as there are any."""
    left, taken = list(there), []
    for place in places[: len(left)]:
        best = min(left, key=lambda z: (abs(z - place), z))
        left.remove(best)
        taken.append(best)
    return tuple(sorted(taken))


def _checked(slices: Sequence[int], labels: AnnotatedSlices, depth: int, part: str) -> tuple[int, ...]:
    chosen = tuple(sorted(_whole_number(z) for z in slices))
    outside = [z for z in chosen if not 0 <= z < depth]
    if outside:
        raise ParameterError(
            f"{part} slice {outside[0]} is not in the stack, whose slices are 0 to {depth - 1}. Count them from 0."
        )
    bare = sorted(set(chosen) - set(labels.available))
    if bare:
        raise ParameterError(
            f"{part} slice {bare[0]} holds no annotated pixel: nothing could be learnt from it or scored by it. "
            "Annotate it, or leave it out."
        )
    if len(set(chosen)) < len(chosen):
        raise ParameterError(f"{part} slices {list(chosen)} name a slice twice. Give each once.")
    return chosen


def _whole_number(value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise ParameterError(
            f"slices {value!r} is neither a number of slices nor a slice. Give whole numbers, such as 6 or [4, 20, 36]."
        ) from None
    return int(number)
