"""The runs of a block, joined to components: what labels and statistics are both made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["Runs", "check_connectivity", "runs_of"]

Array = npt.NDArray[Any]

_CONNECTIVITIES = (6, 18, 26)
_FIT_32_BITS = 2**31


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Stretches of equal, non-zero voxels along x, in raster order, and the component of each.

    Attributes
    ----------
    bounds : ndarray of int32, shape (runs, 2)
        First x of each run, and the x after its last.
    values : ndarray of uint64, or None for a mask
        Value of each run.
    first : ndarray of int64
        First run of every row; one more entry for the end.
    components : ndarray of int32 or int64
        Component of each run: 0, 1, 2… in the order of first voxels.
    count : int
        Number of components.
    shared : ndarray of int32, shape (runs, 2), or empty
        Voxels of the run that have a neighbour of the component below them, along z and y.
    shape : tuple of int
        Of the block, z, y, x.

    Examples
    --------
    >>> runs_of(np.array([[[True, False, True]]]), 26).bounds.tolist()
    [[0, 1], [2, 3]]
    """

    bounds: Array
    values: Array | None
    first: Array
    components: Array
    count: int
    shared: Array
    shape: tuple[int, int, int]

    def painted(self, labels: Array) -> Array:
        """Return the block with ``labels[component]`` at every voxel, and 0 in the background."""
        from bigrock.kernels.labelling_loops import paint_runs

        out = np.zeros(self.shape, labels.dtype)
        rows = out.reshape(-1, self.shape[2])
        paint_runs(self.bounds, self.first, self.components, labels, rows)
        return out


def check_connectivity(connectivity: int) -> None:
    """Refuse what is not 6, 18 or 26.

    Raises
    ------
    ParameterError
        With the three.
    """
    if connectivity not in _CONNECTIVITIES:
        raise ParameterError(
            f"connectivity {connectivity!r} is not known: which voxels touch would not be defined. Use 6 (faces), "
            "18 (and edges) or 26 (and corners)."
        )


def runs_of(block: Array, connectivity: int, *, shared: bool = False) -> Runs:
    """Return the runs of a block, joined to components.

    Takes 12 bytes per run (20 for labels, 8 more with `shared`) beside a copy where the rows are
    not contiguous; there is at most one run for two voxels of a mask, and one for each of labels.

    Parameters
    ----------
    block : ndarray of bool or integers, 3-D
        0 is background.
    connectivity : {6, 18, 26}
        Which voxels touch.
    shared : bool
        Count neighbours along z and y.

    Returns
    -------
    Runs
        Equal values that touch are one component.

    Examples
    --------
    >>> runs_of(np.array([[[2, 2, 3, 0, 3]]], np.uint8), 6).count
    3
    """
    from bigrock.kernels.labelling_loops import join_runs, number_roots

    bounds, values, first = _found(block)
    runs = len(bounds)
    parents = np.empty(runs, np.int32 if runs < _FIT_32_BITS else np.int64)
    counts = np.zeros((runs if shared else 0, 2), np.int32)
    join_runs(bounds, values, first, max(1, block.shape[1]), connectivity, parents, counts)
    z, y, x = block.shape
    return Runs(bounds, values, first, parents, int(number_roots(parents)), counts, (z, y, x))


def _found(block: Array) -> tuple[Array, Array | None, Array]:
    """Return the bounds and values of all runs, and the first run of every row."""
    from bigrock.kernels.labelling_loops import find_runs_of_labels, find_runs_of_mask

    depth, height, width = block.shape
    is_mask = block.dtype.kind == "b"
    # Never touched beyond the runs that there are, so most of it takes no memory.
    most = depth * height * (-(-width // 2) if is_mask else width)
    bounds, first = np.empty((most, 2), np.int32), np.empty(depth * height + 1, np.int64)
    rows = np.ascontiguousarray(block).reshape(depth * height, width)
    if is_mask:
        count = find_runs_of_mask(_words(rows), width, bounds, first)
        return bounds[:count], None, first
    values = np.empty(most, np.uint64)
    count = find_runs_of_labels(rows.view(f"u{rows.itemsize}"), bounds, values, first)
    return bounds[:count], values[:count], first


def _words(rows: Array) -> Array:
    """Return rows of bytes as little-endian words, filled up with zeros."""
    height, width = rows.shape
    if width % 8:
        padded = np.zeros((height, -(-width // 8) * 8), np.uint8)
        padded[:, :width] = rows.view(np.uint8)
        rows = padded
    return rows.view("<u8") if rows.size else np.zeros((height, 0), np.uint64)
