"""Tell a complete DeePore file from a compact one, and which version it is; never by guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bigrock.datasets.deepore_columns import DEEPORE_OUTPUTS
from bigrock.errors import ParameterError, UnsupportedFormatError
from bigrock.volumes.formats.hdf5 import open_file
from bigrock.volumes.formats.voxels import require_file

__all__ = ["Layout", "layout_of", "open_deepore"]

_VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file holds."""

    kind: str
    count: int
    edge: int
    version: str | None
    shape: tuple[int, ...]


def open_deepore(path: str) -> Any:
    """Return the file, opened for reading, as a context manager."""
    return open_file(str(require_file(path)))


def layout_of(path: str, version: str | None = None) -> Layout:
    """Return the layout of a file, checked against what a user says of it.

    Parameters
    ----------
    path : str
        An HDF5 file.
    version : {"v1", "v2"}, optional
        What the user says.

    Raises
    ------
    UnsupportedFormatError
        If ``X`` or ``Y`` is missing or has another shape or type than DeePore's.
    ParameterError
        If `version` contradicts the file, or is needed and not given.
    """
    if version not in (None, *_VERSIONS):
        raise ParameterError(f"version {version!r} is not one of {', '.join(_VERSIONS)}.")
    with open_deepore(path) as file:
        missing = [key for key in ("X", "Y") if key not in file]
        if missing:
            raise UnsupportedFormatError(
                f"{path} has no dataset {' and '.join(missing)}; it holds {', '.join(file) or 'nothing'}. A DeePore "
                "file has X (images) and Y (properties)."
            )
        shape, dtype, outputs = tuple(file["X"].shape), file["X"].dtype, tuple(file["Y"].shape)
    if outputs not in ((shape[0], DEEPORE_OUTPUTS), (shape[0], DEEPORE_OUTPUTS, 1)):
        raise UnsupportedFormatError(
            f"Y of {path} has shape {outputs}, and X {shape}: {DEEPORE_OUTPUTS} outputs per image are expected."
        )
    kind, edge = _kind(path, shape)
    if kind == "compact":
        version = _compact_version(path, dtype, version)
    elif dtype.kind not in "bui":
        raise UnsupportedFormatError(
            f"X of {path} is {dtype}, and a complete file holds 0 = void, 1 = solid as whole numbers."
        )
    return Layout(kind, shape[0], edge, version, shape)


def _kind(path: str, shape: tuple[int, ...]) -> tuple[str, int]:
    if len(shape) == 4 and shape[3] == 3 and shape[1] == shape[2] > 3:
        return "compact", 2 * shape[1]
    sides = shape[1:4] if len(shape) == 4 or (len(shape) == 5 and shape[4] == 1) else ()
    if len(set(sides)) == 1:
        return "complete", shape[1]
    raise UnsupportedFormatError(
        f"X of {path} has shape {shape}: neither cubes (n, 256, 256, 256, 1), where the last 1 may be missing, nor "
        "three planes each (n, 128, 128, 3)."
    )


def _compact_version(path: str, dtype: np.dtype[Any], said: str | None) -> str:
    """Return the version: unsigned planes are v1, signed ones v2; other types tell nothing."""
    found = {"u": "v1", "i": "v2"}.get(dtype.kind)
    if found is None:
        raise UnsupportedFormatError(
            f"X of {path} is {dtype}; planes are unsigned (v1) or signed (v2) whole numbers, and no other scale is "
            "known."
        )
    if said not in (None, found):
        raise ParameterError(
            f"version {said!r} was given, and X of {path} is {dtype}, which is {found}: the planes would be "
            f"scaled wrongly. Leave version out, or check the file."
        )
    return found
