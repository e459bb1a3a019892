"""The numbers along the axes of a chart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from bigrock.report.charts import Chart

__all__ = ["format_values", "plain_ticks"]


def format_values(axes: Axes, chart: Chart) -> None:
    """Write numbers plainly along axes that are drawn; decades where they span several.

    Examples
    --------
    >>> from bigrock.report.charts import Chart, Line
    >>> from bigrock.report.plots import LIGHT, empty_plot
    >>> axes = empty_plot(300, 200, LIGHT)[1]
    >>> _ = axes.set(xscale="log", xlim=(1, 30))
    >>> format_values(axes, Chart("k", "k", [Line([1, 30], [0, 1])], log_x=True))
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['1', '2', '5', '10', '20']
    """
    from matplotlib.ticker import LogFormatterSciNotation, NullFormatter, ScalarFormatter

    if not chart.log_y:
        axes.yaxis.set_major_formatter(ScalarFormatter())
    elif not _plain_numbers(axes.yaxis):
        axes.yaxis.set_major_formatter(LogFormatterSciNotation())
        axes.yaxis.set_minor_formatter(NullFormatter())
    if chart.log_x and not chart.x_ticks:
        _plain_numbers(axes.xaxis)


def _plain_numbers(axis: Axis) -> bool:
    """Write few numbers along a logarithmic axis of at most two decades, where all of matplotlib's overprint."""
    from matplotlib.ticker import NullLocator

    low, high = axis.get_view_interval()
    if high > 100 * low:
        return False
    ticks = plain_ticks(low, high)
    axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axis.set_minor_locator(NullLocator())
    return True


def plain_ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers between two positive ones, for a logarithmic scale.

    Examples
    --------
    >>> plain_ticks(0.8, 30), plain_ticks(310, 470), plain_ticks(1, 2e4)
    ([1.0, 2.0, 5.0, 10.0, 20.0], [350.0, 400.0, 450.0], [1.0, 10.0, 100.0, 1000.0, 10000.0])
    """
    from matplotlib.ticker import MaxNLocator

    if high <= 8 * low:
        ticks = [float(tick) for tick in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)]
    else:
        steps = (1,) if high > 1000 * low else (1, 2, 5)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in ticks if low <= tick <= high]
