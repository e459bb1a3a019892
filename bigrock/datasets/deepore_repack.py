"""DeePore volumes as a set of rocks: one chunk per rock, so that training reads them many times faster."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.datasets.indices import Indices, asked_indices
from bigrock.datasets.rock_labels import Labeller, labeller
from bigrock.datasets.rock_set import RockSet
from bigrock.datasets.rock_set_writing import write_rocks
from bigrock.engine.executors import ExecutorLike
from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError
from bigrock.units import parse_voxel_size
from bigrock.volumes.formats.voxels import file_identity
from bigrock.volumes.polarity import warn_of_polarity

if TYPE_CHECKING:
    from bigrock.datasets.deepore import DeePore

__all__ = ["DeePoreRocks", "repack_deepore"]

_AXES = "zyx"


@dataclass(frozen=True, slots=True, eq=False)
class DeePoreRocks:
    """Images of a complete file as a source of rocks."""

    data: DeePore
    indices: npt.NDArray[np.int64]
    k_px2: npt.NDArray[np.float64]
    axis: str
    labeller: Labeller | None
    families: tuple[str, ...] = ("deepore",)

    @property
    def count(self) -> int:
        """How many."""
        return len(self.indices)

    @property
    def edge(self) -> int:
        """Voxels along each side."""
        return self.data.edge

    def image(self, index: int) -> npt.NDArray[np.bool_]:
        """Return a pore mask."""
        return self.data.take([int(self.indices[index])])[0]

    def labels(self, index: int, image: npt.NDArray[np.bool_]) -> Sequence[float]:
        """Return k along z, y, x in squared voxels: that of the file, or by the labeller."""
        if self.labeller is not None:
            return self.labeller(image)
        k = [np.nan] * 3
        value = float(self.k_px2[index])
        k[_AXES.index(self.axis)] = value if np.isfinite(value) else np.nan
        return k

    def family(self, index: int) -> int:
        """Return 0: the file names no textures."""
        return 0

    def group(self, index: int) -> int:
        """Return the number of its parent."""
        return int(self.data.groups[self.indices[index]])

    def settings(self) -> dict[str, Any]:
        """Return file, images and labels."""
        assumed = "assumed: 295 consecutive images each" if self.data.parents_are_assumed else "given"
        return {
            "rocks": "deepore",
            "file": file_identity(self.data.path, version=self.data.version),
            "indices": self.indices.tolist(),
            "groups": assumed,
            "labels": {"by": "file", "axis": self.axis}
            if self.labeller is None
            else self.labeller.settings(),
        }


def repack_deepore(
    data: DeePore,
    dest: str | os.PathLike[str],
    *,
    indices: Indices | None = None,
    voxel_size: str | float = "1 um",
    axis: str = "z",
    labels: str | Callable[..., Sequence[float]] = "file",
    boundary: str = "sealed",
    tolerance: float = 1e-2,
    executor: ExecutorLike = None,
    resume: bool = True,
    overwrite: bool = False,
    retries: int = 2,
    progress: ProgressLike = None,
) -> RockSet:
    """Return a set of rocks with volumes of a DeePore file, stored at `dest`.

    Resumed after interruptions; one rock at a time and thread in memory (about 34 MB at 256³).
    Labels that are NaN, infinite or not positive are stored as NaN and 0, and `RockSet.split` leaves those rocks out.

    Parameters
    ----------
    data : DeePore
        A complete file.
    dest : str or path-like
        A new place for the set.
    indices : sequence of int, or of bool (n,), optional
        Images, in this order, or which of all; by default those that `DeePore.official_filter` keeps.
    voxel_size : str or float
        Of cubic voxels. The data set is dimensionless; 1 µm is its nominal size.
    axis : {"z", "y", "x"}
        In which column the file's k is put: it states one number and no direction. With other labels, along
        which k is computed.
    labels : {"file", "stokes", "network"} or callable
        The file's own, or as for `bigrock.datasets.make_rocks`.
    boundary, tolerance
        Of the Stokes solver.
    executor, resume, overwrite, retries, progress
        As for `bigrock.datasets.make_rocks`.

    Raises
    ------
    ParameterError
        If the file is compact, no image is left, or a setting is out of range.
    SourceError
        If an image has more levels than void and solid.
    VolumeExistsError, ResumeError, RunError
        As `bigrock.datasets.make_rocks` does.

    Warns
    -----
    PolarityWarning
        If the median porosity is over 0.6.

    Examples
    --------
    >>> import tempfile, h5py
    >>> from pathlib import Path
    >>> from bigrock.datasets import DeePore
    >>> solid = np.zeros((2, 8, 8, 8, 1), bool)
    >>> solid[:, :, 4:] = True
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "DeePore_Dataset.h5")
    ...     with h5py.File(path, "w") as file:
    ...         file["X"], file["Y"] = solid, np.full((2, 1515, 1), 0.5)
    ...     rocks = repack_deepore(DeePore(path), "memory://deepore", indices=[1], progress=False)
    >>> rocks.k_voxel2.tolist(), rocks.porosity.tolist()
    ([[0.5, nan, nan]], [0.5])
    """
    if data.kind != "complete":
        raise ParameterError(
            f"{data.path} is a compact file: it holds three planes of each rock, and a set of rocks holds volumes. "
            "Give the complete file."
        )
    if axis not in _AXES or len(axis) != 1:
        raise ParameterError(f"axis {axis!r} is not one of z, y, x.")
    chosen = asked_indices(
        data.official_filter() if indices is None else indices, len(data), "image", data.path
    )
    if not chosen.size:
        raise ParameterError(
            f"no image of {data.path} is left after the official filter. Give indices, and see check()."
        )
    how = None
    if labels != "file":
        how = labeller(labels, (axis,), boundary=boundary, tolerance=tolerance)
    k = data.properties(chosen, names=["permeability"])["permeability"]
    rocks = write_rocks(
        dest,
        DeePoreRocks(data, chosen, k, axis, how),
        voxel_size=parse_voxel_size(voxel_size),
        step="repack DeePore",
        resume=resume,
        overwrite=overwrite,
        executor=executor,
        retries=retries,
        progress=progress,
    )
    # One level more, as `DeePore.repack` stands between.
    warn_of_polarity(
        float(np.median(rocks.porosity)), f"0 (the median of the images of {data.path})",
        "Then the set is of no use: exchange the two in the file.", stacklevel=4,
    )  # fmt: skip
    return rocks
