"""The measure "chords": both phases, units, and blocks."""

from __future__ import annotations

import numpy as np
import pytest

import bigrock
from bigrock.kernels import chord_lengths
from bigrock.volumes import ArraySource


def test_both_phases_have_the_chords_of_the_kernel_in_metres():
    mask, voxel = np.random.default_rng(0).random((15, 17, 40)) < 0.6, (3e-6, 1e-6, 2e-6)
    source = ArraySource(mask, voxel_size=voxel)
    for block in (None, (7, 5, 9)):
        found = bigrock.measure(source, "chords", block=block)["chords"]
        for phase, own in (("pore", mask), ("solid", ~mask)):
            for axis, side in zip("zyx", voxel, strict=True):
                expected, got = chord_lengths(own)[axis], found[phase][axis]
                assert got["mean"] == pytest.approx(expected.mean * side)
                assert got["mean_whole"] == pytest.approx(expected.mean_whole * side)
                assert got["number_whole"] == expected.whole.sum()
                assert got["number_cut"] == expected.cut.sum()
                assert len(got["length"]) == len(got["whole"]) == len(got["cut"])
                assert got["whole"] @ got["length"] == pytest.approx(
                    expected.whole @ np.arange(expected.whole.size) * side
                )


def test_a_phase_that_is_not_there_has_no_chords():
    found = bigrock.measure(np.zeros((4, 5, 6), bool), "chords")["chords"]
    assert found["pore"]["x"]["mean"] is None
    assert found["pore"]["x"]["length"].size == 0
    assert found["solid"]["x"]["cut"].tolist() == [0, 0, 0, 0, 0, 20]
