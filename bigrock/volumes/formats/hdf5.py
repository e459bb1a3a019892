"""HDF5 files and their relatives: NetCDF-4 and MATLAB v7.3 are HDF5 with conventions of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, SourceError, TruncatedFileError, UnsupportedFormatError
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.dataset_choice import choose_dataset
from bigrock.volumes.formats.voxels import (
    check_region,
    file_identity,
    native_dtype,
    require_file,
    volume_shape,
    voxel_from,
)
from bigrock.volumes.source import Voxel

__all__ = ["Hdf5Source", "axes_permutation", "open_file", "open_hdf5"]

_EVEN = 1e-3
_EOF = re.compile(r"eof = (\d+).*stored_eof = (\d+)")


@dataclass(frozen=True, slots=True)
class Hdf5Source:
    """One dataset of an HDF5 file.

    Exact. A region costs the HDF5 chunks that it touches (`read_unit`), or its own bytes where the
    dataset is stored in one piece. The file is opened for each read (under a millisecond) and not
    locked, so any number of threads and processes may read; h5py lets one thread of a process in at a
    time.

    Parameters
    ----------
    path : str
        The file.
    dataset : str
        Path of the dataset in the file.
    shape : Shape
        z, y, x.
    dtype : numpy.dtype
        Type of what `read` returns.
    read_unit : Shape
        The HDF5 chunk, z, y, x; (1, 1, 1) where there are none.
    leading : int
        Axes of length 1 that stand before the three in the file.
    order : tuple of int
        Which stored axis (of the last three) is z, y and x.
    voxel_size : tuple of float, optional
        Metres along z, y, x.

    Examples
    --------
    >>> import tempfile, h5py
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(Path(folder, "scan.h5"), "w") as file:
    ...         _ = file.create_dataset("grey", data=np.arange(24).reshape(2, 3, 4), chunks=(1, 3, 4))
    ...     source = open_hdf5(Path(folder, "scan.h5"))
    ...     source.dataset, source.read_unit, source.read(Region((1, 0, 0), (2, 1, 2)))
    ('grey', (1, 3, 4), array([[[12, 13]]]))
    """

    path: str
    dataset: str
    shape: Shape
    dtype: np.dtype[Any]
    read_unit: Shape
    leading: int = 0
    order: tuple[int, int, int] = (0, 1, 2)
    voxel_size: Voxel | None = None

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, decoding only the chunks that it touches.

        Raises
        ------
        SourceError
            If a chunk does not decode, or the dataset is not what it was.
        """
        check_region(region, self.shape, f"{self.dataset} in {self.path}")
        stored = [region.slices[self.order.index(axis)] for axis in range(3)]
        index = (0,) * self.leading + tuple(stored)
        try:
            with open_file(self.path) as file:
                data = file[self.dataset]
                data = data[index] if data.ndim > 2 else data[index[1:]][None]
        except (OSError, KeyError, ValueError) as error:
            raise SourceError(
                f"{self.dataset} in {self.path} cannot be read at {region.start} to {region.stop} ({error}): the file "
                "is damaged, changed, or needs a compression filter that is not installed. Rewrite it with h5repack, "
                "for instance: h5repack -f GZIP=1 old.h5 new.h5"
            ) from error
        return np.ascontiguousarray(np.transpose(data, self.order), self.dtype)

    def identity(self) -> dict[str, Any]:
        """Return path, size, time, dataset and axes."""
        return file_identity(
            self.path,
            format="hdf5",
            dataset=self.dataset,
            axes=list(self.order),
            voxel_size=self.voxel_size and list(self.voxel_size),
        )


