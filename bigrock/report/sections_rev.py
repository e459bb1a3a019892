"""Representative elementary volume: mean with its confidence interval, and variation, against box size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bigrock.report.charts import Chart, Line, Mark, chart_picture
from bigrock.report.figures import Picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, has, is_known
from bigrock.report.short_units import short_density, short_lengths

__all__ = ["rev_section"]

_NAMES = {"porosity": "porosity", "chi": "Euler number", "surface": "surface", "curvature": "mean curvature"}


def rev_section(measured: Measured) -> Section | None:
    """Return means with 95 % confidence intervals, and coefficients of variation with the criterion.

    Parameters
    ----------
    measured : Measured
        With ``size``, ``criterion``, and ``porosity``, ``chi``, ``surface``, ``curvature`` to ``boxes``, ``mean``,
        ``ci_low``, ``ci_high``, ``cv``, ``rev_size`` and ``reason``.

    Examples
    --------
    >>> table = {"boxes": [64, 8], "mean": [0.2, 0.2], "ci_low": [0.1, 0.1], "ci_high": [0.3, 0.3],
    ...          "cv": [0.5, 0.04], "rev_size": 16.0, "reason": ""}
    >>> found = {"size": [8.0, 16.0], "criterion": "cv <= 0.05", "porosity": table}
    >>> [p.name for p in rev_section(Measured({"": found})).pictures]
    ['rev-porosity', 'rev-variation']
    """
    pictures: list[Picture] = []
    for name, found in measured.by_class.items():
        if has(found, "size"):
            pictures += _pictures(measured, name, found)
    note = "Boxes side by side, all from the one read. Strips: 95 % confidence of the mean."
    return Section("Representative elementary volume", pictures, note) if pictures else None


def _pictures(measured: Measured, name: str, found: Mapping[str, Any]) -> list[Picture]:
    """Return the means of one class, and the coefficients of variation of all that was averaged."""
    sizes, unit = short_lengths(found["size"], measured.unit("size"))
    scale = float(sizes[-1]) / float(np.asarray(found["size"], float)[-1])
    label = f"box side ({unit or 'voxels'})"
    ticks = tuple(float(f"{size:.3g}") for size in sizes[:: -(-len(sizes) // 7)])
    file = "".join(c if c.isalnum() else "-" for c in name)
    end = f"-{file}" if file else ""
    pictures, spread = [], []
    for hue, key in enumerate(k for k in _NAMES if has(found.get(k), "mean", "cv")):
        table = found[key]
        spread.append(Line(sizes, 100 * np.asarray(table["cv"], float), _NAMES[key], hue))
        line, y_label = _mean(table, measured.unit(key, "mean"), _NAMES[key], sizes, hue)
        pictures.append(
            chart_picture(
                f"rev-{key}{end}",
                Chart(label, y_label, [line], log_x=True, x_ticks=ticks),
                title=" ".join(filter(None, (name, _NAMES[key]))),
                caption=_verdict(table, scale, unit),
                alt=f"{_NAMES[key]} against box size",
            )
        )
    limit = _limit(str(found.get("criterion", "")))
    marks = [] if limit is None else [Mark(100 * limit, f"criterion {100 * limit:g} %")]
    variation = Chart(label, "variation (%)", spread, marks=marks, log_x=True, log_y=True, x_ticks=ticks)
    caption = f"Coefficient of variation of the boxes. Criterion: {found.get('criterion', 'none')}."
    alt = "coefficient of variation against box size"
    return [
        *pictures,
        chart_picture(
            f"rev-variation{end}", variation, title=f"{name} variation".strip(), caption=caption, alt=alt
        ),
    ]


def _mean(table: Mapping[str, Any], unit: str, name: str, sizes: Any, hue: int) -> tuple[Line, str]:
    """Return the curve of a mean with its confidence, and the label of its axis."""
    parts = [np.asarray(table[part], float) for part in ("mean", "ci_low", "ci_high")]
    if unit == "fraction":
        mean, low, high, unit = *(100 * part for part in parts), "%"
    else:
        (mean, unit), (low, _), (high, _) = (short_density(part, unit) for part in parts)
    return Line(sizes, mean, "", hue, band=(low, high)), f"{name} ({unit})" if unit else name


def _verdict(table: Mapping[str, Any], scale: float, unit: str) -> str:
    rev = table.get("rev_size")
    if rev is None or not is_known(rev):
        return f"No size is representative: {table.get('reason') or 'the criterion is not met'}."
    return f"Representative from {rev * scale:.4g} {unit or 'voxels'} on."


def _limit(criterion: str) -> float | None:
    """Return the coefficient of variation that the criterion names."""
    found = re.search(r"cv <= ([\d.e+-]+)", criterion)
    return float(found[1]) if found else None
