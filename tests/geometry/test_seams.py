"""Seams hold exactly the neighbourhoods that no block sees alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bigrock.geometry import BlockGrid, Seams

CASES = [((5, 6, 7), (2, 3, 4)), ((8, 8, 8), (4, 4, 4)), ((3, 4, 5), (1, 1, 1)), ((4, 9, 4), (8, 2, 3))]


def cells_inside(start: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the first corners of the 2x2x2 cells of a region."""
    return [
        tuple(a + i for a, i in zip(start, o, strict=True)) for o in product(*(range(n - 1) for n in shape))
    ]


@pytest.mark.parametrize("dtype", [bool, np.uint32])
@pytest.mark.parametrize(("shape", "block"), CASES)
def test_every_cell_of_the_volume_lies_in_one_block_or_crosses_borders_in_one_seam(
    shape: tuple[int, int, int], block: tuple[int, int, int], dtype: type
) -> None:
    volume = np.random.default_rng(0).integers(0, 2 if dtype is bool else 99, shape).astype(dtype)
    seen: list[tuple[int, ...]] = []
    seams = Seams()
    grid = BlockGrid(shape, block)
    for number in np.random.default_rng(1).permutation(len(grid)):
        core = grid[int(number)].core
        seen += cells_inside(core.start, core.shape)
        part = Seams()
        part.add(core, shape, volume[core.slices])
        seams.merge(part)
        for seam, layers in seams.completed():
            np.testing.assert_array_equal(layers, volume[seam.region.slices])
            lengths = [2 if c else n for c, n in zip(seam.crossed, seam.region.shape, strict=True)]
            seen += cells_inside(seam.region.start, tuple(lengths))
    assert seams.waiting == {}
    assert seams.nbytes == 0
    assert sorted(seen) == sorted(cells_inside((0, 0, 0), shape))


def test_masks_wait_as_bits() -> None:
    seams = Seams()
    core = BlockGrid((16, 16, 32), (16, 16, 16))[0].core
    seams.add(core, (16, 16, 32), np.ones((16, 16, 16), bool))
    assert seams.nbytes == 16 * 16 // 8
