"""Numbers of a report as text: results with units, facts of volumes, their histories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from bigrock.units import format_length, format_permeability, format_voxel_size
from bigrock.volumes.source import Source

__all__ = ["Row", "Step", "history_steps", "result_tables", "volume_rows"]

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
class Step:
    """One entry of a history: what was done, when, by which version, and with which settings.

    Examples
    --------
    >>> Step("import", "2026-01-02 03:04:05 UTC", "0.1.0", ()).title
    'import'
    """

    title: str
    time: str
    version: str
    rows: tuple[Row, ...]


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


def _rows(value: Any, path: tuple[str, ...], units: Mapping[str, str]) -> Iterator[Row]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _rows(part, (*path, str(name)), units)
    elif isinstance(value, np.ndarray | list | tuple):
        parts = list(value)
        if parts and all(isinstance(part, Mapping) for part in parts):
            for number, part in enumerate(parts[:_INLINE]):
                yield from _rows(part, (*path, str(number + 1)), units)
        elif len(parts) <= _INLINE:
            yield Row(_title(path[1:]), _text(parts) or "none", _unit(path, units))
    else:
        yield _scalar_row(value, path, units)


def _unit(path: tuple[str, ...], units: Mapping[str, str]) -> str:
    """Return the unit of the whole path, or of the innermost key that has one."""
    keys = (".".join(path[1:]), *reversed(path[1:]))
    return next((units[key] for key in keys if key in units), "")


def _scalar_row(value: Any, path: tuple[str, ...], units: Mapping[str, str]) -> Row:
    name, unit = _title(path[1:]), _unit(path, units)
    if isinstance(value, bool | np.bool_) or not isinstance(value, float | np.floating):
        return Row(name, _text(value), "" if value is None else unit)
    number = float(value)
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


def _title(path: Sequence[str]) -> str:
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


def history_steps(history: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return every step that made a volume, first to last, with its settings spelled out.

    Parameters
    ----------
    history : sequence of mapping
        ``Volume.history``.

    Returns
    -------
    list of Step
        One per entry.

    Examples
    --------
    >>> steps = history_steps([{"step": "run", "kernel": {"name": "LocalOtsu", "version": 1, "radius": 31}}])
    >>> steps[0].title, steps[0].rows[0].value
    ('run', 'LocalOtsu(radius=31), code version 1')
    """
    return [
        Step(
            title=str(entry.get("step", "step")),
            time=_time(entry.get("time")),
            version=str(entry.get("bigrock", "")),
            rows=tuple(_setting_rows(entry)),
        )
        for entry in history
    ]


def _time(text: Any) -> str:
    """Return an ISO time to the second; what is no time is shown as it is."""
    if text is None:
        return ""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    zone = f" {moment.tzname()}" if moment.tzinfo else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{zone}"


def _setting_rows(entry: Mapping[str, Any]) -> Iterator[Row]:
    for key, value in entry.items():
        if key in ("step", "time", "bigrock"):
            continue
        if key == "kernel" and isinstance(value, Mapping):
            yield Row("kernel", _kernel_text(value))
        elif isinstance(value, Mapping):
            yield from _flat_rows(value, (key,))
        else:
            yield Row(key.replace("_", " "), _setting(key, value))


def _flat_rows(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Row]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat_rows(value, (*path, str(key)))
        else:
            yield Row(_title((*path, str(key))), _setting(str(key), value))


def _setting(key: str, value: Any) -> str:
    if key.endswith("voxel_size") and isinstance(value, list | tuple) and len(value) == 3:
        return format_voxel_size((value[0], value[1], value[2]))
    return _plain(value)


def _kernel_text(kernel: Mapping[str, Any]) -> str:
    """Return a kernel as it is written in Python; a chain as its stages joined by a bar."""
    stages = kernel.get("stages")
    if isinstance(stages, list) and stages:
        return " | ".join(_kernel_text(stage) for stage in stages)
    settings = ", ".join(f"{k}={_plain(v)}" for k, v in kernel.items() if k not in ("name", "version"))
    version = f", code version {kernel['version']}" if "version" in kernel else ""
    return f"{kernel.get('name', 'kernel')}({settings}){version}"


def _plain(value: Any) -> str:
    """Return a setting in full: every digit counts for a repetition."""
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        if "sha256" in value and "array" in value:
            shape = " × ".join(map(str, value["array"]))
            return f"[{shape} {value.get('dtype', '')}, sha256 {value['sha256']}]"
        return "{" + ", ".join(f"{k}: {_plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(_plain(v) for v in value) + ")"
    return str(value)
