"""DeePore files: 17,700 images of rock with 1515 properties each, read on demand.

Rabbani A., Babaei M., Shams R., Da Wang Y., Chung T., "DeePore: a deep learning workflow for rapid
and comprehensive characterization of porous materials", Advances in Water Resources 146, 2020.
Zenodo records 3820900 (version 1) and 4297035 (version 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.datasets.deepore_check import DeePoreCheck, check_outputs, official_filter
from bigrock.datasets.deepore_columns import DEEPORE_OUTPUTS, DEEPORE_PROPERTIES, property_named
from bigrock.datasets.deepore_layout import Layout, layout_of, open_deepore
from bigrock.datasets.indices import Indices, asked_indices, whole_numbers
from bigrock.datasets.rock_set_split import RockSplit, split_rocks
from bigrock.errors import ParameterError, SourceError
from bigrock.units import parse_length

if TYPE_CHECKING:
    import os

    from bigrock.datasets.rock_set import RockSet

__all__ = ["DeePore"]

PARENT_BLOCK = 295
"""Images of one parent in the published file, if all 60 have as many: 17,700 / 60."""

_AT_ONCE = 500
_V2_PER_VOXEL = 128 / 64


class DeePore:
    """A DeePore file, complete (volumes) or compact (three planes per volume).

    Nothing but the layout is read until it is asked for, and then only the samples asked for; the
    file is opened for each read, so threads and processes may share an object, and it can be pickled.
    Stored axes are taken as z, y, x. Polarity is turned to ours: 0 = void there, True = pore here.

    Labels come from pore networks, so they carry that method's error; use `repack` with
    ``labels="stokes"`` for others.

    Parameters
    ----------
    path : str or path-like
        An HDF5 file with ``X`` and ``Y``.
    version : {"v1", "v2"}, optional
        Of the data set. Compact files tell by their type: v1 is unsigned, v2 signed. Complete files
        do not tell, and nothing that is read from them depends on it.
    parents : int array (n,), optional
        Number of the parent rock of each image. Without it, images of a parent are assumed to lie
        one after another, 295 of them (17,700 / 60): that holds for whole files in published order only.

    Attributes
    ----------
    kind : {"complete", "compact"}
    edge : int
        Voxels along each side of a volume (of the volume that the planes were cut from).
    version : {"v1", "v2"} or None
        None: the file does not tell.
    groups : int array (n,)
        Parent of each image.

    Raises
    ------
    VolumeNotFoundError, TruncatedFileError, UnsupportedFormatError
        If there is no file, a part of one, or one without this layout.
    ParameterError
        If `version` is not what the file holds, or `parents` does not have one entry per image.

    Examples
    --------
    >>> import tempfile, h5py
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "DeePore_Dataset.h5")
    ...     with h5py.File(path, "w") as file:
    ...         file["X"] = np.ones((2, 8, 8, 8, 1), np.uint8)
    ...         file["Y"] = np.full((2, 1515, 1), 0.5)
    ...     data = DeePore(path)
    ...     data.kind, len(data), data.take([1, 0]).any(), data.properties([0])["permeability"]
    ('complete', 2, np.False_, array([0.5]))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        version: str | None = None,
        parents: npt.ArrayLike | None = None,
    ) -> None:
        self.path = str(Path(path).expanduser().absolute())
        self.layout: Layout = layout_of(self.path, version)
        self.kind, self.edge, self.version = self.layout.kind, self.layout.edge, self.layout.version
        n = self.layout.count
        self.groups = np.arange(n) // PARENT_BLOCK if parents is None else whole_numbers(parents, "parents")
        self.parents_are_assumed = parents is None
        if self.groups.shape != (n,):
            raise ParameterError(
                f"parents have shape {self.groups.shape}, and {self.path} holds {n} images. Give one number each."
            )

    def __len__(self) -> int:
        return self.layout.count

    def __repr__(self) -> str:
        return f"DeePore({self.kind}, {self.version or 'version not told'}, {len(self)} images, {self.path})"

    def take(self, indices: Indices) -> npt.NDArray[np.bool_]:
        """Return volumes in the order that is asked, repeats allowed: bool (m, z, y, x), True = pore.

        A mask (n,) of all images asks for those that are True, as everywhere here.

        Raises
        ------
        ParameterError
            If an index is not in the file, or the file is compact: it holds planes (see `planes`).
        SourceError
            If an image has more than two levels: 0 is void, one other value is solid.
        """
        self._needs("complete", "volumes", "planes")
        stored = self._rows("X", indices, (self.edge,) * 3)
        pore = stored == 0
        if stored.size and not (pore | (stored == stored.max((1, 2, 3), keepdims=True))).all():
            levels = ", ".join(map(str, np.unique(stored)[:5]))
            raise SourceError(
                f"an image of {self.path} has other levels ({levels}, …) than 0 = void and one for solid. Segment it "
                "first."
            )
        return np.asarray(pore)

    def planes(self, indices: Indices) -> npt.NDArray[np.float32]:
        """Return the middle planes across z, y and x of compact samples: float32 (m, 3, rows, columns).

        Of v2, the signed distance to the nearest surface in voxels of the volume, positive in
        pores, clipped at ±64 and rounded to halves; the largest of each 2 × 2 pixels. Of v1, the distance in one
        phase as a share of the largest of its plane, 0 … 1: how many voxels that is, is not stored.

        Raises
        ------
        ParameterError
            If an index is not in the file, or the file is complete.
        """
        self._needs("compact", "planes", "take")
        stored = self._rows("X", indices, (*self.layout.shape[1:3], 3)).astype(np.float32)
        stored /= np.float32(255.0 if self.version == "v1" else _V2_PER_VOXEL)
        return np.ascontiguousarray(np.moveaxis(stored, -1, 1))

    def properties(
        self,
        indices: Indices | None = None,
        *,
        names: Sequence[str] | None = None,
        voxel_size: str | float | None = None,
    ) -> dict[str, npt.NDArray[np.float64]]:
        """Return properties by name: (m,) for numbers, (m, 100) for functions and distributions.

        `bigrock.datasets.deepore_columns.DEEPORE_PROPERTIES` tells units and arguments.

        Parameters
        ----------
        indices : sequence of int, optional
            In any order; all by default.
        names : sequence of str, optional
            All 30 by default.
        voxel_size : str or float, optional
            Converts px to metres: k in m², radii in m. The data set itself is dimensionless.

        Raises
        ------
        ParameterError
            If a name is not known, or an index is not in the file.
        """
        scale = 1.0 if voxel_size is None else parse_length(voxel_size)
        wanted = [p.name for p in DEEPORE_PROPERTIES] if names is None else list(names)
        found = {name: property_named(name) for name in wanted}
        if unknown := [name for name, item in found.items() if item is None]:
            known = ", ".join(p.name for p in DEEPORE_PROPERTIES)
            raise ParameterError(f"property {unknown[0]!r} is not known. DeePore has {known}.")
        rows = self.outputs(indices)
        result = {}
        for name, item in found.items():
            assert item is not None
            values = rows[:, item.first : item.first + item.size] * scale**item.px
            result[name] = values[:, 0] if item.size == 1 else values
        return result

    def outputs(self, indices: Indices | None = None) -> npt.NDArray[np.float64]:
        """Return the 1515 outputs as they are stored, in px: float64 (m, 1515)."""
        asked = range(len(self)) if indices is None else indices
        return self._rows("Y", asked, (DEEPORE_OUTPUTS,)).astype(np.float64)

    @cached_property
    def k_px2(self) -> npt.NDArray[np.float64]:
        """Permeability of all images in px²; times the square of the voxel size it is m²."""
        parts = [self.outputs(part)[:, 0] for part in self._parts()]
        return np.concatenate(parts)

    def check(self) -> DeePoreCheck:
        """Return which outputs are NaN, infinite or impossible. Reads all of ``Y`` once."""
        return check_outputs(self.outputs(part) for part in self._parts())

    def official_filter(self) -> npt.NDArray[np.bool_]:
        """Return which images the authors keep: bool (n,). See `bigrock.datasets.deepore_check`."""
        return np.concatenate([official_filter(self.outputs(part)) for part in self._parts()])

    def split(
        self,
        *,
        train: float = 0.7,
        validation: float = 0.1,
        test: float = 0.2,
        seed: int = 0,
        official: bool = True,
    ) -> RockSplit:
        """Return parts between which no parent rock is shared, of the images that the authors keep.

        The authors' own split is contiguous in the list, and a random one puts crops of one rock on
        both sides. `groups` says what is taken for the parent.

        Parameters
        ----------
        train, validation, test : float
            Shares; their sum is 1.
        seed : int
            Another seed, other parents in each.
        official : bool
            Leave out what `official_filter` drops.

        Raises
        ------
        ParameterError
            If the shares do not sum to 1, or a part would be empty.
        """
        usable = self.official_filter() if official else np.ones(len(self), bool)
        names = np.full(len(self), "deepore")
        return split_rocks(usable, names, self.groups, shares=(train, validation, test), seed=seed)

    def repack(self, dest: str | os.PathLike[str], **options: Any) -> RockSet:
        """Return a set of rocks with these volumes and their k, stored at `dest` for training.

        `bigrock.datasets.deepore_repack.repack_deepore` has the options: which images, voxel
        size, labels of the file or new ones by Stokes flow.
        """
        from bigrock.datasets.deepore_repack import repack_deepore

        return repack_deepore(self, dest, **options)

    def _needs(self, kind: str, what: str, instead: str) -> None:
        if self.kind != kind:
            raise ParameterError(
                f"{self.path} is a {self.kind} file, which holds no {what}. Use {instead}(), or the {kind} file."
            )

    def _parts(self) -> list[range]:
        n = len(self)
        return [range(i, min(n, i + _AT_ONCE)) for i in range(0, n, _AT_ONCE)]

    def _rows(self, key: str, indices: Indices, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Return samples in the asked order; each that is asked for is decoded once, in the file's order."""
        asked = asked_indices(indices, len(self), "image", self.path)
        if not asked.size:
            return np.empty((0, *shape), bool)
        stored, back = np.unique(asked, return_inverse=True)
        with open_deepore(self.path) as file:
            data = file[key]
            rows = np.empty((len(stored), *shape), data.dtype.newbyteorder("="))
            try:
                for run in np.split(np.arange(len(stored)), np.flatnonzero(np.diff(stored) > 1) + 1):
                    first, last = int(stored[run[0]]), int(stored[run[-1]])
                    rows[run[0] : run[-1] + 1] = data[first : last + 1].reshape(-1, *shape)
            except OSError as error:
                raise SourceError(
                    f"{key} of images {first} to {last} in {self.path} cannot be read ({error}): the file is "
                    f"damaged. Copy it again."
                ) from error
        return rows[back]
