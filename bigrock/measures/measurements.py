"""The result of `bigrock.measure`: a mapping that knows its units and prints, saves and tabulates itself."""

from __future__ import annotations

import csv
import html
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigrock.units import format_voxel_size

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Measurements"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Measurements(Mapping[str, dict[str, Any]]):
    """Quantities by measure: ``result["porosity"]["total"]``; made by `bigrock.measure`.

    Attributes
    ----------
    values_by_measure : dict
        Measure → quantity → number, array, text, None, or a mapping of these.
    units : dict
        Measure → quantity → unit.
    volume : dict
        What was measured: path, shape, dtype, kind, voxel_size_m, history, pore.

    Examples
    --------
    >>> result = Measurements({"porosity": {"total": 0.25}}, {"porosity": {"total": "fraction"}}, {})
    >>> result["porosity"]["total"], list(result)
    (0.25, ['porosity'])
    """

    values_by_measure: dict[str, dict[str, Any]]
    units: dict[str, dict[str, str]]
    volume: dict[str, Any]

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.values_by_measure[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_measure)

    def __len__(self) -> int:
        return len(self.values_by_measure)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values: every measure, and ``"volume"`` and ``"units"``.

        Examples
        --------
        >>> sorted(Measurements({"porosity": {"total": 0.25}}, {}, {}).to_dict())
        ['porosity', 'units', 'volume']
        """
        measures = {name: _plain(quantities) for name, quantities in self.items()}
        return {**measures, "volume": _plain(self.volume), "units": _plain(self.units)}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON text, and write it to a file where a path is given.

        Parameters
        ----------
        path : str or path-like, optional
            File to write; one that is there is replaced.

        Examples
        --------
        >>> Measurements({}, {}, {"path": None}).to_json().split()[:2]
        ['{', '"volume":']
        """
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per number: measure, quantity, value, unit.

        An entry of an array is a quantity of its own, such as ``z.porosity[12]``; what is not
        known is an empty value.

        Parameters
        ----------
        path : str or path-like
            File to write; one that is there is replaced.

        Examples
        --------
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "rock.csv"
        >>> Measurements({"porosity": {"total": 0.25}}, {"porosity": {"total": "fraction"}}, {}).to_csv(file)
        >>> file.read_text(encoding="utf-8").splitlines()[1]
        'porosity,total,0.25,fraction'
        """
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("measure", "quantity", "value", "unit"))
            for measure, quantity, value, unit in self.rows():
                entries = [("", value)]
                if isinstance(value, np.ndarray | list):
                    entries = [(f"[{i}]", entry) for i, entry in enumerate(_plain(value))]
                writer.writerows((measure, quantity + index, _plain(entry), unit) for index, entry in entries)

    def to_html(self) -> str:
        """Return a ``<table>`` of all quantities, without a page around it; arrays as their range.

        Examples
        --------
        >>> Measurements({"porosity": {"total": 0.25}}, {}, {}).to_html().startswith("<table")
        True
        """
        head = "".join(f"<th>{name}</th>" for name in ("measure", "quantity", "value", "unit"))
        lines = [
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
            for cells in self._cells()
        ]
        caption = f"<caption>{html.escape(self._title())}</caption>"
        return (
            f'<table class="measurements">{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(lines)}</tbody></table>"
        )

    def rows(self) -> Iterator[tuple[str, str, Any, str]]:
        """Yield measure, quantity (dotted path), value and unit, arrays whole.

        Examples
        --------
        >>> list(Measurements({"profiles": {"z": {"mean": 0.2}}}, {"profiles": {"mean": "fraction"}}, {}).rows())
        [('profiles', 'z.mean', 0.2, 'fraction')]
        """
        for name, quantities in self.items():
            for path, value in _leaves(quantities):
                yield name, ".".join(path), value, self._unit(name, path)

    def __str__(self) -> str:
        cells = [("measure", "quantity", "value", "unit"), *self._cells()]
        widths = [max(len(row[i]) for row in cells) for i in range(4)]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
        return "\n".join([self._title(), *lines])

    def __repr__(self) -> str:
        return f"<Measurements: {', '.join(self)} of {self._title()}>"

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(self._title()), title_justify="left")
        for name in ("measure", "quantity", "value", "unit"):
            table.add_column(name, justify="right" if name == "value" else "left")
        for row in self._cells():
            table.add_row(*map(Text, row))
        return table

    def _repr_html_(self) -> str:
        return self.to_html()

    def _unit(self, name: str, path: tuple[str, ...]) -> str:
        units = self.units.get(name, {})
        dotted = (".".join(path[i:]) for i in range(len(path)))
        known = (units[key] for key in (*dotted, *reversed(path)) if key in units)
        return next(known, "")

    def _title(self) -> str:
        facts = self.volume
        parts = [str(facts.get("path") or "array in memory")]
        if "shape" in facts:
            parts.append(" × ".join(map(str, facts["shape"])) + " voxels")
        if "voxel_size_m" in facts:
            size = facts["voxel_size_m"]
            parts.append("voxel " + format_voxel_size(None if size is None else tuple(size)))
        if "pore" in facts:
            parts.append(f"pore is {facts['pore']}")
        return ", ".join(parts)

    def _cells(self) -> Iterator[tuple[str, str, str, str]]:
        for name, quantity, value, unit in self.rows():
            yield name, quantity, _text(value), "" if value is None else unit


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)))
    else:
        yield path, value


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; numbers that are not finite have no JSON and become None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _text(value: Any) -> str:
    """Return a value for a table cell."""
    if value is None:
        return "not known"
    if isinstance(value, np.ndarray | list):
        numbers = np.asarray(value)
        return (
            f"{numbers.size} values, {numbers.min():.6g} to {numbers.max():.6g}" if numbers.size else "none"
        )
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value)
