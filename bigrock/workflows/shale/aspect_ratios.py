"""How long pores are: distributions of the aspect ratio of their equal-moment ellipsoids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["aspect_ratios"]

_STEP, _MOST = 0.25, 10.0


def aspect_ratios(table: pa.Table, min_voxels: int = 20) -> dict[str, Any]:
    """Return the distribution of major/minor axis (≥ 1) of the pores of a table.

    Pores that a face of the stack cuts have the shape of the cut, and pores of a few voxels that of
    a voxel: both are left out, and counted.

    Parameters
    ----------
    table : pyarrow.Table
        Of the measure "pores", or of components.
    min_voxels : int
        Pores below are left out.

    Returns
    -------
    dict
        ``number`` of pores counted, ``cut`` by a face, too ``small``; ``mean``, ``median``, ``p10``,
        ``p90`` by number, ``volume_mean`` by volume; ``edges`` and ``counts`` of a histogram from 1 to
        10, and how many lie ``beyond``. None where no pore is left.

    Examples
    --------
    >>> from bigrock.kernels import find_components
    >>> from bigrock.measures.component_tables import component_table
    >>> mask = np.zeros((6, 6, 12), bool)
    >>> mask[2:4, 2:4, 2:10] = True
    >>> aspect_ratios(component_table(find_components(mask), (1e-8, 1e-8, 1e-8)))["median"]
    4.0
    """
    voxels = table["voxels"].to_numpy().astype(np.int64)
    ratios = table["aspect_ratio"].to_numpy().astype(float)
    faces = [name for name in table.column_names if name.startswith("touches_") and name != "touches_border"]
    cut = np.zeros(len(voxels), bool)
    for name in faces:
        cut |= table[name].to_numpy().astype(bool)
    small = voxels < min_voxels
    kept = ~cut & ~small & np.isfinite(ratios)
    ratios, weights = np.round(ratios[kept], 12), voxels[kept]
    edges = np.arange(1.0, _MOST + _STEP, _STEP)
    told: dict[str, Any] = {
        "number": int(kept.sum()),
        "cut": int(cut.sum()),
        "small": int((small & ~cut).sum()),
        "min_voxels": min_voxels,
    }
    names = ("mean", "median", "p10", "p90", "volume_mean")
    if not len(ratios):
        told |= dict.fromkeys(names)
    else:
        low, middle, high = np.percentile(ratios, (10, 50, 90))
        by_volume = float((ratios * weights).sum() / weights.sum())
        found = (float(ratios.mean()), float(middle), float(low), float(high), by_volume)
        told |= dict(zip(names, found, strict=True))
    counts = np.histogram(ratios, edges)[0]
    return told | {"edges": edges, "counts": counts, "beyond": int((ratios > _MOST).sum())}
