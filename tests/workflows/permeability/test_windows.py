"""Windows of a permeability map: they cover the lattice once, begin on voxels of the core, and fit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigrock.errors import ParameterError
from bigrock.workflows.permeability.windows import (
    Lattice,
    LatticeTasks,
    Window,
    sampled,
    scattered,
    single_tasks,
)


@given(
    shape=st.tuples(*[st.integers(2, 7)] * 3),
    edge=st.integers(1, 2),
    step=st.integers(1, 3),
    together=st.integers(1, 3),
    scale=st.sampled_from((1, 2, 4)),
)
def test_tasks_hold_every_window_of_the_lattice_once_and_all_their_voxels(shape, edge, step, together, scale):
    z, y, x = (n * scale * 2 for n in shape)
    lattice = Lattice((z, y, x), 2 * edge * scale, step * scale, scale)
    tasks = LatticeTasks(lattice, together, True, {0})
    windows = [window for task in tasks for window in task.windows]
    expected = set(itertools.product(*(range(0, n * lattice.step, lattice.step) for n in lattice.counts)))
    assert len(windows) == len(expected)
    assert {window.start for window in windows} == expected
    assert [window.start for window in windows if window.physics] == [(0, 0, 0)]
    for task in tasks:
        fine = task.core.scaled(scale)
        for window in task.windows:
            assert all(a >= b for a, b in zip(window.start, fine.start, strict=True))
            assert all(a <= b for a, b in zip(window.region.stop, fine.stop, strict=True))


@given(shape=st.tuples(*[st.integers(16, 90)] * 3), step=st.integers(1, 20))
def test_what_is_left_out_at_the_far_faces_is_less_than_a_step(shape, step):
    lattice = Lattice(shape, 16, step)
    assert all(0 <= left < step for left in lattice.left_out)


@pytest.mark.parametrize(
    ("shape", "edge", "step", "scale", "told"),
    [
        ((64, 64, 48), 64, 64, 4, "larger than the volume of .64, 64, 48. voxels .* Give at most 48"),
        ((64, 64, 64), 30, 32, 4, "window=30 is no multiple of the scale 4 .* Give 28 or 32"),
        ((64, 64, 64), 32, 2, 4, "step=2 is no multiple of the scale 4 .* Give 4 or 4"),
        ((64, 64, 64), 1, 2, 1, "make no lattice"),
    ],
)
def test_a_lattice_that_does_not_fit_is_refused_and_says_what_would(shape, edge, step, scale, told):
    with pytest.raises(ParameterError, match=told):
        Lattice(shape, edge, step, scale)


def test_samples_follow_from_the_seed_and_hold_nothing_twice():
    drawn = sampled(100, 10, 3)
    assert drawn == sampled(100, 10, 3) != sampled(100, 10, 4)
    assert len(set(drawn)) == 10
    places = scattered((40, 40, 40), 16, 8, 4, 0)
    assert len(set(places)) == 8
    assert all(n % 4 == 0 and n + 16 <= 40 for place in places for n in place)


def test_a_volume_that_holds_few_windows_of_a_size_gives_these():
    assert sorted(scattered((20, 16, 16), 16, 50, 4, 0)) == [(0, 0, 0), (4, 0, 0)]


def test_windows_of_their_own_read_just_their_voxels():
    [task] = single_tasks([Window((8, 4, 0), 10)], 4)
    assert (task.core.start, task.core.stop) == ((2, 1, 0), (5, 4, 3))
    assert np.prod(task.core.shape) == 27
