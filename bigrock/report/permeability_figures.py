"""Figures and tables of permeability: maps in section, agreement of two methods, k along the core, REV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.report.charts import Chart, Line, Mark, chart_picture
from bigrock.report.drawing import new_figure, png_of
from bigrock.report.figures import Picture
from bigrock.report.plots import DARK, LIGHT, Ink
from bigrock.report.short_units import short_lengths
from bigrock.report.tables import Grid
from bigrock.units import DARCY_M2, format_length, format_permeability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "agreement_picture",
    "k_profile_picture",
    "k_rev_picture",
    "map_picture",
    "millidarcy",
    "upscaled_grid",
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
    _bar(figure, image, label, (width - _BAR + 14) / width, _BOTTOM / height, _PANEL / height, ink)
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


def _bar(figure: Figure, image: Any, label: str, left: float, bottom: float, height: float, ink: Ink) -> None:
    axes = figure.add_axes((left, bottom, 0.016, height))
    bar = figure.colorbar(image, cax=axes)
    if image.norm.vmin > 0 and "Log" in type(image.norm).__name__:
        _plain_decades(bar, image.norm.vmin, image.norm.vmax)
    bar.set_label(label, color=ink.text, fontsize=9.5)
    axes.tick_params(colors=ink.text, which="both", labelsize=8.5)
    bar.outline.set_edgecolor(ink.grid)


def _plain_decades(bar: Any, low: float, high: float) -> None:
    """Write 1, 2 and 5 of each decade as plain numbers; of many decades the powers of ten alone."""
    decades = np.log10(high / low)
    steps = (1,) if decades > 3 else (1, 2, 5) if decades > 0.8 else range(1, 10)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [s * 10.0**p for p in powers for s in steps if low <= s * 10.0**p <= high]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()


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


def k_profile_picture(axis: str, profile: Mapping[str, Any]) -> Picture:
    """Return k along one axis: arithmetic and geometric mean of each layer of windows, and its spread.

    Parameters
    ----------
    axis : {"z", "y", "x"}
        Of the profile, and along which k is taken.
    profile : mapping
        ``position`` (m), ``arithmetic_m2``, ``geometric_m2``, ``log10_deviation``.

    Examples
    --------
    >>> told = {"position": [1e-5, 2e-5], "arithmetic_m2": [1e-12, 2e-12], "geometric_m2": [1e-12, None],
    ...         "log10_deviation": [0.1, None]}
    >>> k_profile_picture("z", told).name
    'k-profile-z'
    """
    position, unit = short_lengths(profile["position"], "m")
    mean, middle = (_millidarcies(profile[f"{name}_m2"]) for name in ("arithmetic", "geometric"))
    spread = 10 ** np.nan_to_num(_floats(profile["log10_deviation"]))
    lines = [
        Line(position, middle, "geometric mean, ± deviation", 0, band=(middle / spread, middle * spread))
    ]
    lines.append(Line(position, mean, "arithmetic mean", 1))
    chart = Chart(f"{axis} ({unit})", f"k along {axis} (mD)", lines, log_y=True, size=(420, 280))
    caption = f"Layers of windows along {axis}; k along {axis}."
    return chart_picture(f"k-profile-{axis}", chart, title="", caption=caption, alt=f"k along {axis}")


def k_rev_picture(
    axis: str, curves: Mapping[str, Sequence[Mapping[str, Any]]], rev_m: float | None
) -> Picture:
    """Return k against the size of what is looked at, with the spread between places of one size.

    Parameters
    ----------
    axis : {"z", "y", "x"}
        Along which k is taken.
    curves : mapping
        Name of a curve to rows with ``edge_m``, ``arithmetic_m2``, ``variation``.
    rev_m : float or None
        Where the mark is.

    Examples
    --------
    >>> row = {"edge_m": 64e-6, "arithmetic_m2": 1e-12, "variation": None}
    >>> k_rev_picture("z", {"windows": [row]}, None).name
    'k-rev-z'
    """
    every = [row["edge_m"] for rows in curves.values() for row in rows]
    _, unit = short_lengths(every, "m")
    lines = []
    for hue, (name, rows) in enumerate(curves.items()):
        if rows:
            edges, _ = short_lengths([*(row["edge_m"] for row in rows), max(every)], "m")
            mean = _millidarcies([row["arithmetic_m2"] for row in rows])
            part = np.nan_to_num(_floats([row["variation"] for row in rows]))
            band = (np.maximum(mean * (1 - part), mean / 100), mean * (1 + part))
            lines.append(Line(edges[:-1], mean, name, hue, band=band))
    marks = []
    if rev_m is not None:
        marks.append(
            Mark(float(short_lengths([rev_m, max(every)], "m")[0][0]), f"REV {format_length(rev_m, 3)}", "x")
        )
    chart = Chart(
        f"edge ({unit})", f"k along {axis} (mD)", lines, marks=marks, from_zero=True, size=(460, 300)
    )
    caption = "Mean of the places of one size; the band is their standard deviation."
    return chart_picture(
        f"k-rev-{axis}", chart, title="", caption=caption, alt=f"k along {axis} against size"
    )


def upscaled_grid(permeability: Mapping[str, Mapping[str, Any]]) -> Grid:
    """Return upscaled k along each axis as a table: by Darcy flow on the grid, and means beside it.

    Examples
    --------
    >>> means = dict.fromkeys(("arithmetic_m2", "harmonic_m2", "geometric_m2", "darcy_m2"), 9.869233e-13)
    >>> upscaled_grid({"z": {**means, "zero_share": 0.25}}).rows[0][2:]
    ('1000', '1000', '1000', '25 %')
    """
    head = ("axis", "Darcy flow on the grid", "arithmetic (mD)", "geometric (mD)", "harmonic (mD)", "no flow")
    rows = []
    for axis, told in permeability.items():
        means = (told[f"{name}_m2"] for name in ("arithmetic", "geometric", "harmonic"))
        cells = ("–" if m is None else f"{m / MILLIDARCY_M2:.4g}" for m in means)
        zero = f"{100 * told['zero_share']:.3g} %"
        rows.append((axis, format_permeability(told["darcy_m2"]), *cells, zero))
    return Grid(head, tuple(rows), "No flow: share of the windows that do not percolate along the axis.")


def _floats(values: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], float)


def _millidarcies(values: Sequence[float | None]) -> Array:
    """Return mD in six digits: values that differ by rounding alone would make axes without extent."""
    return np.array([float(f"{value:.6g}") for value in millidarcy(_floats(values))])
