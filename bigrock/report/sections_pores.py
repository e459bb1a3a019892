"""Pores and throats: how large they are, how many meet, and the largest of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.measures.quantities import is_table
from bigrock.report.charts import Chart, Line, chart_picture
from bigrock.report.figures import Picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, curve_name
from bigrock.report.short_units import short_lengths
from bigrock.report.tables import Grid, table_head

__all__ = ["pores_section"]

_BINS, _SHOWN = 40, 10
_LENGTHS = {"pores": ("equivalent_diameter", "inscribed_diameter"), "throats": ("inscribed_diameter",)}


def pores_section(measured: Measured) -> Section | None:
    """Return diameters of pores and throats, coordination numbers, and the largest pores.

    Parameters
    ----------
    measured : Measured
        With the tables ``pores`` and ``throats``: ``equivalent_diameter_m`` and
        ``inscribed_diameter_m`` (or ``_voxels``), ``coordination``, ``voxels``.

    Examples
    --------
    >>> import pyarrow
    >>> table = pyarrow.table({"id": [1, 2], "voxels": [9, 7], "equivalent_diameter_m": [2e-6, 3e-6]})
    >>> section = pores_section(Measured({"": {"pores": table}}))
    >>> [p.name for p in section.pictures], list(section.grids)
    (['pores-diameter'], ['Largest pores'])
    """
    pictures: list[Picture] = []
    grids: dict[str, Grid] = {}
    for name, found in measured.by_class.items():
        if not is_table(found.get("pores")) or not found["pores"].num_rows:
            continue
        file = "".join(("-", *(c if c.isalnum() else "-" for c in name))) if name else ""
        pictures += [p for p in (_diameters(found, name, file), _coordination(found, name, file)) if p]
        grids[curve_name("Largest pores", name)] = _largest(found["pores"])
    return Section("Pores and throats", pictures, grids=grids) if pictures or grids else None


def _diameters(found: Mapping[str, Any], name: str, file: str) -> Picture | None:
    """Return the distributions of the diameters by number."""
    columns: dict[str, tuple[npt.NDArray[np.float64], str]] = {}
    for key, words in _LENGTHS.items():
        table: Any = found.get(key)
        for column in table.column_names if is_table(table) else ():
            stem, _, unit = column.rpartition("_")
            values = np.array(table[column].to_pylist(), np.float64)
            if stem in words and np.isfinite(values).any():
                columns[f"{key}, {stem.split('_')[0]}"] = values[np.isfinite(values)], unit
    if not columns:
        return None
    longest = max(float(np.percentile(values, 99.5)) for values, _ in columns.values())
    scaled, short = short_lengths([longest], next(iter(columns.values()))[1])
    edges = np.linspace(0, float(scaled[0]), _BINS + 1)
    lines = []
    for hue, (told, (values, _)) in enumerate(columns.items()):
        counts, _ = np.histogram(values * (float(scaled[0]) / longest), edges)
        lines.append(Line(0.5 * (edges[1:] + edges[:-1]), 100 * counts / values.size, told, hue, "steps"))
    chart = Chart(f"diameter ({short})", "share by number (%)", lines, from_zero=True)
    return chart_picture(
        f"pores-diameter{file}",
        chart,
        title=f"{name} diameters".strip(),
        caption=f"Of {found['pores'].num_rows} pores.",
        alt=f"distribution of the diameters of pores and throats {name}".strip(),
    )


def _coordination(found: Mapping[str, Any], name: str, file: str) -> Picture | None:
    """Return how many throats pores have."""
    if "coordination" not in found["pores"].column_names:
        return None
    numbers = found["pores"]["coordination"].to_numpy().astype(np.int64)
    counts = np.bincount(numbers)
    upto = int(np.searchsorted(np.cumsum(counts), 0.995 * numbers.size)) + 1
    lines = [Line(np.arange(upto), 100 * counts[:upto] / numbers.size, "", 0, "steps")]
    return chart_picture(
        f"pores-coordination{file}",
        Chart("throats of a pore", "share by number (%)", lines, from_zero=True),
        title=f"{name} coordination".strip(),
        caption=f"Mean {numbers.mean():.3g}.",
        alt=f"distribution of the coordination numbers {name}".strip(),
    )


def _largest(table: Any) -> Grid:
    """Return the pores with the most voxels; places and moments are left to the Parquet file."""
    order = np.argsort(-table["voxels"].to_numpy().astype(np.int64), kind="stable")[:_SHOWN]
    left_out = ("covariance", "_start", "_stop", "touches", "centroid", "value", "major", "medium", "minor")
    kept = [c for c in table.column_names if not any(word in c for word in left_out)]
    return table_head(table.take(order).select(kept), _SHOWN)
