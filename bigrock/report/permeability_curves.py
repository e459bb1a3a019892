"""What a permeability map says of the core: k along it, k against size, and upscaled k as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.report.charts import Chart, Line, Mark, chart_picture
from bigrock.report.figures import Picture
from bigrock.report.permeability_figures import MILLIDARCY_M2, millidarcy
from bigrock.report.short_units import short_lengths
from bigrock.report.tables import Grid
from bigrock.units import format_length, format_permeability

__all__ = ["k_profile_picture", "k_rev_picture", "upscaled_grid"]

Array = npt.NDArray[Any]

_MEANS = ("arithmetic", "geometric", "harmonic", "geometric_of_flowing")


def k_profile_picture(axis: str, profile: Mapping[str, Any]) -> Picture:
    """Return k along one axis: arithmetic and geometric mean of each layer of windows, and its spread.

    Parameters
    ----------
    axis : {"z", "y", "x"}
        Of the profile, and along which k is taken.
    profile : mapping
        ``position`` (m), ``arithmetic_m2``, ``geometric_of_flowing_m2``, ``log10_deviation``.

    Examples
    --------
    >>> told = {"position": [1e-5, 2e-5], "arithmetic_m2": [1e-12, 2e-12], "log10_deviation": [0.1, None],
    ...         "geometric_of_flowing_m2": [1e-12, None]}
    >>> k_profile_picture("z", told).name
    'k-profile-z'
    """
    position, unit = short_lengths(profile["position"], "m")
    mean, middle = (_millidarcies(profile[f"{name}_m2"]) for name in ("arithmetic", "geometric_of_flowing"))
    spread = 10 ** np.nan_to_num(_floats(profile["log10_deviation"]))
    lines = [
        Line(
            position,
            middle,
            "geometric mean of what flows, ± deviation",
            0,
            band=(middle / spread, middle * spread),
        )
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
    >>> means = ("arithmetic_m2", "geometric_of_flowing_m2", "geometric_m2", "harmonic_m2", "darcy_m2")
    >>> upscaled_grid({"z": {**dict.fromkeys(means, 9.869233e-13), "zero_share": 0.25}}).rows[0][2:]
    ('1000', '1000', '1000', '1000', '25 %')
    """
    head = ("axis", "Darcy flow on the grid", "arithmetic (mD)", "geometric (mD)", "harmonic (mD)",
            "geometric of what flows (mD)", "no flow")  # fmt: skip
    rows = []
    for axis, told in permeability.items():
        means = (told[f"{name}_m2"] for name in _MEANS)
        cells = ("–" if m is None else f"{m / MILLIDARCY_M2:.4g}" for m in means)
        zero = "–" if told["zero_share"] is None else f"{100 * told['zero_share']:.3g} %"
        darcy = "–" if told["darcy_m2"] is None else format_permeability(told["darcy_m2"])
        rows.append((axis, darcy, *cells, zero))
    return Grid(head, tuple(rows), "No flow: share of the windows that do not percolate along the axis.")


def _floats(values: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], float)


def _millidarcies(values: Sequence[float | None]) -> Array:
    """Return mD in six digits: values that differ by rounding alone would make axes without extent."""
    return np.array([float(f"{value:.6g}") for value in millidarcy(_floats(values))])
