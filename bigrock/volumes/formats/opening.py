"""Open a scan whatever its format: by its name, and by its first bytes where the name says nothing."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy.typing as npt

from bigrock.errors import ParameterError, UnsupportedFormatError
from bigrock.geometry import Shape
from bigrock.volumes.formats.voxels import require_file
from bigrock.volumes.source import Source, Voxel

__all__ = ["SUPPORTED_FORMATS", "open_source"]

SUPPORTED_FORMATS = {
    "raw": (".raw", ".bin", ".dat", ".img", ".vol", ".gz"),
    "tiff": (".tif", ".tiff", ".btf", ".tf8"),
    "slice": (".png", ".bmp", ".jpg", ".jpeg"),
    "hdf5": (".h5", ".hdf5", ".hdf", ".he5", ".nxs"),
    "netcdf": (".nc", ".nc4", ".cdf"),
    "matlab": (".mat",),
    "nrrd": (".nrrd", ".nhdr"),
    "metaimage": (".mhd", ".mha"),
    "npy": (".npy",),
    "npz": (".npz",),
    "zarr": (".zarr",),
}
"""Formats that can be read, with the file names that they go by; folders and globs are slice stacks."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"NRRD000", "nrrd"),
    (b"\x93NUMPY", "npy"),
    (b"\x89PNG", "slice"),
    (b"PK\x03\x04", "npz"),
    (b"MATLAB 5.0", "matlab"),
    (b"MATLAB 7.3", "matlab"),
    (b"CDF\x01", "netcdf-3"),
    (b"CDF\x02", "netcdf-3"),
    (b"CDF\x05", "netcdf-3"),
)


_STACK = ("stack", "open_stack", ("channel",))
_HDF5 = ("hdf5", "open_hdf5", ("dataset", "axes"))
_READERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "raw": ("raw", "open_raw", ("shape", "dtype", "offset", "order")),
    "tiff": ("tiff", "open_tiff", ("dataset", "channel", "axes")),
    "slice": _STACK,
    "stack": _STACK,
    "hdf5": _HDF5,
    "netcdf": _HDF5,
    "matlab": ("matlab", "open_matlab", ("dataset", "axes")),
    "nrrd": ("nrrd", "open_nrrd", ()),
    "metaimage": ("metaimage", "open_metaimage", ()),
    "npy": ("npy", "open_npy", ()),
    "npz": ("npy", "open_npz", ("dataset",)),
    "zarr": ("zarr_array", "open_zarr", ("dataset", "channel")),
}
"""Per format: module, function, and which options it takes besides the path and the voxel size."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What the caller of `open_source` said."""

    path: str
    dtype: npt.DTypeLike | None
    shape: Shape | None
    offset: int
    order: str
    dataset: str | None
    voxel_size: Voxel | None
    channel: int | None
    axes: str | None


