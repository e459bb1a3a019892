"""The next pyramid level of a block: half the length along each axis.

Exact and independent of blocks: a voxel of the next level depends on its 2×2×2 voxels alone, and
blocks start at even voxels. At an odd far face the voxels that exist decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["halve"]

_PLANES = 4


def halve(array: npt.NDArray[Any], method: str) -> npt.NDArray[Any]:
    """Return the array at half the resolution, the same data type.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        Odd axes are padded with their last voxel's copy, so it counts for the voxel that is missing.
    method : {"mean", "mode"}
        Mean for grey levels (integers: rounded half up). Mode for masks and labels: the most
        frequent value, the smallest of equally frequent ones, as `scipy.stats.mode`.

    Returns
    -------
    ndarray, shape (ceil(z/2), ceil(y/2), ceil(x/2))

    Examples
    --------
    >>> import numpy as np
    >>> halve(np.arange(8, dtype=np.uint8).reshape(2, 2, 2), "mean").tolist()
    [[[4]]]
    """
    reduce = _mean if method == "mean" else _mode
    z, y, x = (-(-n // 2) for n in array.shape)
    halved = np.empty((z, y, x), array.dtype)
    # A few planes at a time: what is made on the way is small, and stays in the processor's cache.
    for plane in range(0, z, _PLANES):
        slab = array[2 * plane : 2 * (plane + _PLANES)]
        odd = [(0, n % 2) for n in slab.shape]
        if any(after for _, after in odd):
            slab = np.pad(slab, odd, mode="edge")
        corners = [slab[i::2, j::2, k::2] for i in (0, 1) for j in (0, 1) for k in (0, 1)]
        halved[plane : plane + _PLANES] = reduce(corners)
    return halved


def _mean(corners: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    dtype = corners[0].dtype
    if dtype.kind == "f":
        wide = np.float64
        total = np.add.reduce([c.astype(wide) for c in corners])
        return (total / 8).astype(dtype)
    signed = dtype.kind == "i"
    sum_type = np.dtype(f"{'i' if signed else 'u'}{min(8, max(2, dtype.itemsize * 2))}")
    total = corners[0].astype(sum_type)
    for corner in corners[1:]:
        total += corner
    return ((total + sum_type.type(4)) >> sum_type.type(3)).astype(dtype)


def _mode(corners: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    if corners[0].dtype.kind == "b":
        votes = corners[0].astype(np.uint8)
        for corner in corners[1:]:
            votes += corner
        return votes > 4
    values = np.sort(np.stack(corners), axis=0)
    # In sorted order a value with n votes has values[i] == values[i + n - 1]; the first i that
    # reaches the largest n is the smallest such value.
    best, votes = values[0].copy(), np.ones(values.shape[1:], np.uint8)
    for run in range(2, 9):
        for i in range(9 - run):
            longer = (values[i] == values[i + run - 1]) & (votes < run)
            best[longer] = values[i][longer]
            votes[longer] = run
    return best
