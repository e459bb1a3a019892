"""Texture of every slice: fractal dimensions and lacunarity along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigrock.measures.quantities import is_table
from bigrock.report.charts import Chart, Line, chart_picture
from bigrock.report.figures import Picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, curve_name
from bigrock.report.short_units import short_lengths

__all__ = ["texture_section"]


def texture_section(measured: Measured) -> Section | None:
    """Return fraction, fractal dimensions and lacunarity of every slice along the axis.

    Parameters
    ----------
    measured : Measured
        With the table ``slices``: ``position_m`` or ``position_voxels``, ``fraction``,
        ``dimension_phase``, ``dimension_interface``, ``lacunarity_r`` for sizes r.

    Examples
    --------
    >>> import pyarrow
    >>> table = pyarrow.table({"position_m": [1e-6, 3e-6], "dimension_phase": [1.7, 1.8]})
    >>> section = texture_section(Measured({"": {"axis": "z", "slices": table}}))
    >>> [p.name for p in section.pictures]
    ['slices-dimension']
    """
    tables = {n: q["slices"] for n, q in measured.by_class.items() if is_table(q.get("slices"))}
    if not tables:
        return None
    axis = str(next(iter(measured.by_class.values())).get("axis", "z"))
    kinds = {
        "fraction": ("share of the slice (%)", ("fraction",)),
        "dimension": ("fractal dimension", ("dimension_phase", "dimension_interface")),
        "lacunarity": ("lacunarity Λ", _columns(tables, "lacunarity_")),
    }
    pictures = [_along(kind, tables, axis, *told) for kind, told in kinds.items()]
    note = (
        f"Every slice across {axis} by itself, as an image: by such curves slices for labelling are chosen."
    )
    return Section("Texture of the slices", [p for p in pictures if p is not None], note)


def _columns(tables: dict[str, Any], beginning: str) -> tuple[str, ...]:
    return tuple(c for c in next(iter(tables.values())).column_names if c.startswith(beginning))


def _along(
    kind: str, tables: dict[str, Any], axis: str, label: str, columns: tuple[str, ...]
) -> Picture | None:
    """Return columns against the position of the slice."""
    lines: list[Line] = []
    unit = "voxels"
    for name, table in tables.items():
        position, unit = _position(table)
        for column in (c for c in columns if c in table.column_names):
            told = column.removeprefix(f"{kind}_").replace("_", " ") if len(columns) > 1 else ""
            told = f"box {told}" if kind == "lacunarity" else told
            values = np.array(table[column].to_pylist(), float) * (100 if kind == "fraction" else 1)
            if np.isfinite(values).any():
                lines.append(Line(position, values, curve_name(name, told), len(lines)))
    if not lines:
        return None
    return chart_picture(
        f"slices-{kind}",
        Chart(f"{axis} ({unit})", label, lines, from_zero=kind == "fraction", size=(380, 270)),
        title=kind,
        caption=f"Of each slice, along {axis}.",
        alt=f"{label} of each slice along {axis}",
    )


def _position(table: Any) -> tuple[Any, str]:
    if "position_m" in table.column_names:
        return short_lengths(table["position_m"].to_pylist(), "m")
    if "position_voxels" in table.column_names:
        return np.array(table["position_voxels"].to_pylist(), float), "voxels"
    return np.arange(table.num_rows), "slice"
