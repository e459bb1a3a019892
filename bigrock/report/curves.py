"""The curves of a report: the grey histogram and the porosity profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bigrock.report.figures import Cuts, Picture, kind_of
from bigrock.report.plots import DARK, LIGHT, draw_histogram, draw_profile
from bigrock.volumes.source import Source

__all__ = ["histogram_pictures", "profile_pictures", "sampled_histogram"]

_BINS = 256


def sampled_histogram(volumes: Mapping[str, Source], cuts: Cuts) -> dict[str, Any] | None:
    """Return the grey histogram of the slices of the first grey volume, with Otsu's threshold.

    Approximate: a sample of three slices, for reports of volumes that nobody measured.

    Parameters
    ----------
    volumes : mapping of str to Source
        As `named_volumes` gives them.
    cuts : dict of str to list of Slice
        As `middle_slices` gives them.

    Returns
    -------
    dict or None
        ``"values"``, ``"counts"`` and ``"otsu"``; None where no volume is grey, or it is constant.

    References
    ----------
    Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9, 1979.

    Examples
    --------
    >>> from bigrock.datasets import Sandstone
    >>> from bigrock.report.figures import middle_slices
    >>> volumes = {"rock": Sandstone((8, 16, 16))}
    >>> int(sum(sampled_histogram(volumes, middle_slices(volumes))["counts"]))
    512
    """
    from skimage.filters import threshold_otsu

    grey = next((name for name, volume in volumes.items() if kind_of(volume) == "grey"), None)
    if grey is None:
        return None
    levels = np.concatenate([cut.pixels.ravel() for cut in cuts[grey]])
    levels = levels[np.isfinite(levels)].astype(np.float64)
    if levels.size == 0 or levels.min() == levels.max():
        return None
    counts, edges = np.histogram(levels, _BINS)
    values = 0.5 * (edges[1:] + edges[:-1])
    return {"values": values, "counts": counts, "otsu": float(threshold_otsu(hist=(counts, values)))}


def histogram_pictures(histogram: Mapping[str, Any]) -> list[Picture]:
    """Return the grey histogram with linear and with logarithmic counts.

    Parameters
    ----------
    histogram : mapping
        ``"values"``, ``"counts"``, and ``"otsu"`` where a threshold is to be marked.

    Returns
    -------
    list of Picture
        Linear, logarithmic; empty where there are no counts.

    Examples
    --------
    >>> [p.title for p in histogram_pictures({"values": [0, 1], "counts": [4, 2], "otsu": 0})]
    ['linear', 'logarithmic']
    """
    values, counts = histogram.get("values"), histogram.get("counts")
    if values is None or counts is None or not len(counts):
        return []
    threshold = histogram.get("otsu", histogram.get("threshold"))
    marked = "" if threshold is None else f"; global threshold (Otsu) at {threshold:.5g}"
    pictures = []
    for title, log in (("linear", False), ("logarithmic", True)):
        light, dark = (
            draw_histogram(values, counts, threshold=threshold, log=log, ink=ink) for ink in (LIGHT, DARK)
        )
        voxels = f"{int(np.sum(counts)):,}".replace(",", " ")
        caption = f"{voxels} voxels, {title} counts{marked}."
        alt = f"grey histogram, {title} counts{marked}"
        pictures.append(Picture(f"histogram-{title}", light, title, caption, alt, dark))
    return pictures


def profile_pictures(
    profiles: Mapping[str, Mapping[str, Any]], *, total: float | None, metres: bool
) -> list[Picture]:
    """Return the porosity of the slices along each axis.

    Parameters
    ----------
    profiles : mapping
        Axis ("z", "y", "x") to ``"porosity"`` (fractions) and ``"position"`` (metres where the
        voxel size is known, otherwise voxels; missing: the slice number).
    total : float or None
        Porosity of the volume.
    metres : bool
        Whether the positions are metres.

    Returns
    -------
    list of Picture
        One per axis.

    Examples
    --------
    >>> line = {"position": [0.0, 1.0], "porosity": [0.1, 0.2]}
    >>> [p.name for p in profile_pictures({"z": line}, total=0.15, metres=False)]
    ['profile-z']
    """
    pictures = []
    for axis in (a for a in "zyx" if a in profiles):
        percent = 100 * np.asarray(profiles[axis]["porosity"], float)
        position, unit = _positions(profiles[axis], percent.size, metres)
        line = {"position": position, "porosity": percent / 100}
        light, dark = (draw_profile(axis, line, total=total, unit=unit, ink=ink) for ink in (LIGHT, DARK))
        caption = f"Along {axis}: {percent.min():.2f} to {percent.max():.2f} %."
        alt = f"porosity of the slices along {axis}, {percent.min():.2f} to {percent.max():.2f} percent"
        pictures.append(Picture(f"profile-{axis}", light, axis, caption, alt, dark))
    return pictures


def _positions(profile: Mapping[str, Any], size: int, metres: bool) -> tuple[Any, str]:
    """Return positions and their unit, chosen so that the numbers are short."""
    given = profile.get("position")
    if given is None:
        return np.arange(size), "voxels"
    position = np.asarray(given, float)
    if not metres:
        return position, "voxels"
    for unit, exponent in (("mm", -3), ("µm", -6)):
        if position.max(initial=0.0) >= 10.0**exponent:
            return position * 10.0**-exponent, unit
    return position * 1e9, "nm"
