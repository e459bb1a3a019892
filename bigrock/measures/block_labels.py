"""The final labels of the pieces of every block, stored beside the output while it is painted.

A look-up table of all pieces would grow with the volume in every worker. So it lies in the
output's store, ordered by blocks, and a worker reads the part of its block: 16 bytes of places,
and the labels between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from zarr.abc.store import RangeByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from bigrock.errors import VolumeError
from bigrock.geometry import BlockGrid
from bigrock.kernels.labelling_sums import ComponentSums

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["BlockLabels", "drop_block_labels", "store_block_labels", "write_block_labels"]

Array = npt.NDArray[Any]

_FOLDER = "bigrock-run/labels"
_BLOCKS_PER_FILE = 4096
_PLACE = np.dtype("<u8")


@dataclass(frozen=True, eq=False)
class BlockLabels:
    """Reads the labels of one block from a store that `write_block_labels` has written.

    Parameters
    ----------
    store : zarr.abc.store.Store
        Of the label volume.
    dtype : dtype
        Of the labels.
    """

    store: Store
    dtype: np.dtype[Any]

    def of_block(self, block: int) -> Array:
        """Return the labels of the pieces of a block, in the order of the pieces' first voxels."""
        file, index = divmod(block, _BLOCKS_PER_FILE)
        start, stop = np.frombuffer(self._read(file, 8 * index, 8 * index + 16), _PLACE).tolist()
        return (
            np.frombuffer(self._read(file, start, stop), self.dtype)
            if stop > start
            else np.empty(0, self.dtype)
        )

    def _read(self, file: int, start: int, stop: int) -> bytes:
        key = f"{_FOLDER}/{file}"
        found = sync(self.store.get(key, default_buffer_prototype(), RangeByteRequest(start, stop)))
        if found is None:
            raise VolumeError(f"{self.store}/{key} is gone: it was deleted while it is in use. Run again.")
        return found.to_bytes()


def write_block_labels(found: ComponentSums, grid: BlockGrid, dtype: np.dtype[Any], store: Store) -> None:
    """Store the labels of the pieces of every block, in files of some thousand blocks.

    Parameters
    ----------
    found : ComponentSums
        With `borders`, from a pass over the blocks of `grid`.
    grid : BlockGrid
        The blocks that will be painted.
    dtype : dtype
        Of the labels.
    store : zarr.abc.store.Store
        Of the label volume.
    """
    store_block_labels(*_by_block(found, grid, dtype), grid, store)


def store_block_labels(blocks: Array, labels: Array, grid: BlockGrid, store: Store) -> None:
    """Store labels, given the block of each (ascending), in files of some thousand blocks."""
    buffer = default_buffer_prototype().buffer
    for file, first in enumerate(range(0, len(grid), _BLOCKS_PER_FILE)):
        held = min(_BLOCKS_PER_FILE, len(grid) - first)
        ends = np.searchsorted(blocks, np.arange(first, first + held + 1))
        places = 8 * (held + 1) + (ends - ends[0]) * labels.dtype.itemsize
        data = places.astype(_PLACE).tobytes() + labels[ends[0] : ends[-1]].tobytes()
        sync(store.set(f"{_FOLDER}/{file}", buffer.from_bytes(data)))


def drop_block_labels(store: Store) -> None:
    """Delete what `write_block_labels` has stored."""
    sync(store.delete_dir(_FOLDER))


def _by_block(found: ComponentSums, grid: BlockGrid, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return block and label of every piece, ordered by blocks, and in each by first voxels."""
    assert found.borders is not None
    keys, roots = found.borders
    # What no border cut is a piece of its own, with the first voxel of the component.
    uncut = ~np.isin(found.first, keys, assume_unique=True)
    pieces = np.concatenate([keys, found.first[uncut]])
    labels = np.concatenate([np.searchsorted(found.first, roots) + 1, np.flatnonzero(uncut) + 1])
    blocks = np.zeros(len(pieces), np.int64)
    places = np.unravel_index(pieces, grid.shape)
    for place, edge, count in zip(places, grid.block, grid.counts, strict=True):
        blocks = blocks * count + place // edge
    order = np.lexsort((pieces, blocks))
    return blocks[order], labels[order].astype(dtype)