def open_source(
    path: str | Path,
    *,
    dtype: npt.DTypeLike | None = None,
    shape: Shape | None = None,
    offset: int = 0,
    order: str = "C",
    dataset: str | None = None,
    voxel_size: Voxel | None = None,
    channel: int | None = None,
    axes: str | None = None,
    finite: bool = True,
) -> Source:
    """Return a scan on disk as a source of voxels; headers are read, voxels are not.

    Exact: every reader gives the stored values. What a region costs is stated by the source's
    `read_unit`; formats that only decode from the front say so in their docstring.

    Parameters
    ----------
    path : str or Path
        A file, a folder or glob of slice images, a zarr folder or URL. Given `shape` and `dtype`, any
        file that is not recognised is read as raw.
    dtype : dtype-like, optional
        Type of a raw file, with byte order.
    shape : tuple of int, optional
        z, y, x of a raw file.
    offset : int
        Header bytes of a raw file; -1 for "the voxels are the last bytes".
    order : {"C", "F"}
        Which index of a raw file varies fastest: x ("C") or z ("F").
    dataset : str, optional
        Which array of a file that holds several (HDF5, MATLAB, NetCDF, NPZ, zarr group), or the
        number of the image in a TIFF file.
    voxel_size : tuple of float, optional
        Metres along z, y, x, in place of what the file states.
    channel : int, optional
        Which channel of an RGB or multi-channel image.
    axes : str, optional
        The stored axes of an HDF5, NetCDF or MATLAB array in the order that h5py shows, such as
        ``"zxy"``; by default ``"zyx"``. See `open_hdf5` and `open_matlab`.
    finite : bool
        Whether NaN or infinity in floating-point voxels is an error when it is read.

    Returns
    -------
    Source
        Picklable, and safe to read from several threads.

    Raises
    ------
    VolumeNotFoundError
        If nothing is there.
    UnsupportedFormatError
        If it is a kind of file that cannot be read.
    ParameterError
        If a raw file is given without shape or dtype, a file holds several arrays and none is named,
        or an option does not apply to the format.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "scan.npy"), np.zeros((4, 5, 6), "u2"))
    ...     source = open_source(Path(folder, "scan.npy"), voxel_size=(1e-6, 1e-6, 1e-6))
    ...     source.shape, source.dtype, source.voxel_size
    ((4, 5, 6), dtype('uint16'), (1e-06, 1e-06, 1e-06))
    """
    from bigrock.volumes.formats.finite import FiniteSource

    request = _Request(str(path), dtype, shape, offset, order, dataset, voxel_size, channel, axes)
    kind = _kind(request)
    _check_options(request, kind)
    module, function, options = _READERS[kind]
    reader = getattr(import_module(f"{__package__}.{module}"), function)
    settings = {name: getattr(request, name) for name in options}
    source: Source = reader(request.path, voxel_size=request.voxel_size, **settings)
    return FiniteSource(source) if finite and source.dtype.kind == "f" else source


def _kind(request: _Request) -> str:
    """Return the format of what is at a path."""
    path = request.path
    if "://" in path:
        return "zarr"
    if glob.has_magic(path) and not Path(path).expanduser().exists():
        return "stack"
    found = require_file(path)
    if found.is_dir():
        return (
            "zarr"
            if any((found / name).exists() for name in ("zarr.json", ".zarray", ".zgroup"))
            else "stack"
        )
    with found.open("rb") as file:
        head = file.read(16)
    by_name = next((kind for kind, names in SUPPORTED_FORMATS.items() if found.suffix.lower() in names), None)
    by_content = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if by_content == "netcdf-3":
        raise UnsupportedFormatError(
            f"{found} is a NetCDF file of the classic format, which bigrock does not read. "
            "Convert it to NetCDF-4, for instance with: nccopy -k nc4 old.nc new.nc"
        )
    if by_name in ("matlab", "netcdf", "metaimage", "slice") or (by_name == "raw" and request.shape):
        return str(by_name)
    if kind := by_content or by_name or ("raw" if request.shape or request.dtype else None):
        return kind
    raise UnsupportedFormatError(
        f"{found} is not a kind of file that bigrock knows (it begins with {head[:8]!r}). It reads {_told()}. "
        "If it is a raw dump of voxels, give shape= and dtype=."
    )


def _told() -> str:
    files = "; ".join(f"{kind} ({', '.join(names)})" for kind, names in SUPPORTED_FORMATS.items())
    return f"{files}; and folders or globs of TIFF, PNG, BMP or JPEG slices"


def _check_options(request: _Request, kind: str) -> None:
    """Refuse options that the format does not have, which would otherwise be ignored in silence."""
    given = {
        "dtype": request.dtype is not None,
        "shape": request.shape is not None,
        "offset": request.offset != 0,
        "order": request.order != "C",
        "dataset": request.dataset is not None,
        "channel": request.channel is not None,
        "axes": request.axes is not None,
    }
    wrong = [f"{name}=" for name, there in given.items() if there and name not in _READERS[kind][2]]
    if wrong:
        raise ParameterError(
            f"{', '.join(wrong)} is given, but {request.path} is read as {kind}, which states that itself or has no "
            f"such thing. Leave {', '.join(wrong)} out."
        )
