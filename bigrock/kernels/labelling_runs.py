"""The runs of a block, joined to components: what labels and statistics are both made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.kernels.packed_rows import framed_rows

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
    if block.dtype.kind == "b":
        return _runs_of_mask(block, connectivity, shared)
    return _runs_of_labels(block, connectivity, shared)


def _runs_of_mask(block: Array, connectivity: int, shared: bool) -> Runs:
    from bigrock.kernels.labelling_mask_loops import find_runs_of_mask

    depth, height, width = block.shape
    bits = framed_rows(block)
    # Never touched beyond the runs that there are, so most of it takes no memory.
    most = depth * height * -(-width // 2)
    bounds, first = np.empty((most, 2), np.int32), np.empty(depth * height + 1, np.int64)
    counts = np.empty((most if shared else 0, 2), np.int32)
    runs = find_runs_of_mask(bits, bounds, first, counts)
    components, count = _components(bits, connectivity, bounds[:runs], first, height)
    return Runs(bounds[:runs], None, first, components, count, counts[:runs], (depth, height, width))


def _components(
    bits: Array, connectivity: int, bounds: Array, first: Array, height: int
) -> tuple[Array, int]:
    """Return the component of every run of a mask, and how many there are."""
    from bigrock.kernels.labelling_beam_loops import join_beams, number_runs_of_beams
    from bigrock.kernels.labelling_loops import number_roots
    from bigrock.kernels.labelling_mask_loops import count_starts, join_runs_of_mask

    rows = _beams_of(bits) if connectivity == 26 else bits
    begun = np.empty(rows.shape, np.int64)
    parents = _parents(count_starts(rows, begun))
    if connectivity != 26:
        join_runs_of_mask(bits, begun, connectivity, parents)
        return parents, int(number_roots(parents))
    join_beams(bits, rows, begun, parents)
    components = _parents(len(bounds))
    return components, int(number_runs_of_beams(bounds, first, height, rows, begun, parents, components))


def _beams_of(bits: Array) -> Array:
    """Return what any of two by two rows holds, with a margin of 1."""
    from bigrock.kernels.labelling_beam_loops import unite_rows

    depth, height, words = bits.shape
    beams = np.zeros(((depth + 3) // 2, (height + 3) // 2, words), np.uint64)
    unite_rows(bits, beams)
    return beams


def _runs_of_labels(block: Array, connectivity: int, shared: bool) -> Runs:
    from bigrock.kernels.labelling_loops import find_runs_of_labels, join_runs_of_labels, number_roots

    depth, height, width = block.shape
    rows = np.ascontiguousarray(block).reshape(depth * height, width)
    bounds, first = np.empty((rows.size, 2), np.int32), np.empty(depth * height + 1, np.int64)
    values = np.empty(rows.size, np.uint64)
    runs = find_runs_of_labels(rows.view(f"u{rows.itemsize}"), bounds, values, first)
    bounds, values = bounds[:runs], values[:runs]
    parents, counts = _parents(runs), np.zeros((runs if shared else 0, 2), np.int32)
    join_runs_of_labels(bounds, values, first, max(1, height), connectivity, parents, counts)
    return Runs(bounds, values, first, parents, int(number_roots(parents)), counts, (depth, height, width))


def _parents(runs: int) -> Array:
    return np.empty(runs, np.int32 if runs < _FIT_32_BITS else np.int64)
