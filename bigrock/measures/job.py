"""What one read must find for a set of measures, and whose result is which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.measures.definition import FieldOfView, Found, Measure
from bigrock.measures.phase import OfPhase, Phase, mask_facts
from bigrock.measures.porosity import PoreCount
from bigrock.volumes.source import Facts

__all__ = ["Job"]

Group = tuple[str | None, str]
"""A mask that reductions share: of a class ("phase"), of all else ("solid"), or the field ("whole")."""

Reduce = Callable[[Sequence[Reduction]], list[Any]]


@dataclass(slots=True)
class _Shared:
    """Reductions over one mask; equal ones are run once."""

    reductions: list[Reduction] = field(default_factory=list)

    def places(self, wanted: Sequence[Reduction]) -> list[int]:
        """Return where the results of `wanted` will stand."""
        for reduction in wanted:
            if reduction not in self.reductions:
                self.reductions.append(reduction)
        return [self.reductions.index(reduction) for reduction in wanted]


@dataclass(slots=True)
class Job:
    """The measures of one call of `bigrock.measure`.

    Parameters
    ----------
    measures : list of Measure
        In the order of the result.
    phases : dict
        Class name → phase that is measured; the name None where it is the only one.
    facts : Facts
        Of the voxels that measures of a phase see: as stored, or as a kernel makes them.
    values : Facts, optional
        Of the stored voxels, where measures of the values see these, and no kernel's mask.
    field_of_view : FieldOfView, optional
        What counts.
    fitted : dict, optional
        (measure, class) → the measure as completed by `completed`.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.measures.porosity import Porosity
    >>> facts = Facts((2, 2, 2), np.dtype(bool), kind="mask")
    >>> job = Job([Porosity()], {None: Phase("True", (1,), mask=True)}, facts)
    >>> job.described([[2]])["porosity"]["total"]
    0.25
    """

    measures: list[Measure]
    phases: dict[str | None, Phase]
    facts: Facts
    field_of_view: FieldOfView | None = None
    values: Facts | None = None
    fitted: dict[tuple[str, str | None], Measure] = field(default_factory=dict)
    passes: list[Reduction] = field(init=False)
    stored: list[Reduction] = field(init=False)
    _first_value: int = field(init=False)
    _places: dict[tuple[str, str | None], list[tuple[Group, list[int]]]] = field(init=False)
    _where: dict[Group, int] = field(init=False)

    def __post_init__(self) -> None:
        self._lay_out()

    def completed(self, reduce: Reduce) -> Job:
        """Return the job with every measure told what it must know first: one read, or none."""
        groups: dict[str | None, _Shared] = {}
        wanted: dict[tuple[str, str | None], int] = {}
        for m in self._of("phase"):
            for name in self.phases:
                reduction = m.fitting(mask_facts(self.facts))
                if reduction is not None:
                    [wanted[m.name, name]] = groups.setdefault(name, _Shared()).places([reduction])
        if not wanted:
            return self
        passes = [
            OfPhase(self.phases[n], tuple(shared.reductions), self.field_of_view)
            for n, shared in groups.items()
        ]
        found = dict(zip(groups, reduce(passes), strict=True))
        by_name = {m.name: m for m in self.measures}
        fitted = {key: by_name[key[0]].fitted(found[key[1]][place]) for key, place in wanted.items()}
        return replace(self, fitted=fitted)

    def described(self, found: list[Any]) -> dict[str, dict[str, Any]]:
        """Return the quantities of every measure, by class where classes have names.

        Parameters
        ----------
        found : list
            Results of `passes`, then of `stored`.

        Raises
        ------
        ParameterError
            If no voxel lies inside the field of view.
        """
        if (None, "whole") in self._where and not found[self._where[None, "whole"]][0]:
            raise ParameterError(
                "no voxel of the volume lies inside the field of view: nothing was measured. Give a mask that is True "
                "where there is rock."
            )
        described: dict[str, dict[str, Any]] = {}
        for m in self.measures:
            if m.of == "values":
                [(_, places)] = self._places[m.name, None]
                own = Found([found[self._first_value + i] for i in places])
                described[m.name] = m.describe(own, self.values or self.facts)
                continue
            for name in self.phases:
                quantities = self._measure(m, name).describe(
                    self._found(m, name, found), mask_facts(self.facts)
                )
                if name is None:
                    described[m.name] = quantities
                else:
                    described.setdefault(m.name, {})[name] = quantities
        return described

    def _of(self, what: str) -> list[Measure]:
        return [m for m in self.measures if m.of == what]

    def _measure(self, m: Measure, name: str | None) -> Measure:
        return self.fitted.get((m.name, name), m)

    def _lay_out(self) -> None:
        """Decide the passes, and for every measure where its results will stand in them."""
        values, groups = _Shared(), dict[Group, _Shared]()
        self._places, self._where, self.passes, self.stored = {}, {}, [], []
        for m in self._of("values"):
            wanted = m.reductions(self.values or self.facts)
            self._places[m.name, None] = [((None, "values"), values.places(wanted))]
        if self.field_of_view is not None and self.phases:
            groups[None, "whole"] = _Shared([PoreCount()])
        for m in self._of("phase"):
            for name in self.phases:
                self._places[m.name, name] = [
                    (group, groups.setdefault(group, _Shared()).places(reductions))
                    for group, reductions in self._wanted(self._measure(m, name), name).items()
                ]
        for (name, kind), shared in groups.items():
            self._where[name, kind] = len(self.passes)
            phase = None if kind == "whole" else self.phases[name]
            self.passes.append(
                OfPhase(phase, tuple(shared.reductions), self.field_of_view, others=kind == "solid")
            )
        self._first_value = len(self.passes)
        (self.passes if self.values is None else self.stored).extend(values.reductions)

    def _wanted(self, m: Measure, name: str | None) -> dict[Group, tuple[Reduction, ...]]:
        facts = mask_facts(self.facts)
        wanted: dict[Group, tuple[Reduction, ...]] = {(name, "phase"): m.reductions(facts)}
        if solid := m.solid_reductions(facts):
            wanted[name, "solid"] = solid
        if self.field_of_view is not None and m.relative:
            wanted[None, "whole"] = wanted[name, "phase"]
        return wanted

    def _found(self, m: Measure, name: str | None, found: list[Any]) -> Found:
        parts = {
            kind: [found[self._where[_, kind]][i] for i in places]
            for (_, kind), places in self._places[m.name, name]
        }
        return Found(parts["phase"], parts.get("solid", []), parts.get("whole"))
