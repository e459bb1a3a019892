"""Curves of measures that have no section of their own, such as a user's: drawn as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bigrock.measures.quantities import is_array
from bigrock.report.charts import Chart, Line, chart_picture
from bigrock.report.figures import Picture
from bigrock.report.results import Measured
from bigrock.report.section import Section
from bigrock.report.short_units import short_lengths

__all__ = ["curves_section"]

_FEWEST, _MOST_LINES, _MOST_PICTURES = 3, 4, 6


def curves_section(measured: Measured, name: str) -> Section | None:
    """Return arrays of equal length that stand together, each against the first of them.

    Parameters
    ----------
    measured : Measured
        Any measure.
    name : str
        Of the measure.

    Examples
    --------
    >>> found = {"diameter": [1.0, 2.0, 3.0], "volume_fraction": [0.2, 0.5, 0.3]}
    >>> [p.name for p in curves_section(Measured({"": found}), "thickness").pictures]
    ['thickness']
    """
    pictures = []
    for path, curves in _curves(measured.by_class, ()):
        pictures.append(_picture(measured, name, path, curves))
    heading = name.replace("_", " ")
    return Section(heading[:1].upper() + heading[1:], pictures[:_MOST_PICTURES]) if pictures else None


def _curves(
    tree: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield the mappings that hold at least two arrays of equal length."""
    found = {key: np.asarray(part) for key, part in tree.items() if is_array(part)}
    numbers = {k: v.astype(float) for k, v in found.items() if v.ndim == 1 and v.dtype.kind in "iufO"}
    if numbers:
        length = len(next(iter(numbers.values())))
        together = {key: values for key, values in numbers.items() if len(values) == length}
        if length >= _FEWEST and len(together) > 1:
            yield path, together
    for key, part in tree.items():
        if isinstance(part, Mapping):
            yield from _curves(part, (*path, *filter(None, (str(key),))))


def _picture(measured: Measured, name: str, path: tuple[str, ...], curves: dict[str, Any]) -> Picture:
    (x_name, x), *others = curves.items()
    unit = measured.unit(*path, x_name)
    scaled, short = short_lengths(x, unit)
    lines = [Line(scaled, y, key.replace("_", " "), hue) for hue, (key, y) in enumerate(others[:_MOST_LINES])]
    label = f"{x_name.replace('_', ' ')} ({short})" if short else x_name.replace("_", " ")
    units = {measured.unit(*path, key) for key, _ in others}
    where = " · ".join(path)
    file = "-".join((name, *("".join(c if c.isalnum() else "-" for c in part) for part in path)))
    alt = f"{', '.join(key for key, _ in others)} against {x_name} {where}".strip()
    return chart_picture(
        file, Chart(label, units.pop() if len(units) == 1 else "", lines), title=where, caption="", alt=alt
    )
