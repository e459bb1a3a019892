"""The pore voxels of a mask as rows of a table, with the rows of their neighbours: solid costs no memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PoreGraph", "pore_graph"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PoreGraph:
    """Pore voxels in the order z, y, x, and who touches whom by a face.

    Attributes
    ----------
    neighbours : ndarray of uint32, shape (n, 6)
        Rows at −z, +z, −y, +y, −x, +x; n is a wall, n + 1 a plane of symmetry.
    blocks : ndarray of int32, shape (n, 3)
        Half the place of each voxel, rounded down.
    planes : ndarray of int64, shape (depth + 1,)
        Where the voxels of each plane of z begin.
    """

    neighbours: npt.NDArray[np.uint32]
    blocks: npt.NDArray[np.int32]
    planes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.neighbours)

    def zeros(self) -> npt.NDArray[np.float32]:
        """Return a vector of zeros: four numbers a row, and the two empty rows."""
        return np.zeros((len(self) + 2, 4), np.float32)

    def sums_over_planes(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the sum of one number per pore voxel over each plane of z."""
        totals = np.concatenate([[0.0], np.cumsum(values[: len(self)], dtype=np.float64)])
        return np.diff(totals[self.planes])


def pore_graph(mask: Mask, wraps: tuple[bool, bool, bool], symmetric: bool = False) -> PoreGraph:
    """Return the pore voxels and their neighbours.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        True is pore.
    wraps : tuple of bool
        Which axes go on at the other end. The others end at a wall.
    symmetric : bool
        They end at planes of symmetry instead.
    """
    from bigrock.flow.graph_loops import find_neighbours

    n = int(np.count_nonzero(mask))
    numbers = np.full(mask.shape, -1, np.int32)
    numbers[mask] = np.arange(n, dtype=np.int32)
    neighbours, blocks = np.empty((n, 6), np.uint32), np.empty((n, 3), np.int32)
    find_neighbours(numbers, np.array(wraps), n + symmetric, neighbours, blocks)
    planes = np.concatenate([[0], np.cumsum(np.count_nonzero(mask, axis=(1, 2)))])
    return PoreGraph(neighbours, blocks, planes)
