"""The majority along z against counting with numpy, in blocks and as a whole."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bigrock
from bigrock.engine.through import Through
from bigrock.errors import ParameterError, PhaseError
from bigrock.geometry import Region
from bigrock.kernels.majority import MajorityAlongZ, majority_along_z


def by_counting(labels: np.ndarray, radius: int) -> np.ndarray:
    out = labels.copy()
    for z, y, x in np.ndindex(labels.shape):
        column = labels[max(0, z - radius) : z + radius + 1, y, x].tolist()
        ranked = Counter(column).most_common()
        if len(ranked) == 1 or ranked[0][1] > ranked[1][1]:
            out[z, y, x] = ranked[0][0]
    return out


@pytest.mark.parametrize("radius", [1, 2, 4])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int32])
def test_every_voxel_takes_the_most_frequent_label_of_its_column(radius, dtype):
    labels = np.random.default_rng(radius).integers(0, 2 if dtype is bool else 4, (9, 4, 5)).astype(dtype)
    found = majority_along_z(labels, radius=radius)
    assert found.dtype == labels.dtype
    np.testing.assert_array_equal(found, by_counting(labels, radius))


def test_ties_keep_the_voxel_as_it_is():
    column = np.array([1, 1, 0, 2, 2], np.uint8).reshape(5, 1, 1)
    assert majority_along_z(column, radius=2)[2] == 0
    assert majority_along_z(column[1:3], radius=1).ravel().tolist() == [1, 0]


def test_a_slice_that_flickers_is_mended_and_a_thick_layer_stays():
    labels = np.zeros((11, 6, 6), np.uint8)
    labels[3], labels[6:9] = 3, 2
    expected = labels.copy()
    expected[3] = 0
    np.testing.assert_array_equal(majority_along_z(labels), expected)


def test_a_single_slice_stays_as_it_is():
    labels = np.random.default_rng(0).integers(0, 4, (1, 5, 6)).astype(np.uint8)
    np.testing.assert_array_equal(majority_along_z(labels, radius=3), labels)


@given(
    start=st.tuples(*(st.integers(0, n - 1) for n in (11, 5, 7))),
    extent=st.tuples(*(st.integers(1, n) for n in (11, 5, 7))),
    radius=st.integers(1, 5),
)
def test_any_region_is_what_the_whole_holds_there(start, extent, radius):
    labels = np.random.default_rng(radius).integers(0, 3, (11, 5, 7)).astype(np.uint8)
    stop = tuple(min(n, a + b) for n, a, b in zip(labels.shape, start, extent, strict=True))
    region = Region(start, stop)
    seen = Through(bigrock.ArraySource(labels, kind="labels"), MajorityAlongZ(radius))
    np.testing.assert_array_equal(seen.read(region), majority_along_z(labels, radius=radius)[region.slices])


def test_a_pass_keeps_kind_classes_and_voxel_size():
    labels = np.random.default_rng(1).integers(0, 3, (20, 17, 33)).astype(np.uint8)
    classes = {"matrix": 0, "pore": 1, "organic matter": 2}
    source = bigrock.ArraySource(labels, (1e-8, 5e-9, 5e-9), kind="labels", classes=classes)
    out = bigrock.run(MajorityAlongZ(2), source, "memory://majority.zarr", shard=(16, 16, 16), progress=False)
    np.testing.assert_array_equal(out[:], majority_along_z(labels, radius=2))
    assert (out.kind, out.classes, out.voxel_size) == ("labels", classes, (1e-8, 5e-9, 5e-9))


def test_what_is_no_stack_of_labels_is_refused():
    with pytest.raises(ParameterError, match="holds no labels"):
        majority_along_z(np.zeros((3, 3, 3), np.float32))
    with pytest.raises(ParameterError, match="no stack of slices"):
        majority_along_z(np.zeros((3, 3), np.uint8))
    with pytest.raises(ParameterError, match="takes in no other slice"):
        MajorityAlongZ(0)
    with pytest.raises(PhaseError):
        bigrock.run(
            MajorityAlongZ(), bigrock.ArraySource(np.zeros((3, 3, 3))), "memory://grey.zarr", progress=False
        )
