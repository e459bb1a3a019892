"""`measure`: any number of named quantities of a volume, in one read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.reducing import fit, reduce
from bigrock.engine.reduction import Reduction
from bigrock.engine.settings import settings_of
from bigrock.errors import ParameterError
from bigrock.geometry import Shape
from bigrock.measures.definition import Measure
from bigrock.measures.measurements import Measurements
from bigrock.measures.phase import OfPhase, Phase, PoreLike, find_phase
from bigrock.measures.porosity import PolarityWarning, suspicious_porosity
from bigrock.measures.registry import chosen
from bigrock.volumes import ArraySource, open_volume
from bigrock.volumes.source import Facts, Source, facts_of

__all__ = ["measure"]


def measure(
    volume: Source | npt.NDArray[Any] | str | os.PathLike[str],
    what: str | Iterable[str] = ("histogram", "porosity", "profiles"),
    *,
    pore: PoreLike = None,
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
    what : str or iterable of str
        "histogram" (of the stored values: statistics, Otsu threshold), "porosity", "profiles"
        (porosity of the slices along each axis).
    pore : bool, int, str, or sequence of int or str, optional
        Which voxels are pore. By default True of a mask, or the class "pore" of a label volume;
        else the name or value of a class, or several of these.
    through : Kernel, optional
        Measure what this kernel makes of the volume, without storing it, such as
        ``LocalOtsu(radius=31)``. Fitted first where it must be, which takes a further read.
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
        If a measure is not known, or `through` changes the size of the volume.
    NonFiniteError
        If a histogram is asked of a volume that holds NaN or infinity.

    Examples
    --------
    >>> mask = np.zeros((4, 4, 4), bool)
    >>> mask[:, :, 0] = True
    >>> result = measure(mask, ["porosity", "profiles"])
    >>> result["porosity"]["total"], result["profiles"]["x"]["porosity"].tolist()
    (0.25, [1.0, 0.0, 0.0, 0.0])
    """
    source = _source(volume)
    measures = chosen(what)
    options = {"executor": executor, "block": block, "ram": ram, "progress": progress}
    if through is not None:
        if through.scale != 1:
            raise ParameterError(
                f"through={type(through).__name__} makes a volume {through.scale} times longer along every axis: "
                "its numbers cannot be taken block by block. Run it with bigrock.run, then measure the result."
            )
        through = fit(through, source, **options)
    facts = _facts_seen(source, through)
    phase = find_phase(facts, pore) if any(m.of == "pore" for m in measures) else None
    results = _results(source, measures, facts, phase, through, options)
    measured = {m.name: m.describe(found, facts) for m, found in zip(measures, results, strict=True)}
    _warn_of_polarity(measured, phase)
    units = {m.name: _units(m, facts) for m in measures}
    return Measurements(measured, units, _origin(source, facts, phase, through))


def _source(volume: Source | npt.NDArray[Any] | str | os.PathLike[str]) -> Source:
    if isinstance(volume, np.ndarray):
        return ArraySource(volume)
    return open_volume(volume) if isinstance(volume, str | os.PathLike) else volume


def _facts_seen(source: Source, through: Kernel | None) -> Facts:
    """Return the facts of the voxels that are measured."""
    facts = facts_of(source)
    if through is None:
        return facts
    kind = through.output_kind(facts.kind)
    classes = facts.classes if kind == "labels" else {}
    return replace(facts, dtype=through.output_dtype(facts.dtype), kind=kind, classes=classes)


def _results(
    source: Source,
    measures: Sequence[Measure],
    facts: Facts,
    phase: Phase | None,
    through: Kernel | None,
    options: dict[str, Any],
) -> list[list[Any]]:
    """Return the results of each measure's reductions; all reductions of the phase share its mask."""
    needed = [m.reductions(facts) for m in measures]
    plain = [r for m, rs in zip(measures, needed, strict=True) if m.of == "values" for r in rs]
    of_pore = tuple(r for m, rs in zip(measures, needed, strict=True) if m.of == "pore" for r in rs)
    passed: list[Reduction] = [*plain]
    if phase is not None:
        passed.append(OfPhase(phase, of_pore))
    found = reduce(source, passed, through=through, **options)
    values, pores = iter(found[: len(plain)]), iter(found[-1] if phase is not None else ())
    return [
        [next(values if m.of == "values" else pores) for _ in rs]
        for m, rs in zip(measures, needed, strict=True)
    ]


def _warn_of_polarity(measured: dict[str, dict[str, Any]], phase: Phase | None) -> None:
    if phase is None or "porosity" not in measured:
        return
    message = suspicious_porosity(measured["porosity"]["total"], phase.name)
    if message:
        warnings.warn(message, PolarityWarning, stacklevel=3)


def _units(measure: Measure, facts: Facts) -> dict[str, str]:
    length = "voxels" if facts.voxel_size is None else "m"
    return {name: length if unit == "length" else unit for name, unit in measure.units.items()}


def _origin(source: Source, facts: Facts, phase: Phase | None, through: Kernel | None) -> dict[str, Any]:
    """Return what was measured, as JSON: enough to measure it again."""
    origin: dict[str, Any] = {
        "path": getattr(source, "path", None),
        "shape": list(facts.shape),
        "dtype": str(facts.dtype),
        "kind": facts.kind,
        "voxel_size_m": None if facts.voxel_size is None else list(facts.voxel_size),
        "history": list(getattr(source, "history", ())),
    }
    if phase is not None:
        origin["pore"] = phase.name
    if through is not None:
        origin["through"] = settings_of(through)
    return origin
