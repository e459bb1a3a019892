"""Parts of a set of rocks: groups stay whole, families are spread, and what cannot be split is told."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_sets import QUICK

from bigrock.datasets import make_rocks
from bigrock.datasets.rock_set_split import split_rocks
from bigrock.errors import (
    ParameterError,
)


def test_parts_are_ascending_disjoint_complete_and_the_same_for_one_seed(rocks):
    parts = rocks.split(train=0.6, validation=0.2, test=0.2, seed=1)
    again = rocks.split(train=0.6, validation=0.2, test=0.2, seed=1)
    other = rocks.split(train=0.6, validation=0.2, test=0.2, seed=2)
    for name in ("train", "validation", "test"):
        indices = getattr(parts, name)
        assert (np.diff(indices) > 0).all()
        np.testing.assert_array_equal(indices, getattr(again, name))
    assert not np.array_equal(parts.test, other.test)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(together.tolist()) == list(range(27))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (16, 6, 5)


def test_held_out_families_are_the_whole_test_part(rocks):
    parts = rocks.split(held_out_families=("vugs", "cracks"))
    assert sorted(set(rocks.families[parts.test].tolist())) == ["cracks", "vugs"]
    assert len(parts.test) == 6
    assert len(parts.train) + len(parts.validation) == 21


def test_families_stay_whole_when_they_are_what_is_split(rocks):
    parts = rocks.split(train=0.6, validation=0.2, test=0.2, by="family")
    names = [set(rocks.families[p].tolist()) for p in (parts.train, parts.validation, parts.test)]
    assert all(names)
    assert sum(map(len, names)) == len(set().union(*names)) == 9


@given(
    sizes=st.lists(st.integers(1, 7), min_size=12, max_size=40),
    seed=st.integers(0, 1000),
)
def test_groups_are_never_cut_and_shares_are_met_within_the_largest_group(sizes, seed):
    groups = np.repeat(np.arange(len(sizes)) * 3, sizes)
    families = np.array(["a", "b", "c"])[groups % 2]
    parts = split_rocks(
        np.ones(len(groups), bool), families, groups, shares=(0.6, 0.2, 0.2), by="group", seed=seed
    )
    for part, share in ((parts.train, 0.6), (parts.validation, 0.2), (parts.test, 0.2)):
        outside = np.setdiff1d(np.arange(len(groups)), part)
        assert not set(groups[part]) & set(groups[outside])
        assert abs(len(part) - share * len(groups)) <= max(sizes)


def test_each_family_is_in_each_part_when_there_are_enough_rocks():
    families = np.repeat(["a", "b", "c"], 50)
    parts = split_rocks(np.ones(150, bool), families, np.arange(150), shares=(0.7, 0.1, 0.2))
    for part, share in ((parts.train, 0.7), (parts.validation, 0.1), (parts.test, 0.2)):
        counts = Counter(families[part].tolist())
        assert all(abs(count - 50 * share) <= 1 for count in counts.values())


def test_rocks_without_a_positive_k_are_in_no_part(tmp_path):
    def some(mask, axes, _calls=[0]):  # noqa: B006
        _calls[0] += 1
        return [[0.0, -1.0, np.nan, np.inf, 0.5][_calls[0] % 5]]

    options = QUICK | {"labels": some}
    found = make_rocks(tmp_path / "r.zarr", count=20, axes=("y",), **options)
    assert found.percolating.sum() == 4
    assert np.nanmin(found.k_voxel2) == 0
    parts = found.split(train=0.5, validation=0.25, test=0.25)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    np.testing.assert_array_equal(np.sort(together), np.flatnonzero(found.percolating))


def test_a_set_without_labels_is_not_split(tmp_path):
    found = make_rocks(tmp_path / "r.zarr", count=2, **(QUICK | {"labels": None}))
    with pytest.raises(ParameterError, match="Make the set with labels"):
        found.split()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train": 0.9}, "do not sum to 1"),
        ({"by": "rock"}, "'group' or 'family'"),
        ({"held_out_families": ["granite"]}, "granite"),
        ({"held_out_families": "vugs"}, "Give a list"),
        ({"train": 0.998, "validation": 0.001, "test": 0.001}, "too few"),
    ],
)
def test_splits_that_cannot_be_are_told(rocks, options, words):
    with pytest.raises(ParameterError, match=words):
        rocks.split(**options)


# --------------------------------------------------------------------------------- interruptions
