"""Whether the pores of an image in memory join its opposite faces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["percolates"]


def percolates(mask: npt.NDArray[np.bool_]) -> dict[str, bool]:
    """Return for each axis whether pores join both faces, across faces of voxels; exact.

    Parameters
    ----------
    mask : ndarray of bool, 3-D
        True = pore.

    Returns
    -------
    dict
        "z", "y" and "x" to a bool.

    Examples
    --------
    >>> slit = np.zeros((4, 4, 4), bool)
    >>> slit[:, :, 2] = True
    >>> percolates(slit)
    {'z': True, 'y': True, 'x': False}
    """
    from bigrock.kernels.labelling import label

    labels, _ = label(mask, connectivity=6)
    found = {}
    for axis, name in enumerate("zyx"):
        near, far = labels.take(0, axis), labels.take(-1, axis)
        found[name] = bool(np.intersect1d(near[near > 0], far).size)
    return found
