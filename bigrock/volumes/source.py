"""What a pass reads from: a stored volume, or a scan in another file format.

`Source` is the one protocol between files and the engine. A stored `Volume` is a source; so is
every reader in `bigrock.volumes.formats`. A source is picklable and safe to read from several
threads at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from bigrock.errors import VoxelSizeError
from bigrock.geometry import Region, Shape

__all__ = ["Facts", "Kind", "Source", "Voxel", "facts_of", "required_voxel_size"]

Kind = Literal["grey", "mask", "labels"]
"""What the numbers mean: grey levels, True = pore, or class values with a class table."""

Voxel = tuple[float, float, float]
"""Voxel size z, y, x in metres."""


@runtime_checkable
class Source(Protocol):
    """Three-dimensional voxels that can be read region by region.

    A source whose `read` takes much memory beside its result states it as an attribute
    ``read_scratch_bytes`` (per voxel read); plans count it.
    """

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of what `read` returns, in native byte order."""

    @property
    def voxel_size(self) -> Voxel | None:
        """Metres along z, y, x, or None where the file states none."""

    @property
    def read_unit(self) -> Shape:
        """The smallest region that is decoded as one: a chunk, a strip, a page; (1, 1, 1) for raw."""

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, C-contiguous, in native byte order."""

    def identity(self) -> dict[str, Any]:
        """Return what tells this input from another one, as JSON: path, size, time, settings."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a volume without reading a voxel; handed to kernels and reductions."""

    shape: Shape
    dtype: np.dtype[Any]
    voxel_size: Voxel | None = None
    kind: Kind = "grey"
    classes: dict[str, int] = field(default_factory=dict)


def facts_of(source: Source) -> Facts:
    """Return the facts of any source; kind and class table where it has them.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.volumes import ArraySource
    >>> facts_of(ArraySource(np.zeros((2, 3, 4), bool))).kind
    'mask'
    """
    dtype = np.dtype(source.dtype)
    return Facts(
        shape=source.shape,
        dtype=dtype,
        voxel_size=source.voxel_size,
        kind=getattr(source, "kind", "mask" if dtype.kind == "b" else "grey"),
        classes=dict(getattr(source, "classes", {})),
    )


def required_voxel_size(source: Source, purpose: str) -> Voxel:
    """Return the voxel size of a source that is asked for a length, an area or a volume.

    Parameters
    ----------
    source : Source
        What is measured.
    purpose : str
        What needs the voxel size, for the message.

    Returns
    -------
    tuple of float
        Metres z, y, x.

    Raises
    ------
    VoxelSizeError
        If the source states none: a voxel size of 1 would be wrong by orders of magnitude.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.volumes import ArraySource
    >>> required_voxel_size(ArraySource(np.zeros((2, 2, 2)), voxel_size=(1e-6, 1e-6, 1e-6)), "its extent")
    (1e-06, 1e-06, 1e-06)
    """
    if source.voxel_size is None:
        name = getattr(source, "path", "the volume")
        raise VoxelSizeError(
            f"{name} has no voxel size, and {purpose} needs one: taking it for 1 would be wrong by orders of "
            f"magnitude. Import the scan again with its voxel size, such as voxel_size='2.25 um' (--voxel-size)."
        )
    return source.voxel_size
