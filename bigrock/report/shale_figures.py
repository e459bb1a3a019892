"""Figures and tables of the account of a shale: shares along z, organic porosity, shapes of pores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bigrock.report.charts import Chart, Line, chart_picture
from bigrock.report.drawing import png_of
from bigrock.report.figures import Picture
from bigrock.report.palette import CLASSES, class_colours
from bigrock.report.plots import DARK, LIGHT, Ink, empty_plot
from bigrock.report.short_units import short_lengths
from bigrock.report.tables import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["aspect_picture", "organic_porosity_grid", "stacked_profile", "volumes_grid"]

_HUES = {"blue": 0, "vermilion": 1, "green": 2, "purple": 3, "light grey": 4, "orange": 5}
_FORMULAS = {
    "hosted": "organic pores / (organic matter + organic pores)",
    "bulk": "organic pores / whole volume",
    "notes": "organic pores / (organic matter + inorganic pores)",
}


def stacked_profile(
    profiles: Mapping[str, Mapping[str, Sequence[float]]], classes: Mapping[str, int], unit: str = "m"
) -> Picture:
    """Return the shares of the classes in each slice, one upon the other; of the largest class just the rest.

    Parameters
    ----------
    profiles : mapping
        Class to ``position`` and ``porosity`` (fraction of the slice) along z.
    classes : mapping of str to int
        Class table, for the colours of the slices.
    unit : str
        Of the positions: "m" or "voxels".

    Examples
    --------
    >>> line = {"position": [0.0, 1e-8], "porosity": [0.1, 0.2]}
    >>> rest = {"position": [0.0, 1e-8], "porosity": [0.9, 0.8]}
    >>> stacked_profile({"matrix": rest, "pore": line}, {"matrix": 0, "pore": 1}).name
    'shale-profile'
    """
    largest = max(profiles, key=lambda name: float(np.mean(profiles[name]["porosity"])))
    shown = [name for name in reversed(list(profiles)) if name != largest]
    position, short = short_lengths(profiles[largest]["position"], unit)
    shares = {name: 100 * np.asarray(profiles[name]["porosity"], float) for name in shown}
    drawn = [_stack(position, shares, class_colours(classes), classes, short, ink) for ink in (LIGHT, DARK)]
    caption = f"Share of each slice along z; the rest is {largest}."
    return Picture("shale-profile", drawn[0], "", caption, f"{', '.join(shown)} along z, stacked", drawn[1])


def _stack(
    position: Any,
    shares: Mapping[str, Any],
    colours: Mapping[int, str],
    classes: Mapping[str, int],
    unit: str,
    ink: Ink,
) -> bytes:
    figure, axes = empty_plot(620, 300, ink, 42)
    below = np.zeros(len(position))
    for name, share in shares.items():
        colour = "#{:02x}{:02x}{:02x}".format(*CLASSES[colours[classes[name]]])
        axes.fill_between(position, below, below + share, color=colour, linewidth=0, label=name)
        below = below + share
    if len(position) > 1:
        axes.set_xlim(position[0], position[-1])
    axes.set_ylim(0, 1.06 * max(1e-9, below.max()))
    axes.set_xlabel(f"z ({unit})")
    axes.set_ylabel("share of the slice (%)")
    _legend(axes, ink)
    return png_of(figure, palette=96)


def _legend(axes: Axes, ink: Ink) -> None:
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        names[::-1],
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=len(names),
        fontsize=9,
        labelcolor=ink.text,
        frameon=False,
        borderpad=0.2,
        columnspacing=1.4,
    )


def aspect_picture(ratios: Mapping[str, Mapping[str, Any]], classes: Mapping[str, int]) -> Picture | None:
    """Return the distributions of the aspect ratios of the pores of each class; None where there are no pores.

    Parameters
    ----------
    ratios : mapping
        Class to ``number``, ``edges``, ``counts``, ``median``, ``beyond``.
    classes : mapping of str to int
        Class table, for the colours.

    Examples
    --------
    >>> found = {"number": 3, "edges": [1.0, 1.5, 2.0], "counts": [2, 1], "median": 1.4, "beyond": 0}
    >>> aspect_picture({"pore": found}, {"pore": 1}).caption
    'By number of whole pores. Medians: pore 1.40 (3 pores).'
    """
    colours = class_colours(classes)
    lines: list[Line] = []
    told, beyond = [], 0
    for name, found in ratios.items():
        if not found["number"]:
            continue
        edges, counts = np.asarray(found["edges"], float), np.asarray(found["counts"], float)
        middles = (edges[1:] + edges[:-1]) / 2
        hue = _HUES.get(colours.get(classes.get(name, -1), ""), len(lines))
        lines.append(Line(middles, 100 * counts / found["number"], name, hue, "steps"))
        told.append(f"{name} {found['median']:.2f} ({found['number']} pores)")
        beyond += found["beyond"]
    if not lines:
        return None
    farthest = max(float(line.x[np.flatnonzero(line.y)[-1]]) if line.y.any() else 1.0 for line in lines)
    lines = [Line(o.x[o.x <= farthest], o.y[o.x <= farthest], o.name, o.hue, o.style) for o in lines]
    chart = Chart("aspect ratio, major / minor axis", "share of the pores (%)", lines, from_zero=True)
    more = f" {beyond} beyond the axis." if beyond else ""
    caption = f"By number of whole pores. Medians: {', '.join(told)}.{more}"
    alt = f"distribution of aspect ratios; medians: {', '.join(told)}"
    return chart_picture("shale-aspect-ratios", chart, title="", caption=caption, alt=alt)


def volumes_grid(volumes: Mapping[str, Any]) -> Grid:
    """Return voxels, volume and share of every part of a shale as a table.

    Parameters
    ----------
    volumes : mapping
        Part to ``voxels``, ``volume`` (m³), ``fraction``; and ``others`` to a mapping of these.

    Examples
    --------
    >>> volumes_grid({"total": {"voxels": 8, "volume": 8e-18, "fraction": 1.0}, "others": {}}).rows
    (('total', '8', '8 µm³', '100 %'),)
    """
    parts = {name.replace("_", " "): told for name, told in volumes.items() if name != "others"}
    parts |= dict(volumes["others"])
    rows = [
        (name, "–", "–", "–")
        if told["voxels"] is None
        else (
            name,
            f"{told['voxels']:,}".replace(",", "\N{NO-BREAK SPACE}"),
            f"{1e18 * told['volume']:.4g} µm³",
            f"{100 * told['fraction']:.4g} %",
        )
        for name, told in parts.items()
    ]
    return Grid(("part", "voxels", "volume", "share"), tuple(rows))


def organic_porosity_grid(shale: Mapping[str, Any]) -> Grid:
    """Return organic porosity by all three definitions, content of organic matter and shares as a table.

    Parameters
    ----------
    shale : mapping
        ``organic_porosity``, ``om_contents``, ``organic_share``, ``porosity``, ``reasons``.

    Examples
    --------
    >>> op = {"definition": "hosted", "hosted": 0.2, "bulk": 0.1, "notes": None}
    >>> shale = {"organic_porosity": op, "om_contents": {"without_pores": 0.4, "with_pores": 0.5},
    ...          "organic_share": 1.0, "porosity": {"total": 0.1}, "reasons": {"notes": "not known"}}
    >>> organic_porosity_grid(shale).rows[0]
    ('organic porosity, hosted (taken)', '20 %', 'organic pores / (organic matter + organic pores)')
    """
    op, reasons = shale["organic_porosity"], shale["reasons"]

    def share(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.4g} %"

    rows = [
        (
            f"organic porosity, {name}{' (taken)' if name == op['definition'] else ''}",
            share(op[name]),
            formula if op[name] is not None else reasons.get(name, formula),
        )
        for name, formula in _FORMULAS.items()
    ]
    om = shale["om_contents"]
    rows += [
        ("organic matter", share(om["without_pores"]), "without its pores, of the whole volume"),
        ("organic matter with its pores", share(om["with_pores"]), "of the whole volume"),
        ("organic share of the pores", share(shale["organic_share"]), "organic pores / all pores"),
        ("porosity", share(shale["porosity"]["total"]), "all pores / whole volume"),
    ]
    return Grid(("quantity", "value", "meaning"), tuple(rows))
