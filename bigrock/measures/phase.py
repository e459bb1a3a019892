"""Which voxels are pore: never guessed, always from the mask, the class table or the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import PhaseError
from bigrock.geometry import Block, Region, Shape
from bigrock.measures.definition import FieldOfView
from bigrock.volumes.source import Facts, Source, Voxel

__all__ = ["OfPhase", "Phase", "PoreLike", "find_phase", "find_phases", "mask_facts"]

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
    phase : Phase, optional
        What becomes True; without one, all that is inside the field of view.
    reductions : tuple of Reduction
        Each is given the mask with its own halo.
    field : FieldOfView, optional
        What is outside becomes False.
    others : bool
        Take what is not of the phase instead.

    Examples
    --------
    >>> from bigrock.geometry import BlockGrid
    >>> from bigrock.measures.porosity import PoreCount
    >>> counting = OfPhase(Phase("0", (0,), mask=False), (PoreCount(),))
    >>> counting.block(np.zeros((2, 2, 2), np.uint8), BlockGrid((2, 2, 2), (2, 2, 2))[0])
    [8]
    """

    phase: Phase | None
    reductions: tuple[Reduction, ...]
    field: FieldOfView | None = None
    others: bool = False

    @property
    def halo(self) -> Shape:
        """The largest halo of all, axis by axis."""
        z, y, x = (max(h) for h in zip(*(r.halo for r in self.reductions), strict=True))
        return z, y, x

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The masks that are made on the way, plus the most that any reduction takes."""
        most = max(r.scratch_bytes(np.dtype(np.bool_)) for r in self.reductions)
        return self._masks(dtype) + most

    def _masks(self, dtype: np.dtype[Any]) -> int:
        if self.phase is None:
            return 2
        as_it_is = self.phase.mask and dtype.kind == "b" and self.phase.values == (1,)
        made = 0 if as_it_is else 1 + (len(self.phase.values) > 1)
        return made + self.others + 2 * (self.field is not None)

    def state_bytes(self, facts: Facts) -> float:
        """All states together."""
        return sum(r.state_bytes(mask_facts(facts)) for r in self.reductions)

    def given(self, source: Source) -> OfPhase:
        """Give each reduction the mask of the source."""
        seen = _Seen(source, self)
        return replace(self, reductions=tuple(r.given(seen) for r in self.reductions))

    def block(self, array: npt.NDArray[Any], block: Block) -> list[Any]:
        """Return the state of every reduction."""
        mask = self.select(array, block.read)
        states = []
        for reduction in self.reductions:
            read = block.core.grow(reduction.halo, block.volume)
            part = Block(block.id, block.core, read, block.volume)
            states.append(reduction.block(mask[read.within(block.read)], part))
        return states

    def select(self, array: npt.NDArray[Any], region: Region) -> npt.NDArray[np.bool_]:
        """Return what the reductions see of a region."""
        mask = np.ones(array.shape, np.bool_) if self.phase is None else self.phase.select(array)
        if self.others:
            mask = ~mask
        return mask if self.field is None else mask & self.field.inside(region)

    def combine(self, a: list[Any], b: list[Any]) -> list[Any]:
        """Return the states combined one by one."""
        return [r.combine(x, y) for r, x, y in zip(self.reductions, a, b, strict=True)]

    def finish(self, state: list[Any], facts: Facts) -> list[Any]:
        """Return the result of every reduction."""
        return [r.finish(s, mask_facts(facts)) for r, s in zip(self.reductions, state, strict=True)]


@dataclass(frozen=True)
class _Seen:
    """The mask that reductions over a phase see, as a source."""

    source: Source
    of: OfPhase

    @property
    def shape(self) -> Shape:
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.bool_)

    @property
    def voxel_size(self) -> Voxel | None:
        return self.source.voxel_size

    @property
    def read_unit(self) -> Shape:
        return self.source.read_unit

    def read(self, region: Region) -> npt.NDArray[Any]:
        return self.of.select(self.source.read(region), region)

    def identity(self) -> dict[str, Any]:
        return self.source.identity()


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


def find_phases(facts: Facts, classes: str | Sequence[int | str]) -> dict[str, Phase]:
    """Return the classes that are measured one by one, by name.

    Parameters
    ----------
    facts : Facts
        Kind and class table decide.
    classes : str, or sequence of int or str
        "all": every class of the table; of a mask "pore" and "solid". Else names or values.

    Returns
    -------
    dict of str to Phase
        A value without a name is called by its digits.

    Raises
    ------
    PhaseError
        As for `find_phase`.

    Examples
    --------
    >>> list(find_phases(Facts((4, 4, 4), np.dtype(bool), kind="mask"), "all"))
    ['pore', 'solid']
    """
    wanted: Sequence[int | str] = [classes] if isinstance(classes, str) else list(classes)
    if classes == "all":
        wanted = ["pore", "solid"] if facts.kind == "mask" else list(facts.classes)
    if not wanted:
        raise PhaseError(
            f"classes={classes!r} names no class, so nothing would be measured: {_table(facts)}. Give names or values."
        )
    names = {value: name for name, value in facts.classes.items()}
    found = {}
    for one in wanted:
        label = one if isinstance(one, str) else names.get(int(one), str(one))
        found[label] = find_phase(facts, one)
    return found


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


def mask_facts(facts: Facts) -> Facts:
    """Return the facts of a phase of a volume: those of a mask."""
    return replace(facts, dtype=np.dtype(np.bool_), kind="mask", classes={})
