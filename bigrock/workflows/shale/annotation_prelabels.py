"""Labels to begin with: pores by guarded local Otsu, organic matter by its grey, pores parted by what they lie in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Region
from bigrock.volumes import Source

__all__ = ["PrelabelSettings", "prelabels"]

Labels = npt.NDArray[np.uint8]
Floats = npt.NDArray[Any]

_BLUR = 1.0
_GREYS = 4


@dataclass(frozen=True, slots=True)
class PrelabelSettings:
    """How labels to begin with are made.

    Parameters
    ----------
    radius, min_contrast, min_pore_fraction
        Of `bigrock.kernels.LocalOtsu`; the last two are its guards.
    shell : int
        Thickness of the shell around a pore whose greater part decides whether it is organic, 1 to 3 pixels.

    Examples
    --------
    >>> PrelabelSettings(radius=15).shell
    2
    """

    radius: int = 31
    min_contrast: float = 0.5
    min_pore_fraction: float = 0.05
    shell: int = 2


def prelabels(
    source: Source,
    slices: Sequence[int],
    table: Mapping[str, int],
    settings: PrelabelSettings,
    **options: Any,
) -> dict[int, Labels]:
    """Return labels of slices to begin with, to be corrected by hand.

    Pores are what guarded local Otsu finds dark. Where the table tells organic pores apart, windows of organic
    matter and matrix are split as well, so that a pore must also be as dark as the darkest of four grey classes:
    those of multi-level Otsu over all these slices, standardised and blurred by a pixel. The next class is organic
    matter. A pore is organic when over half of its shell lies on organic matter (`bigrock.kernels.split_pores`).
    Classes that the rule does not know are left to the painter.

    Parameters
    ----------
    source : Source
        Grey levels; read once or twice for the global threshold, then slice by slice.
    slices : sequence of int
        Which.
    table : mapping of str to int
        Class table.
    settings : PrelabelSettings
        Of the threshold and the rule.
    **options
        As for `bigrock.reduce`.

    Returns
    -------
    dict of int to ndarray of uint8
        Slice → values of the table.

    References
    ----------
    P.-S. Liao, T.-S. Chen, P.-C. Chung, A fast algorithm for multilevel thresholding, J. Information Science and
    Engineering 17 (2001).
    """
    from bigrock.engine.through import Through
    from bigrock.workflows.segment_kernel import segmentation_kernel
    from bigrock.workflows.settings import LocalOtsuSettings, SegmentSettings

    otsu = LocalOtsuSettings(
        radius=settings.radius,
        min_contrast=settings.min_contrast,
        min_pore_fraction=settings.min_pore_fraction,
    )
    kernel = segmentation_kernel(SegmentSettings(local_otsu=otsu), source, **options).fit(source, **options)
    seen = Through(source, kernel)
    pores = {z: seen.read(_slice(source, z))[0] for z in slices}
    if not {"organic pore", "inorganic pore"} <= set(table):
        value = next((v for n, v in table.items() if n == "pore"), None)
        return {z: _painted(table, {value: mask}) for z, mask in pores.items()}
    greys = {z: _blurred(source.read(_slice(source, z))[0]) for z in slices}
    darkest, dark = _thresholds(list(greys.values()))
    return {z: _parted(pores[z] & (g <= darkest), g <= dark, table, settings) for z, g in greys.items()}


def _parted(pores: Any, dark: Any, table: Mapping[str, int], settings: PrelabelSettings) -> Labels:
    from bigrock.kernels import split_pores

    om = dark & ~pores
    organic = split_pores(pores, om, shell=settings.shell)
    parts: dict[int | None, Any] = {
        table.get("organic matter"): om,
        table["organic pore"]: organic,
        table["inorganic pore"]: pores & ~organic,
    }
    return _painted(table, parts)


def _painted(table: Mapping[str, int], parts: Mapping[int | None, Any]) -> Labels:
    shape = next(iter(parts.values())).shape
    labels = np.full(shape, table.get("matrix", 0), np.uint8)
    for value, mask in parts.items():
        if value is not None:
            labels[mask] = value
    return labels


def _blurred(plane: Any) -> Floats:
    from bigrock.kernels import gaussian, standardize

    blurred: Floats = gaussian(standardize(plane), sigma=_BLUR, ndim=2)
    return blurred


def _thresholds(greys: list[Floats]) -> tuple[float, float]:
    """Return up to where grey is pore, and up to where it is organic matter or pore."""
    from skimage.filters import threshold_multiotsu

    values = np.concatenate([g.ravel() for g in greys])
    low, high = np.quantile(values, (0.001, 0.999))
    counts, edges = np.histogram(np.clip(values, low, high), 256)
    if np.count_nonzero(counts) < _GREYS:
        return float(low), float(low)
    found = threshold_multiotsu(hist=(counts, (edges[1:] + edges[:-1]) / 2), classes=_GREYS)
    return float(found[0]), float(found[1])


def _slice(source: Source, z: int) -> Region:
    return Region((z, 0, 0), (z + 1, *source.shape[1:]))
