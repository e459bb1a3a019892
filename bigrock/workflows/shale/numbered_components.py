"""Components of a stack, numbered beside the volume that is made of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

import bigrock
from bigrock.engine.kernel import Kernel
from bigrock.geometry import Block, Region, Shape
from bigrock.volumes.source import Kind, Source, Voxel
from bigrock.volumes.stores import is_local, location, open_store

if TYPE_CHECKING:
    from bigrock.volumes import Volume

__all__ = ["AnyOf", "FromOne", "Numbers", "numbered"]

Array = npt.NDArray[Any]


@contextmanager
def numbered(
    source: Source, dest: str | os.PathLike[str], how: dict[str, Any], overwrite: bool, connectivity: int = 26
) -> Iterator[Volume]:
    """Label the components beside `dest`, and delete them when all is done; an interrupted run finds them again."""
    place = f"{location(dest)}.components"
    yield bigrock.label(source, place, connectivity=connectivity, overwrite=overwrite, **how)
    if is_local(place):
        shutil.rmtree(Path(place))
    else:
        from zarr.core.sync import sync

        sync(open_store(place).clear())


@dataclass(frozen=True)
class Numbers:
    """Numbers of components, known by what was labelled: labelled once more, they are the same."""

    volume: Volume
    origin: Source

    kind: ClassVar[Kind] = "labels"

    @property
    def shape(self) -> Shape:
        """Extent in voxels."""
        return self.volume.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        return self.volume.dtype

    @property
    def voxel_size(self) -> Voxel | None:
        """Metres z, y, x."""
        return self.volume.voxel_size

    @property
    def read_unit(self) -> Shape:
        """The chunk."""
        return self.volume.read_unit

    def read(self, region: Region) -> Array:
        """Return the numbers of a region."""
        return self.volume.read(region)

    def identity(self) -> dict[str, Any]:
        """Return what was labelled."""
        return {"components_of": self.origin.identity()}


@dataclass(frozen=True)
class AnyOf(Kernel):
    """The mask of several classes."""

    values: tuple[int, ...]

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Masks are bool."""
        return np.dtype(np.bool_)

    def output_kind(self, kind: Kind) -> Kind:
        """A mask."""
        return "mask"

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the mask of the core."""
        return np.isin(array[block.trim], self.values)


@dataclass(frozen=True)
class FromOne(Kernel):
    """Class values plus one: 0 is background where components are labelled."""

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Twice as wide, so that the largest value has a next one."""
        return np.dtype(np.uint16 if dtype.itemsize == 1 else np.uint32)

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the values of the core, plus one."""
        core = array[block.trim]
        return core.astype(self.output_dtype(core.dtype)) + core.dtype.type(1)
