"""Line and bar charts as PNG bytes, for light pages and dark ones: what every section draws with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.report.drawing import png_of
from bigrock.report.figures import Picture
from bigrock.report.plots import DARK, LIGHT, Ink, empty_plot
from bigrock.report.ticks import format_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Bars", "Chart", "Line", "Mark", "chart_picture", "draw_chart"]

Array = npt.NDArray[Any]

_HUES = {
    LIGHT: ("#0072b2", "#d55e00", "#009e73", "#9b4f87", "#5b6672", "#b27a00"),
    DARK: ("#56b4e9", "#e69f00", "#3fc9a0", "#d896bd", "#c9d1d9", "#f0e442"),
}
_LEGEND_SWATCH, _LETTER, _LEGEND_ROW = 42, 6.5, 17
_DASHES: dict[str, Any] = {"line": "-", "points": "none", "dashed": (0, (5, 2)), "steps": "-"}


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve; `band` is drawn as a pale strip around it.

    Parameters
    ----------
    x, y : array
        Points; those that are not finite are left out.
    name : str
        In the legend; nothing is left out there.
    hue : int
        Which colour of the palette; curves of one thing have one colour.
    style : {"line", "points", "dashed", "steps"}
        How it is drawn.
    band : (array, array), optional
        Lower and upper end at every x.

    Examples
    --------
    >>> Line(np.arange(3), np.arange(3)).style
    'line'
    """

    x: Any
    y: Any
    name: str = ""
    hue: int = 0
    style: Literal["line", "points", "dashed", "steps"] = "line"
    band: tuple[Any, Any] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that is marked by a line across the chart, and said above it.

    Examples
    --------
    >>> Mark(0.2, "volume 20 %").along
    'y'
    """

    value: float
    text: str
    along: Literal["x", "y"] = "y"


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars beside each other: groups of one bar per series.

    Examples
    --------
    >>> Bars(("total",), {"pore": np.array([0.2])}).series["pore"][0]
    np.float64(0.2)
    """

    groups: tuple[str, ...]
    series: dict[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What is drawn in one pair of axes.

    Parameters
    ----------
    x_label, y_label : str
        With units.
    lines : sequence of Line
        From back to front.
    bars : Bars, optional
        Instead of lines.
    marks : sequence of Mark
        Drawn beneath.
    log_x, log_y : bool
        Logarithmic axes; points that are not positive are left out.
    x_ticks : sequence of float
        Instead of matplotlib's choice, such as the box sizes.
    from_zero : bool
        Begin the y axis at zero.

    Examples
    --------
    >>> Chart("r", "S₂").log_x
    False
    """

    x_label: str
    y_label: str
    lines: Sequence[Line] = ()
    bars: Bars | None = None
    marks: Sequence[Mark] = ()
    log_x: bool = False
    log_y: bool = False
    x_ticks: Sequence[float] = ()
    from_zero: bool = False
    size: tuple[int, int] = field(default=(460, 300))


def chart_picture(name: str, chart: Chart, *, title: str, caption: str, alt: str) -> Picture:
    r"""Return a chart as a picture, drawn for light pages and for dark ones.

    Parameters
    ----------
    name : str
        Of the file, without ending.
    chart : Chart
        What is drawn.
    title, caption, alt : str
        As in `Picture`.

    Examples
    --------
    >>> chart = Chart("r", "S₂", [Line([0, 1], [0.2, 0.1])])
    >>> chart_picture("s2", chart, title="", caption="", alt="two-point correlation").dark[:4]
    b'\x89PNG'
    """
    return Picture(name, draw_chart(chart, LIGHT), title, caption, alt, draw_chart(chart, DARK))


def draw_chart(chart: Chart, ink: Ink = LIGHT) -> bytes:
    r"""Return a chart as PNG.

    Examples
    --------
    >>> draw_chart(Chart("r", "S₂", [Line([0, 1], [0.2, 0.1])]))[:4]
    b'\x89PNG'
    """
    names = [line.name for line in chart.lines if line.name] + list(chart.bars.series if chart.bars else ())
    width, height = chart.size
    entry = _LEGEND_SWATCH + _LETTER * max(map(len, names), default=0)
    columns = max(1, int((width - 90) // entry))
    above = 14 + _LEGEND_ROW * -(-len(names) // columns) if names else 12
    top = max(30, above) + (_LEGEND_ROW if names and chart.marks else 0)
    figure, axes = empty_plot(width, height + top - 30, ink, top, _left(chart))
    if chart.log_x:
        axes.set_xscale("log")
    if chart.log_y:
        axes.set_yscale("log")
    if chart.bars is not None:
        _draw_bars(axes, chart.bars, ink)
    for line in chart.lines:
        _draw_line(axes, line, chart, ink)
    for k, mark in enumerate(chart.marks):
        _draw_mark(axes, mark, ink, said=not k, lift=above - 12 if names else 0)
    if chart.from_zero:
        axes.set_ylim(bottom=0)
    format_values(axes, chart)
    if chart.x_ticks:
        from matplotlib.ticker import NullLocator

        axes.set_xticks(list(chart.x_ticks), [f"{tick:g}" for tick in chart.x_ticks], minor=False)
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    _draw_legend(axes, ink, columns)
    return png_of(figure, palette=96)


def _left(chart: Chart) -> int:
    """Return the CSS pixels that the numbers and the words of the y axis take."""
    if chart.bars is not None:
        return 66
    edges = [edge for line in chart.lines for edge in (line.y, *(line.band or ()))]
    values = np.concatenate([np.asarray(edge, float) for edge in edges] or [np.zeros(1)])
    finite = values[np.isfinite(values)]
    return 84 if finite.size and (finite.min() < -99 or finite.max() > (999 if chart.log_y else 9999)) else 66


def _draw_line(axes: Axes, line: Line, chart: Chart, ink: Ink) -> None:
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    kept = np.isfinite(x) & np.isfinite(y)
    kept &= (x > 0) if chart.log_x else True
    kept &= (y > 0) if chart.log_y else True
    colour = _HUES[ink][line.hue % len(_HUES[ink])]
    if line.band is not None:
        low, high = (np.asarray(edge, float)[kept] for edge in line.band)
        axes.fill_between(x[kept], low, high, color=colour, alpha=0.2, linewidth=0)
    few = kept.sum() <= 24 and line.style == "line"
    axes.plot(
        x[kept],
        y[kept],
        color=colour,
        linewidth=1.4,
        linestyle=_DASHES[line.style],
        drawstyle="steps-mid" if line.style == "steps" else "default",
        marker="o" if line.style == "points" or few else None,
        markersize=4,
        label=line.name or "_",
    )


def _draw_bars(axes: Axes, bars: Bars, ink: Ink) -> None:
    from matplotlib.ticker import NullLocator

    wide = 0.8 / max(1, len(bars.series))
    for k, (name, heights) in enumerate(bars.series.items()):
        places = np.arange(len(bars.groups)) + (k - (len(bars.series) - 1) / 2) * wide
        colour = _HUES[ink][k % len(_HUES[ink])]
        drawn = axes.bar(places, np.nan_to_num(heights), width=0.92 * wide, color=colour, label=name)
        axes.bar_label(drawn, [_short(h) for h in heights], fontsize=7.5, color=ink.text, padding=2)
    axes.set_xticks(range(len(bars.groups)), bars.groups, fontsize=9)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")


def _short(height: float) -> str:
    """Return a number in few digits, for the end of a bar."""
    if not np.isfinite(height):
        return "–"
    return f"{height:.3g}" if height >= 1 else f"{height:.1g}"


def _draw_mark(axes: Axes, mark: Mark, ink: Ink, said: bool, lift: int) -> None:
    """Draw a line across, with its text above the axes, where no curve runs through the words."""
    draw = axes.axhline if mark.along == "y" else axes.axvline
    draw(mark.value, color=ink.mark, linewidth=1.2, linestyle=(0, (5, 2)), zorder=1)
    if said:
        points = 0.72 * lift + 5
        axes.set_title(mark.text, loc="right", color=ink.mark, fontsize=10, pad=points)


def _draw_legend(axes: Axes, ink: Ink, columns: int) -> None:
    """Write the names of the curves above the axes, where they hide none."""
    handles, names = axes.get_legend_handles_labels()
    if names:
        axes.legend(
            handles,
            names,
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=columns,
            fontsize=9,
            labelcolor=ink.text,
            frameon=False,
            borderpad=0.2,
            columnspacing=1.2,
            handlelength=1.5,
        )
