"""A mask of super-resolved voxels that agrees with the coarse image it came from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["pores_of_fractions"]


def pores_of_fractions(image: npt.NDArray[Any], fractions: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return the pores of a fine image such that each coarse voxel keeps its pore fraction.

    A coarse voxel stands for a block of s × s × s fine ones. Of these, the brightest become pore, as many
    as its pore fraction says, rounded; of equally bright ones the first. A fixed threshold closes thin
    throats that the network shows in grey, and loses their porosity; this rule cannot. It takes the
    fractions at their word: where the coarse image is noisy, noise becomes specks, and a threshold is
    the better choice. Exact; block = whole, as coarse voxels do not see one another.

    Parameters
    ----------
    image : ndarray (s·z, s·y, s·x)
        The higher, the likelier pore: super-resolved pore fractions.
    fractions : ndarray (z, y, x)
        Pore fractions of the coarse image; beyond 0 and 1 they are cut off.

    Returns
    -------
    ndarray of bool (s·z, s·y, s·x)
        True = pore.

    Raises
    ------
    ParameterError
        If the image is not the same whole number of times larger along each axis.

    Examples
    --------
    >>> image = np.array([[[0.2, 0.4], [0.1, 0.3]], [[0.0, 0.0], [0.0, 0.0]]])
    >>> pores_of_fractions(image, np.array([[[0.25]]])).astype(int).tolist()
    [[[0, 1], [0, 1]], [[0, 0], [0, 0]]]
    """
    factor = image.shape[0] // max(1, fractions.shape[0])
    if image.ndim != 3 or image.shape != tuple(factor * n for n in fractions.shape):
        raise ParameterError(
            f"an image of {image.shape} voxels is no whole number of times finer than one of {fractions.shape}: "
            "which voxels belong together is not known. Give the image that was super-resolved."
        )
    pores = np.empty(image.shape, bool)
    z, y, x = fractions.shape
    counts = np.rint(np.clip(fractions, 0, 1) * factor**3)
    # One layer of coarse voxels at a time: the ranks take eight bytes a voxel.
    for layer in range(z):
        part = slice(layer * factor, (layer + 1) * factor)
        blocks = image[part].reshape(factor, y, factor, x, factor).transpose(1, 3, 0, 2, 4)
        order = np.argsort(-blocks.reshape(y, x, -1), axis=-1, kind="stable")
        chosen = np.empty(order.shape, bool)
        np.put_along_axis(chosen, order, np.arange(factor**3) < counts[layer][..., None], axis=-1)
        pores[part] = (
            chosen.reshape(y, x, factor, factor, factor).transpose(2, 0, 3, 1, 4).reshape(pores[part].shape)
        )
    return pores
