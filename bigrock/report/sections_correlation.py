"""Two-point correlation along each axis and by distance."""

from __future__ import annotations

import numpy as np

from bigrock.report.charts import Chart, Line, Mark, chart_picture
from bigrock.report.figures import Picture
from bigrock.report.results import Measured
from bigrock.report.section import Section, has, is_known
from bigrock.report.short_units import short_lengths

__all__ = ["correlation_section"]

_CURVES = ("z", "y", "x", "radial")


def correlation_section(measured: Measured) -> Section | None:
    """Return S₂ against distance, one picture for each class.

    Parameters
    ----------
    measured : Measured
        With ``porosity``, and ``z``, ``y``, ``x``, ``radial`` to ``distance``, ``s2`` and
        ``correlation_length``.

    Examples
    --------
    >>> curve = {"distance": [0.0, 1.0], "s2": [0.2, 0.1], "correlation_length": 1.5}
    >>> [p.name for p in correlation_section(Measured({"": {"porosity": 0.2, "z": curve}})).pictures]
    ['correlation']
    """
    pictures = [p for name in measured.by_class if (p := _picture(measured, name)) is not None]
    note = "Probability that two voxels at a distance both lie in the phase: it falls from φ to φ²."
    return Section("Two-point correlation", pictures, note) if pictures else None


def _picture(measured: Measured, name: str) -> Picture | None:
    quantities = measured.by_class[name]
    unit = measured.unit("z", "distance")
    curves = {key: quantities[key] for key in _CURVES if has(quantities.get(key), "distance", "s2")}
    if not curves:
        return None
    longest = max(float(np.max(curve["distance"])) for curve in curves.values())
    scaled, short = short_lengths([longest], unit)
    scale = float(scaled[0]) / longest if longest else 1.0
    lines = [
        Line(np.asarray(curve["distance"], float) * scale, curve["s2"], key, hue)
        for hue, (key, curve) in enumerate(curves.items())
    ]
    lengths = {key: curve.get("correlation_length") for key, curve in curves.items()}
    told = ", ".join(f"{key} {value * scale:.4g}" for key, value in lengths.items() if is_known(value))
    porosity = quantities.get("porosity")
    marks = []
    if porosity is not None and is_known(porosity):
        marks = [Mark(porosity**2, f"φ² = {porosity**2:.4g}")]
    return chart_picture(
        "-".join(filter(None, ("correlation", "".join(c if c.isalnum() else "-" for c in name)))),
        Chart(f"distance ({short or 'voxels'})", "S₂", lines, marks=marks, from_zero=True),
        title=name,
        caption=f"Correlation lengths: {told} {short or 'voxels'}." if told else "",
        alt=f"two-point correlation against distance {name}".strip(),
    )
