"""Agreement with the truth: voxels counted block by block, as numpy counts them at once."""

from __future__ import annotations

import numpy as np
import pytest

import bigrock
from bigrock.workflows.agreement import Agreement, AgreesWith


@pytest.mark.parametrize("block", [None, (3, 4, 5), (7, 9, 11)])
def test_counts_are_those_of_the_whole_arrays(block: tuple[int, int, int] | None) -> None:
    rng = np.random.default_rng(3)
    found, true = rng.random((7, 9, 11)) < 0.4, rng.random((7, 9, 11)) < 0.3
    [result] = bigrock.reduce(
        bigrock.ArraySource(found), [AgreesWith(bigrock.ArraySource(true))], block=block, progress=False
    )
    counts = [np.count_nonzero(m) for m in (found & true, found & ~true, ~found & true, ~found & ~true)]
    assert result == Agreement(*map(int, counts))
    assert result.iou == np.count_nonzero(found & true) / np.count_nonzero(found | true)
    assert (result.porosity, result.true_porosity) == (found.mean(), true.mean())


def test_masks_without_pores_agree_fully() -> None:
    assert Agreement(both=0, only_found=0, only_true=0, neither=9).iou == 1.0
