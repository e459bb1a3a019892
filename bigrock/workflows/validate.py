"""Is a volume whole and readable: its metadata checked, every stored byte decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.executors import ExecutorLike
from bigrock.engine.progress import ProgressLike
from bigrock.engine.reduction import Reduction
from bigrock.errors import CorruptChunkError
from bigrock.geometry import Block, Region, Shape
from bigrock.volumes import Volume, open_volume
from bigrock.volumes.shards import stored_shards

if TYPE_CHECKING:
    import zarr

__all__ = ["Validation", "validate"]


@dataclass(frozen=True, slots=True)
class Validation:
    """What `validate` found.

    Attributes
    ----------
    path : str
        The volume.
    files : int
        Stored files (shards) that were decoded, all levels together.
    problems : tuple of str
        One sentence each; empty where all is well.
    """

    path: str
    files: int
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as JSON."""
        return {
            "path": self.path,
            "valid": not self.problems,
            "files": self.files,
            "problems": list(self.problems),
        }


def validate(
    path: str | os.PathLike[str], *, executor: ExecutorLike = None, progress: ProgressLike = None
) -> Validation:
    """Return whether a volume is whole: its OME-Zarr metadata valid, every chunk of every level readable.

    One read of everything that is stored, checksums included. Memory is that of a few shards. A
    shard that was never written holds zeros, and is no problem.

    Parameters
    ----------
    path : str or path-like
        The volume; one that is incomplete is a finding, not an error.
    executor, progress : optional
        As for `bigrock.run`.

    Returns
    -------
    Validation

    Raises
    ------
    VolumeNotFoundError, NotAVolumeError
        If there is no volume at all.

    Examples
    --------
    >>> from bigrock.volumes import create_volume
    >>> _ = create_volume("memory://validate-example.zarr", (4, 4, 4), "uint8", voxel_size="2 um")
    >>> validate("memory://validate-example.zarr").problems
    ()
    """
    from bigrock.engine.reducing import reduce

    volume = open_volume(path, partial=True)
    problems = _metadata_problems(volume)
    files = 0
    for number, level in enumerate(volume.levels):
        unit = _unit(level)
        [(stored, damaged)] = reduce(
            _Extent(_shape(level), unit),
            [_Damage(volume, number)],
            block=unit,
            executor=executor,
            progress=progress,
            title=f"validate level {number}",
        )
        files += stored
        problems += damaged
    return Validation(volume.path, files, tuple(problems))


def _metadata_problems(volume: Volume) -> list[str]:
    import zarr
    from ome_zarr_models.v05.image import Image

    problems = []
    if not volume.complete:
        problems.append(f"{volume.path} is incomplete: the run or import that makes it was interrupted.")
    try:
        Image.from_zarr(zarr.open_group(volume.store, mode="r"))
    except ValueError as error:
        problems.append(
            f"the OME-Zarr metadata of {volume.path} is not valid: {' '.join(str(error).split())}"
        )
    return problems


def _shape(level: zarr.Array[Any]) -> Shape:
    z, y, x = level.shape
    return z, y, x


def _unit(level: zarr.Array[Any]) -> Shape:
    z, y, x = level.shards or level.chunks
    return z, y, x


@dataclass(frozen=True)
class _Extent:
    """A source of nothing: it has the extent of a level, so that the pass visits its shards."""

    shape: Shape
    read_unit: Shape
    voxel_size: None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(bool)

    def read(self, region: Region) -> npt.NDArray[Any]:
        return np.broadcast_to(np.False_, region.shape)

    def identity(self) -> dict[str, Any]:
        return {"extent": list(self.shape)}


@dataclass(frozen=True)
class _Damage(Reduction):
    """How many shards of a level are stored, and the damaged ones as sentences, in order."""

    volume: Volume
    level: int

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        return 2.0 * self.volume.dtype.itemsize

    def block(self, array: npt.NDArray[Any], block: Block) -> tuple[int, list[str]]:
        stored = stored_shards(self.volume.store, self.volume.levels[self.level], block.core)
        try:
            self.volume.read_level(self.level, block.core)
        except CorruptChunkError as error:
            return stored, [str(error)]
        return stored, []

    def combine(self, a: tuple[int, list[str]], b: tuple[int, list[str]]) -> tuple[int, list[str]]:
        return a[0] + b[0], sorted([*a[1], *b[1]])
