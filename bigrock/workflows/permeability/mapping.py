"""The permeability map of a core: windows on a lattice, solved one after the other, and what they say together."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from bigrock.engine.executors import ExecutorLike
from bigrock.engine.kernel import Kernel
from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.volumes.polarity import warn_of_polarity
from bigrock.volumes.source import Source
from bigrock.workflows.permeability.map_plan import BundleLike, MapSettings, planned
from bigrock.workflows.permeability.map_report import write_map_report
from bigrock.workflows.permeability.map_result import PermeabilityMap
from bigrock.workflows.permeability.rows import RowLog, run_rows
from bigrock.workflows.permeability.solving import AXES, SOLVED
from bigrock.workflows.permeability.window_pass import WindowWork
from bigrock.workflows.permeability.windows import Task

__all__ = ["map_permeability"]


def map_permeability(
    core: Source | npt.NDArray[Any] | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    super_resolution: BundleLike | Kernel | None = None,
    surrogate: BundleLike | Sequence[BundleLike] | None = None,
    method: Literal["surrogate", "physics"] | None = None,
    window: int | None = None,
    step: int | None = None,
    axes: str = AXES,
    physics_sample: int = 8,
    rev_sample: int = 4,
    sees: Literal["grey", "mask"] = "grey",
    threshold: float | Literal["fraction"] = 0.5,
    boundary: str = "sealed",
    tolerance: float = 1e-2,
    value_range: tuple[float, float] | None = None,
    backend: Literal["auto", "cpu", "gpu"] | None = None,
    seed: int = 0,
    report: bool = True,
    resume: bool = True,
    overwrite: bool = False,
    executor: ExecutorLike = None,
    progress: ProgressLike = None,
) -> PermeabilityMap:
    """Return the permeability of a core, window by window, with its profile, REV, upscaled k and error.

    A window reads its part of the core and a halo, is super-resolved in memory, and gives a few
    numbers: the fine grid is never written, and memory does not grow with the core. Windows do not
    see one another, so the result is the same for any executor and after any interruption (networks:
    up to float rounding); the same call goes on where one was killed.

    A window whose pores do not join two opposite faces has k = 0 along that axis. One without any solid
    has no finite k by Stokes flow, unless its sides are sealed: NaN in the map, left out of means and
    profiles, counted (``unbounded``), with a warning; Darcy flow on the grid is then not known. Windows at
    the far faces that would stick out are left out, and the rest is told (``left_out``).

    Parameters
    ----------
    core : Source or path
        Pore fractions from 0 to 1 (with `super_resolution`), or a mask (True = pore). Cubic voxels.
    out : str or path-like
        A folder of this machine.
    super_resolution : Bundle, path or Kernel, optional
        Without it the core is taken as it is.
    surrogate : Bundle, path, or sequence of these, optional
        Networks that predict k; several are an ensemble.
    method : {"surrogate", "physics"}, optional
        Whose k stands in the map. By default the surrogate's where there is one; physics is Stokes
        flow in every window.
    window, step : int, optional
        Edge of a window and from one to the next, in voxels of the fine grid; by default what the
        surrogate takes (else 64), side by side.
    axes : str
        Along which k is asked for, such as "z".
    physics_sample : int
        Windows, drawn at random, that Stokes flow solves as well: the map's own error.
    rev_sample : int
        Windows of each other size for the REV, solved by Stokes flow along the first of `axes`.
    sees : {"grey", "mask"}
        What the surrogate is shown: super-resolved pore fractions, or what the threshold makes of them.
    threshold : float or "fraction"
        Pore fraction above which a fine voxel is pore; or each voxel of the core keeps its pore fraction
        (`bigrock.kernels.pores_of_fractions`): far better by physics where the core has little noise.
    boundary, tolerance
        Of `bigrock.flow.permeability`.
    value_range : pair of float, optional
        Grey levels of solid and of pore in the core, where they are not 0 and 1.
    backend : {"auto", "cpu", "gpu"}, optional
        What computes, as for `bigrock.kernels.backend.resolve`.
    seed : int
        Of the samples.
    report : bool
        Write the page as well.
    resume, overwrite : bool
        Go on with what is there; start anew.
    executor, progress
        As for `bigrock.run`.

    Returns
    -------
    PermeabilityMap
        In `out`: ``permeability-z.zarr``…, ``uncertainty-z.zarr``…, ``porosity.zarr``, ``outside.zarr``,
        ``map.json``, ``windows.csv`` and ``.parquet``, ``report.html``. The volumes lie over the core in
        viewers: their translation is the centre of the first window.

    Warns
    -----
    UserWarning
        If windows are unbounded.
    PolarityWarning
        If the porosity of the windows is over 0.6.

    Raises
    ------
    VoxelSizeError
        If the core has no voxel size, or its voxels are no cubes.
    PhaseError
        If it is not known what is pore; of labels, `bigrock.kernels.SelectClass` makes a mask.
    SourceError
        If pore fractions are none (beyond -0.25 to 1.25), or not finite. This shows where they are read, in
        the middle of a map: windows that were solved before stay in `out`, for this core alone.
    ParameterError
        If the window is larger than the core or no multiple of the scale, or an option is not known.
    BundleError
        If a network is one for something else, such as a surrogate of coarse images.
    VolumeExistsError, ResumeError
        If the folder holds something else, or a map with other settings.

    Examples
    --------
    >>> import tempfile, bigrock, numpy as np
    >>> tubes = np.zeros((16, 16, 32), bool)
    >>> tubes[:, 4:12, 4:12] = tubes[:, 4:12, 20:28] = True
    >>> core = bigrock.ArraySource(tubes, (1e-6,) * 3)
    >>> how = {"window": 16, "axes": "z", "progress": False}
    >>> found = map_permeability(core, tempfile.mkdtemp() + "/map", **how)
    >>> found.k("z").shape, bool(1e-13 < found.k("z").min() < 1e-12)
    ((1, 1, 2), True)
    """
    begun = time.monotonic()
    settings = MapSettings(
        method=method,
        window=window,
        step=step,
        axes=axes,
        physics_sample=physics_sample,
        rev_sample=rev_sample,
        sees=sees,
        threshold=threshold,
        boundary=boundary,
        tolerance=tolerance,
        value_range=value_range,
        backend=backend,
        seed=seed,
    )
    plan = planned(core, super_resolution, surrogate, settings)
    folder = _folder(out, overwrite)
    log = RowLog(
        folder, "windows", SOLVED, ("edge", "start"), plan.to_dict(), resume=resume, overwrite=overwrite
    )
    jobs: dict[str, Sequence[Task]] = {"permeability": plan.lattice_tasks, "REV": plan.rev_tasks}
    for title, tasks in jobs.items():
        if tasks:
            work = WindowWork(plan.core, plan.super_resolution, plan.solver, tasks)
            run_rows(work, log, executor=executor, progress=progress, title=title)
    found = PermeabilityMap.of(plan, log.rows(), folder, time.monotonic() - begun)
    _warn(found)
    found.write()
    if report:
        write_map_report(found, plan.core, folder / "report.html")
    return found


def _warn(found: PermeabilityMap) -> None:
    """Warn of windows without a finite k, and of a porosity that may be that of the solid."""
    if found.figures["unbounded"]:
        warnings.warn(
            f"{found.figures['unbounded']} of {found.windows.size} windows hold no solid, and no wall with "
            f"boundary={found.figures['boundary']!r}: their k is infinite, and means and profiles are those of the "
            "others. Use boundary='sealed' (--bc sealed), or larger windows.",
            stacklevel=3,
        )
    porosity = found.figures["porosity"]["mean"]
    # One level more: the warning is that of the caller of the map.
    warn_of_polarity(porosity, "mask value True, or pore fraction 1,", "Then exchange the two.", stacklevel=4)


def _folder(out: str | os.PathLike[str], overwrite: bool) -> Path:
    """Return the folder, once it is known that nothing of the user's is in the way."""
    if "://" in os.fspath(out):
        raise ParameterError(
            f"out={os.fspath(out)!r} is a URL, and a map is a folder of files. Give a folder of this machine."
        )
    place = Path(out).expanduser().absolute()
    if place.exists() and not place.is_dir():
        raise VolumeExistsError(f"{place} is a file. Choose another folder.")
    if place.exists() and any(place.iterdir()) and not ((place / "windows.json").exists() or overwrite):
        raise VolumeExistsError(
            f"{place} holds other files: the map would be mixed with them. Choose another one, or overwrite=True "
            "(--overwrite)."
        )
    return place
