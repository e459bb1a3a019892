"""Organic porosity, organic matter and pore shares from the volumes of the classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["UNITS", "ShaleVolumes", "organic_quantities"]

UNITS: dict[str, str] = {
    "voxels": "voxels",
    "volume": "m³",
    "fraction": "fraction",
    "porosity.total": "fraction",
    "porosity.organic": "fraction",
    "porosity.inorganic": "fraction",
    "om_content": "fraction",
    "om_contents.without_pores": "fraction",
    "om_contents.with_pores": "fraction",
    "organic_porosity.value": "fraction",
    "organic_porosity.hosted": "fraction",
    "organic_porosity.bulk": "fraction",
    "organic_porosity.notes": "fraction",
    "organic_share": "fraction",
    "min_voxels": "voxels",
    "beyond": "pores",
    "counts": "pores",
    "number": "pores",
    "cut": "pores",
    "small": "pores",
}
"""Quantity → unit of what `organic_quantities` and `aspect_ratios` tell."""

_NO_OM = (
    "the volume has no class of organic matter, so its volume is not known; train with four classes, or use the "
    "'bulk' definition"
)
_NOTHING = "its denominator is zero: there is no such voxel in the volume"


@dataclass(frozen=True, slots=True)
class ShaleVolumes:
    """Voxels of each part of a shale.

    Parameters
    ----------
    organic_matter : int or None
        Without its pores; None where no class says what is organic matter.
    organic_pore, inorganic_pore : int
        Pores.
    others : dict
        Voxels of the other classes, by name.
    total : int
        All voxels.
    voxel_m3 : float
        Volume of a voxel, m³.

    Examples
    --------
    >>> ShaleVolumes(30, 10, 10, {"matrix": 50}, 100, 1e-24).total
    100
    """

    organic_matter: int | None
    organic_pore: int
    inorganic_pore: int
    others: Mapping[str, int]
    total: int
    voxel_m3: float


def organic_quantities(
    volumes: ShaleVolumes,
    *,
    definition: Literal["hosted", "bulk", "notes"] = "hosted",
    pores_count_as_om: bool = False,
) -> dict[str, Any]:
    """Return volumes, porosity, content of organic matter, organic porosity and share of organic pores.

    Parameters
    ----------
    volumes : ShaleVolumes
        Counts of voxels.
    definition : {"hosted", "bulk", "notes"}
        Which organic porosity is ``organic_porosity.value``; see `account`.
    pores_count_as_om : bool
        Whether ``om_content`` takes in organic pores.

    Returns
    -------
    dict
        Fractions, 0 to 1; None where a volume that is needed is not known or zero, and then
        ``reasons`` says why.

    Examples
    --------
    >>> found = organic_quantities(ShaleVolumes(30, 10, 20, {"matrix": 40}, 100, 1e-24))
    >>> found["organic_porosity"]["hosted"], found["organic_porosity"]["bulk"], found["organic_porosity"]["notes"]
    (0.25, 0.1, 0.2)
    >>> found["om_contents"]
    {'without_pores': 0.3, 'with_pores': 0.4}
    """
    v, om = volumes, volumes.organic_matter
    reasons: dict[str, str] = {}

    def share(name: str, part: int | None, whole: int | None) -> float | None:
        if part is None or whole is None:
            reasons[name] = _NO_OM
        elif whole == 0:
            reasons[name] = _NOTHING
        else:
            return part / whole
        return None

    hosts = None if om is None else om + v.organic_pore
    porosities = {
        "hosted": share("hosted", v.organic_pore, hosts),
        "bulk": share("bulk", v.organic_pore, v.total),
        "notes": share("notes", v.organic_pore, None if om is None else om + v.inorganic_pore),
    }
    contents = {
        "without_pores": share("om_content", om, v.total),
        "with_pores": share("om_content_with_pores", hosts, v.total),
    }
    pores = v.organic_pore + v.inorganic_pore
    return {
        "volumes": _volumes(v),
        "porosity": {
            "total": pores / v.total,
            "organic": v.organic_pore / v.total,
            "inorganic": v.inorganic_pore / v.total,
        },
        "om_content": contents["with_pores" if pores_count_as_om else "without_pores"],
        "om_content_counts": "organic matter and its pores" if pores_count_as_om else "organic matter alone",
        "om_contents": contents,
        "organic_porosity": {"value": porosities[definition], "definition": definition, **porosities},
        "organic_share": share("organic_share", v.organic_pore, pores),
        "reasons": reasons,
    }


def _volumes(v: ShaleVolumes) -> dict[str, Any]:
    def told(voxels: int | None) -> dict[str, Any]:
        if voxels is None:
            return {"voxels": None, "volume": None, "fraction": None}
        return {"voxels": voxels, "volume": voxels * v.voxel_m3, "fraction": voxels / v.total}

    parts = {
        "total": v.total,
        "organic_matter": v.organic_matter,
        "organic_pore": v.organic_pore,
        "inorganic_pore": v.inorganic_pore,
    }
    return {**{k: told(n) for k, n in parts.items()}, "others": {k: told(n) for k, n in v.others.items()}}
