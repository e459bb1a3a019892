"""`measure`: any number of named quantities of a volume, in one read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy.typing as npt

from bigrock.engine.kernel import Chain, Kernel, stages_of
from bigrock.engine.reducing import fit, reduce
from bigrock.engine.settings import settings_of
from bigrock.errors import ParameterError
from bigrock.geometry import Shape
from bigrock.kernels.field_of_view import checked_field
from bigrock.kernels.field_of_view_detection import detect_field_of_view
from bigrock.measures.definition import FieldOfView, Measure
from bigrock.measures.job import Job
from bigrock.measures.measurements import Measurements
from bigrock.measures.phase import Phase, PoreLike, find_phase, find_phases
from bigrock.measures.registry import chosen
from bigrock.volumes import source_of
from bigrock.volumes.polarity import PolarityWarning, warn_of_polarity
from bigrock.volumes.source import Facts, Source, facts_of

__all__ = ["PolarityWarning", "measure"]

Classes = str | Sequence[int | str] | None
_METRES = {
    "length": "m",
    "area": "m²",
    "volume": "m³",
    "per length": "1/m",
    "per area": "1/m²",
    "per volume": "1/m³",
}
_VOXELS = {
    "length": "voxels",
    "area": "voxel faces",
    "volume": "voxels",
    "per length": "1/voxel",
    "per area": "1/voxel face",
    "per volume": "1/voxel",
}


def measure(
    volume: Source | npt.NDArray[Any] | str | os.PathLike[str],
    what: str | Measure | Iterable[str | Measure] = ("histogram", "porosity", "profiles"),
    *,
    pore: PoreLike = None,
    classes: Classes = None,
    field_of_view: FieldOfView | Literal["auto"] | None = None,
    through: Kernel | None = None,
    executor: Any = None,
    block: Shape | None = None,
    ram: str | float | None = None,
    progress: Any = None,
) -> Measurements:
    """Return named quantities of a volume, all of them from one read.

    Memory is that of a few blocks, whatever the volume (`bigrock.reduce` runs the pass). Counts
    are exact integers, so every number is the same for any blocks, chunks and workers.

    Parameters
    ----------
    volume : Volume, Source, ndarray, or path
        Axes z, y, x.
    what : str, Measure, or iterable of these
        Names of `bigrock.measures.MEASURES`, or measures with options, such as
        ``["porosity", Lacunarity(sizes=(3, 9))]``.
    pore : bool, int, str, or sequence of int or str, optional
        Which voxels are pore. By default True of a mask, or the class "pore" of a label volume;
        else the name or value of a class, or several of these, taken together.
    classes : "all", or sequence of int or str, optional
        Measure these classes one by one, in the same read: ``result["porosity"]["clay"]["total"]``.
        Of a mask, "all" is pore and solid.
    field_of_view : FieldOfView or "auto", optional
        Leave out what lies outside, such as the corners around a round core: it is neither pore
        nor solid, and no part of any denominator. A `bigrock.kernels.Cylinder`, a
        `bigrock.kernels.MaskField`, or "auto": the cylinder that is found in the volume, and the
        whole volume where there is none (`bigrock.kernels.detect_field_of_view`). What `through` must
        find of the whole volume (a threshold, means of slices), it finds inside as well.
    through : Kernel, optional
        Measure what this kernel makes of the volume, without storing it, such as
        ``LocalOtsu(radius=31)``. Fitted first where it must be, which takes a further read. Where
        it makes a mask, measures of the values (the histogram) see the grey levels before it.
    executor, block, ram, progress
        As for `bigrock.run`; none of them changes the result.

    Returns
    -------
    Measurements
        ``result["porosity"]["total"]``, and tables, JSON, CSV and HTML of everything.

    Warns
    -----
    PolarityWarning
        If the porosity is over 0.6; names what was counted as pore.

    Raises
    ------
    PhaseError
        If it is not known which voxels are pore, or there is no such class.
    ParameterError
        If a measure is not known, `through` changes the size of the volume, or both `pore` and
        `classes` are given.
    NonFiniteError
        If a histogram is asked of a volume that holds NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.zeros((4, 4, 4), bool)
    >>> mask[:, :, 0] = True
    >>> result = measure(mask, ["porosity", "profiles"])
    >>> result["porosity"]["total"], result["profiles"]["x"]["porosity"].tolist()
    (0.25, [1.0, 0.0, 0.0, 0.0])
    """
    source = source_of(volume)
    measures = asked = chosen(what)
    options = {"executor": executor, "block": block, "ram": ram, "progress": progress}
    field = _field(field_of_view, source)
    through = _fitted_kernel(through, source, field, options)
    facts = _facts_seen(source, through)
    if field is not None:
        measures = [m.within(field) for m in measures]
    phases: dict[str | None, Phase] = {}
    if any(m.of == "phase" for m in measures):
        phases = _phases(facts, pore, classes)
    elif classes is not None:
        raise ParameterError(f"classes={classes!r} has no part in measures of the values. Leave it out.")
    values = facts_of(source) if through is not None and facts.kind != "grey" else None
    job = Job(measures, phases, facts, field, values)
    job = job.completed(lambda reductions: reduce(source, reductions, through=through, **options))
    found = reduce(source, job.passes, through=through, stored=job.stored, **options)
    measured = job.described(found)
    if classes is None and "porosity" in measured:
        warn_of_polarity(measured["porosity"]["total"], phases[None].name)
    units = {m.name: _units(m, facts) for m in measures}
    origin = _origin(source, facts, phases, field, through)
    return Measurements(measured, units, origin | {"measures": {m.name: settings_of(m) for m in asked}})


def _field(given: FieldOfView | Literal["auto"] | None, source: Source) -> FieldOfView | None:
    """Return the field of view; of "auto" the one that is found."""
    if isinstance(given, str) and given == "auto":
        return detect_field_of_view(source)
    return None if given is None else checked_field(given, source.shape)


def _facts_seen(source: Source, through: Kernel | None) -> Facts:
    """Return the facts of the voxels that are measured."""
    facts = facts_of(source)
    if through is None:
        return facts
    kind = through.output_kind(facts.kind)
    classes = through.output_classes(facts.classes) if kind == "labels" else {}
    return replace(facts, dtype=through.output_dtype(facts.dtype), kind=kind, classes=classes)


def _fitted_kernel(
    through: Kernel | None, source: Source, field: FieldOfView | None, options: dict[str, Any]
) -> Kernel | None:
    """Return the kernel that knows what it must of the volume, where it can of what is inside the field."""
    if through is None:
        return None
    if through.scale != 1:
        raise ParameterError(
            f"through={type(through).__name__} makes a volume {through.scale} times longer along every axis: "
            "its numbers cannot be taken block by block. Run it with bigrock.run, then measure the result."
        )
    stages = stages_of(through)
    if field is not None:
        stages = tuple(_inside(stage, field) for stage in stages)
    return fit(Chain(stages) if len(stages) > 1 else stages[0], source, **options)


def _inside(stage: Kernel, field: FieldOfView) -> Kernel:
    """Return a kernel that finds what it must inside the field, where it can and is not told another one."""
    if getattr(stage, "field_of_view", field) is not None:
        return stage
    return replace(stage, field_of_view=field)  # type: ignore[type-var]


def _phases(facts: Facts, pore: PoreLike, classes: Classes) -> dict[str | None, Phase]:
    """Return what is measured by name; None stands for the one phase that needs no name."""
    if classes is None:
        return {None: find_phase(facts, pore)}
    if pore is not None:
        raise ParameterError(
            f"pore={pore!r} and classes={classes!r} are both given: a phase of several classes, or every class by "
            "itself? Give one of them."
        )
    return dict(find_phases(facts, classes).items())


def _units(measure: Measure, facts: Facts) -> dict[str, str]:
    known = _VOXELS if facts.voxel_size is None else _METRES
    return {name: known.get(unit, unit) for name, unit in measure.units.items()}


def _origin(
    source: Source,
    facts: Facts,
    phases: dict[str | None, Phase],
    field: FieldOfView | None,
    through: Kernel | None,
) -> dict[str, Any]:
    """Return what was measured, as JSON: enough to measure it again."""
    origin: dict[str, Any] = {
        "path": getattr(source, "path", None),
        "shape": list(facts.shape),
        "dtype": str(facts.dtype),
        "kind": facts.kind,
        "voxel_size_m": None if facts.voxel_size is None else list(facts.voxel_size),
        "history": list(getattr(source, "history", ())),
    }
    if None in phases:
        origin["pore"] = phases[None].name
    elif phases:
        origin["classes"] = {name: phase.name for name, phase in phases.items()}
    if field is not None:
        origin["field_of_view"] = settings_of(field)
    if through is not None:
        origin["through"] = settings_of(through)
    return origin
