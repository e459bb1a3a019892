"""Labels that agree from slice to slice: the majority of each voxel's column of a few slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import ParameterError
from bigrock.geometry import Block, BlockGrid, Shape
from bigrock.kernels.backend import dtype_of
from bigrock.volumes.source import Kind

__all__ = ["MajorityAlongZ", "majority_along_z"]

Array = npt.NDArray[Any]


def majority_along_z(labels: Array, *, radius: int = 1) -> Array:
    """Return labels with every voxel set to the most frequent label of its column of ``2 * radius + 1`` slices.

    A network that sees one slice at a time flickers from slice to slice; this takes out what the
    slices around contradict. Where two labels are equally frequent the voxel keeps its own. At the
    first and the last slices the column is shorter. Exact. It also takes out true features thinner
    than ``radius + 1`` slices: measure it on validation slices before you trust it.

    Parameters
    ----------
    labels : ndarray of bool or integers, (z, y, x)
        A mask, or class labels; of any array module.
    radius : int
        Slices above and below that have a vote.

    Returns
    -------
    ndarray, same shape and data type

    Raises
    ------
    ParameterError
        If the array holds grey levels or has other than three axes, or the radius is less than 1.

    Examples
    --------
    >>> column = np.array([1, 1, 0, 1, 2, 2, 3], np.uint8).reshape(7, 1, 1)
    >>> majority_along_z(column).ravel().tolist()
    [1, 1, 1, 1, 2, 2, 3]
    """
    if labels.ndim != 3 or 0 in labels.shape:
        raise ParameterError(
            f"labels of shape {tuple(labels.shape)} are no stack of slices: there are no columns to look along. Give "
            "an array with the axes (z, y, x)."
        )
    z, y, x = labels.shape
    return MajorityAlongZ(radius)(labels, BlockGrid((z, y, x), (z, y, x))[0])


@dataclass(frozen=True)
class MajorityAlongZ(Kernel):
    """Labels as `majority_along_z` gives them. Exact, bitwise the same for any blocks.

    Parameters
    ----------
    radius : int
        Slices above and below that have a vote.

    Raises
    ------
    ParameterError
        If the radius is less than 1.

    Examples
    --------
    >>> MajorityAlongZ(2).halo
    (2, 0, 0)
    """

    radius: int = 1

    def __post_init__(self) -> None:
        if self.radius < 1:
            raise ParameterError(f"radius={self.radius} takes in no other slice. Use 1 or more.")

    def accepts(self, kind: Kind) -> bool:
        """Masks and labels."""
        return kind != "grey"

    @property
    def halo(self) -> Shape:
        """The radius, along z."""
        return (self.radius, 0, 0)

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the labels of the core."""
        if dtype_of(array).kind not in "bui":
            raise ParameterError(
                f"an array of {array.dtype} holds no labels: no value would be frequent. Give a mask or class labels."
            )
        part = block.trim[0]
        if not isinstance(array, np.ndarray):
            from bigrock.kernels.arrays.majority import majority

            return majority(array, part.start, part.stop, self.radius)
        from bigrock.kernels.majority_loops import majority_in_columns

        array = np.ascontiguousarray(array)
        out = np.empty((part.stop - part.start, *array.shape[1:]), array.dtype)
        # A mask is counted as bytes, so that one compiled loop serves both.
        seen, made = (a.view(np.uint8) if a.dtype.kind == "b" else a for a in (array, out))
        majority_in_columns(seen, part.start, self.radius, made)
        return out
