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

from bigrock.measures.parquet import write_parquet
from bigrock.measures.quantities import is_array, is_table, leaves, plain, worded
from bigrock.units import format_voxel_size

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Measurements"]

_MOST_COLUMNS = 6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Measurements(Mapping[str, dict[str, Any]]):
    """Quantities by measure: ``result["porosity"]["total"]``; made by `bigrock.measure`.

    Prints itself as a table, and is written as JSON, CSV, HTML and Parquet. Its curves are drawn by
    `bigrock.report.write_curves` (PNG files) and `bigrock.write_report` (a page).

    Attributes
    ----------
    values_by_measure : dict
        Measure → quantity → number, array, text, None, `pyarrow.Table`, or a mapping of these;
        where classes are measured one by one, measure → class → quantity.
    units : dict
        Measure → quantity → unit.
    volume : dict
        What was measured: path, shape, dtype, kind, voxel_size_m, history, pore or classes.

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
        measures = {name: plain(quantities) for name, quantities in self.items()}
        return {**measures, "volume": plain(self.volume), "units": plain(self.units)}

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

        An entry of an array is a quantity of its own, such as ``z.porosity[12]``; a table is the
        number of its rows; what is not known is an empty value.

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
                if is_table(value):
                    entries, unit = [("", value.num_rows)], "rows"
                elif is_array(value):
                    entries = [(f"[{i}]", entry) for i, entry in enumerate(plain(value))]
                writer.writerows((measure, quantity + index, plain(entry), unit) for index, entry in entries)

    def to_html(self) -> str:
        """Return a ``<table>`` of all quantities, without a page around it; arrays as their range.

        Examples
        --------
        >>> Measurements({"porosity": {"total": 0.25}}, {}, {}).to_html().startswith("<table")
        True
        """
        names, cells = self._grid()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
        lines = ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in cells]
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
            for path, value in leaves(quantities):
                yield name, ".".join(path), value, self._unit(name, path)

    def tables(self) -> Iterator[tuple[str, str, Any]]:
        """Yield measure, quantity (dotted path) and `pyarrow.Table` of every table, such as that of the components.

        Examples
        --------
        >>> import pyarrow
        >>> table = pyarrow.table({"id": [1, 2], "voxels": [7, 4]})
        >>> [row[:2] for row in Measurements({"connectivity": {"components": table}}, {}, {}).tables()]
        [('connectivity', 'components')]
        """
        for measure, quantity, value, _ in self.rows():
            if is_table(value):
                yield measure, quantity, value

    def to_parquet(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write every table as ``<measure>-<quantity>.parquet`` and all else as ``measurements.parquet``.

        The latter has one line per number: measure, quantity, index (of an entry of an array),
        value, unit, text (where it is no number). What was measured stands in the metadata
        ``bigrock`` of every file, as JSON.

        Parameters
        ----------
        folder : str or path-like
            Made where it is missing; files of the same names are replaced.

        Returns
        -------
        list of Path
            The files.

        Examples
        --------
        >>> import tempfile
        >>> [file.name for file in Measurements({}, {}, {}).to_parquet(tempfile.mkdtemp())]
        ['measurements.parquet']
        """
        return write_parquet(self, Path(folder))

    def __str__(self) -> str:
        head, cells = self._grid()
        lines = [head, *cells]
        widths = [max(len(row[i]) for row in lines) for i in range(len(head))]
        texts = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in lines]
        return "\n".join([self._title(), *texts])

    def __repr__(self) -> str:
        return f"<Measurements: {', '.join(self)} of {self._title()}>"

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        head, cells = self._grid()
        table = Table(title=Text(self._title()), title_justify="left")
        for i, name in enumerate(head):
            table.add_column(Text(name), justify="right" if 2 <= i < len(head) - 1 else "left")
        for row in cells:
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

    def _grid(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return a head and rows of text: a column of values, and one for every class."""
        classes = tuple(self.volume.get("classes", ()))
        classes = classes if len(classes) <= _MOST_COLUMNS else ()
        whole = not classes or any(set(quantities) != set(classes) for quantities in self.values())
        columns = (("value",) if whole else ()) + classes
        rows: dict[tuple[str, str], dict[str, str]] = {}
        units: dict[tuple[str, str], str] = {}
        for measure, quantity, value, unit in self.rows():
            name, _, rest = quantity.partition(".")
            of_class = set(self[measure]) == set(classes)
            place, column = ((measure, rest), name) if of_class else ((measure, quantity), "value")
            rows.setdefault(place, {})[column] = worded(value)
            units[place] = "" if value is None else unit or units.get(place, "")
        cells = [(*place, *(told.get(c, "") for c in columns), units[place]) for place, told in rows.items()]
        return ("measure", "quantity", *columns, "unit"), cells
