"""Which rows to compare, and in what order, so that the median of a window comes out.

A sorting network is a fixed list of comparisons, so it runs on whole rows of voxels at once: a step
takes the smaller and the larger of two rows, 16 to 64 voxels per instruction, and never branches.
What windows share is computed once: the columns of the window (along z and y) are sorted, and since
neighbours along x use the same sorted columns, lists of 1, 2, 4, … columns are merged by shifting rows.
Comparisons that the median does not depend on are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["MedianProgram", "median_program"]


class _Value(NamedTuple):
    """A row of voxels, read `shift` voxels further along x."""

    row: int
    shift: int


class _Comparison(NamedTuple):
    first: _Value
    second: _Value
    smaller: int
    larger: int


List = list[_Value]


@dataclass(frozen=True, eq=False)
class MedianProgram:
    """Comparisons of rows that give the median; from `median_program`.

    Attributes
    ----------
    inputs : int
        Rows of the window (along z and y), in the registers 0, 1, 2, …
    registers : int
        Rows that must be held at once.
    output, shift : int
        Register of the median, and how far it is read along x.
    reach : int
        Voxels that inputs must be longer than the output.
    steps : ndarray of int64, shape (steps, 7)
        Registers compared and their shifts (first, shift, second, shift), registers of the smaller
        and the larger (-1 where not needed), and voxels longer than the output.
    """

    inputs: int
    registers: int
    output: int
    shift: int
    reach: int
    steps: npt.NDArray[np.int64]


@functools.lru_cache(maxsize=32)
def median_program(rows: int, columns: int) -> MedianProgram:
    """Return the program for a window of `rows` × `columns` voxels, both odd.

    Examples
    --------
    >>> median_program(3, 3).steps.shape[0]
    15
    """
    network = _Network(rows)
    column = network.sort([_Value(i, 0) for i in range(rows)])
    lists = {1: column}
    while 2 * max(lists) <= columns:
        width = max(lists)
        lists[2 * width] = network.merge(lists[width], _shifted(lists[width], width))
    widest, rest = max(lists), column
    width = 1
    for other in sorted(lists)[1:-1]:
        if columns & other:
            rest = network.merge(lists[other], _shifted(rest, other))
            width += other
    if columns == 1:
        return network.program(column[rows // 2])
    return network.program(network.select(lists[widest], _shifted(rest, widest), rows * columns // 2))


def _shifted(values: List, shift: int) -> List:
    return [_Value(v.row, v.shift + shift) for v in values]


@dataclass
class _Network:
    """Comparisons, in the order in which they were asked for; every row is written once."""

    rows: int
    inputs: int = field(init=False)
    comparisons: list[_Comparison] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inputs = self.rows

    def compare(self, a: _Value, b: _Value) -> tuple[_Value, _Value]:
        """Return the smaller and the larger of two rows."""
        shift = min(a.shift, b.shift)
        smaller, larger = self.rows, self.rows + 1
        self.rows += 2
        first, second = _Value(a.row, a.shift - shift), _Value(b.row, b.shift - shift)
        self.comparisons.append(_Comparison(first, second, smaller, larger))
        return _Value(smaller, shift), _Value(larger, shift)

    def sort(self, values: List) -> List:
        """Return the values in ascending order (Batcher's merge sort)."""
        if len(values) < 2:
            return values
        half = len(values) // 2
        return self.merge(self.sort(values[:half]), self.sort(values[half:]))

    def merge(self, a: List, b: List) -> List:
        """Return two ascending lists as one (Batcher's odd-even merge, for any two lengths)."""
        if not a or not b:
            return a or b
        if len(a) == len(b) == 1:
            return list(self.compare(a[0], b[0]))
        even, odd = self.merge(a[::2], b[::2]), self.merge(a[1::2], b[1::2])
        merged = [even[0]]
        for e, o in zip(even[1:], odd, strict=False):
            merged += self.compare(o, e)
        return merged + odd[len(even) - 1 :] + even[len(odd) + 1 :]

    def select(self, a: List, b: List, k: int) -> _Value:
        """Return the k-th smallest, from 0, of two ascending lists."""
        # If i of the k + 1 smallest come from a, the largest of them ends a's part or b's part; a wrong i
        # only makes it larger.
        candidates = []
        for i in range(max(0, k + 1 - len(b)), min(len(a), k + 1) + 1):
            ends = [*a[i - 1 : i], *b[k - i : k - i + 1]] if 0 < i <= k else [a[k] if i else b[k]]
            candidates.append(ends[0] if len(ends) == 1 else self.compare(*ends)[1])
        while len(candidates) > 1:
            pairs = zip(candidates[::2], candidates[1::2], strict=False)
            odd_one = candidates[-1:] if len(candidates) % 2 else []
            candidates = [self.compare(x, y)[0] for x, y in pairs] + odd_one
        return candidates[0]

    def program(self, output: _Value) -> MedianProgram:
        """Return what the output depends on, with rows that are no longer needed used again."""
        longer = {output.row: output.shift}
        kept: list[_Comparison] = []
        for step in reversed(self.comparisons):
            reach = max(longer.get(step.smaller, -1), longer.get(step.larger, -1))
            if reach >= 0:
                kept.append(step)
                for value in (step.first, step.second):
                    longer[value.row] = max(longer.get(value.row, 0), reach + value.shift)
        kept.reverse()
        place, registers = _registers(kept, self.inputs, output.row)
        steps = [
            (
                place[s.first.row],
                s.first.shift,
                place[s.second.row],
                s.second.shift,
                place.get(s.smaller, -1) if s.smaller in longer else -1,
                place.get(s.larger, -1) if s.larger in longer else -1,
                max(longer.get(s.smaller, 0), longer.get(s.larger, 0)),
            )
            for s in kept
        ]
        table = np.array(steps, np.int64).reshape(-1, 7)
        reach = max((longer.get(i, 0) for i in range(self.inputs)), default=0)
        return MedianProgram(self.inputs, registers, place[output.row], output.shift, reach, table)


def _registers(steps: Sequence[_Comparison], inputs: int, output: int) -> tuple[dict[int, int], int]:
    """Return the register of every row, and their number; results never overwrite what they come from."""
    last = {output: len(steps)}
    for i in reversed(range(len(steps))):
        for value in (steps[i].first, steps[i].second):
            last.setdefault(value.row, i)
    place, count = {i: i for i in range(inputs)}, inputs
    free: list[int] = []
    for i, step in enumerate(steps):
        for row in (step.smaller, step.larger):
            if row in last:
                if not free:
                    free.append(count)
                    count += 1
                place[row] = free.pop()
        free += [place[row] for row in {step.first.row, step.second.row} if last[row] == i]
    return place, count
