"""Profiles of several classes in one chart for each axis; those of one phase are drawn by `curves`."""

from __future__ import annotations

import numpy as np

from bigrock.report.charts import Chart, Line, chart_picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, has
from bigrock.report.short_units import short_lengths

__all__ = ["class_profiles_section"]


def class_profiles_section(measured: Measured) -> Section | None:
    """Return the share of every class in the slices along each axis.

    Parameters
    ----------
    measured : Measured
        Of "profiles": axis to ``position`` and ``porosity``.

    Examples
    --------
    >>> line = {"z": {"position": [0.0, 1.0], "porosity": [0.1, 0.2]}}
    >>> [p.name for p in class_profiles_section(Measured({"clay": line, "pore": line})).pictures]
    ['profile-classes-z']
    """
    pictures = []
    for axis in "zyx":
        lines: list[Line] = []
        unit = "voxels"
        for name, axes in measured.by_class.items():
            if name and has(axes.get(axis), "position", "porosity"):
                given = measured.unit(axis, "position") or "voxels"
                position, unit = short_lengths(axes[axis]["position"], given)
                shares = 100 * np.asarray(axes[axis]["porosity"], float)
                lines.append(Line(position, shares, name, len(lines)))
        if lines:
            chart = Chart(
                f"{axis} ({unit})", "share of the slice (%)", lines, size=(380, 260), from_zero=True
            )
            alt = f"share of every class in the slices along {axis}"
            pictures.append(
                chart_picture(f"profile-classes-{axis}", chart, title="", caption=f"Along {axis}.", alt=alt)
            )
    return Section("Profiles of the classes", pictures) if pictures else None
