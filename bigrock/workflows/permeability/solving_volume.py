"""Permeability of a stored mask: read whole, checked to fit in memory, and solved for the flow through it."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from bigrock.engine.memory import available_bytes, format_bytes, parse_bytes
from bigrock.errors import PlanError
from bigrock.flow import Permeability, permeability
from bigrock.flow.stokes import BYTES_PER_PORE_VOXEL, BYTES_PER_VOXEL
from bigrock.geometry import Region
from bigrock.measures.phase import PoreLike, find_phase
from bigrock.measures.phase_mask import PhaseMask
from bigrock.volumes import Source, source_of
from bigrock.volumes.polarity import warn_of_polarity
from bigrock.volumes.source import facts_of, required_voxel_size

__all__ = ["solve_permeability"]

_SHARE = 0.8


def solve_permeability(
    volume: Source | npt.NDArray[np.bool_] | str | os.PathLike[str],
    *,
    pore: PoreLike = None,
    axis: str = "all",
    boundary: str = "sealed",
    tolerance: float = 1e-2,
    max_iterations: int | None = None,
    threads: int = 1,
    ram: str | float | None = None,
    backend: str | None = None,
) -> Permeability:
    """Return the permeability of a volume, by `bigrock.flow.permeability`.

    Parameters
    ----------
    volume : Source, array, str or path
        A mask, or labels; it is read into memory as a whole.
    pore : int, str or sequence of these, optional
        Which classes of labels are pore (default: the class "pore").
    axis, boundary, tolerance, max_iterations, threads, backend
        As of `bigrock.flow.permeability`.
    ram : str or float, optional
        Memory that may be used (default: 80 % of the machine's).

    Returns
    -------
    Permeability

    Warns
    -----
    PolarityWarning, ConvergenceWarning
        If the porosity is over 0.6; if a flow was not solved to the tolerance.

    Raises
    ------
    PhaseError
        If which voxels are pore is not known.
    VoxelSizeError
        If the volume does not state its voxel size.
    PlanError
        If the volume, or its flow, does not fit in memory.

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> duct = np.zeros((4, 24, 24), bool)
    >>> duct[:, 4:-4, 4:-4] = True
    >>> source = ArraySource(duct, voxel_size=(1e-6,) * 3)
    >>> found = solve_permeability(source, axis="z", boundary="periodic")
    >>> round(float(found["z"].k_voxel2 / (0.0351 * 16**2 * duct.mean())), 1)
    1.0
    """
    source = source_of(volume)
    facts = facts_of(source)
    phase = find_phase(facts, pore)
    voxel_m = required_voxel_size(source, "permeability")
    limit = int(_SHARE * available_bytes()) if ram is None else parse_bytes(ram)
    voxels = int(np.prod(facts.shape))
    _refuse_beyond(limit, voxels * BYTES_PER_VOXEL, f"its {voxels:,} voxels")
    mask: npt.NDArray[np.bool_] = PhaseMask(source, phase).read(Region.whole(facts.shape))
    pores = int(np.count_nonzero(mask))
    warn_of_polarity(pores / voxels, phase.name)
    at_once = min(threads, 3 if axis == "all" else 1) * (2 if boundary == "mirrored" else 1)
    needed = at_once * (voxels * BYTES_PER_VOXEL + pores * BYTES_PER_PORE_VOXEL)
    _refuse_beyond(limit, needed, f"{voxels:,} voxels of which {pores:,} are pore")
    return permeability(
        mask,
        voxel_size=voxel_m,
        axis=axis,
        boundary=boundary,
        tolerance=tolerance,
        max_iterations=max_iterations,
        threads=threads,
        backend=backend,
    )


def _refuse_beyond(limit: int, needed: int, what: str) -> None:
    if needed > limit:
        raise PlanError(
            f"the flow through {what} takes {format_bytes(needed)} of memory, and {format_bytes(limit)} may be "
            "used. Solve parts of the volume, solve one axis at a time (threads=1), or allow more with ram=."
        )