def open_hdf5(
    path: str | Path, *, dataset: str | None = None, axes: str | None = None, voxel_size: Voxel | None = None
) -> Hdf5Source:
    """Return a 3-D dataset of an HDF5, NetCDF-4 or MATLAB v7.3 file.

    The voxel size is taken from the dataset's ``element_size_um`` attribute (z, y, x, as ilastik and
    ImageJ's HDF5 plugin write it), or from evenly spaced coordinate variables with a ``units``
    attribute (dimension scales, as NetCDF-4 has them).

    Stored values are taken as they are: a ``scale_factor`` or ``_FillValue`` attribute is not applied.

    MATLAB counts the first index fastest, and HDF5 the last: a MATLAB array ``A(i, j, k)`` of size
    (n1, n2, n3) is stored as (n3, n2, n1). That stored order is taken as z, y, x unless `axes` says
    otherwise; for a MATLAB array whose indices are (y, x, z), give ``axes="zxy"``.

    Parameters
    ----------
    path : str or Path
        The file.
    dataset : str, optional
        Path of the dataset; needed where several have three axes.
    axes : str, optional
        What the stored axes are, in the order that h5py and h5dump show them: a permutation of
        ``"zyx"``, which is the default.
    voxel_size : tuple of float, optional
        Metres along z, y, x, in place of what the file states.

    Returns
    -------
    Hdf5Source
        No voxel has been read yet.

    Raises
    ------
    ParameterError
        If there is no such dataset, several and none is named, or `axes` is no permutation.
    TruncatedFileError
        If the file is cut off.
    UnsupportedFormatError
        If it is no HDF5 file, or the dataset holds no real numbers.
    """
    import h5py

    name = str(require_file(path))
    order = axes_permutation(axes)
    with open_file(name) as file:
        if dataset is not None and isinstance(file.get(dataset), h5py.Dataset):
            chosen = dataset
        else:
            chosen = choose_dataset(_arrays(file), dataset, name)
        data = file[chosen]
        what = f"{chosen} in {name}"
        stored = volume_shape(data.shape, what)
        logical = data.attrs.get("MATLAB_class") == b"logical"
        dtype = np.dtype(bool) if logical else native_dtype(data.dtype, what)
        chunk = data.chunks or (1, 1, 1)
        chunk = (1,) * (3 - len(chunk)) + tuple(chunk[-3:])
        size, leading = voxel_size or _voxel_size(data, order), max(0, data.ndim - 3)
    shape = stored[order[0]], stored[order[1]], stored[order[2]]
    unit = int(chunk[order[0]]), int(chunk[order[1]]), int(chunk[order[2]])
    return Hdf5Source(name, chosen, shape, dtype, unit, leading, order, size)


def axes_permutation(axes: str | None) -> tuple[int, int, int]:
    """Return at which place of `axes` z, y and x stand.

    Raises
    ------
    ParameterError
        If it is not a permutation of "zyx".

    Examples
    --------
    >>> axes_permutation("zxy"), axes_permutation(None)
    ((0, 2, 1), (0, 1, 2))
    """
    text = "zyx" if axes is None else axes.lower()
    if sorted(text) != ["x", "y", "z"]:
        raise ParameterError(
            f"axes={axes!r} does not name the three stored axes. Give a permutation of 'zyx', such as 'zxy'."
        )
    return text.index("z"), text.index("y"), text.index("x")


def open_file(path: str) -> Any:
    """Return an HDF5 file, opened for reading without a lock.

    Raises
    ------
    TruncatedFileError, UnsupportedFormatError
        If it is a part of one, or none.
    """
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        size = Path(path).stat().st_size
        if found := _EOF.search(str(error)):
            raise TruncatedFileError(
                f"{path} holds {int(found[1]):,} bytes of {int(found[2]):,}: the file is cut off and cannot be read. "
                "Copy it again."
            ) from error
        raise UnsupportedFormatError(
            f"{path} ({size:,} bytes) is not an HDF5 file that can be opened ({error}). Check that it is complete, "
            "and which program wrote it."
        ) from error


def _arrays(file: Any) -> dict[str, tuple[int, ...]]:
    """Return every dataset of real numbers, except MATLAB's inner references and coordinate variables."""
    import h5py

    found: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "buif" and not name.startswith("#refs#"):
            found[name] = tuple(item.shape or ())

    file.visititems(visit)
    return found


def _voxel_size(data: Any, order: tuple[int, int, int]) -> Voxel | None:
    """Return the voxel size that a dataset states, z, y, x in metres."""
    stated = data.attrs.get("element_size_um")
    if stated is not None and np.size(stated) == 3:
        microns = [float(value) for value in np.ravel(stated)]
        return voxel_from([microns[axis] for axis in order], "um")
    if data.ndim < 3:
        return None
    metres: list[float] = []
    for axis in order:
        scales = data.dims[data.ndim - 3 + axis]
        if not len(scales):
            return None
        step, unit = _even_step(scales[0])
        one = voxel_from((step, step, step), unit) if step else None
        if one is None:
            return None
        metres.append(one[0])
    return metres[0], metres[1], metres[2]


def _even_step(scale: Any) -> tuple[float | None, str | None]:
    """Return the step of a coordinate variable and its unit; no step where it is uneven."""
    unit = scale.attrs.get("units")
    text = unit.decode() if isinstance(unit, bytes) else None if unit is None else str(unit)
    if scale.ndim != 1 or scale.size < 2 or scale.dtype.kind not in "iuf":
        return None, text
    steps = np.diff(scale[:].astype(np.float64))
    mean = float(steps.mean())
    even = mean != 0 and bool(np.all(np.abs(steps - mean) <= _EVEN * abs(mean)))
    return (mean if even else None), text
