"""Numbers of a report as text: results with units, facts of volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bigrock.measures.quantities import is_table
from bigrock.units import format_length, format_permeability, format_voxel_size
from bigrock.volumes.source import Source

__all__ = ["Grid", "Row", "class_grid", "result_tables", "table_head", "titled", "volume_rows"]

_FRACTIONS = ("porosity", "fraction", "share")
_INLINE = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what, how much, in which unit.

    Examples
    --------
    >>> Row("porosity", "19.95", "%").unit
    '%'
    """

    name: str
    value: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with a head: names of the columns, and rows of text whose first cell is their name.

    Examples
    --------
    >>> Grid(("", "pore"), (("total", "20 %"),)).note
    ''
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def result_tables(
    measurements: Mapping[str, Any], units: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, list[Row]]:
    """Return a table for each measure; curves and histograms are left to the figures.

    Any nesting of numbers, texts and short lists is shown, so that a new measure needs no code
    here. Fractions are shown in percent, lengths and volumes in the unit that suits them.

    Parameters
    ----------
    measurements : mapping
        Measure name to its result, as ``Measurements.to_dict()`` gives it.
    units : mapping, optional
        Measure to quantity to unit. Without it only fractions are known, by their names.

    Returns
    -------
    dict of str to list of Row
        Measures without a single number are left out.

    Examples
    --------
    >>> result_tables({"porosity": {"total": 0.1995, "holes": 1200}})["porosity"]
    [Row(name='total', value='19.95', unit='%'), Row(name='holes', value='1 200', unit='')]
    """
    tables = {}
    for measure, result in measurements.items():
        rows = list(_rows(result, (measure,), (units or {}).get(measure, {})))
        if rows:
            tables[measure] = rows
    return tables


def class_grid(by_class: Mapping[str, Any], units: Mapping[str, str]) -> Grid:
    """Return the quantities of classes side by side, one column for each class.

    Parameters
    ----------
    by_class : mapping
        Class to its quantities.
    units : mapping
        Quantity to unit.

    Returns
    -------
    Grid
        A row for every quantity that has a text.

    Examples
    --------
    >>> class_grid({"pore": {"total": 0.2}, "clay": {"total": 0.1}}, {"total": "fraction"}).rows
    (('total', '20 %', '10 %'),)
    """
    told: dict[str, dict[str, str]] = {}
    for name, quantities in by_class.items():
        for row in _rows(quantities, ("",), units):
            told.setdefault(row.name, {})[name] = f"{row.value} {row.unit}".strip()
    rows = tuple((name, *(cells.get(c, "–") for c in by_class)) for name, cells in told.items())
    return Grid(("", *by_class), rows)


def table_head(table: Any, most: int = 12) -> Grid:
    """Return the first rows of a `pyarrow.Table`; lengths, areas and volumes in µm, or nm where all are small.

    Parameters
    ----------
    table : pyarrow.Table
        Such as that of the components; columns in metres end in ``_m``, ``_m2`` or ``_m3``.
    most : int
        Rows shown.

    Returns
    -------
    Grid
        With a note that tells how many rows there are.

    Examples
    --------
    >>> import pyarrow
    >>> table_head(pyarrow.table({"id": [1, 2], "volume_m3": [2e-18, 1e-18]}), most=1)
    Grid(head=('id', 'volume (µm³)'), rows=(('1', '2'),), note='The first 1 of 2 rows.')
    """
    columns = [_column(name, table[name].slice(0, most).to_pylist()) for name in table.column_names]
    rows = tuple(zip(*(texts for _, texts in columns), strict=True))
    cut = f"The first {len(rows)} of {_text(table.num_rows)} rows." if table.num_rows > len(rows) else ""
    return Grid(tuple(name for name, _ in columns), rows, cut)


def _column(name: str, values: list[Any]) -> tuple[str, list[str]]:
    """Return the heading and the cells of a column, in a unit that suits them."""
    words, _, unit = name.rpartition("_")
    powers = {"m": 1, "m2": 2, "m3": 3, "voxels": 0}
    if not words or unit not in powers:
        return name.replace("_", " "), [_text(value) for value in values]
    power = powers[unit]
    largest = max((abs(v) for v in values if v is not None and np.isfinite(v)), default=0.0)
    short, exponent = ("nm", 9) if 0 < largest < 10.0 ** (-6 * power) else ("µm", 6)
    told = f"{short}{('', '', '²', '³')[power]}" if power else unit
    scaled = [None if v is None else v * 10.0 ** (exponent * power) if power else v for v in values]
    return f"{words.replace('_', ' ')} ({told})", [_text(v) for v in scaled]


