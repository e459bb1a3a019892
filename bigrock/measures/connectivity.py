"""Connectivity: what of the pore space is joined, what percolates, and what is closed off."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bigrock.engine.reduction import Reduction
from bigrock.kernels.labelling_reduction import Components
from bigrock.kernels.labelling_runs import check_connectivity
from bigrock.kernels.labelling_sums import ComponentSums
from bigrock.measures.component_tables import component_table
from bigrock.measures.definition import Found, Measure
from bigrock.volumes.source import Facts

__all__ = ["Connectivity"]


@dataclass(frozen=True)
class Connectivity(Measure):
    r"""Connected, percolating and closed porosity, of the pores and of the solid, and a table of all components.

    From one read, without a label volume. All counts are exact. ``total`` is the porosity,
    ``connected`` what touches a face of the volume, ``closed`` the rest; ``percolating`` per axis is
    what joins both opposite faces, and ``percolates`` whether anything does; all as fractions of
    the volume (with a field of view, of what is inside; faces stay those of the volume).
    ``largest`` is the share of the largest component in the phase, and

    .. math:: \Gamma = \sum_i V_i^2 / \Bigl(\sum_i V_i\Bigr)^2

    the probability that two voxels of the phase are connected. ``percolating_ids`` are rows of the
    table ``components`` (see `component_table`), and labels of `bigrock.label`.
    ``solid`` has the same of what is not the phase, by the dual connectivity (6 for 26 and 18, 26
    for 6), without a table.

    Parameters
    ----------
    connectivity : {6, 18, 26}
        Which voxels of the phase touch.
    table : bool
        Also give the table. Without it, components take 64 bytes each instead of 160.

    Raises
    ------
    ParameterError
        If the connectivity is not known.

    References
    ----------
    .. [1] Renard Ph., Allard D., "Connectivity metrics for subsurface flow and transport", Advances
       in Water Resources 51, 2013.

    Examples
    --------
    >>> import bigrock
    >>> mask = np.zeros((4, 4, 4), bool)
    >>> mask[:, 1, 1], mask[1, 3, 3] = True, True
    >>> found = bigrock.measure(mask, "connectivity", progress=False)["connectivity"]
    >>> found["percolates"], found["number"], found["gamma"]
    ({'z': True, 'y': False, 'x': False}, 2, 0.68)
    """

    connectivity: int = 26
    table: bool = True

    name: ClassVar[str] = "connectivity"
    units: ClassVar[Mapping[str, str]] = {
        "total": "fraction",
        "connected": "fraction",
        "closed": "fraction",
        "percolating.z": "fraction",
        "percolating.y": "fraction",
        "percolating.x": "fraction",
        "solid.percolating.z": "fraction",
        "solid.percolating.y": "fraction",
        "solid.percolating.x": "fraction",
        "largest": "fraction",
    }

    def __post_init__(self) -> None:
        check_connectivity(self.connectivity)

    def reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the components of the phase."""
        return (Components(self.connectivity, brief=not self.table),)

    def solid_reductions(self, facts: Facts) -> tuple[Reduction, ...]:
        """Return the components of the solid."""
        return (Components(26 if self.connectivity == 6 else 6, brief=True),)

    def describe(self, found: Found, facts: Facts) -> dict[str, Any]:
        """Return the quantities."""
        whole = math.prod(facts.shape) if found.whole is None else int(found.whole[0].voxels.sum())
        described = {"connectivity": self.connectivity, **_report(found.results[0], whole)}
        if self.table:
            described["components"] = component_table(found.results[0], facts.voxel_size)
        if found.solid:
            # Without a table, numbers of components would lead nowhere.
            solid = _report(found.solid[0], whole)
            described["solid"] = {name: value for name, value in solid.items() if name != "percolating_ids"}
        return described


def _report(found: ComponentSums, whole: int) -> dict[str, Any]:
    """Return the quantities of one phase of a volume of `whole` voxels."""
    voxels, touches = found.voxels, found.touches
    total, connected = int(voxels.sum()), int(voxels[touches.any(axis=1)].sum())
    crossing = {axis: touches[:, 2 * i] & touches[:, 2 * i + 1] for i, axis in enumerate("zyx")}
    return {
        "total": total / whole,
        "connected": connected / whole,
        "closed": (total - connected) / whole,
        "percolating": {axis: int(voxels[joins].sum()) / whole for axis, joins in crossing.items()},
        "percolates": {axis: bool(joins.any()) for axis, joins in crossing.items()},
        "largest": int(voxels.max()) / total if total else None,
        "gamma": math.fsum(voxels.astype(float) ** 2) / total**2 if total else None,
        "number": len(found),
        "percolating_ids": {axis: np.flatnonzero(joins) + 1 for axis, joins in crossing.items()},
    }
