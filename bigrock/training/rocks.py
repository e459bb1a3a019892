"""Images of rocks with their permeabilities, as networks are trained on them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bigrock.datasets.indices import Indices, asked_indices
from bigrock.datasets.rock_set_split import refuse_odd_k
from bigrock.errors import ParameterError
from bigrock.kernels.low_resolution import low_resolution
from bigrock.models.grey_levels import check_fractions

__all__ = ["Targets", "TrainingRocks", "coarse_rocks", "rocks_of"]

Array = npt.NDArray[Any]

_HELD_BYTES = 2**31


class Images(Protocol):
    """One image (z, y, x) per number: an array, or what reads it when it is asked for."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, index: int, /) -> Any:
        """Return one of them."""


@dataclass(frozen=True, eq=False)
class TrainingRocks:
    """Images of one size, and the permeability of each.

    Parameters
    ----------
    images : array (n, z, y, x), or what gives one image (z, y, x) by its number
        Masks (True = pore), or pore fractions 0 to 1.
    k_voxel2 : ndarray of float (n,) or (n, 3), optional
        Permeability in voxels squared, along z; or along z, y and x. NaN where it is not known. Not needed
        for super-resolution.
    name : str, optional
        Tells the images where they are too many to be digested; None digests them.
    coarse_factor : int
        How many times coarser than the rocks themselves they are: from `coarse_rocks`.

    Raises
    ------
    ParameterError
        If there are no images, or they hold NaN or other values than 0 to 1, or numbers do not fit, or a
        permeability is negative or infinite.

    Examples
    --------
    >>> rocks = TrainingRocks(np.zeros((2, 8, 8, 8), bool), [1.5, 0.0])
    >>> len(rocks), rocks.shape, rocks.targets().left_out
    (2, (8, 8, 8), {'not labelled': 4, 'not percolating': 1})
    """

    images: Images
    k_voxel2: Any = None
    name: str | None = None
    coarse_factor: int = 1

    def __post_init__(self) -> None:
        if not len(self.images):
            raise ParameterError("there are no rocks: nothing can be learnt. Give some.")
        if len(self.shape) != 3:
            raise ParameterError(
                f"each rock must be an image z, y, x, and the first has shape {self.shape}. Give an array (n, z, y, x)."
            )
        if isinstance(self.images, np.ndarray):
            check_fractions(self.images)
        if self.k_voxel2 is None:
            return
        k = np.asarray(self.k_voxel2, np.float64)
        if k.shape not in ((len(self),), (len(self), 3)):
            raise ParameterError(
                f"{len(self)} rocks and permeabilities of shape {k.shape} do not go together. Give one of each rock "
                "(along z), or three (along z, y, x)."
            )
        refuse_odd_k(k)
        object.__setattr__(
            self, "k_voxel2", np.column_stack([k, np.full((len(k), 2), np.nan)]) if k.ndim == 1 else k
        )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, ...]:
        """Extent of each image."""
        return tuple(int(n) for n in np.shape(self.images[0]))

    def targets(self) -> Targets:
        """Return what a surrogate can learn: log10 k along every axis where it is known and positive.

        Raises
        ------
        ParameterError
            If there is none.
        """
        if self.k_voxel2 is None:
            raise ParameterError(
                "the rocks have no permeabilities, and they are what is learnt. Give k_voxel2."
            )
        used = self.k_voxel2 > 0
        if not used.any():
            raise ParameterError(
                f"none of {len(self)} rocks has a permeability over 0: log10 k is known of none. Label some."
            )
        rock, axis = np.nonzero(used)
        left_out = {
            "not labelled": int(np.isnan(self.k_voxel2).sum()),
            "not percolating": int((self.k_voxel2 == 0).sum()),
        }
        return Targets(rock, axis, np.log10(self.k_voxel2[used]), left_out)

    def digest(self) -> str:
        """Return the SHA-256 of images (or their name) and permeabilities."""
        digest = hashlib.sha256(str((len(self), self.shape, self.name)).encode())
        if self.name is None:
            for number in range(len(self)):
                digest.update(np.ascontiguousarray(self.images[number]).data)
        if self.k_voxel2 is not None:
            digest.update(np.ascontiguousarray(self.k_voxel2).data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Targets:
    """What a surrogate learns: a rock, an axis along which it is looked at, and log10 of k in voxels squared.

    Attributes
    ----------
    rock, axis : ndarray of int (m,)
        Which rock, and along which axis.
    log10_k : ndarray of float (m,)
        Of k in voxels squared.
    left_out : dict
        How many values were not there, and how many were 0.

    Examples
    --------
    >>> found = TrainingRocks(np.ones((1, 4, 4, 4)), [[10.0, np.nan, 100.0]]).targets()
    >>> found.axis.tolist(), found.log10_k.tolist()
    ([0, 2], [1.0, 2.0])
    """

    rock: npt.NDArray[np.intp]
    axis: npt.NDArray[np.intp]
    log10_k: npt.NDArray[np.float64]
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.rock)

    def image(self, images: Images, number: int) -> Array:
        """Return the image of a target, its flow axis first."""
        return np.moveaxis(np.asarray(images[int(self.rock[number])]), int(self.axis[number]), 0)


