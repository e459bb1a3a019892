"""Arrays in memory as sources."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from bigrock.errors import ParameterError
from bigrock.geometry import Region
from bigrock.volumes import ArraySource, Source, facts_of


def test_an_array_is_a_source():
    array = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    source = ArraySource(array, voxel_size=(1e-6, 1e-6, 2e-6))
    assert isinstance(source, Source)
    np.testing.assert_array_equal(source.read(Region((1, 0, 2), (3, 4, 4))), array[1:3, :, 2:4])
    facts = facts_of(source)
    assert (facts.shape, facts.dtype, facts.voxel_size, facts.kind) == (
        (3, 4, 5),
        "uint16",
        (1e-6, 1e-6, 2e-6),
        "grey",
    )


def test_what_is_read_can_be_written_to_without_changing_the_source():
    source = ArraySource(np.zeros((2, 2, 2)))
    source.read(Region.whole((2, 2, 2)))[:] = 7
    assert source.array.max() == 0


def test_bools_are_masks():
    assert facts_of(ArraySource(np.zeros((2, 2, 2), bool))).kind == "mask"


def test_the_identity_tells_voxels_types_and_shapes_apart():
    zeros = np.zeros((2, 3, 4), np.uint8)
    ones = zeros.copy()
    ones[1, 1, 1] = 1
    same = ArraySource(np.asfortranarray(zeros)).identity()
    assert ArraySource(zeros).identity() == same == pickle.loads(pickle.dumps(ArraySource(zeros))).identity()
    others = [ones, zeros.reshape(3, 2, 4), zeros.astype(np.int8)]
    assert all(ArraySource(other).identity() != same for other in others)


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 4, 5), (0, 3, 3)])
def test_arrays_without_three_axes_are_refused(shape):
    with pytest.raises(ParameterError, match="is not a volume"):
        ArraySource(np.zeros(shape))
