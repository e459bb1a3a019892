"""Draw histograms and profiles as PNG bytes, for light pages and dark ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.report.drawing import new_figure, png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DARK", "LIGHT", "Ink", "draw_histogram", "draw_profile", "empty_plot"]

Pixels = npt.NDArray[Any]

_PIXELS_PER_CSS = 2


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of a plot, for a light page or a dark one.

    Examples
    --------
    >>> LIGHT.paper
    '#ffffff'
    """

    paper: str
    text: str
    grid: str
    data: str
    mark: str


LIGHT = Ink(paper="#ffffff", text="#2a3038", grid="#dde1e6", data="#0072b2", mark="#d55e00")
DARK = Ink(paper="#1c2128", text="#c9d1d9", grid="#363d47", data="#56b4e9", mark="#e69f00")


def draw_histogram(
    values: Sequence[float],
    counts: Sequence[int],
    *,
    threshold: float | None = None,
    log: bool = False,
    ink: Ink = LIGHT,
) -> bytes:
    r"""Return a grey histogram as PNG, with the threshold marked.

    Parameters
    ----------
    values : sequence of float
        Grey level of each bin, ascending.
    counts : sequence of int
        Voxels in each bin.
    threshold : float, optional
        Grey level of the mark.
    log : bool
        Logarithmic counts.
    ink : Ink
        Colours.

    Returns
    -------
    bytes
        A PNG file.

    Examples
    --------
    >>> draw_histogram([0, 1, 2], [5, 1, 4], threshold=1)[:4]
    b'\x89PNG'
    """
    levels, voxels = _rebinned(np.asarray(values, float), np.asarray(counts, float))
    figure, axes = empty_plot(460, 290, ink)
    axes.fill_between(levels, voxels, step="mid", color=ink.data, alpha=0.28, linewidth=0)
    axes.step(levels, voxels, where="mid", color=ink.data, linewidth=1.2)
    if log:
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.8)
    else:
        axes.set_ylim(bottom=0)
    occupied = levels[voxels > 0]
    if occupied.size > 1:
        axes.set_xlim(occupied[0], occupied[-1])
    if threshold is not None:
        _mark_threshold(axes, threshold, ink)
    axes.set_xlabel("grey level")
    axes.set_ylabel("voxels per bin, logarithmic" if log else "voxels per bin")
    return png_of(figure, palette=64)


def _mark_threshold(axes: Axes, threshold: float, ink: Ink) -> None:
    """Draw a line, with its value above the axes, where no curve can run through the words."""
    axes.axvline(threshold, color=ink.mark, linewidth=1.4, linestyle=(0, (5, 2)))
    low, high = axes.get_xlim()
    part = (threshold - low) / (high - low)
    side = "left" if part < 0.25 else "right" if part > 0.75 else "center"
    axes.annotate(
        f"global threshold {threshold:.5g}",
        (threshold, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha=side,
        color=ink.mark,
        fontsize=10,
    )


def _rebinned(levels: Pixels, counts: Pixels, most: int = 380) -> tuple[Pixels, Pixels]:
    """Return the occupied range in at most `most` bins of equal numbers of levels."""
    occupied = np.flatnonzero(counts)
    if occupied.size:
        levels, counts = (a[occupied[0] : occupied[-1] + 1] for a in (levels, counts))
    group = -(-counts.size // most)
    if group <= 1:
        return levels, counts
    starts = np.arange(0, counts.size, group)
    sizes = np.diff(np.append(starts, counts.size))
    # The last group is short; scaled up, it does not show as a drop.
    return np.add.reduceat(levels, starts) / sizes, np.add.reduceat(counts, starts) * (group / sizes)


def draw_profile(
    axis: str, profile: Mapping[str, Sequence[float]], *, total: float | None, unit: str, ink: Ink = LIGHT
) -> bytes:
    r"""Return the porosity of every slice along one axis as PNG.

    Parameters
    ----------
    axis : {"z", "y", "x"}
        Axis of the profile.
    profile : mapping
        ``"position"`` and ``"porosity"`` of every slice; porosity as a fraction.
    total : float, optional
        Porosity of the volume, drawn as a dashed line.
    unit : str
        Unit of the positions.
    ink : Ink
        Colours.

    Returns
    -------
    bytes
        A PNG file.

    Examples
    --------
    >>> draw_profile("z", {"position": [0, 1], "porosity": [0.2, 0.3]}, total=0.25, unit="voxels")[:4]
    b'\x89PNG'
    """
    positions = np.asarray(profile["position"], float)
    percent = 100 * np.asarray(profile["porosity"], float)
    figure, axes = empty_plot(380, 260, ink)
    axes.plot(positions, percent, color=ink.data, linewidth=1.3, marker="." if positions.size < 3 else None)
    if total is not None:
        axes.axhline(100 * total, color=ink.mark, linewidth=1.2, linestyle=(0, (5, 2)))
        axes.set_title(f"volume {100 * total:.2f} %", loc="right", color=ink.mark, fontsize=10, pad=5)
    if positions.size > 1:
        axes.set_xlim(positions[0], positions[-1])
    axes.set_xlabel(f"{axis} ({unit})")
    axes.set_ylabel("porosity (%)")
    return png_of(figure, palette=64)


def empty_plot(width: int, height: int, ink: Ink, top: int = 30, left: int = 66) -> tuple[Figure, Axes]:
    """Return a figure of the given size on the page, in CSS pixels, and its axes.

    Parameters
    ----------
    width, height : int
        CSS pixels.
    ink : Ink
        Colours.
    top, left : int
        CSS pixels above and left of the axes, for words.

    Examples
    --------
    >>> empty_plot(300, 200, LIGHT)[1].get_xscale()
    'linear'
    """
    from matplotlib.ticker import EngFormatter

    figure = new_figure(width, height, ink.paper, scale=_PIXELS_PER_CSS)
    # Fixed margins: a layout engine draws every figure twice.
    bottom, right = 50, 28
    size = ((width - left - right) / width, (height - bottom - top) / height)
    axes = figure.add_axes((left / width, bottom / height, *size))
    axes.set_facecolor(ink.paper)
    axes.tick_params(colors=ink.text, which="both", labelsize=9.5, length=3)
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.text)
    axes.xaxis.label.set(color=ink.text, fontsize=10)
    axes.yaxis.label.set(color=ink.text, fontsize=10)
    axes.grid(color=ink.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes
