"""The histories of volumes as text: what was done, when, by which version, with which settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bigrock.report.tables import Row, titled
from bigrock.units import format_voxel_size

__all__ = ["Step", "history_steps"]


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
            yield Row(titled((*path, str(key))), _setting(str(key), value))


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
