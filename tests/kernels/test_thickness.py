"""Local thickness against PoreSpy and balls of known size, and over blocks against the whole."""

from __future__ import annotations

import math

import numpy as np
import porespy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import bigrock
from bigrock.engine.reducing import reduce
from bigrock.errors import NotFittedError, ParameterError, PhaseError
from bigrock.geometry import BlockGrid
from bigrock.kernels import LocalThickness, distance, local_thickness, thickness_diameters
from bigrock.kernels.distances_largest import LargestDistance
from bigrock.volumes import ArraySource


@pytest.fixture(autouse=True)
def without_progress_bars(monkeypatch):
    monkeypatch.setitem(porespy.settings.tqdm, "disable", True)


def blobs(shape, phi=0.5, seed=0, sigma=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return field > np.quantile(field, 1 - phi)


def over_blocks(kernel: LocalThickness, mask: np.ndarray, block) -> np.ndarray:
    out = np.empty(mask.shape, np.uint16)
    for b in BlockGrid(mask.shape, block, kernel.halo):
        out[b.core.slices] = kernel(mask[b.read.slices], b)
    return out


@pytest.mark.parametrize("sigma", [1, 2, 5])
@pytest.mark.parametrize("phi", [0.2, 0.8])
def test_classes_are_the_radii_of_porespy_voxel_for_voxel(sigma, phi):
    mask = blobs((40, 45, 70), phi, sigma=sigma)
    classes, diameters = local_thickness(mask)
    expected = porespy.filters.local_thickness(mask, method="dt")
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(diameters[classes], 2 * expected)


def test_classes_are_those_of_porespy_on_a_real_rock(shared_data):
    import tifffile

    rock = tifffile.imread(next((shared_data / "berea_400").glob("*.tif*")))[100:164, 100:164, 100:164] == 0
    np.testing.assert_array_equal(
        local_thickness(rock)[0], porespy.filters.local_thickness(rock, method="dt")
    )


def test_an_image_of_two_dimensions_is_covered_by_discs():
    mask = blobs((70, 90), sigma=4)
    np.testing.assert_array_equal(
        local_thickness(mask)[0], porespy.filters.local_thickness(mask, method="dt")
    )


def test_a_ball_has_its_own_diameter_everywhere():
    z, y, x = np.mgrid[-12:13, -12:13, -12:13]
    classes, diameters = local_thickness(z**2 + y**2 + x**2 < 100, voxel_size=2e-6)
    assert set(np.unique(classes)) == {0, 10}
    assert diameters[10] == pytest.approx(40e-6)


def test_flat_voxels_cover_a_ball_with_one_of_its_size():
    z, y, x = np.mgrid[-6:7, -12:13, -12:13]
    ball = 4 * z**2 + y**2 + x**2 < 100
    classes, diameters = local_thickness(ball, voxel_size=(10e-9, 5e-9, 5e-9))
    assert set(np.unique(classes)) == {0, 10}
    assert diameters[10] == pytest.approx(100e-9)


@pytest.mark.parametrize("block", [(20, 21, 66), (7, 5, 9), (16, 16, 16), (3, 21, 65)])
@pytest.mark.parametrize("voxel_size", [None, (2.0, 1.0, 1.3)])
@pytest.mark.parametrize("surplus", [0.0, 2.7])
def test_blocks_give_bitwise_what_the_whole_gives(block, voxel_size, surplus):
    mask = blobs((20, 21, 66), sigma=2)
    largest = float(distance(mask, voxel_size=voxel_size).max()) + surplus
    found = over_blocks(LocalThickness(voxel_size, largest), mask, block)
    np.testing.assert_array_equal(found, local_thickness(mask, voxel_size=voxel_size)[0])


@given(
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    block=st.tuples(*[st.integers(1, 9)] * 3),
    background=st.integers(1, 5),
)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block, background):
    mask = np.ones(shape, bool)
    mask.flat[np.random.default_rng(sum(shape)).integers(0, mask.size, background)] = False
    kernel = LocalThickness(largest=float(distance(mask).max()))
    np.testing.assert_array_equal(over_blocks(kernel, mask, block), local_thickness(mask)[0])


def test_a_run_finds_the_largest_distance_and_stores_the_classes(tmp_path):
    mask = blobs((70, 64, 65), sigma=3)
    out = bigrock.run(
        LocalThickness(), ArraySource(mask), tmp_path / "t.zarr", block=(32, 32, 32), progress=False
    )
    np.testing.assert_array_equal(out[:], local_thickness(mask)[0])
    assert out.dtype == np.uint16


@pytest.mark.parametrize("margin", [1, 3, 40])
@pytest.mark.parametrize("phi", [0.3, 0.9, 0.9999])
@pytest.mark.parametrize("block", [(7, 5, 9), (40, 40, 40)])
def test_the_largest_distance_is_exact_whatever_is_read_at_first(margin, phi, block):
    mask = np.random.default_rng(0).random((40, 30, 35)) < phi
    mask[0, 0, 0] = False
    [found] = reduce(ArraySource(mask), [LargestDistance(margin=margin)], block=block, progress=False)
    assert found == distance(mask).max()


def test_the_largest_distance_without_background_is_infinite_and_without_phase_zero():
    for value, expected in ((True, math.inf), (False, 0.0)):
        mask = ArraySource(np.full((9, 9, 9), value))
        assert reduce(mask, [LargestDistance(margin=2)], block=(4, 4, 4), progress=False) == [expected]


def test_a_kernel_that_must_read_further_than_it_was_planned_for_is_planned_again(tmp_path):
    mask = np.ones((16, 16, 220), bool)
    mask[:, :, 0] = mask[:, :, 100] = False
    mask[4:, 4:, 100:] = False
    out = bigrock.run(
        LocalThickness(), ArraySource(mask), tmp_path / "t.zarr", block=(16, 16, 32), progress=False
    )
    np.testing.assert_array_equal(out[:], local_thickness(mask)[0])


def test_a_volume_without_phase_has_no_thickness():
    classes, diameters = local_thickness(np.zeros((4, 5, 6), bool))
    assert not classes.any()
    assert diameters.tolist() == [0]
    assert not over_blocks(LocalThickness(largest=0.0), np.zeros((4, 5, 6), bool), (2, 2, 2)).any()


def test_a_volume_without_background_is_refused():
    with pytest.raises(ParameterError, match="no background"):
        local_thickness(np.ones((4, 5, 6), bool))
    with pytest.raises(ParameterError, match="no background"):
        LocalThickness().fitted(math.inf)


def test_a_kernel_that_was_not_fitted_or_to_another_volume_refuses_to_run():
    mask = np.ones((4, 4, 9), bool)
    mask[:, :, 0] = False
    block = BlockGrid(mask.shape, mask.shape)[0]
    with pytest.raises(NotFittedError, match="largest distance"):
        LocalThickness()(mask, block)
    with pytest.raises(ParameterError, match="exceeds the largest"):
        LocalThickness(largest=3.0)(mask, block)
    with pytest.raises(PhaseError, match="needs a mask"):
        LocalThickness(largest=3.0)(mask.astype(np.uint8), block)


def test_diameters_are_twice_the_radius_of_the_smallest_edge():
    assert thickness_diameters(2).tolist() == [0, 2, 4]
    assert thickness_diameters(2, (10e-9, 5e-9, 5e-9)).tolist() == [0, 10e-9, 20e-9]
