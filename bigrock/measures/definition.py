"""What a measure is: reductions over a volume, and how their results become named quantities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bigrock.engine.reduction import Reduction
from bigrock.volumes.source import Facts

__all__ = ["Measure"]


@dataclass(frozen=True)
class Measure:
    """One name that `bigrock.measure` understands.

    A new measure is one object of this class, entered in `bigrock.measures.registry.MEASURES`;
    everything else (one shared read, JSON, CSV, tables, units) follows.

    Attributes
    ----------
    name : str
        What callers write.
    of : {"values", "pore"}
        What the reductions are given: the voxels as stored, or the mask of the pore phase.
    reductions : callable
        Facts of what is seen → the reductions, any number; they share the one read.
    describe : callable
        Their results and the facts → quantities: numbers, one-dimensional arrays, text, None, or
        mappings of these.
    units : mapping
        Quantity → unit, by its last name or, more specific, its dotted path; nothing where it is
        a plain number. "length" stands for metres where the voxel size is known, else for voxels.

    Examples
    --------
    >>> from bigrock.measures.registry import MEASURES
    >>> MEASURES["porosity"].of
    'pore'
    """

    name: str
    of: Literal["values", "pore"]
    reductions: Callable[[Facts], tuple[Reduction, ...]]
    describe: Callable[[Sequence[Any], Facts], dict[str, Any]]
    units: Mapping[str, str] = field(default_factory=dict)
