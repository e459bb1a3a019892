"""What a report needs of measurements, of one volume or of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from bigrock.report.tables import Row, result_tables

__all__ = ["Results", "read_results"]

_BESIDE = ("volume", "units")
_CURVES = ("values", "counts", "edges", "position", "porosity")


@dataclass(frozen=True, slots=True)
class Results:
    """The numbers that figures show, and the tables of all others.

    Parameters
    ----------
    porosity : float or None
        Total porosity, a fraction.
    histogram : dict
        Of the grey levels: values, counts, otsu; empty where none was measured.
    profiles : dict
        Axis to positions and porosities; empty where none were measured.
    metres : bool
        Whether the positions are metres; voxels otherwise.
    tables : dict of str to list of Row
        Heading to its lines.

    Examples
    --------
    >>> Results().tables
    {}
    """

    porosity: float | None = None
    histogram: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, Any] = field(default_factory=dict)
    metres: bool = False
    tables: dict[str, list[Row]] = field(default_factory=dict)


def read_results(measurements: Any) -> Results:
    """Return what figures and tables show of measurements.

    Parameters
    ----------
    measurements : Measurements, mapping, sequence of these, or None
        What `bigrock.measure` returned, or its ``to_dict()``, read from a file say. The first that
        has a porosity, profiles, or a histogram of grey levels provides it.

    Returns
    -------
    Results
        Empty for None.

    Examples
    --------
    >>> read_results({"porosity": {"total": 0.2}}).porosity
    0.2
    """
    if measurements is None:
        return Results()
    several = [measurements] if isinstance(measurements, Mapping) else list(measurements)
    sets = [dict(m.to_dict() if hasattr(m, "to_dict") else m) for m in several]
    porosity: Mapping[str, Any] = next((s["porosity"] for s in sets if "porosity" in s), {})
    profiled = next((s for s in sets if s.get("profiles")), {})
    grey = (s for s in sets if s.get("histogram") and _of(s).get("kind", "grey") == "grey")
    return Results(
        porosity=porosity.get("total"),
        histogram=next(grey, {}).get("histogram", {}),
        profiles=profiled.get("profiles", {}),
        metres=_of(profiled).get("voxel_size_m") is not None,
        tables=_tables(sets),
    )


def _of(measured: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is said of the volume that was measured."""
    return measured.get("volume") or {}


def _tables(sets: Sequence[Mapping[str, Any]]) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {}
    for measured in sets:
        values = {name: _without_curves(result) for name, result in measured.items() if name not in _BESIDE}
        for name, rows in result_tables(values, measured.get("units")).items():
            if name == "porosity" and "pore" in _of(measured):
                rows.append(Row("counted as pore", str(_of(measured)["pore"])))
            heading = name.replace("_", " ")
            if heading in tables:
                heading = (
                    f"{heading} of {PurePosixPath(str(_of(measured).get('path') or 'another volume')).stem}"
                )
            tables[heading] = rows
    return tables


def _without_curves(value: Any) -> Any:
    """Return a result without its curves, which are arrays and belong into figures."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_curves(part)
        for key, part in value.items()
        if not (key in _CURVES and hasattr(part, "__len__") and not isinstance(part, str | Mapping))
    }
