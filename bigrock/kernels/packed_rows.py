"""Masks as bits: rows along x in 64-bit words, for loops that work on 64 voxels at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import shared
from bigrock.errors import ParameterError

__all__ = ["framed_rows", "mask_volume", "packed_rows"]


def packed_rows(mask: npt.NDArray[np.bool_], *, margin: int = 0) -> npt.NDArray[np.uint64]:
    """Return the rows of a mask as bits: voxel x is bit ``x % 64`` of word ``x // 64``; the rest is 0.

    Bitwise. Costs an eighth of a byte per voxel, and a third of a nanosecond or less.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        May be a view.
    margin : int
        Layers and rows of zeros around, and words of zeros after each row, so that loops may look
        beyond the mask.

    Returns
    -------
    ndarray of uint64, shape (z + 2 margin, y + 2 margin, ceil(x / 64) + margin)

    Examples
    --------
    >>> packed_rows(np.array([[[True, False, True]]])).tolist()
    [[[5]]]
    """
    depth, height, width = mask.shape
    bits = np.zeros((depth + 2 * margin, height + 2 * margin, (-(-width // 64) + margin) * 8), np.uint8)
    rows = bits[margin : margin + depth, margin : margin + height, : -(-width // 8)]
    rows[...] = np.packbits(mask, axis=2, bitorder="little")
    return bits.view(np.dtype("<u8")).astype(np.uint64, copy=False)


def framed_rows(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Return `packed_rows` with a margin of 1; packed once for all reductions of a block. Never write to it.

    Examples
    --------
    >>> framed_rows(np.ones((1, 1, 1), bool)).shape
    (3, 3, 2)
    """
    return shared(_framed, mask)


def _framed(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    return packed_rows(mask, margin=1)


def mask_volume(mask: Any, *, planar: bool = True) -> Any:
    """Return a mask with three axes; an image of two becomes one slice.

    Parameters
    ----------
    mask : ndarray of bool
        Shape (z, y, x), or (y, x) where `planar`.
    planar : bool
        Whether an image of two axes makes sense.

    Returns
    -------
    ndarray of bool, shape (z, y, x)

    Raises
    ------
    ParameterError
        If it is no mask, has other axes, or holds no voxel.

    Examples
    --------
    >>> mask_volume(np.ones((3, 4), bool)).shape
    (1, 3, 4)
    """
    shape = tuple(mask.shape)
    # The data types of array-API libraries have no common class, but a common name.
    if not str(mask.dtype).endswith("bool"):
        raise ParameterError(
            f"the image holds {mask.dtype}, not bool: which of its values are the phase would be a guess. "
            "Give a mask, such as image == value."
        )
    if len(shape) not in ((2, 3) if planar else (3,)) or 0 in shape:
        axes = "(z, y, x) or (y, x)" if planar else "(z, y, x)"
        raise ParameterError(
            f"a mask of shape {shape} cannot be measured here. Give {axes} with voxels in it."
        )
    return mask if len(shape) == 3 else mask[None, :, :]
