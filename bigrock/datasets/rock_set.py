"""A stored set of rocks of one size, with permeabilities: what networks are trained on.

A zarr v3 group. ``images`` (n, z, y, x) is uint8, 1 = pore, one rock per chunk; ``k_voxel2`` (n, 3)
is the permeability along z, y, x in squared voxels, NaN where it was not computed and 0 where the
pores do not percolate; ``porosity`` (n,); ``family`` (n,) is a place in the list of names in the
attributes; ``group`` (n,) numbers the parent rock. Attribute ``bigrock`` has the voxel size in
metres and the provenance.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr

from bigrock.datasets.indices import Indices, asked_indices
from bigrock.datasets.rock_set_split import RockSplit, refuse_odd_k, split_rocks
from bigrock.errors import IncompleteVolumeError, NotAVolumeError, ParameterError, VolumeNotFoundError
from bigrock.volumes.stores import codec_pipeline, location, open_store

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["ROCK_SET_VERSION", "RockSet", "open_rocks"]

ROCK_SET_VERSION = 1


class RockSet:
    """Rocks of one size and their permeabilities; made by `open_rocks`, `make_rocks` and `DeePore.repack`.

    Images are read when they are asked for; the labels are held in memory. A set can be pickled.

    Parameters
    ----------
    path : str, path-like or zarr Store
        Of a set that is complete.

    Attributes
    ----------
    path : str
        Where it is stored.
    edge : int
        Voxels along each side of a rock.
    voxel_size : tuple of float
        Metres along z, y, x.
    images : zarr.Array
        uint8 (n, z, y, x), 1 = pore.
    k_voxel2, k_m2 : ndarray of float64 (n, 3)
        Permeability along z, y, x; NaN where it was not computed, 0 where pores do not percolate.
    porosity : ndarray of float64 (n,)
        Share of pore voxels.
    families : ndarray of str (n,)
        Texture of each rock.
    groups : ndarray of int64 (n,)
        Parent rock of each; rocks of one group share a texture and must not be on both sides of a split.
    provenance : dict
        What made the set: seed, settings, boundary, tolerance, versions.
    """

    def __init__(self, path: str | os.PathLike[str] | Store) -> None:
        self.path = location(path)
        self._store = open_store(path, read_only=True)
        try:
            with codec_pipeline(self._store):
                group = zarr.open_group(self._store, mode="r", zarr_format=3)
        except FileNotFoundError as error:
            raise VolumeNotFoundError(
                f"{self.path} holds no set of rocks. Check the path, or make one: bigrock permeability prepare."
            ) from error
        own: Any = group.attrs.get("bigrock", {})
        if "rocks" not in own:
            raise NotAVolumeError(
                f"{self.path} is no set of rocks: its attribute 'bigrock' has no entry 'rocks'. "
                f"Make one: bigrock permeability prepare."
            )
        if own["rocks"] != ROCK_SET_VERSION:
            raise NotAVolumeError(
                f"{self.path} has version {own['rocks']} of the layout, and this bigrock reads {ROCK_SET_VERSION}. "
                f"Use the bigrock that made it, or make it again."
            )
        if not own["complete"]:
            raise IncompleteVolumeError(
                f"{self.path} is a set of rocks that was not finished. Run the command that makes it again: "
                f"it goes on where it stopped."
            )
        with codec_pipeline(self._store):
            self.images: zarr.Array[Any] = group["images"]  # type: ignore[assignment]
        self.edge = int(self.images.shape[1])
        z, y, x = own["voxel_size_m"]
        self.voxel_size: tuple[float, float, float] = (z, y, x)
        self.provenance: dict[str, Any] = own["provenance"]
        self.k_voxel2 = np.asarray(group["k_voxel2"])
        self.porosity = np.asarray(group["porosity"])
        self.groups = np.asarray(group["group"], np.int64)
        self.families = np.array(own["families"], np.str_)[np.asarray(group["family"])]

    def __len__(self) -> int:
        return int(self.images.shape[0])

    def __repr__(self) -> str:
        names = ", ".join(sorted(set(self.families.tolist())))
        return f"RockSet({len(self)} rocks of {self.edge}³ voxels; {names}; {self.path})"

    @property
    def k_m2(self) -> npt.NDArray[np.float64]:
        """Permeability along z, y, x in m²."""
        return self.k_voxel2 * self.voxel_size[0] ** 2

    @cached_property
    def percolating(self) -> npt.NDArray[np.bool_]:
        """Rocks whose k is known and positive along every axis that has labels: log k exists for them only."""
        labelled = ~np.isnan(self.k_voxel2).all(0)
        return np.asarray((self.k_voxel2[:, labelled] > 0).all(1) & labelled.any())

    @property
    def left_out(self) -> dict[str, int]:
        """How many rocks no part of a split has: without a label along an axis that has some, or with k = 0."""
        missing = np.isnan(self.k_voxel2)
        unlabelled = missing[:, ~missing.all(0)].any(1) | missing.all(1)
        return {
            "not labelled": int(unlabelled.sum()),
            "not percolating": int(((self.k_voxel2 == 0).any(1) & ~unlabelled).sum()),
        }

    def image(self, index: int) -> npt.NDArray[np.bool_]:
        """Return one rock: bool (z, y, x), True = pore."""
        return self.take([index])[0]

    def take(self, indices: Indices) -> npt.NDArray[np.bool_]:
        """Return rocks in the order that is asked, repeats allowed: bool (m, z, y, x), True = pore.

        A mask (n,) of all rocks, such as `percolating`, asks for those that are True.

        Raises
        ------
        ParameterError
            If an index is not in the set, or a mask has another length.
        """
        asked = asked_indices(indices, len(self), "rock", self.path)
        found = np.empty((len(asked), *self.images.shape[1:]), bool)
        for i, index in enumerate(asked):
            found[i] = self.images[int(index)]
        return found

    def summary(self) -> dict[str, Any]:
        """Return counts and ranges as JSON: rocks, families, porosity, k, and how many have no positive k."""
        good = self.percolating
        return {
            "path": self.path,
            "rocks": len(self),
            "edge": self.edge,
            "voxel_size_m": list(self.voxel_size),
            "groups": len(np.unique(self.groups)),
            "families": {
                str(n): int(c) for n, c in zip(*np.unique(self.families, return_counts=True), strict=True)
            },
            "porosity": _range(self.porosity),
            "k_m2": {axis: _range(self.k_m2[good, i]) for i, axis in enumerate("zyx")},
            "without_positive_k": int((~good).sum()),
        }

    def split(
        self,
        *,
        train: float = 0.7,
        validation: float = 0.1,
        test: float = 0.2,
        by: str = "group",
        seed: int = 0,
        held_out_families: Sequence[str] = (),
        unlabelled: bool = False,
    ) -> RockSplit:
        """Return parts of the rocks that are `percolating`; the others are in no part (see `left_out`).

        With ``unlabelled=True`` a set in which no rock is `percolating` is split as a whole, as
        super-resolution does, which learns from images alone; a set with labels is split as ever, so that
        all networks have the same parts.

        Groups stay whole, families are spread evenly, and the same seed gives the same parts. See
        `bigrock.datasets.rock_set_split.split_rocks` for all parameters.
        """
        refuse_odd_k(self.k_voxel2)
        usable = self.percolating
        if unlabelled and not usable.any():
            usable = np.ones(len(self), bool)
        if not usable.any():
            by = self.provenance["labels"]["by"] or "nobody"
            raise ParameterError(
                f"no rock of {self.path} has a positive permeability (labelled by {by}): there is nothing to train on. "
                f"Make the set with labels, such as labels='stokes' (--labels stokes)."
            )
        return split_rocks(
            usable,
            self.families,
            self.groups,
            shares=(train, validation, test),
            by=by,
            seed=seed,
            held_out_families=held_out_families,
        )


def _range(values: npt.NDArray[np.float64]) -> dict[str, float] | None:
    """Return least, median and largest of the values that are known."""
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    return {"min": float(known.min()), "median": float(np.median(known)), "max": float(known.max())}


def open_rocks(path: str | os.PathLike[str] | Store) -> RockSet:
    """Return a stored set of rocks.

    Parameters
    ----------
    path : str, path-like or zarr Store
        A folder or URL that `make_rocks` or `DeePore.repack` wrote.

    Raises
    ------
    VolumeNotFoundError, NotAVolumeError, IncompleteVolumeError
        If nothing is there, something else, or a set that was not finished.

    Examples
    --------
    >>> from bigrock.datasets import make_rocks
    >>> made = make_rocks("memory://open-rocks", count=2, edge=16, labels=None, progress=False)
    >>> rocks = open_rocks(made.path)
    >>> len(rocks), rocks.edge, rocks.take([1, 0]).shape
    (2, 16, (2, 16, 16, 16))
    """
    return RockSet(path)
