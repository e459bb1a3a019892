"""What reductions of one block share: derived once per block, and never kept beyond it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bigrock.engine import reduce
from bigrock.engine.reduction import Reduction, of_one_block, shared
from bigrock.volumes import ArraySource

DERIVED: list[int] = []


def total(array):
    DERIVED.append(1)
    return int(array.sum())


@dataclass(frozen=True)
class Total(Reduction):
    def block(self, array, block):
        return shared(total, array[block.trim])

    def combine(self, a, b):
        return a + b


def test_reductions_of_a_block_derive_once_and_the_next_block_anew():
    image = np.random.default_rng(0).integers(0, 9, (4, 6, 8), np.uint8)
    DERIVED.clear()
    found = reduce(ArraySource(image), [Total(), Total(), Total()], block=(4, 3, 8), executor="serial")
    assert found == [int(image.sum())] * 3
    assert len(DERIVED) == 2


def test_only_the_very_same_voxels_share():
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)
    with of_one_block():
        views = [image, image[1:], image[:3], image[:, ::2], image[:, :3], image.view(np.int8), image.T]
        assert [shared(np.copy, v).tolist() for v in views] == [v.tolist() for v in views]
        assert all(shared(np.sum, image + i) == image.sum() + 24 * i for i in range(5))


def test_outside_of_a_pass_nothing_is_kept():
    image = np.ones(3, np.uint8)
    assert shared(total, image) == 3
    image[0] = 5
    assert shared(total, image) == 7
