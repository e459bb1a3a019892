"""The order in which blocks are visited: along a Z-curve, so that neighbours are visited together.

Neighbouring blocks read overlapping halos. Visited along a Z-curve (Morton order) they find the
chunks of their neighbours still in the page cache; row by row they do not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bigrock.geometry.grid import Shape

__all__ = ["z_order"]


def _spread(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the low 21 bits of each value with two zero bits between neighbours."""
    v = values & np.uint64(0x1FFFFF)
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        v = (v | (v << np.uint64(shift))) & np.uint64(mask)
    return v


def z_order(counts: Shape) -> npt.NDArray[np.int64]:
    """Return the ids of all blocks of a grid, in Z-order.

    Parameters
    ----------
    counts : Shape
        Blocks along z, y, x; each below 2**21.

    Returns
    -------
    ndarray of int64, shape (prod(counts),)
        A permutation of ``range(prod(counts))``, ids in C order.

    Examples
    --------
    >>> z_order((1, 2, 4)).tolist()
    [0, 1, 4, 5, 2, 3, 6, 7]
    """
    codes = [_spread(np.arange(n, dtype=np.uint64)) << np.uint64(2 - axis) for axis, n in enumerate(counts)]
    morton = codes[0][:, None, None] | codes[1][None, :, None] | codes[2][None, None, :]
    return np.argsort(morton, axis=None, kind="stable")
