"""Box counts with the fitted line and local slopes; lacunarity curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bigrock.report.charts import Chart, Line, chart_picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, curve_name, has, is_known

__all__ = ["fractal_section", "lacunarity_section"]

_MOST_TICKS = 11


def fractal_section(
    measured: Measured, heading: str = "Fractal dimension", file: str = "fractal"
) -> Section | None:
    """Return box counts against box size with the fitted lines, and the local slopes.

    Parameters
    ----------
    measured : Measured
        Of "fractal" or "differential_fractal": each kind with ``sizes``, ``counts``, ``dimension``,
        ``r2``, ``local_slopes``, ``fit_smallest`` and ``fit_largest``.
    heading, file : str
        Heading of the section, and beginning of the names of its files.

    Examples
    --------
    >>> counted = {"sizes": [1, 2, 4], "counts": [64, 8, 1], "dimension": 3.0, "r2": 1.0,
    ...            "local_slopes": [3.0, 3.0], "fit_smallest": 1, "fit_largest": 4}
    >>> [p.name for p in fractal_section(Measured({"": {"phase": counted}})).pictures]
    ['fractal-counts', 'fractal-slopes']
    """
    found = list(_box_counts(measured))
    if not found:
        return None
    counts, slopes, told = [], [], []
    for hue, (name, kind) in enumerate(found):
        sizes = np.asarray(kind["sizes"], float)
        counts.append(Line(sizes, kind["counts"], name, hue, "points"))
        counts += _fit(kind, hue)
        between = np.sqrt(sizes[1:] * sizes[:-1])
        slopes.append(Line(between, np.asarray(kind.get("local_slopes", ()), float), name, hue))
        told.append(_dimension(name, kind))
    ticks = _ticks(found[0][1]["sizes"])
    said = "; ".join(told)
    return Section(
        heading,
        [
            chart_picture(
                f"{file}-counts",
                Chart("box size (voxels)", "boxes", counts, log_x=True, log_y=True, x_ticks=ticks),
                title="box counts",
                caption=f"Boxes that are touched, and the line that was fitted. {said}.",
                alt=f"box counts against box size; {said}",
            ),
            chart_picture(
                f"{file}-slopes",
                Chart("box size (voxels)", "local slope", slopes, log_x=True, x_ticks=ticks),
                title="local slopes",
                caption="Slope between each size and the next: a fractal has equal ones.",
                alt="slope between each box size and the next",
            ),
        ],
    )


def _box_counts(measured: Measured) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, quantities in measured.by_class.items():
        if has(quantities, "sizes", "counts"):
            yield name, quantities
        for kind, found in quantities.items():
            if has(found, "sizes", "counts"):
                yield curve_name(name, str(kind)), found


def _fit(kind: Mapping[str, Any], hue: int) -> list[Line]:
    """Return the fitted line, over the range that it was fitted to."""
    span, dimension = _span(kind), kind.get("dimension")
    if dimension is None or not is_known(dimension) or span is None:
        return []
    sizes, counts = np.asarray(kind["sizes"], float), np.asarray(kind["counts"], float)
    fitted = (sizes >= span[0]) & (sizes <= span[1]) & (counts > 0)
    if fitted.sum() < 2:
        return []
    # The least-squares line runs through the centre of its points.
    offset = np.mean(np.log(counts[fitted]) + dimension * np.log(sizes[fitted]))
    ends = np.array([sizes[fitted].min(), sizes[fitted].max()])
    return [Line(ends, np.exp(offset) * ends ** -float(dimension), "", hue, "dashed")]


def _dimension(name: str, kind: Mapping[str, Any]) -> str:
    if not is_known(kind.get("dimension")):
        return f"{name}: no dimension, too few sizes hold a box".removeprefix(": ")
    told = f"{name}: D = {kind['dimension']:.3f}".removeprefix(": ")
    if is_known(kind.get("r2")):
        told += f", R² = {kind['r2']:.4f}"
    span = _span(kind)
    return told if span is None else f"{told} over sizes {span[0]} to {span[1]}"


def _span(kind: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Return the smallest and the largest size of the fit."""
    span = kind.get("fit_smallest"), kind.get("fit_largest")
    return None if None in span else span


def lacunarity_section(
    measured: Measured, heading: str = "Lacunarity", file: str = "lacunarity"
) -> Section | None:
    """Return lacunarity against box size.

    Parameters
    ----------
    measured : Measured
        With ``sizes`` and ``lacunarity``.
    heading, file : str
        Heading of the section, and name of its file.

    Examples
    --------
    >>> curve = {"sizes": [1, 2, 4], "lacunarity": [4.0, 2.0, 1.5]}
    >>> [p.name for p in lacunarity_section(Measured({"": curve})).pictures]
    ['lacunarity']
    """
    found = [(n, q) for n, q in measured.by_class.items() if has(q, "sizes", "lacunarity")]
    if not found:
        return None
    lines = [Line(q["sizes"], q["lacunarity"], name, hue) for hue, (name, q) in enumerate(found)]
    ticks = _ticks(found[0][1]["sizes"])
    picture = chart_picture(
        file,
        Chart("box size (voxels)", "lacunarity Λ", lines, log_x=True, log_y=True, x_ticks=ticks),
        title="",
        caption="Gliding box, Λ = E[M²] / E[M]²: 1 where every box holds as much.",
        alt="lacunarity against box size",
    )
    return Section(heading, [picture])


def _ticks(sizes: Any) -> tuple[float, ...]:
    """Return the box sizes, thinned where they would run into each other."""
    values = [float(size) for size in sizes]
    return tuple(values[:: -(-len(values) // _MOST_TICKS)])
