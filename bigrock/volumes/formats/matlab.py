"""MATLAB files: v7.3 is HDF5 and read in parts; older ones are read whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import SourceError, UnsupportedFormatError
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.dataset_choice import choose_dataset
from bigrock.volumes.formats.hdf5 import axes_permutation, open_hdf5
from bigrock.volumes.formats.voxels import check_region, file_identity, require_file, volume_shape
from bigrock.volumes.source import Source, Voxel

__all__ = ["MatlabSource", "open_matlab"]

_CLASSES = {
    "double": "f8",
    "single": "f4",
    "logical": "?",
    **{f"{sign}int{bits}": f"{sign[:1] or 'i'}{bits // 8}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


@dataclass(frozen=True, slots=True)
class MatlabSource:
    """One variable of a MATLAB file of version 4 to 7.2.

    Exact. The format allows no reading in parts: the first read loads the whole variable, at most
    2 GiB by the format, and one variable per process stays in memory for the reads that follow.

    Parameters
    ----------
    path : str
        The file.
    dataset : str
        The variable.
    shape : Shape
        z, y, x.
    dtype : numpy.dtype
        Type of what `read` returns.
    order : tuple of int
        Which axis of the reversed variable is z, y and x; see `open_matlab`.
    voxel_size : tuple of float, optional
        Metres along z, y, x; the format states none.

    Examples
    --------
    >>> import tempfile, scipy.io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scipy.io.savemat(Path(folder, "scan.mat"), {"grey": np.arange(24).reshape(4, 3, 2)})
    ...     open_matlab(Path(folder, "scan.mat")).shape
    (2, 3, 4)
    """

    path: str
    dataset: str
    shape: Shape
    dtype: np.dtype[Any]
    order: tuple[int, int, int] = (0, 1, 2)
    voxel_size: Voxel | None = None

    @property
    def read_unit(self) -> Shape:
        """The whole volume."""
        return self.shape

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`; the first read loads the whole variable."""
        check_region(region, self.shape, f"{self.dataset} in {self.path}")
        state = Path(self.path).stat()
        whole = _load(self.path, state.st_size, state.st_mtime_ns, self.dataset)
        return np.array(np.transpose(whole, self.order)[region.slices], self.dtype, order="C")

    def identity(self) -> dict[str, Any]:
        """Return path, size, time, variable and axes."""
        return file_identity(
            self.path,
            format="matlab",
            dataset=self.dataset,
            axes=list(self.order),
            voxel_size=self.voxel_size and list(self.voxel_size),
        )


def open_matlab(
    path: str | Path, *, dataset: str | None = None, axes: str | None = None, voxel_size: Voxel | None = None
) -> Source:
    """Return a 3-D variable of a MATLAB file of any version.

    The same variable gives the same volume whichever version it was saved as. MATLAB counts the first
    index fastest, so a variable ``A(i, j, k)`` is taken with its axes reversed, as HDF5 tools show the
    v7.3 file: k is z, j is y and i is x, which is the order of its bytes. For a variable whose indices
    are (y, x, z), as ``imread`` fills it slice by slice, give ``axes="zxy"``.

    Parameters
    ----------
    path : str or Path
        The file; v7.3 is read in parts (`Hdf5Source`), older versions whole (`MatlabSource`).
    dataset : str, optional
        The variable; needed where several have three axes.
    axes : str, optional
        What the reversed axes are: a permutation of ``"zyx"``, which is the default.
    voxel_size : tuple of float, optional
        Metres along z, y, x; the format states none.

    Raises
    ------
    ParameterError
        If there is no such variable, several and none is named, or `axes` is no permutation.
    UnsupportedFormatError
        If it is no MATLAB file, or the variable is no array of real numbers.
    """
    file = str(require_file(path))
    with Path(file).open("rb") as opened:
        head = opened.read(1024)
    if head.startswith(b"MATLAB 7.3") or b"\x89HDF\r\n\x1a\n" in head:
        return open_hdf5(file, dataset=dataset, axes=axes, voxel_size=voxel_size)
    variables = _variables(file)
    name = choose_dataset({key: shape for key, (shape, _) in variables.items()}, dataset, file)
    shape, kind = variables[name]
    if kind not in _CLASSES:
        raise UnsupportedFormatError(
            f"{name} in {file} is a MATLAB {kind}, not an array of numbers. Save the volume as a plain array."
        )
    order = axes_permutation(axes)
    stored = volume_shape(shape[::-1] if len(shape) > 2 else (1, *shape[::-1]), f"{name} in {file}")
    extent = stored[order[0]], stored[order[1]], stored[order[2]]
    return MatlabSource(file, name, extent, np.dtype(_CLASSES[kind]), order, voxel_size)


def _variables(path: str) -> dict[str, tuple[tuple[int, ...], str]]:
    import scipy.io

    try:
        return {name: (tuple(shape), kind) for name, shape, kind in scipy.io.whosmat(path)}
    except (ValueError, TypeError, OSError) as error:
        raise UnsupportedFormatError(
            f"{path} is not a MATLAB file that can be read ({error}): it is cut off, damaged or something else. "
            "Save it again in MATLAB, as v7.3 where it is large: save('scan.mat', 'A', '-v7.3')."
        ) from error


@lru_cache(maxsize=1)
def _load(path: str, size: int, mtime_ns: int, name: str) -> npt.NDArray[Any]:
    """Return a variable with its axes reversed, which is the order of its bytes."""
    import scipy.io

    try:
        array: npt.NDArray[Any] = scipy.io.loadmat(path, variable_names=[name])[name]
    except Exception as error:
        raise SourceError(
            f"{name} in {path} ({size:,} bytes) cannot be read ({type(error).__name__}: {error}): the file is damaged. "
            "Copy or save it again."
        ) from error
    turned = np.ascontiguousarray(array.T)
    while turned.ndim > 3:
        turned = turned[0]
    return turned if turned.ndim == 3 else turned[None]
