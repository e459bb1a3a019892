"""Standardisation against numpy, and over blocks against the whole."""

from __future__ import annotations

import pickle
from fractions import Fraction
from functools import reduce
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigrock.engine.settings import settings_of
from bigrock.errors import NonFiniteError, NotFittedError, ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.field_of_view import Cylinder, MaskField
from bigrock.kernels.standardize import SliceMoments, Standardize, standardize
from bigrock.volumes import ArraySource
from bigrock.volumes.source import Facts

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64"]


def scan(dtype: str, shape=(7, 11, 13), seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    drift = 1 + np.arange(shape[0])[:, None, None] / 7
    grey = np.clip(rng.normal(50, 20, shape) * drift, 0, 120)
    return grey > 60 if dtype == "bool" else grey.astype(dtype)


def fit_over_blocks(volume: np.ndarray, block, per="slice", halo=(0, 0, 0)) -> Standardize:
    moments, grid = SliceMoments(), BlockGrid(volume.shape, block, halo)
    states = [moments.block(volume[b.read.slices], b) for b in grid]
    np.random.default_rng(5).shuffle(states)
    facts = Facts(volume.shape, volume.dtype)
    return Standardize(per).fitted(moments.finish(reduce(moments.combine, states), facts))


def map_over_blocks(kernel, volume: np.ndarray, block, halo=(0, 0, 0)) -> np.ndarray:
    out = np.empty(volume.shape, kernel.output_dtype(volume.dtype))
    for b in BlockGrid(volume.shape, block, halo):
        out[b.core.slices] = kernel(volume[b.read.slices], b)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_slice_has_mean_zero_and_deviation_one(dtype):
    out = standardize(scan(dtype)).astype(np.float64)
    assert out.shape == (7, 11, 13)
    np.testing.assert_allclose(out.mean(axis=(1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(out.std(axis=(1, 2)), 1, rtol=1e-6)


def test_the_volume_as_a_whole_can_have_mean_zero_and_deviation_one():
    out = standardize(scan("uint16"), per="volume").astype(np.float64)
    assert out.mean() == pytest.approx(0, abs=1e-6)
    assert out.std() == pytest.approx(1, rel=1e-6)
    assert abs(out[0].mean()) > 0.1


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "float32"])
def test_the_bits_are_those_of_the_stated_expression(dtype):
    volume = scan(dtype)
    kernel = fit_over_blocks(volume, volume.shape)
    mean = kernel.mean.astype(np.float32)[:, None, None]
    factor = (1 / kernel.std).astype(np.float32)[:, None, None]
    expected = (volume.astype(np.float32) - mean) * factor
    np.testing.assert_array_equal(standardize(volume), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_are_those_of_numpy(dtype):
    volume = scan(dtype)
    kernel = fit_over_blocks(volume, (3, 4, 5))
    plain = volume.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(kernel.mean, plain.mean(axis=(1, 2)), rtol=1e-14)
    np.testing.assert_allclose(kernel.std, plain.std(axis=(1, 2)), rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("per", ["slice", "volume"])
def test_blocks_give_bitwise_what_the_whole_gives(dtype, per):
    volume = scan(dtype)
    whole = standardize(volume, per=per)
    for block in ((7, 11, 13), (3, 4, 5), (1, 11, 7), (2, 2, 13)):
        kernel = fit_over_blocks(volume, block, per)
        np.testing.assert_array_equal(map_over_blocks(kernel, volume, block), whole)
    kernel = fit_over_blocks(volume, (3, 4, 5), per, halo=(1, 2, 3))
    np.testing.assert_array_equal(map_over_blocks(kernel, volume, (3, 4, 5), (1, 2, 3)), whole)


@given(shape=st.tuples(*[st.integers(1, 8)] * 3), block=st.tuples(*[st.integers(1, 8)] * 3))
@settings(max_examples=40, deadline=None)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block):
    volume = (np.random.default_rng(sum(shape)).normal(size=shape) * 1e-3).astype(np.float32)
    kernel = fit_over_blocks(volume, block)
    np.testing.assert_array_equal(map_over_blocks(kernel, volume, block), standardize(volume))


def test_sums_of_floats_are_exact_whatever_their_range():
    rng = np.random.default_rng(0)
    volume = (rng.normal(size=(2, 3, 40)) * 10.0 ** rng.integers(-44, 38, (2, 3, 40))).astype(np.float32)
    kernel = fit_over_blocks(volume, (1, 2, 7))
    for z in range(2):
        expected = sum(map(Fraction, volume[z].ravel().tolist())) / 120
        assert kernel.mean[z] == float(expected)


def test_states_combine_the_same_in_every_order():
    volume = scan("float32", (4, 5, 6))
    grid, moments = BlockGrid(volume.shape, (3, 5, 3)), SliceMoments()
    facts = Facts(volume.shape, volume.dtype)
    results = []
    for order in permutations(range(len(grid))):
        states = [moments.block(volume[grid[i].read.slices], grid[i]) for i in order]
        results.append(moments.finish(reduce(moments.combine, states), facts))
    assert all(np.array_equal(r.std, results[0].std) for r in results)
    assert all(r.volume_std == results[0].volume_std for r in results)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_sums_of_huge_slices_do_not_overflow(dtype):
    extreme = {"uint16": 65535, "int16": -32768, "float32": np.finfo(np.float32).max}[dtype]
    volume = np.full((1, 4, 4), extreme, dtype)
    moments, block = SliceMoments(), BlockGrid((1, 4, 4), (1, 4, 4))[0]
    state = moments.block(volume, block)
    for _ in range(60):
        state = moments.combine(state, pickle.loads(pickle.dumps(state)))
    result = moments.finish(state, Facts((1, 4, 4), volume.dtype))
    assert state[0][0] == 16 * 2**60
    assert result.mean.tolist() == [float(extreme)]
    assert result.std.tolist() == [0.0]
    assert (result.volume_mean, result.volume_std) == (float(extreme), 0.0)


def test_a_slice_of_one_grey_value_becomes_zero():
    volume = scan("uint16")
    volume[2] = 1234
    out = standardize(volume)
    assert not out[2].any()
    assert out[3].std() == pytest.approx(1, rel=1e-5)


def test_an_image_of_two_axes_is_one_slice():
    image = scan("uint8")[0]
    np.testing.assert_array_equal(standardize(image), standardize(image[None])[0])


def test_strided_and_big_endian_images_are_read_as_they_are():
    volume = scan("uint16")
    np.testing.assert_array_equal(standardize(volume.astype(">u2")), standardize(volume))
    turned = volume.transpose(0, 2, 1)
    np.testing.assert_array_equal(standardize(turned), standardize(np.ascontiguousarray(turned)))


@pytest.mark.parametrize("shape", [(5,), (2, 2, 2, 2), (0, 3, 3)])
def test_an_image_without_slices_is_refused(shape):
    with pytest.raises(ParameterError, match="no slices"):
        standardize(np.zeros(shape, np.uint8))


def test_an_unknown_choice_is_refused():
    with pytest.raises(ParameterError, match="'slice' or 'volume'"):
        standardize(np.zeros((2, 2), np.uint8), per="row")


def test_a_kernel_that_was_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="fit"):
        Standardize()(np.zeros((2, 2, 2), np.uint8), BlockGrid((2, 2, 2), (2, 2, 2))[0])


def test_a_kernel_fitted_to_another_volume_is_refused():
    kernel = fit_over_blocks(scan("uint8"), (7, 11, 13))
    with pytest.raises(ParameterError, match=r"holds 7 means .* needs 2"):
        kernel(np.zeros((2, 2, 2), np.uint8), BlockGrid((2, 2, 2), (2, 2, 2))[0])


def test_a_fitted_kernel_asks_for_no_further_fit_and_survives_pickling():
    volume = scan("uint8")
    facts = Facts(volume.shape, volume.dtype)
    assert isinstance(Standardize().fitting(facts), SliceMoments)
    kernel = fit_over_blocks(volume, (3, 11, 13))
    assert kernel.fitting(facts) is None
    copy = pickle.loads(pickle.dumps(kernel))
    np.testing.assert_array_equal(map_over_blocks(copy, volume, (2, 5, 5)), standardize(volume))
    assert settings_of(copy) == settings_of(kernel)
    assert settings_of(kernel) != settings_of(Standardize())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_voxel_that_is_no_number_is_refused_with_its_place(bad):
    volume = np.zeros((4, 5, 6), np.float32)
    volume[3, 1, 2] = bad
    block = BlockGrid((4, 5, 6), (2, 5, 6))[1]
    with pytest.raises(NonFiniteError, match=r"first at \(3, 1, 2\)"):
        SliceMoments().block(volume[block.read.slices], block)


def test_complex_values_are_refused():
    with pytest.raises(ParameterError, match="no mean"):
        standardize(np.zeros((2, 2), np.complex64))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_moments_inside_a_field_of_view_are_those_of_the_voxels_inside(dtype):
    volume, field = scan(dtype), Cylinder(5, 6, 4.2)
    if dtype != "uint8":
        volume[:, 0, 0] = np.nan
    inside = field.inside(BlockGrid(volume.shape, volume.shape)[0].core)[0]
    facts, counting = Facts(volume.shape, volume.dtype), SliceMoments(field)
    for block in (volume.shape, (3, 4, 5)):
        states = [counting.block(volume[b.read.slices], b) for b in BlockGrid(volume.shape, block)]
        found = Standardize(field_of_view=field).fitted(
            counting.finish(reduce(counting.combine, states), facts)
        )
        expected = [plane[inside].astype(np.float32).astype(float) for plane in volume]
        np.testing.assert_allclose(found.mean, [e.mean() for e in expected], rtol=1e-12)
        np.testing.assert_allclose(found.std, [e.std() for e in expected], rtol=1e-9)


def test_a_slice_without_a_voxel_inside_becomes_0_and_a_volume_without_one_is_refused():
    volume = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    mask = np.zeros(volume.shape, bool)
    with pytest.raises(ParameterError, match="inside the field of view"):
        Standardize(field_of_view=MaskField(ArraySource(mask))).fit(ArraySource(volume), progress=False)
    mask[1] = True
    fitted = Standardize(field_of_view=MaskField(ArraySource(mask))).fit(ArraySource(volume), progress=False)
    assert fitted.mean.tolist() == [0, 13]
    assert not fitted(volume, BlockGrid(volume.shape, volume.shape)[0])[0].any()