def _rows(value: Any, path: tuple[str, ...], units: Mapping[str, str]) -> Iterator[Row]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _rows(part, (*path, str(name)), units)
    elif is_table(value):
        yield Row(titled(path[1:]), _text(value.num_rows), "rows")
    elif isinstance(value, np.ndarray | list | tuple):
        parts = list(value)
        if parts and all(isinstance(part, Mapping) for part in parts):
            for number, part in enumerate(parts[:_INLINE]):
                yield from _rows(part, (*path, str(number + 1)), units)
        elif len(parts) <= _INLINE:
            yield Row(titled(path[1:]), _text(parts) or "none", _unit(path, units))
    else:
        yield _scalar_row(value, path, units)


def _unit(path: tuple[str, ...], units: Mapping[str, str]) -> str:
    """Return the unit of the whole path, or of the innermost key that has one."""
    keys = (".".join(path[1:]), *reversed(path[1:]))
    return next((units[key] for key in keys if key in units), "")


def _scalar_row(value: Any, path: tuple[str, ...], units: Mapping[str, str]) -> Row:
    name, unit = titled(path[1:]), _unit(path, units)
    if isinstance(value, bool | np.bool_) or not isinstance(value, float | np.floating):
        return Row(name, _text(value), "" if value is None else unit)
    number = float(value)
    if not np.isfinite(number):
        return Row(name, "–")
    named = any(word in key for key in path for word in _FRACTIONS)
    if unit == "fraction" or (not unit and named and 0 <= number <= 1):
        return Row(name, f"{100 * number:.4g}", "%")
    if unit in ("m", "length"):
        length, _, short = format_length(number).partition(" ")
        return Row(name, length, short)
    if unit == "m²" and "permeability" in " ".join(path):
        return Row(name, format_permeability(number))
    if unit == "m³":
        scaled, short = (number * 1e9, "mm³") if number >= 1e-12 else (number * 1e18, "µm³")
        return Row(name, _text(scaled), short)
    return Row(name, _text(number), unit)


def titled(path: Sequence[str]) -> str:
    """Return a path of keys as people write it.

    Examples
    --------
    >>> titled(("z", "local_slopes"))
    'z · local slopes'
    """
    return " · ".join(part.replace("_", " ") for part in path) or "value"


def _text(value: Any) -> str:
    """Return a value as people write it: grouped digits, five significant ones, yes and no."""
    if value is None:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}".replace(",", " ")
    if isinstance(value, float | np.floating):
        return f"{float(value):.5g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    return str(value)


def volume_rows(name: str, volume: Source) -> list[Row]:
    """Return the facts of a volume: extent, voxel size, data type, meaning, path.

    Parameters
    ----------
    name : str
        How the report calls it.
    volume : Source
        The volume; no voxel is read.

    Returns
    -------
    list of Row
        One fact each.

    Examples
    --------
    >>> from bigrock.datasets import Sandstone
    >>> volume_rows("scan", Sandstone((8, 16, 16)))[1].value
    '8 × 16 × 16'
    """
    size = volume.voxel_size
    rows = [
        Row("name", name),
        Row("extent (z, y, x)", " × ".join(map(str, volume.shape)), "voxels"),
        Row("voxel size", format_voxel_size(size)),
    ]
    if size is not None:
        extent = " × ".join(format_length(n * s, 4) for n, s in zip(volume.shape, size, strict=True))
        rows.append(Row("physical extent (z, y, x)", extent))
    meaning = {"grey": "grey levels", "mask": "mask, true = pore", "labels": "labels"}
    kind = str(getattr(volume, "kind", "grey"))
    rows += [Row("voxels hold", f"{meaning.get(kind, kind)} ({np.dtype(volume.dtype).name})")]
    classes = getattr(volume, "classes", {})
    if classes:
        rows.append(Row("classes", ", ".join(f"{value} = {label}" for label, value in classes.items())))
    path = getattr(volume, "path", None)
    if path is not None:
        rows.append(Row("path", str(path)))
    return rows
