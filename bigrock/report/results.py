"""What a report needs of measurements, of one volume or of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from bigrock.measures import Measurements
from bigrock.report.tables import Grid, Row, class_grid, result_tables

__all__ = ["Measured", "Results", "read_results"]

_BESIDE = ("volume", "units")
_CURVES = ("values", "counts", "edges", "position", "porosity")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of one volume.

    Parameters
    ----------
    by_class : dict of str to mapping
        Class to its quantities; the name "" where no classes were measured one by one.
    units : mapping of str to str
        Quantity, by its last name or its dotted path, to unit.

    Examples
    --------
    >>> Measured({"": {"total": 0.2}}, {"total": "fraction"}).unit("total")
    'fraction'
    """

    by_class: dict[str, Mapping[str, Any]]
    units: Mapping[str, str] = field(default_factory=dict)

    def unit(self, *path: str) -> str:
        """Return the unit of a quantity, or nothing."""
        keys = (".".join(path), *reversed(path))
        return next((self.units[key] for key in keys if key in self.units), "")


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
    grids : dict of str to Grid
        Heading to the numbers of classes, side by side.
    measured : dict of str to Measured
        Everything, by measure; of the first volume that has it.

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
    grids: dict[str, Grid] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)


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
    sets = [_as_dict(m) for m in ([measurements] if isinstance(measurements, Mapping) else measurements)]
    measured: dict[str, Measured] = {}
    for one in sets:
        for name in _names(one):
            if name != "histogram" or _of(one).get("kind", "grey") == "grey":
                measured.setdefault(
                    name, Measured(_by_class(one, name), (one.get("units") or {}).get(name, {}))
                )
    profiled = next((s for s in sets if s.get("profiles")), {})
    tables, grids = _tables(sets)
    return Results(
        porosity=_alone(measured, "porosity").get("total"),
        histogram=dict(_alone(measured, "histogram")),
        profiles=dict(_alone(measured, "profiles")),
        metres=_of(profiled).get("voxel_size_m") is not None,
        tables=tables,
        grids=grids,
        measured=measured,
    )


def _as_dict(measurements: Any) -> dict[str, Any]:
    """Return measurements with their arrays and tables as they are."""
    if isinstance(measurements, Measurements):
        return {**measurements, "volume": measurements.volume, "units": measurements.units}
    return dict(measurements)


def _alone(measured: Mapping[str, Measured], name: str) -> Mapping[str, Any]:
    """Return the quantities of a measure that was not taken class by class."""
    return measured[name].by_class.get("", {}) if name in measured else {}


def _names(one: Mapping[str, Any]) -> list[str]:
    return [name for name, found in one.items() if name not in _BESIDE and isinstance(found, Mapping)]


def _by_class(one: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    classes = _of(one).get("classes") or {}
    return dict(one[name]) if classes and set(one[name]) == set(classes) else {"": one[name]}


def _of(measured: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is said of the volume that was measured."""
    return measured.get("volume") or {}


def _tables(sets: Sequence[Mapping[str, Any]]) -> tuple[dict[str, list[Row]], dict[str, Grid]]:
    """Return the cards of measures, and the grids of those that were taken class by class."""
    tables: dict[str, list[Row]] = {}
    grids: dict[str, Grid] = {}
    for one in sets:
        for name in _names(one):
            units = (one.get("units") or {}).get(name, {})
            by_class = {c: _without_curves(found) for c, found in _by_class(one, name).items()}
            heading = _heading(name, one, {**tables, **grids})
            if "" not in by_class:
                grids[heading] = class_grid(by_class, units)
            elif rows := result_tables({name: by_class[""]}, {name: units}).get(name):
                if name == "porosity" and "pore" in _of(one):
                    rows.append(Row("counted as pore", str(_of(one)["pore"])))
                tables[heading] = rows
    return tables, grids


def _heading(name: str, one: Mapping[str, Any], taken: Mapping[str, Any]) -> str:
    heading = name.replace("_", " ")
    if heading not in taken:
        return heading
    return f"{heading} of {PurePosixPath(str(_of(one).get('path') or 'another volume')).stem}"


def _without_curves(value: Any) -> Any:
    """Return a result without its curves, which are arrays and belong into figures."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_curves(part)
        for key, part in value.items()
        if not (key in _CURVES and hasattr(part, "__len__") and not isinstance(part, str | Mapping))
    }
