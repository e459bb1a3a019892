"""What a reduce pass runs: numbers from a block, combined in any order, finished once.

The states of a reduction form a commutative monoid: `combine` must give the same whatever the
order and the grouping, so counts are integers, and sums of floats are exact (`fractions`) or
compensated (`math.fsum`). Then the result does not depend on blocks, threads or retries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Block, Shape
from bigrock.volumes.source import Facts, Source

__all__ = ["Reduction", "of_one_block", "shared"]

T = TypeVar("T")
_of_block: ContextVar[dict[Any, Any] | None] = ContextVar("of_block", default=None)


@contextmanager
def of_one_block() -> Iterator[None]:
    """Let the reductions of one block share what they derive of it (`shared`), until the block is done."""
    token = _of_block.set({})
    try:
        yield
    finally:
        _of_block.reset(token)


def shared(derive: Callable[[npt.NDArray[Any]], T], array: npt.NDArray[Any]) -> T:
    """Return ``derive(array)``, from the last reduction of the same block that asked for it.

    Reductions change neither their input nor what is shared. Outside of a pass nothing is kept.

    Parameters
    ----------
    derive : callable
        A function of a module.
    array : ndarray
        What the reduction was given, or a view of it.

    Examples
    --------
    >>> mask = np.ones(3, bool)
    >>> with of_one_block():
    ...     shared(np.packbits, mask) is shared(np.packbits, mask[:])
    True
    """
    kept = _of_block.get()
    if kept is None:
        return derive(array)
    key = derive, array.__array_interface__["data"], array.shape, array.strides, array.dtype
    if key not in kept:
        # The array as well: nothing else can lie at its address as long as it is kept.
        kept[key] = array, derive(array)
    return kept[key][1]


class Reduction(ABC):
    """Base of everything that `bigrock.engine.reduce` computes; subclass it as a frozen dataclass.

    Many reductions share one read: each is given its own `halo` around the core, as a view.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class CountBright(Reduction):
    ...     above: int
    ...     def block(self, array, block):
    ...         return int((array[block.trim] > self.above).sum())
    ...     def combine(self, a, b):
    ...         return a + b
    >>> CountBright(100).combine(3, 4)
    7
    """

    version: ClassVar[int] = 1

    @property
    def halo(self) -> Shape:
        """Voxels along z, y, x that are read around the core."""
        return (0, 0, 0)

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Bytes per voxel read that `block` takes beside its input."""
        return 0.0

    def state_bytes(self, facts: Facts) -> float:
        """Bytes of one state, for the plan."""
        return 0.0

    def given(self, source: Source) -> Reduction:
        """Return the reduction that may read more of its input than the halo, where a block needs it."""
        return self

    @abstractmethod
    def block(self, array: npt.NDArray[Any], block: Block) -> Any:
        """Return the state of one block, given the voxels of `block.read`; count the core only."""

    @abstractmethod
    def combine(self, a: Any, b: Any) -> Any:
        """Return the state of two disjoint parts; may reuse `a`, never `b`."""

    def finish(self, state: Any, facts: Facts) -> Any:
        """Return the result, given the state of the whole volume."""
        return state
