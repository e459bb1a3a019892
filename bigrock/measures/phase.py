"""Which voxels are pore: never guessed, always from the mask, the class table or the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import PhaseError
from bigrock.geometry import Block, Shape
from bigrock.volumes.source import Facts

__all__ = ["OfPhase", "Phase", "PoreLike", "find_phase"]

PoreLike = bool | int | str | Sequence[int | str] | None
"""What callers give as pore: nothing, a mask value, a class name or value, or several of these."""


@dataclass(frozen=True)
class Phase:
    """The values of a volume that count as one phase.

    Parameters
    ----------
    name : str
        For people: names and values, and what the volume holds.
    values : tuple of int
        The values; of a mask 1 is True, and stands for every value but 0.
    mask : bool
        Whether the volume is a mask.

    Examples
    --------
    >>> Phase("class 'pore' = 0", (0,), mask=False).select(np.array([0, 1])).tolist()
    [True, False]
    """

    name: str
    values: tuple[int, ...]
    mask: bool

    def select(self, array: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return True where a voxel is of the phase; the array itself where it is that already."""
        if self.mask:
            inside = array if array.dtype.kind == "b" else array != 0
            return inside if self.values == (1,) else ~inside
        selected = array == self.values[0]
        for value in self.values[1:]:
            selected |= array == value
        return selected


@dataclass(frozen=True)
class OfPhase(Reduction):
    """Reductions over the mask of a phase; the mask is made once per block for all of them.

    Parameters
    ----------
    phase : Phase
        What becomes True.
    reductions : tuple of Reduction
        Each is given the mask with its own halo.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> from bigrock.measures.porosity import PoreCount
    >>> counting = OfPhase(Phase("0", (0,), mask=False), (PoreCount(),))
    >>> counting.block(np.zeros((2, 2, 2), np.uint8), BlockGrid((2, 2, 2), (2, 2, 2))[0])
    [8]
    """

    phase: Phase
    reductions: tuple[Reduction, ...]

    @property
    def halo(self) -> Shape:
        """The largest halo of all, axis by axis."""
        z, y, x = (max(h) for h in zip(*(r.halo for r in self.reductions), strict=True))
        return z, y, x

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The mask, and one more while it is made of several values, plus the most that any takes."""
        masks = 0 if self.phase.mask and dtype.kind == "b" and self.phase.values == (1,) else 1
        most = max(r.scratch_bytes(np.dtype(np.bool_)) for r in self.reductions)
        return masks + (len(self.phase.values) > 1) + most

    def state_bytes(self, facts: Facts) -> float:
        """All states together."""
        return sum(r.state_bytes(_as_mask(facts)) for r in self.reductions)

    def block(self, array: npt.NDArray[Any], block: Block) -> list[Any]:
        """Return the state of every reduction."""
        mask = self.phase.select(array)
        states = []
        for reduction in self.reductions:
            read = block.core.grow(reduction.halo, block.volume)
            part = Block(block.id, block.core, read, block.volume)
            states.append(reduction.block(mask[read.within(block.read)], part))
        return states

    def combine(self, a: list[Any], b: list[Any]) -> list[Any]:
        """Return the states combined one by one."""
        return [r.combine(x, y) for r, x, y in zip(self.reductions, a, b, strict=True)]

    def finish(self, state: list[Any], facts: Facts) -> list[Any]:
        """Return the result of every reduction."""
        return [r.finish(s, _as_mask(facts)) for r, s in zip(self.reductions, state, strict=True)]


def find_phase(facts: Facts, pore: PoreLike = None) -> Phase:
    """Return which values of a volume are pore.

    Parameters
    ----------
    facts : Facts
        Kind and class table decide.
    pore : bool, int, str, or sequence of int or str, optional
        A mask: by default True is pore; False (or "solid") measures the solid. A label volume: by
        default the class "pore"; or names or values of its class table. A grey volume has no
        default, and takes the value itself (of a segmented image that was imported as grey).

    Returns
    -------
    Phase
        The values and their description.

    Raises
    ------
    PhaseError
        If that is not known, or not in the class table; lists the classes.

    Examples
    --------
    >>> facts = Facts((4, 4, 4), np.dtype(np.uint8), kind="labels", classes={"pore": 0, "quartz": 1})
    >>> find_phase(facts, "quartz").values
    (1,)
    """
    if facts.kind == "mask":
        return _of_mask(pore)
    if pore is None:
        pore = _default(facts)
    wanted = [pore] if isinstance(pore, int | str | np.integer) else list(pore)
    if not wanted:
        raise PhaseError("pore=[] names no class: nothing would be pore. Give at least one name or value.")
    values = tuple(dict.fromkeys(_value_of(one, facts) for one in wanted))
    names = {value: name for name, value in facts.classes.items()}
    described = [f"class {names[v]!r} = {v}" if v in names else f"value {v}" for v in values]
    return Phase(" and ".join(described), values, mask=False)


def _of_mask(pore: PoreLike) -> Phase:
    if isinstance(pore, str | bool | int | np.integer | None):
        if pore in (None, "pore", True):
            return Phase("mask value True", (1,), mask=True)
        if pore in ("solid", False):
            return Phase("mask value False", (0,), mask=True)
    raise PhaseError(
        f"pore={pore!r} is not in a mask: its values are True (pore) and False (solid). Use True or False, "
        "or leave pore out."
    )


def _default(facts: Facts) -> str:
    if facts.kind == "grey":
        raise PhaseError(
            "which voxels are pore is not known: the volume holds grey levels. Threshold it first, for "
            "instance with bigrock.run(bigrock.kernels.GlobalOtsu(), volume, dest), give through=kernel, or "
            "give the value with pore=… if it is a segmented image."
        )
    if "pore" not in facts.classes:
        raise PhaseError(
            f"which voxels are pore is not known: {_table(facts)} and no class is named 'pore'. Give names or "
            "values with pore=…."
        )
    return "pore"


def _value_of(pore: int | str, facts: Facts) -> int:
    if isinstance(pore, str):
        if pore in facts.classes:
            return facts.classes[pore]
    elif not isinstance(pore, bool | np.bool_) and (not facts.classes or int(pore) in facts.classes.values()):
        return int(pore)
    raise PhaseError(
        f"pore={pore!r} is not a class of the volume: {_table(facts)}. Use a name or value of the class table."
    )


def _table(facts: Facts) -> str:
    named = ", ".join(f"{name!r} = {value}" for name, value in facts.classes.items())
    return f"its classes are {named}" if named else f"its kind is {facts.kind} and it has no class table"


def _as_mask(facts: Facts) -> Facts:
    return replace(facts, dtype=np.dtype(np.bool_), kind="mask", classes={})
