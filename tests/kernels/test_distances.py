"""Distances against edt and scipy, and over blocks against the whole."""

from __future__ import annotations

import edt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import bigrock
from bigrock.errors import NotFittedError, ParameterError, PhaseError, PlanError
from bigrock.geometry import Block, BlockGrid, Region
from bigrock.kernels import Distance, Threshold, distance
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.distances_wide import fill_wide
from bigrock.volumes import ArraySource


def blobs(shape, phi=0.4, seed=0, sigma=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return field > np.quantile(field, 1 - phi)


def over_blocks(kernel: Distance, mask: np.ndarray, block) -> np.ndarray:
    kernel = kernel.given(ArraySource(mask))
    out = np.empty(mask.shape, np.float32)
    for b in BlockGrid(mask.shape, block, kernel.halo):
        out[b.core.slices] = kernel(mask[b.read.slices], b)
    return out


@pytest.mark.parametrize("shape", [(40, 41, 150), (1, 60, 70), (30, 1, 1), (2, 3, 300)])
@pytest.mark.parametrize("phi", [0.2, 0.9, 0.999])
def test_distances_are_those_of_scipy(shape, phi):
    mask = np.random.default_rng(1).random(shape) < phi
    mask.flat[5] = False
    expected = ndimage.distance_transform_edt(mask).astype(np.float32)
    np.testing.assert_array_equal(distance(mask), expected)


def test_distances_are_those_of_the_edt_package():
    mask = blobs((60, 70, 200))
    np.testing.assert_allclose(distance(mask), edt.edt(mask), rtol=2e-7)


@pytest.mark.parametrize("voxel_size", [(2.0, 1.0, 1.0), (1.0, 3.3, 0.7), (10e-9, 5e-9, 5e-9)])
def test_voxels_that_are_no_cubes_give_lengths(voxel_size):
    mask = blobs((30, 31, 40))
    expected = ndimage.distance_transform_edt(mask, sampling=voxel_size)
    np.testing.assert_allclose(distance(mask, voxel_size=voxel_size), expected, rtol=1e-7)


def test_an_image_of_two_dimensions_is_one_slice():
    mask = blobs((50, 60))
    np.testing.assert_allclose(distance(mask), ndimage.distance_transform_edt(mask), rtol=1e-7)
    expected = ndimage.distance_transform_edt(mask, sampling=(1, 2))
    np.testing.assert_allclose(distance(mask, voxel_size=(1, 2)), expected, rtol=1e-7)


def test_without_background_every_distance_is_infinite():
    assert np.isinf(distance(np.ones((3, 4, 5), bool))).all()
    assert np.isinf(over_blocks(Distance(margin=1), np.ones((9, 7, 8), bool), (4, 4, 4))).all()


def test_distances_of_hundreds_of_voxels_are_as_exact():
    mask = np.ones((2, 3, 700), bool)
    mask[0, 1, 3] = False
    expected = ndimage.distance_transform_edt(mask).astype(np.float32)
    np.testing.assert_array_equal(distance(mask), expected)
    np.testing.assert_array_equal(over_blocks(Distance(margin=3), mask, (2, 2, 64)), expected)


def test_what_is_outside_of_the_array_is_no_background():
    mask = np.ones((1, 1, 9), bool)
    mask[0, 0, 8] = False
    assert distance(mask).ravel().tolist() == [8, 7, 6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("block", [(20, 21, 22), (7, 5, 9), (16, 16, 16), (3, 21, 22)])
@pytest.mark.parametrize("margin", [1, 2, 5, 40])
@pytest.mark.parametrize("voxel_size", [None, (2.0, 1.0, 1.3)])
def test_blocks_give_bitwise_what_the_whole_gives(block, margin, voxel_size):
    mask = blobs((20, 21, 22), phi=0.8, sigma=3)
    expected = distance(mask, voxel_size=voxel_size)
    found = over_blocks(Distance(voxel_size=voxel_size, margin=margin), mask, block)
    np.testing.assert_array_equal(found, expected)


@given(
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    block=st.tuples(*[st.integers(1, 9)] * 3),
    margin=st.integers(1, 4),
    background=st.integers(0, 3),
)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block, margin, background):
    mask = np.ones(shape, bool)
    mask.flat[np.random.default_rng(sum(shape)).integers(0, mask.size, background)] = False
    np.testing.assert_array_equal(over_blocks(Distance(margin=margin), mask, block), distance(mask))


def test_only_blocks_with_distances_beyond_the_margin_read_more():
    mask = np.zeros((16, 16, 64), bool)
    mask[:, :, :16] = True
    mask[0, 0, 0] = False
    reads = []

    class Watched(ArraySource):
        def read(self, region):
            reads.append(region)
            return super().read(region)

    kernel = Distance(margin=4).given(Watched(mask))
    for b in BlockGrid(mask.shape, (16, 16, 16), kernel.halo):
        kernel(mask[b.read.slices], b)
        if b.id == 0:
            assert reads
            reads.clear()
    assert not reads


def test_a_run_stores_what_the_array_gives(tmp_path):
    mask = blobs((70, 64, 65), phi=0.7, sigma=6)
    out = bigrock.run(
        Distance(margin=2), ArraySource(mask), tmp_path / "d.zarr", block=(32, 32, 32), progress=False
    )
    np.testing.assert_array_equal(out[:], distance(mask))
    assert out.kind == "grey"


def test_a_chain_reads_wider_through_its_earlier_stages(tmp_path):
    grey = blobs((40, 64, 65), phi=0.7, sigma=6).astype(np.uint8)
    chain = Threshold(0, pore="bright") | Distance(margin=2)
    out = bigrock.run(chain, ArraySource(grey), tmp_path / "d.zarr", block=(32, 32, 32), progress=False)
    np.testing.assert_array_equal(out[:], distance(grey > 0))


def test_little_memory_takes_more_reads_and_gives_the_same():
    mask = np.ones((20, 30, 31), bool)
    mask[3, 4, 5] = False
    block = BlockGrid(mask.shape, (20, 30, 31))[0]
    out = np.empty(mask.shape, np.float32)
    fill_wide(
        ArraySource(mask).read,
        Region((0, 0, 0), (20, 30, 31)),
        block,
        Metric(),
        2,
        (4 * 20 * 60, 9 * 1000),
        out,
    )
    np.testing.assert_array_equal(out, distance(mask))


def test_a_distance_that_does_not_fit_in_memory_is_refused():
    mask = np.ones((8, 8, 8), bool)
    block = BlockGrid(mask.shape, (8, 8, 8))[0]
    out = np.empty(mask.shape, np.float32)
    with pytest.raises(PlanError, match="larger blocks"):
        fill_wide(ArraySource(mask).read, Region.whole((8, 8, 8)), block, Metric(), 2, (1e9, 100), out)


def test_a_kernel_without_a_volume_refuses_distances_beyond_its_margin():
    mask = np.ones((4, 4, 12), bool)
    mask[:, :, 0] = False
    block = Block(0, Region((0, 0, 0), (4, 4, 4)), Region((0, 0, 0), (4, 4, 6)), (4, 4, 12))
    with pytest.raises(NotFittedError, match="margin of 2"):
        Distance(margin=2)(mask[:, :, :6], block)


def test_grey_values_and_senseless_settings_are_refused():
    with pytest.raises(ParameterError, match="not bool"):
        distance(np.zeros((3, 3), np.uint8))
    with pytest.raises(PhaseError, match="needs a mask"):
        Distance()(np.zeros((3, 3, 3), np.uint8), BlockGrid((3, 3, 3), (3, 3, 3))[0])
    for wrong in (0.0, (1.0, -1.0, 1.0), (1.0, 2.0), float("nan")):
        with pytest.raises(ParameterError, match="no size of a voxel"):
            distance(np.ones((2, 2, 2), bool), voxel_size=wrong)
    with pytest.raises(ParameterError, match="margin=0"):
        Distance(margin=0)
