"""Whether chosen slices span the stack, and slices chosen so that they do."""

from __future__ import annotations

import json

import numpy as np
import pyarrow
import pytest

from bigrock.datasets import Shale
from bigrock.errors import ParameterError
from bigrock.workflows.shale import diverse_slices, diversity, select_slices, slice_texture

VOXEL = (1e-8, 5e-9, 5e-9)


def texture(fraction, dimension=None, lacunarity=None) -> pyarrow.Table:
    columns = {"fraction": fraction, "dimension_phase": dimension, "lacunarity_4": lacunarity}
    return pyarrow.table({n: np.asarray(fraction if v is None else v, float) for n, v in columns.items()})


def test_slices_of_one_end_do_not_span_a_trend():
    table = texture(np.linspace(0, 1, 101))
    assert diversity(table, [0, 50, 100]).spans
    ends = diversity(table, [0, 5, 10])
    assert not ends.spans
    assert ends.coverage["fraction"] == pytest.approx(0.05 / 0.9)
    assert ends.farthest == 100
    assert ends.quantiles["fraction"] == pytest.approx([1 / 101, 6 / 101, 11 / 101])


def test_a_diverse_choice_covers_what_equal_intervals_miss():
    rng = np.random.default_rng(0)
    values = rng.normal(0.1, 0.01, 200)
    values[20:32] += 0.2
    table = texture(values)
    equal = select_slices(200, 4, voxel_size=VOXEL)
    chosen = select_slices(200, 4, voxel_size=VOXEL, texture=table)
    assert diversity(table, chosen).mean_distance < diversity(table, equal).mean_distance
    assert any(20 <= z < 32 for z in chosen.train)
    assert chosen == select_slices(200, 4, voxel_size=VOXEL, texture=table)
    assert chosen.interval_m == equal.interval_m


def test_diverse_slices_are_different_even_where_all_are_alike():
    assert len(set(diverse_slices(texture(np.full(9, 0.1)), 4))) == 4
    assert diverse_slices(texture(np.arange(5)), 5) == (0, 1, 2, 3, 4)


def test_slices_without_a_dimension_count_as_average():
    table = texture([0.0, 0.1, 0.2], dimension=[np.nan, 1.1, 1.2])
    assert diversity(table, [0, 2]).coverage["dimension_phase"] < 1
    nulls = table.set_column(1, "dimension_phase", pyarrow.array([None, 1.1, 1.2]))
    assert diversity(nulls, [0, 2]) == diversity(table, [0, 2])


def test_the_texture_of_a_shale_goes_from_stack_to_choice():
    table = slice_texture(Shale((16, 96, 96), level="easy", seed=1), radius=15, progress=False)
    choice = select_slices(16, 4, voxel_size=VOXEL, test=3, texture=table)
    told = json.loads(json.dumps(diversity(table, choice).to_dict()))
    assert set(told["coverage"]) == {"fraction", "dimension_phase", "lacunarity_8"}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda t: diversity(t, [7]), "not some of the 3"),
        (lambda t: diversity(t, []), "not some of the 3"),
        (lambda t: diverse_slices(t, 4), "n=4"),
        (lambda t: diversity(t.drop_columns(["fraction"]), [0]), "no texture"),
    ],
)
def test_what_makes_no_sense_is_refused(call, told):
    with pytest.raises(ParameterError, match=told):
        call(texture([0.1, 0.2, 0.3]))
