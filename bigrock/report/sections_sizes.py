"""Size distributions: chord lengths, local thickness, pores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bigrock.report.charts import Chart, Line, Mark, chart_picture
from bigrock.report.figures import Picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, curve_name, has, is_known
from bigrock.report.short_units import short_lengths

__all__ = ["chords_section", "sizes_section"]

_BINS = 60


def chords_section(measured: Measured) -> Section | None:
    """Return the distributions of chord lengths along each axis, of the phase and of the solid.

    Parameters
    ----------
    measured : Measured
        Phase to axis to ``length``, ``whole`` (number of whole chords of each), ``mean``.

    Examples
    --------
    >>> axis = {"length": [1.0, 2.0], "whole": [5, 2], "cut": [0, 1], "mean": 1.3}
    >>> [p.name for p in chords_section(Measured({"": {"pore": {"z": axis}}})).pictures]
    ['chords-pore']
    """
    pictures = []
    for name, quantities in measured.by_class.items():
        for phase in ("pore", "solid"):
            axes = quantities.get(phase) or {}
            unit = measured.unit(phase, "z", "length")
            picture = _chords(name, phase, axes, unit)
            pictures += [picture] if picture else []
    return Section("Chord lengths", pictures) if pictures else None


def _chords(name: str, phase: str, axes: Mapping[str, Any], unit: str) -> Picture | None:
    found = {axis: axes[axis] for axis in "zyx" if has(axes.get(axis), "length", "whole")}
    longest = max((float(np.max(f["length"])) for f in found.values()), default=0.0)
    _, short = short_lengths([longest], unit)
    scale = float(short_lengths([longest], unit)[0][0]) / longest if longest else 1.0
    lines = []
    for hue, (axis, chords) in enumerate(found.items()):
        counts = np.asarray(chords["whole"], float)
        if counts.sum() > 0:
            lengths, shares = _binned(np.asarray(chords["length"], float) * scale, counts)
            lines.append(Line(lengths, shares, axis, hue))
    if not lines:
        return None
    means = ", ".join(f"{a} {f['mean'] * scale:.4g}" for a, f in found.items() if is_known(f.get("mean")))
    whose = curve_name(name, phase)
    return chart_picture(
        f"chords-{'-'.join(filter(None, (_safe(name), phase)))}",
        Chart(f"length ({short or 'voxels'})", f"density (% per {short or 'voxel'})", lines, from_zero=True),
        title=whose,
        caption=f"Whole chords, by number. Means: {means} {short or 'voxels'}." if means else "Whole chords.",
        alt=f"distribution of chord lengths of {whose}",
    )


def sizes_section(measured: Measured) -> Section | None:
    """Return the pore-size distribution by volume, and its cumulative curve with the median.

    Parameters
    ----------
    measured : Measured
        With ``diameter``, ``fraction``, ``cumulative``, ``d50``.

    Examples
    --------
    >>> found = {"diameter": [2.0, 4.0], "fraction": [0.2, 0.8], "cumulative": [0.2, 1.0], "d50": 4.0}
    >>> [p.name for p in sizes_section(Measured({"": found})).pictures]
    ['sizes-distribution', 'sizes-cumulative']
    """
    found = {n: q for n, q in measured.by_class.items() if has(q, "diameter", "fraction", "cumulative")}
    if not found:
        return None
    longest = max(float(np.max(q["diameter"])) for q in found.values())
    scaled, short = short_lengths([longest], measured.unit("diameter"))
    scale, unit = float(scaled[0]) / longest if longest else 1.0, short or "voxels"
    label = f"diameter ({unit})"
    curves: dict[str, list[Line]] = {"fraction": [], "cumulative": []}
    for hue, (name, quantities) in enumerate(found.items()):
        diameters = np.asarray(quantities["diameter"], float) * scale
        shares, upto = (100 * np.asarray(quantities[key], float) for key in curves)
        curves["fraction"].append(Line(diameters, shares, name, hue, "steps"))
        curves["cumulative"].append(Line(diameters, upto, name, hue))
    medians = {n: q["d50"] * scale for n, q in found.items() if is_known(q.get("d50"))}
    told = ", ".join(f"{name} {median:.4g} {unit}".strip() for name, median in medians.items())
    marks = [Mark(median, f"median {median:.4g} {unit}", "x") for median in list(medians.values())[:1]]
    by_volume = Chart(label, "share of the phase (%)", curves["fraction"], from_zero=True)
    cumulative = Chart(
        label, "cumulative (%)", curves["cumulative"], from_zero=True, marks=marks if len(found) == 1 else []
    )
    caption = f"Median: {told}." if told else ""
    return Section(
        "Pore sizes",
        [
            chart_picture(
                "sizes-distribution", by_volume, title="by volume", caption=caption, alt="size distribution"
            ),
            chart_picture(
                "sizes-cumulative", cumulative, title="cumulative", caption=caption, alt="cumulative sizes"
            ),
        ],
        "Local thickness: the diameter of the largest ball that covers a voxel and fits into the phase.",
    )


def _binned(lengths: Any, counts: Any) -> tuple[Any, Any]:
    """Return the density by length in percent, of at most `_BINS` bins up to the 99.5th percentile."""
    step = float(lengths[0]) if lengths[0] > 0 else 1.0
    total = counts.sum()
    most = int(np.searchsorted(np.cumsum(counts), 0.995 * total)) + 1
    group = -(-most // _BINS)
    starts = np.arange(0, most, group)
    held = np.add.reduceat(counts[:most], starts)
    sizes = np.diff(np.append(starts, most))
    return np.add.reduceat(lengths[:most], starts) / sizes, 100 * held / total / (sizes * step)


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)
