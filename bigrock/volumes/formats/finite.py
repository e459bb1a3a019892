"""A source that refuses NaN and infinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import NonFiniteError
from bigrock.geometry import Region, Shape
from bigrock.volumes.source import Kind, Source, Voxel, facts_of

__all__ = ["FiniteSource"]


@dataclass(frozen=True, slots=True)
class FiniteSource:
    """Another source that refuses NaN and infinity when they are read.

    Exact; integer sources pass through unchecked. Costs one look at each voxel, slice by slice.

    Parameters
    ----------
    source : Source
        What is checked.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.volumes.formats import open_source
    >>> with tempfile.NamedTemporaryFile(suffix=".npy") as file:
    ...     np.save(file, np.array([[[0.0, np.nan]]])); file.flush()
    ...     open_source(file.name).read(Region((0, 0, 0), (1, 1, 2)))
    Traceback (most recent call last):
    ...
    bigrock.errors.NonFiniteError: 1 of 2 voxels read are NaN or infinite, the first at voxel (0, 0, 1): ...
    """

    source: Source

    @property
    def shape(self) -> Shape:
        """Extent of the source."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the source."""
        return self.source.dtype

    @property
    def voxel_size(self) -> Voxel | None:
        """Voxel size of the source."""
        return self.source.voxel_size

    @property
    def kind(self) -> Kind:
        """What the source's values mean."""
        return facts_of(self.source).kind

    @property
    def classes(self) -> dict[str, int]:
        """Class table of the source."""
        return facts_of(self.source).classes

    @property
    def read_unit(self) -> Shape:
        """Read unit of the source."""
        return self.source.read_unit

    @property
    def read_scratch_bytes(self) -> float:
        """Bytes per voxel that reading the source takes."""
        return float(getattr(self.source, "read_scratch_bytes", 0.0))

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`.

        Raises
        ------
        NonFiniteError
            If one of them is NaN or infinite: how many, and where the first is.
        """
        data = self.source.read(region)
        if data.dtype.kind != "f":
            return data
        count = 0
        first: tuple[int, ...] | None = None
        for z, plane in enumerate(data):
            bad = ~np.isfinite(plane)
            found = int(np.count_nonzero(bad))
            if found and first is None:
                y, x = np.unravel_index(int(np.argmax(bad)), bad.shape)
                first = tuple(a + b for a, b in zip(region.start, (z, int(y), int(x)), strict=True))
            count += found
        if count:
            raise NonFiniteError(
                f"{count} of {data.size} voxels read are NaN or infinite, the first at voxel {first}: every threshold "
                "and mean that meets them would be NaN too. Crop them away, or replace them before importing."
            )
        return data

    def identity(self) -> dict[str, Any]:
        """Return the identity of the source."""
        return self.source.identity()
