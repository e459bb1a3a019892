"""Slices for training, validation and test: the paper's intervals, never an overlap, always the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from bigrock.errors import ParameterError, VoxelSizeError
from bigrock.workflows.shale import SliceChoice, select_slices

VOXEL = (1e-8, 5e-9, 5e-9)


@pytest.mark.parametrize(("n", "interval_um"), [(2, 2.307), (5, 1.153), (6, 0.989), (8, 0.769)])
def test_the_intervals_are_those_of_the_paper(n, interval_um):
    choice = select_slices(692, n, voxel_size=VOXEL)
    assert round(choice.interval_m * 1e6, 3) == interval_um
    assert f"interval {interval_um:.3f} µm" in str(choice)
    steps = [b - a for a, b in zip((0, *choice.train), (*choice.train, 692), strict=True)]
    assert len(choice.train) == n
    assert max(steps) - min(steps) <= 1


def test_validation_lies_at_a_third_and_two_thirds_and_test_on_a_halton_sequence():
    choice = select_slices(692, 6, voxel_size=VOXEL, apart=1)
    assert choice.validation == (230, 461)
    halton = qmc.Halton(1, scramble=False).random(6)[1:, 0]
    assert choice.test == tuple(int(h * 692) for h in halton)


@given(
    depth=st.integers(4, 400),
    n=st.integers(1, 12),
    test=st.integers(0, 12),
    apart=st.one_of(st.none(), st.integers(1, 50)),
)
def test_no_slice_has_two_roles_and_the_choice_is_reproducible(depth, n, test, apart):
    if depth < n + 2 + test:
        with pytest.raises(ParameterError, match="too short"):
            select_slices(depth, n, voxel_size=VOXEL, test=test, apart=apart)
        return
    choice = select_slices(depth, n, voxel_size=VOXEL, test=test, apart=apart)
    assert choice == select_slices(depth, n, voxel_size=VOXEL, test=test, apart=apart)
    assert (len(choice.train), len(choice.validation), len(choice.test)) == (n, 2, test)
    assert len(set(choice.slices)) == n + 2 + test


@pytest.mark.parametrize("n", range(2, 9))
def test_test_and_validation_slices_keep_away_from_training_slices(n):
    choice = select_slices(692, n, voxel_size=VOXEL)
    least = min(10, 692 // (n + 1) // 10)
    assert min(choice.apart.values()) >= least
    assert min(abs(v - t) for v in choice.validation for t in choice.train) >= least
    assert min(abs(v - t) for v in choice.validation for t in choice.test) >= least


def test_the_distances_are_reported():
    choice = select_slices(100, 3, voxel_size=VOXEL)
    told = json.loads(json.dumps(choice.to_dict()))
    for z, distance in told["test_from_training"].items():
        assert distance["slices"] == min(abs(int(z) - t) for t in choice.train)
        assert distance["metres"] == pytest.approx(distance["slices"] * 1e-8)


def test_roles_are_named_in_the_order_of_the_stack():
    choice = SliceChoice(10, (1, 7), (4,), (2,), 1e-8, 1e-8)
    assert choice.roles == {1: "train", 2: "test", 4: "validation", 7: "train"}


@pytest.mark.parametrize(
    ("train", "validation", "test", "told"),
    [
        ((1, 2), (), (2,), "slice 2 is given for train and for test"),
        ((1, 1), (), (), "slice 1 is given for train and for train"),
        ((1,), (10,), (), "slice 10 for validation is not in a stack of 10"),
        ((-1,), (), (), "slice -1"),
        ((), (1,), (), "no slice is given for training"),
    ],
)
def test_a_choice_by_hand_is_checked(train, validation, test, told):
    with pytest.raises(ParameterError, match=told):
        SliceChoice(10, train, validation, test, 1e-8, 1e-8)


def test_what_cannot_be_chosen_is_refused():
    with pytest.raises(ParameterError, match="a stack of 12 slices is too short for 6 training"):
        select_slices(12, 6, voxel_size=VOXEL)
    with pytest.raises(VoxelSizeError, match="no voxel size"):
        select_slices(100, 6, voxel_size=None)
    with pytest.raises(ParameterError, match="n=0"):
        select_slices(100, 0, voxel_size=VOXEL)
