"""Write one slice as a PNG picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.volumes.formats.voxels import native_dtype
from bigrock.volumes.formats.writing import replacing

__all__ = ["write_png_slice"]


def write_png_slice(
    plane: npt.NDArray[Any],
    path: str | Path,
    *,
    window: tuple[float, float] | Literal["range"] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a 2-D slice as a grey PNG picture, and return its path.

    Without a window uint8 and uint16 levels are written exactly, and masks as 0 and 255. With one the
    picture has 8 bits: levels between its ends are spread over 0 to 255 (rounded half to even), others
    are clipped; NaN is black.

    Parameters
    ----------
    plane : ndarray, 2-D
        The slice.
    path : str or Path
        The file; missing folders are made.
    window : tuple of float or "range", optional
        Grey levels that become black and white; "range" takes the least and greatest finite level of
        this slice, so two slices are then not comparable.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file, complete.

    Raises
    ------
    ParameterError
        If the array is not 2-D, needs a window and has none, or the window is no increasing pair.
    VolumeExistsError
        If the file exists.
    StorageFullError
        If the space does not suffice; nothing is left behind.

    Examples
    --------
    >>> import tempfile, imagecodecs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_png_slice(np.array([[0.0, 1.0, 5.0]]), Path(folder, "a.png"), window=(0, 2))
    ...     imagecodecs.png_decode(path.read_bytes())
    array([[  0, 128, 255]], dtype=uint8)
    """
    import imagecodecs

    if plane.ndim != 2 or plane.size == 0:
        raise ParameterError(
            f"array of shape {plane.shape} is not a slice. Give a 2-D array, such as volume[10]."
        )
    dtype = native_dtype(plane.dtype, "the slice")
    if window is None:
        if dtype.name not in ("bool", "uint8", "uint16"):
            raise ParameterError(
                f"a slice of {dtype} has no fixed black and white. Give window=(low, high), or window='range'."
            )
        picture = plane.astype(np.uint8) * np.uint8(255) if dtype == np.bool_ else plane.astype(dtype)
    else:
        picture = _windowed(plane, window)
    encoded = imagecodecs.png_encode(np.ascontiguousarray(picture))
    with replacing(path, overwrite=overwrite, expected_bytes=len(encoded)) as part:
        part.write_bytes(encoded)
    return Path(path).expanduser().absolute()


def _windowed(
    plane: npt.NDArray[Any], window: tuple[float, float] | Literal["range"]
) -> npt.NDArray[np.uint8]:
    levels = plane.astype(np.float64)
    if window == "range":
        finite = levels[np.isfinite(levels)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        high = high if high > low else low + 1
    else:
        low, high = (float(value) for value in window)
        if not low < high:
            raise ParameterError(
                f"window={window} is not an increasing pair of grey levels. Give (low, high), low < high."
            )
    unit = np.clip((levels - low) / (high - low), 0, 1)
    return np.rint(np.nan_to_num(unit) * 255).astype(np.uint8)
