"""The labels of the pieces of every block, as workers read them back."""

from __future__ import annotations

import numpy as np
import pytest

from bigrock.engine import reduce
from bigrock.errors import VolumeError
from bigrock.geometry import BlockGrid
from bigrock.kernels import Components, label
from bigrock.measures import block_labels
from bigrock.measures.block_labels import BlockLabels, drop_block_labels, write_block_labels
from bigrock.volumes import ArraySource
from bigrock.volumes.stores import open_store


@pytest.mark.parametrize("blocks_per_file", [1, 5, 4096])
@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
def test_every_block_finds_the_labels_of_its_pieces_in_their_order(blocks_per_file, dtype, monkeypatch):
    monkeypatch.setattr(block_labels, "_BLOCKS_PER_FILE", blocks_per_file)
    mask = np.random.default_rng(0).random((12, 13, 14)) < 0.3
    mask[:4, :5] = False
    grid = BlockGrid(mask.shape, (4, 5, 6))
    [found] = reduce(ArraySource(mask), [Components(6, pieces=True)], block=grid.block, progress=False)
    store = open_store("memory://block-labels.zarr")
    write_block_labels(found, grid, np.dtype(dtype), store)
    whole, _ = label(mask, connectivity=6)
    stored = BlockLabels(store, np.dtype(dtype))
    for block in grid:
        pieces, count = label(mask[block.core.slices], connectivity=6)
        firsts = [np.flatnonzero(pieces.ravel() == k + 1)[0] for k in range(count)]
        expected = whole[block.core.slices].ravel()[firsts]
        np.testing.assert_array_equal(stored.of_block(block.id), expected)
        assert stored.of_block(block.id).dtype == dtype
    drop_block_labels(store)
    with pytest.raises(VolumeError, match="is gone"):
        stored.of_block(0)
