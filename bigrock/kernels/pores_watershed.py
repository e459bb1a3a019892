"""Pores: the phase cut where it is narrow, the same for any blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.basins_network import PoreNetwork, PoreRegions
from bigrock.kernels.distances import distance
from bigrock.kernels.packed_rows import mask_volume
from bigrock.volumes.source import Facts

__all__ = ["pores"]


def pores(
    mask: Any,
    *,
    min_depth: float = 0.5,
    max_throat: float = 0.9,
    voxel_size: Sequence[float] | None = None,
) -> tuple[npt.NDArray[np.uint32], PoreNetwork]:
    r"""Return the pore that every voxel belongs to, and the network of pores and throats.

    A watershed of the distance map d, with rules that name no block and no order of work, so that
    every block finds the same:

    1. Each voxel of the phase points to the highest of the 27 voxels around it by (d, place in
       raster order). Where the ways end are the peaks; what leads to one is its basin.
    2. Two basins touch where voxels share a face. Their pass is the largest over these faces of the
       lower d of the two voxels.
    3. Passes are taken from the highest to the lowest (equal ones in the order of their peaks). Where
       a pass p joins two groups of basins, the lower of the two highest peaks, h, ends there; the
       two basins at the pass are one pore where :math:`p > h - \text{min\_depth}` or
       :math:`p > \text{max\_throat} \cdot h`. (A cut of the hierarchical watershed by dynamics.)

    Exact; bitwise the same as `bigrock.pores` over any blocks. It is no copy of SNOW: the number of
    pores is within a factor of 1.5 of ``porespy.filters.snow_partitioning`` in the rocks tested.
    About 20 bytes and 60 ns per voxel.

    Parameters
    ----------
    mask : ndarray of bool
        Two- or three-dimensional; True is the phase.
    min_depth : float
        How far d must fall on the way from a peak to a higher one, in units of the smallest edge.
    max_throat : float
        How wide a throat may be, as a part of the smaller of its pores.
    voxel_size : sequence of float, optional
        Edges of a voxel, z, y, x; only their ratios count.

    Returns
    -------
    labels : ndarray of uint32
        1, 2… in the raster order of first voxels; 0 outside of the phase.
    network : PoreNetwork
        Sums, peaks and throats; `bigrock.measures.pore_tables` makes tables of it.

    Raises
    ------
    ParameterError
        If the mask is not bool or holds no background, or a limit makes no sense.

    References
    ----------
    .. [1] Gostick J.T., "Versatile and efficient pore network extraction method using marker-based
       watershed segmentation", Phys. Rev. E 96, 2017.
    .. [2] Cousty J., Najman L., "Incremental algorithm for hierarchical minimum spanning forests and
       saliency of watershed cuts", ISMM 2011.

    Examples
    --------
    >>> hourglass = np.ones((1, 7, 9), bool)
    >>> hourglass[:, 0], hourglass[:, -1] = False, False
    >>> hourglass[:, [1, 2, 4, 5], 4] = False
    >>> labels, network = pores(hourglass)
    >>> labels[0, 3].tolist(), network.peaks.tolist(), network.passes.tolist()
    ([1, 1, 1, 1, 2, 2, 2, 2, 2], [3.0, 3.0], [1.0])
    """
    volume = np.ascontiguousarray(mask_volume(np.asarray(mask)))
    edges = voxel_size if voxel_size is None else [float(e) / min(voxel_size) for e in voxel_size]
    largest = float(distance(volume, voxel_size=edges).max())
    if math.isinf(largest):
        raise ParameterError(
            "the mask holds no background: nothing would be narrow or wide. Choose the other phase, or a mask that "
            "holds both."
        )
    shape = volume.shape
    regions = PoreRegions(largest, min_depth, max_throat, None if edges is None else tuple(edges))  # type: ignore[arg-type]
    block = BlockGrid(shape, shape)[0]
    found = regions.map(volume, block)
    network = regions.finish(regions.state_of(found, block), Facts(shape, volume.dtype))
    labelled = np.concatenate([[0], network.owners]).astype(np.uint32)[found.labels]
    return labelled.reshape(mask.shape), network
