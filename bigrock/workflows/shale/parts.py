"""Which annotated slices a network learns from, which choose its weights, and which score it."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bigrock.errors import ParameterError
from bigrock.training import IGNORE, TrainingSlice
from bigrock.workflows.shale.annotated import AnnotatedSlices
from bigrock.workflows.shale.settings import SelectionSettings

__all__ = ["Parts", "Slices", "held_out", "parts_of"]

Slices = int | Sequence[int] | Mapping[str, Sequence[int]]
"""How many training slices; which; or "training", "validation" and "test" → which."""

_HELD_OUT = 5
_APART = 3


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


def parts_of(
    slices: Slices, labels: AnnotatedSlices, depth: int, settings: SelectionSettings | None = None
) -> Parts:
    """Return the parts of a stack, all of them annotated.

    A number of training slices takes the places of `select_slices`: training slices at equal intervals,
    validation slices between them, test slices by a Halton sequence; where these are not annotated, the
    annotated slices that are nearest. Given training slices leave the others to validation and test.

    Parameters
    ----------
    slices : int, sequence of int, or mapping
        How many training slices; which; or every part by its name.
    labels : AnnotatedSlices
        What is annotated.
    depth : int
        Slices of the stack.
    settings : SelectionSettings, optional
        How many validation and test slices there are at most.

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
    >>> given = {z: np.zeros((4, 4), np.uint8) for z in (1, 4, 5, 8)}
    >>> labels = annotated_slices(given, (10, 4, 4), {"solid": 0, "pore": 1})
    >>> parts_of(2, labels, 10)
    Parts(training=(4, 5), validation=(1, 8), test=())
    """
    settings = settings or SelectionSettings()
    if isinstance(slices, Mapping):
        return _named(slices, labels, depth)
    if not isinstance(slices, Sequence):
        return _counted(_whole_number(slices), labels, depth, settings)
    training = _checked(slices, labels, depth, "training")
    left = [z for z in labels.available if z not in training]
    return _rest(training, left, depth, settings)


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


def _counted(count: int, labels: AnnotatedSlices, depth: int, settings: SelectionSettings) -> Parts:
    there = labels.available
    if count < 1:
        raise ParameterError(
            f"slices={count}: nothing would be learnt. Give a number of training slices, 1 or more."
        )
    if count > len(there):
        raise ParameterError(
            f"{count} training slices are asked for, and {len(there)} of the {depth} slices are annotated. Annotate "
            "more, or ask for fewer."
        )
    interval = depth / (count + 1)
    training = _nearest([interval * (i + 1) for i in range(count)], there, count)
    return _rest(training, [z for z in there if z not in training], depth, settings)


def _rest(training: tuple[int, ...], left: list[int], depth: int, settings: SelectionSettings) -> Parts:
    """Return the parts when the training slices are known: of what is left, validation comes first."""
    count = settings.validation
    places = [depth * (i + 1) / (count + 1) for i in range(count)]
    validation = _nearest(places, left, min(count, len(left)))
    left = [z for z in left if z not in validation]
    # Neighbours of what was learnt would flatter the scores.
    for distance in range(_APART, 1, -1):
        apart = [z for z in left if min(abs(z - t) for t in training) >= distance]
        if len(apart) >= settings.test:
            left = apart
            break
    test = _nearest(
        [depth * _halton(i + 1) for i in range(settings.test)], left, min(settings.test, len(left))
    )
    return Parts(training, validation, test)


def _nearest(places: Sequence[float], there: Sequence[int], count: int) -> tuple[int, ...]:
    """Return for each place the nearest slice that no earlier place took."""
    left, taken = list(there), []
    for place in places[:count]:
        best = min(left, key=lambda z: (abs(z + 0.5 - place), z))
        left.remove(best)
        taken.append(best)
    return tuple(sorted(taken))


def _halton(index: int) -> float:
    """Return a member of the Halton sequence of base 2: its binary digits mirrored at the point."""
    value, part = 0.0, 0.5
    while index:
        value, index, part = value + part * (index % 2), index // 2, part / 2
    return value


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
