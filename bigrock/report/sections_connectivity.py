"""What of each phase is connected, percolates and is closed off, and the largest components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bigrock.measures.quantities import is_table
from bigrock.report.charts import Bars, Chart, chart_picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, curve_name
from bigrock.report.tables import Grid, table_head

__all__ = ["connectivity_section"]

_SHOWN = 10
_LEFT_OUT = ("covariance", "_start", "_stop", "touches", "centroid", "value")


def connectivity_section(measured: Measured) -> Section | None:
    """Return bars of total, connected, percolating and closed fractions, and the largest components.

    Parameters
    ----------
    measured : Measured
        With ``total``, ``connected``, ``closed``, ``percolating`` (axis to fraction), the same in
        ``solid``, and the table ``components``.

    Examples
    --------
    >>> found = {"total": 0.2, "connected": 0.19, "closed": 0.01, "percolating": {"z": 0.18}}
    >>> [p.name for p in connectivity_section(Measured({"": found})).pictures]
    ['connectivity']
    """
    phases = dict(_phases(measured))
    if not phases:
        return None
    axes = list(next(iter(phases.values())).get("percolating") or {})
    groups = ("total", "connected", *(f"through\n{a}" for a in axes), "closed")
    series = {name: np.array(_heights(found, axes), float) for name, found in phases.items()}
    told = "; ".join(f"{name} {_percolation(found)}" for name, found in phases.items())
    picture = chart_picture(
        "connectivity",
        Chart("", "share of the volume (%)", bars=Bars(groups, series), size=(520, 320)),
        title="",
        caption=f"Connected: touches a face of the volume. Through: joins both opposite faces. {told}.",
        alt=f"connected, percolating and closed shares of the volume; {told}",
    )
    tables = {n: q["components"] for n, q in measured.by_class.items() if is_table(q.get("components"))}
    grids = {curve_name("Largest components", name): _largest(table) for name, table in tables.items()}
    return Section("Connectivity", [picture], grids={n: g for n, g in grids.items() if g.rows})


def _phases(measured: Measured) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the phases that have bars: of one phase also what is not it."""
    for name, found in measured.by_class.items():
        if "total" in found and "connected" in found:
            yield name or "pore", found
            if not name and isinstance(found.get("solid"), Mapping):
                yield "solid", found["solid"]


def _heights(found: Mapping[str, Any], axes: list[str]) -> list[float]:
    percolating = found.get("percolating") or {}
    shares = [found["total"], found["connected"], *(percolating.get(a) for a in axes), found.get("closed")]
    return [np.nan if share is None else 100 * share for share in shares]


def _percolation(found: Mapping[str, Any]) -> str:
    joined = [axis for axis, share in (found.get("percolating") or {}).items() if share]
    return f"percolates along {', '.join(joined)}" if joined else "percolates along no axis"


def _largest(table: Any) -> Grid:
    """Return the components with the most voxels; places and moments are left to the Parquet file."""
    if "voxels" in table.column_names:
        table = table.take(np.argsort(-table["voxels"].to_numpy().astype(np.int64), kind="stable")[:_SHOWN])
    kept = [c for c in table.column_names if not any(word in c for word in _LEFT_OUT)]
    return table_head(table.select(kept), _SHOWN)
