"""A stack whose slices are moved to where the picture stands still."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Region, Shape
from bigrock.volumes import Kind, Source, Volume, Voxel, facts_of, source_of
from bigrock.workflows.shale.quality import StackQuality, stack_quality

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["Aligned", "align_stack"]

Outside = Literal["crop", "edge"]
Offsets = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A source whose slices are moved by whole pixels; nothing is interpolated.

    Voxel (z, y, x) is that of (z, y + dy, x + dx) of the source. Every region is read from where it lies there, so
    that a block costs no halo: as much more as the shifts of its own slices differ.

    Parameters
    ----------
    source : Source
        The stack.
    shifts : tuple of (dy, dx)
        How far each slice lies off, in pixels.
    outside : {"crop", "edge"}
        "crop" leaves the part that all slices have. "edge" keeps the size, and repeats the outermost pixels.

    Raises
    ------
    ParameterError
        If there is not one shift per slice, or they leave no common part.

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> stack = ArraySource(np.array([[[1, 2, 3, 4]], [[9, 1, 2, 3]]], np.uint8))
    >>> Aligned(stack, ((0, 0), (0, 1))).read(Region((0, 0, 0), (2, 1, 3))).tolist()
    [[[1, 2, 3]], [[1, 2, 3]]]
    """

    source: Source
    shifts: Offsets
    outside: Outside = "crop"

    def __post_init__(self) -> None:
        if len(self.shifts) != self.source.shape[0] or self.outside not in ("crop", "edge"):
            raise ParameterError(
                f"{len(self.shifts)} shifts and outside={self.outside!r} for {self.source.shape[0]} slices: every "
                "slice needs one (dy, dx), and outside is 'crop' or 'edge'."
            )
        if min(self.shape) < 1:
            raise ParameterError(
                f"shifts of {np.ptp(self.shifts, axis=0).tolist()} pixels along y, x leave nothing that all slices of "
                f"{self.source.shape[1:]} pixels have. Check the shifts, or use outside='edge'."
            )

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""
        z, y, x = self.source.shape
        if self.outside == "edge":
            return z, y, x
        dy, dx = np.ptp(self.shifts, axis=0).tolist()
        return z, y - dy, x - dx

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the source."""
        return np.dtype(self.source.dtype)

    @property
    def kind(self) -> Kind:
        """That of the source."""
        return facts_of(self.source).kind

    @property
    def voxel_size(self) -> Voxel | None:
        """That of the source."""
        return self.source.voxel_size

    @property
    def read_unit(self) -> Shape:
        """That of the source."""
        return self.source.read_unit

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, each slice from where it lies in the source."""
        z, stop_z = region.start[0], region.stop[0]
        shifts = np.array(self.shifts[z:stop_z])
        if self.outside == "crop":
            shifts -= np.min(self.shifts, axis=0)
        extent = np.array(self.source.shape[1:])
        wanted = [
            np.clip(np.arange(a, b) + shifts[:, axis, None], 0, extent[axis] - 1)
            for axis, (a, b) in enumerate(zip(region.start[1:], region.stop[1:], strict=True))
        ]
        (y, x), (stop_y, stop_x) = ([int(f(w)) for w in wanted] for f in (np.min, np.max))
        held = self.source.read(Region((z, y, x), (stop_z, stop_y + 1, stop_x + 1)))
        rows, columns = wanted[0] - y, wanted[1] - x
        planes = (plane[np.ix_(r, c)] for plane, r, c in zip(held, rows, columns, strict=True))
        return np.stack(list(planes))

    def identity(self) -> dict[str, Any]:
        """Return the identity of the source, and the shifts."""
        return {
            **self.source.identity(),
            "aligned": [list(s) for s in self.shifts],
            "outside": self.outside,
        }


def align_stack(
    volume: Source | str | os.PathLike[str],
    dest: str | os.PathLike[str] | Store,
    *,
    shifts: npt.ArrayLike | StackQuality | None = None,
    outside: Outside = "crop",
    **options: Any,
) -> Volume:
    """Return the stack with its slices moved to where the picture stands still, stored at `dest`.

    By whole pixels, so that grey values are those that were measured; at most half a pixel is left. Bitwise
    the same for any blocks. By default only sudden steps are taken out (`StackQuality.correction`): slow movement may
    be rock that lies at a slant.

    Parameters
    ----------
    volume : Source or path
        The stack.
    dest : str, path-like or zarr Store
        A new place.
    shifts : array of int, shape (z, 2), or StackQuality, optional
        How far every slice lies off along y and x, in pixels. By default found by `stack_quality`.
    outside : {"crop", "edge"}
        What becomes of pixels that some slice does not have: "crop" leaves them out, so that the stack is smaller by
        the span of the shifts; "edge" repeats the outermost pixels of the slice.
    **options
        As for `bigrock.import_volume`: executor, block, ram, overwrite, pyramid, progress.

    Returns
    -------
    Volume
        Its history holds the shifts.

    Raises
    ------
    ParameterError
        If the shifts are not whole pixels, one pair per slice, or leave no common part.

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> stack = ArraySource(np.arange(32, dtype=np.uint8).reshape(2, 4, 4))
    >>> align_stack(stack, "memory://aligned.zarr", shifts=[(0, 0), (1, 0)], progress=False).shape
    (2, 3, 4)
    """
    from bigrock.transfer import import_volume

    source = source_of(volume)
    if shifts is None:
        known = ("executor", "block", "ram", "progress")
        shifts = stack_quality(source, **{k: v for k, v in options.items() if k in known})
    if isinstance(shifts, StackQuality):
        shifts = shifts.correction()
    return import_volume(Aligned(source, _pairs(shifts), outside), dest, **options)


def _pairs(shifts: npt.ArrayLike) -> Offsets:
    given = np.asarray(shifts)
    if given.ndim != 2 or given.shape[1] != 2 or not np.array_equal(given, np.rint(given)):
        raise ParameterError(
            f"shifts of shape {given.shape} and type {given.dtype} are not whole pixels along y and x for every slice: "
            "slices would be moved to between pixels. Give an array of integers, (z, 2)."
        )
    return tuple((int(dy), int(dx)) for dy, dx in given)
