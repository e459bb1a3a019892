"""Figures of permeability: maps in section, and the agreement of two methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.report.charts import Chart, Line, chart_picture
from bigrock.report.drawing import new_figure, png_of
from bigrock.report.figures import Picture
from bigrock.report.plots import DARK, LIGHT, Ink
from bigrock.report.ticks import plain_ticks
from bigrock.units import DARCY_M2, format_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "agreement_picture",
    "map_picture",
    "millidarcy",
]

Array = npt.NDArray[Any]

_PLANES = (("xy", 0, "y", "x"), ("xz", 1, "z", "x"), ("yz", 2, "z", "y"))
_PANEL, _LEFT, _TOP, _BOTTOM, _GAP, _BAR = 216, 20, 30, 34, 26, 96
MILLIDARCY_M2 = DARCY_M2 / 1000


def millidarcy(square_metres: Any) -> Array:
    """Return permeabilities in mD.

    Examples
    --------
    >>> float(millidarcy(9.869233e-13).round(6))
    1000.0
    """
    return np.asarray(square_metres, float) / MILLIDARCY_M2


def map_picture(
    name: str,
    values: Array,
    step_m: float,
    *,
    label: str,
    log: bool = False,
    limits: tuple[float, float] | None = None,
    caption: str = "",
) -> Picture:
    """Return the three middle sections of a grid of windows in colour, with a colour bar.

    Parameters
    ----------
    name : str
        Of the file, without ending.
    values : ndarray, (z, y, x)
        One value per window. What is NaN, or not positive where `log` is set, is left blank with a cross.
    step_m : float
        Edge of a cell, metres.
    label : str
        Of the colour bar, with the unit.
    log : bool
        Colours by logarithm.
    limits : pair of float, optional
        Values of the first and the last colour; otherwise the smallest and the largest.
    caption : str
        As in `Picture`.

    Examples
    --------
    >>> map_picture("k", np.full((2, 3, 4), 10.0), 64e-6, label="k (mD)", log=True).name
    'k'
    """
    light, dark = (_sections(np.asarray(values, float), label, log, limits, ink) for ink in (LIGHT, DARK))
    where = ", ".join(f"{p} at {'zyx'[cut]} = {values.shape[cut] // 2}" for p, cut, _, _ in _PLANES)
    said = f"{caption} Middle sections ({where}); a cell is a window of the map, {format_length(step_m, 4)} apart."
    return Picture(name, light, "", said.strip(), f"{label}: sections of the map", dark)


def _sections(values: Array, label: str, log: bool, limits: tuple[float, float] | None, ink: Ink) -> bytes:
    known = np.isfinite(values) & ((values > 0) if log else True)
    shown = np.where(known, values, np.nan)
    width = _LEFT + 3 * _PANEL + 2 * _GAP + _BAR
    height = _TOP + _PANEL + _BOTTOM
    figure = new_figure(width, height, ink.paper, scale=2)
    colours = _colours(shown[known] if limits is None else np.array(limits), log)
    for k, (plane, cut, rows, columns) in enumerate(_PLANES):
        left = (_LEFT + k * (_PANEL + _GAP)) / width
        axes = figure.add_axes((left, _BOTTOM / height, _PANEL / width, _PANEL / height))
        image = axes.imshow(shown.take(values.shape[cut] // 2, cut), cmap="viridis", norm=colours)
        _cross(axes, ~known.take(values.shape[cut] // 2, cut), ink)
        axes.set_title(f"{plane}", color=ink.text, fontsize=10, pad=4)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel(f"{columns} →", color=ink.text, fontsize=9)
        axes.set_ylabel(f"← {rows}", color=ink.text, fontsize=9)
        for spine in axes.spines.values():
            spine.set_color(ink.grid)
    place = ((width - _BAR + 14) / width, _BOTTOM / height, 0.016, _PANEL / height)
    if limits is None and np.unique(shown[known]).size < 2:
        _single(figure, image, shown[known], bool((values == 0).all()), label, place, ink)
    else:
        _bar(figure, image, label, place, ink)
    return png_of(figure, palette=192)


def _colours(values: Array, log: bool) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    low, high = (float(values.min()), float(values.max())) if values.size else (1.0, 1.0)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    return LogNorm(low, high) if log else Normalize(low, high)


def _cross(axes: Axes, unknown: Array, ink: Ink) -> None:
    """Mark the cells that have no colour."""
    rows, columns = np.nonzero(unknown)
    axes.set_facecolor(ink.grid)
    size = max(2.0, min(60.0, 0.35 * _PANEL / max(unknown.shape)))
    axes.plot(columns, rows, "x", color=ink.text, markersize=size, linewidth=0, alpha=0.6)
    axes.set_xlim(-0.5, unknown.shape[1] - 0.5)
    axes.set_ylim(unknown.shape[0] - 0.5, -0.5)


def _single(
    figure: Figure,
    image: Any,
    known: Array,
    zero: bool,
    label: str,
    place: tuple[float, float, float, float],
    ink: Ink,
) -> None:
    """Draw the bar of a map of one value: a scale about it would show values that are nowhere."""
    left, bottom, width, height = place
    if not known.size:
        said = f"{label}: {'0 everywhere' if zero else 'no value'}"
        style: dict[str, Any] = {
            "color": ink.text,
            "fontsize": 9.5,
            "rotation": 90,
            "va": "center",
            "ha": "center",
        }
        figure.text(left + width / 2, bottom + height / 2, said, **style)
        return
    axes = figure.add_axes(place)
    axes.set_facecolor(image.cmap(image.norm(known.flat[0])))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"{known.flat[0]:.4g}", color=ink.text, fontsize=8.5, pad=4)
    axes.yaxis.set_label_position("right")
    axes.set_ylabel(label, color=ink.text, fontsize=9.5)
    for spine in axes.spines.values():
        spine.set_color(ink.grid)


def _bar(figure: Figure, image: Any, label: str, place: tuple[float, float, float, float], ink: Ink) -> None:
    axes = figure.add_axes(place)
    bar = figure.colorbar(image, cax=axes)
    if image.norm.vmin > 0 and "Log" in type(image.norm).__name__:
        ticks = plain_ticks(image.norm.vmin, image.norm.vmax)
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.minorticks_off()
    bar.set_label(label, color=ink.text, fontsize=9.5)
    axes.tick_params(colors=ink.text, which="both", labelsize=8.5)
    bar.outline.set_edgecolor(ink.grid)


def agreement_picture(
    name: str,
    pairs: Mapping[str, tuple[Array, Array]],
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    caption: str = "",
) -> Picture:
    """Return permeabilities by two methods against each other, on logarithmic axes, with the line of equality.

    Parameters
    ----------
    name : str
        Of the file, without ending.
    pairs : mapping
        Name of a series to its x and y in mD; what is not positive is left out.
    x_label, y_label, title, caption : str
        Words; a factor of two about equality is dashed.

    Examples
    --------
    >>> agreement_picture("a", {"z": (np.array([1.0, 9.0]), np.array([2.0, 8.0]))}, x_label="", y_label="").name
    'a'
    """
    values = np.concatenate([np.concatenate(pair) for pair in pairs.values()])
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (values.min() / 1.5, values.max() * 1.5) if values.size else (1.0, 10.0)
    ends = np.geomspace(low, high, 30)
    lines = [Line(ends, ends, "equal", 4)]
    lines += [Line(ends, f * ends, name, 4, "dashed") for f, name in ((2.0, "factor 2"), (0.5, ""))]
    lines += [Line(x, y, series, hue, "points") for hue, (series, (x, y)) in enumerate(pairs.items())]
    chart = Chart(x_label, y_label, lines, log_x=True, log_y=True, size=(420, 400))
    return chart_picture(name, chart, title=title, caption=caption, alt=f"{y_label} against {x_label}")
