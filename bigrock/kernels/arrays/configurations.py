"""Histogram of the 2×2×2 configurations of a mask, on whatever device it lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.kernels.arrays.histogram import count_levels
from bigrock.kernels.backend import namespace

__all__ = ["configuration_histograms"]


def configuration_histograms(mask: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how often each configuration occurs inside a mask and at its border, on the CPU.

    Bitwise that of `bigrock.kernels.configuration_counts`. Sorts the cells, two bytes each.

    Parameters
    ----------
    mask : array of bool, shape (z, y, x)
        Of any module of the array API standard.

    Returns
    -------
    tuple of two ndarray of int64, shape (256,)

    Examples
    --------
    >>> inside, border = configuration_histograms(np.ones((2, 2, 2), bool))
    >>> int(inside[255]), int(border.sum())
    (1, 26)
    """
    xp = namespace(mask)
    depth, height, width = mask.shape
    framed = xp.zeros((depth + 2, height + 2, width + 2), dtype=xp.uint8)
    framed[1:-1, 1:-1, 1:-1] = xp.astype(mask, xp.uint8)
    codes = xp.zeros((depth + 1, height + 1, width + 1), dtype=xp.uint8)
    for bit in range(8):
        dz, dy, dx = bit & 1, bit >> 1 & 1, bit >> 2
        codes += framed[dz : dz + depth + 1, dy : dy + height + 1, dx : dx + width + 1] * 2**bit
    everything = count_levels(codes).astype(np.int64)
    inner = codes[1:-1, 1:-1, 1:-1]
    inside = count_levels(inner).astype(np.int64) if 0 not in inner.shape else np.zeros(256, np.int64)
    return inside, everything - inside