class _Chosen:
    """Images of a stored set, in an order of their own, read when they are asked for."""

    def __init__(self, stored: Any, numbers: Sequence[int]) -> None:
        self.stored, self.numbers = stored, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Array:
        return np.asarray(self.stored.image(int(self.numbers[index])))


def rocks_of(stored: Any, numbers: Indices) -> TrainingRocks:
    """Return some rocks of a stored set, to train on.

    Parameters
    ----------
    stored : bigrock.datasets.RockSet
        From `bigrock.datasets.open_rocks`.
    numbers : sequence of int, or of bool (n,)
        Which; a part of ``stored.split()``, or a mask of all.

    Returns
    -------
    TrainingRocks
        In memory where the images take less than 2 GiB, else read when they are needed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> stored = SimpleNamespace(path="rocks.zarr", edge=4, k_voxel2=np.ones((3, 3)), image=lambda i: None)
    >>> stored.take = lambda numbers: np.ones((len(numbers), 4, 4, 4), bool)
    >>> len(rocks_of(stored, [2, 0]))
    2
    """
    labels = np.asarray(stored.k_voxel2)
    chosen = asked_indices(numbers, len(labels), "rock", stored.path).tolist()
    labels = labels[chosen]
    if len(chosen) * stored.edge**3 <= _HELD_BYTES:
        return TrainingRocks(stored.take(chosen), labels)
    return TrainingRocks(_Chosen(stored, chosen), labels, f"{stored.path} {chosen}")


def coarse_rocks(rocks: TrainingRocks, factor: int, **options: Any) -> TrainingRocks:
    """Return the rocks as a coarser scan would show them, with k in its own voxels squared.

    Parameters
    ----------
    rocks : TrainingRocks
        Fine ones.
    factor : int
        How many times coarser.
    **options
        As for `bigrock.kernels.low_resolution`.

    Returns
    -------
    TrainingRocks
        In memory, 0 to 1 (noise beyond is cut off); their ``coarse_factor`` tells a surrogate of them from one of
        fine images.

    Examples
    --------
    >>> coarse = coarse_rocks(TrainingRocks(np.ones((1, 8, 8, 8), bool), [32.0]), 4)
    >>> coarse.shape, float(coarse.k_voxel2[0, 0])
    ((2, 2, 2), 2.0)
    """
    check_divides(rocks.shape, factor)
    images = [low_resolution(rocks.images[i], factor=factor, **options).clip(0, 1) for i in range(len(rocks))]
    labels = None if rocks.k_voxel2 is None else rocks.k_voxel2 / factor**2
    return TrainingRocks(np.stack(images), labels, coarse_factor=factor * rocks.coarse_factor)


def check_divides(shape: Sequence[int], factor: int) -> None:
    """Refuse images that do not divide into blocks of `factor` voxels.

    Raises
    ------
    ParameterError
        With the extent that would do.
    """
    if any(n % factor for n in shape):
        near = tuple(max(factor, math.floor(n / factor) * factor) for n in shape)
        raise ParameterError(
            f"rocks of {tuple(shape)} voxels do not divide by the scale {factor}: voxels would be left over. Crop them "
            f"to {near}."
        )
