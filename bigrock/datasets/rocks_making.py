"""Make a set of synthetic rocks with permeabilities, in parallel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.datasets.rock_labels import Labeller, labeller
from bigrock.datasets.rock_set import RockSet
from bigrock.datasets.rock_set_writing import write_rocks
from bigrock.datasets.rocks import ROCK_FAMILIES, rock
from bigrock.engine.executors import ExecutorLike
from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError
from bigrock.geometry import is_whole
from bigrock.units import parse_voxel_size

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["SyntheticRocks", "make_rocks"]


@dataclass(frozen=True, slots=True)
class SyntheticRocks:
    """Rocks of the families in turn; each follows from the seed and its number, and is its own group."""

    count: int
    edge: int
    families: tuple[str, ...]
    seed: int
    labeller: Labeller

    def image(self, index: int) -> npt.NDArray[np.bool_]:
        """Return a pore mask, drawn again while it does not percolate along every axis."""
        name = self.families[self.family(index)]
        return rock((self.seed, index), edge=self.edge, family=name, percolating=True)

    def labels(self, index: int, image: npt.NDArray[np.bool_]) -> Sequence[float]:
        """Return k along z, y, x in squared voxels."""
        return self.labeller(image)

    def family(self, index: int) -> int:
        """Return the place of its texture in `families`."""
        return index % len(self.families)

    def group(self, index: int) -> int:
        """Return its number: no two rocks have a parent in common."""
        return index

    def settings(self) -> dict[str, Any]:
        """Return all that decides images and labels."""
        return {
            "rocks": "synthetic",
            "version": 1,
            "count": self.count,
            "edge": self.edge,
            "families": list(self.families),
            "seed": self.seed,
            "labels": self.labeller.settings(),
        }


def make_rocks(
    dest: str | os.PathLike[str] | Store,
    *,
    count: int,
    edge: int = 64,
    families: Sequence[str] | None = None,
    voxel_size: str | float = "2 um",
    axes: Sequence[str] = ("z",),
    seed: int = 0,
    labels: str | Callable[..., Sequence[float]] | None = "stokes",
    boundary: str = "sealed",
    tolerance: float = 1e-2,
    executor: ExecutorLike = None,
    resume: bool = True,
    overwrite: bool = False,
    retries: int = 2,
    progress: ProgressLike = None,
) -> RockSet:
    """Return a new set of synthetic rocks with permeabilities, made in parallel and stored at `dest`.

    Rock i has family ``families[i % len(families)]`` and follows from the seed and i alone, so more
    rocks, other executors and interruptions give the same rocks. A rock whose pores do not join the
    faces of every axis is drawn again (16 times at most); one that still does not is stored with
    k = 0, and `RockSet.split` leaves it out. With Stokes labels, about a second of one core per
    rock of 64³ and axis.

    Parameters
    ----------
    dest : str, path-like or zarr Store
        A new place for the set.
    count : int
        How many rocks.
    edge : int
        Voxels along each side of a rock, at least 8. Features grow with it (see `rock`).
    families : sequence of str, optional
        Of `ROCK_FAMILIES`; all by default.
    voxel_size : str or float
        Of cubic voxels. Any is as true as another: it only turns squared voxels into m².
    axes : sequence of {"z", "y", "x"}
        Along which k is computed.
    seed : int
        Another seed, other rocks.
    labels : {"stokes", "network"}, callable or None
        By `bigrock.flow.permeability`; by a pore network (``pip install 'bigrock[sim]'``; biased, and not
        faster, see `bigrock.datasets.rock_labels_network`); by a function ``(mask, axes) -> k in
        squared voxels along each of axes``, which can be pickled; or not at all (NaN). What it gives that
        is negative, infinite or NaN is stored as NaN, not known; 0 is for pores that do not percolate.
    boundary : {"sealed", "mirrored", "periodic"}
        Of the Stokes solver.
    tolerance : float
        Of the Stokes solver.
    executor : optional
        None (the current Dask client, else threads), "serial", "threads", a number of threads, or a
        `distributed.Client`.
    resume : bool
        Continue an interrupted run with the same settings; return a finished one as it is. A function of
        labels is told from another by its name and its code, not by values from around it.
    overwrite : bool
        Delete the set that is stored at `dest`.
    retries : int
        How often a rock that fails is tried again before the run goes on without it.
    progress : callable, bool, optional
        As for `bigrock.run`.

    Returns
    -------
    RockSet

    Raises
    ------
    ParameterError
        If a setting lies outside what is stated above.
    MissingDependencyError
        If network labels are asked for and PoreSpy or OpenPNM is not installed.
    VolumeExistsError, ResumeError
        If something else is stored at `dest`, or an interrupted run with other settings.
    RunError
        At the end, if rocks failed after every retry. The others are done and kept.

    Examples
    --------
    >>> rocks = make_rocks("memory://make-rocks", count=3, edge=16, labels=None, progress=False)
    >>> rocks.families.tolist(), rocks.groups.tolist()
    (['blobs', 'layers', 'two-scale'], [0, 1, 2])
    """
    names = ROCK_FAMILIES if families is None else tuple(families)
    _check(count, edge, names, axes, seed)
    how = labeller(labels, tuple(axes), boundary=boundary, tolerance=tolerance)
    source = SyntheticRocks(count, edge, names, seed, how)
    return write_rocks(
        dest,
        source,
        voxel_size=parse_voxel_size(voxel_size),
        step="make rocks",
        resume=resume,
        overwrite=overwrite,
        executor=executor,
        retries=retries,
        progress=progress,
    )


def _check(count: int, edge: int, families: tuple[str, ...], axes: Sequence[str], seed: int) -> None:
    for name, value in (("count", count), ("edge", edge), ("seed", seed)):
        if not is_whole(value):
            raise ParameterError(f"{name} {value!r} is no whole number. Give one such as 64.")
    if count < 1:
        raise ParameterError(f"count {count} is not positive: a set needs at least one rock.")
    if edge < 8:
        raise ParameterError(f"edge {edge} is below 8 voxels: no texture fits into such a rock.")
    unknown = [name for name in families if name not in ROCK_FAMILIES]
    if unknown or not families:
        raise ParameterError(f"families {list(families)} are not some of {', '.join(ROCK_FAMILIES)}.")
    if not axes or len(set(axes)) < len(axes) or set(axes) - set("zyx"):
        raise ParameterError(f"axes {tuple(axes)} are not some of z, y, x, each once.")
    if seed < 0:
        raise ParameterError(f"seed {seed} is negative. Give 0 or more.")
