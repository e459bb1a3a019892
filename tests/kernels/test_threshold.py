"""Thresholds and class selection against numpy and scikit-image."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels import GlobalOtsu, GreyHistogram, SelectClass, Threshold
from bigrock.volumes.source import Facts


def whole(shape):
    return BlockGrid(shape, shape)[0]


def line(values, dtype) -> np.ndarray:
    return np.array(values, dtype).reshape(1, 1, -1)


def two_phases(dtype="uint8", shape=(9, 10, 11)) -> np.ndarray:
    rng = np.random.default_rng(0)
    grey = np.where(rng.random(shape) < 0.2, rng.normal(60, 9, shape), rng.normal(150, 15, shape))
    return np.clip(grey, 0, 250).astype(dtype)


def over_blocks(kernel, volume, block, halo=(0, 0, 0)) -> np.ndarray:
    out = np.empty(volume.shape, kernel.output_dtype(volume.dtype))
    for b in BlockGrid(volume.shape, block, halo):
        out[b.core.slices] = kernel(volume[b.read.slices], b)
    return out


def fitted(kernel, volume, block):
    facts = Facts(volume.shape, volume.dtype)
    counting = kernel.fitting(facts)
    states = [counting.block(volume[b.read.slices], b) for b in BlockGrid(volume.shape, block)]
    return kernel.fitted(counting.finish(reduce(counting.combine, states), facts))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_the_global_threshold_is_that_of_scikit_image(dtype):
    volume = two_phases(dtype)
    kernel = fitted(GlobalOtsu(), volume, (4, 4, 4))
    assert kernel.threshold == threshold_otsu(volume)
    np.testing.assert_array_equal(over_blocks(kernel, volume, (4, 3, 5)), volume <= threshold_otsu(volume))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_blocks_give_what_the_whole_gives(dtype):
    volume = two_phases(dtype)
    kernel = fitted(GlobalOtsu("bright"), volume, volume.shape)
    assert fitted(GlobalOtsu("bright"), volume, (4, 3, 5)) == kernel
    expected = over_blocks(kernel, volume, volume.shape)
    np.testing.assert_array_equal(over_blocks(kernel, volume, (4, 3, 5), (1, 1, 1)), expected)
    assert expected.dtype == bool
    assert 0.5 < expected.mean() < 1


def test_bright_pores_are_the_complement_of_dark_ones():
    volume = two_phases()
    dark, bright = (Threshold(100.5, pore)(volume, whole(volume.shape)) for pore in ("dark", "bright"))
    np.testing.assert_array_equal(dark, ~bright)


@given(
    value=st.floats(-300, 70000, allow_nan=False),
    dtype=st.sampled_from(["bool", "uint8", "int8", "uint16", "int16", "float16", "float32", "float64"]),
)
@settings(max_examples=200, deadline=None)
def test_thresholds_compare_as_real_numbers_do(value, dtype):
    numbers = [0, 1, 0.1, 100, 127, -128, 255, 65535, value, np.float32(value), np.floor(value)]
    with np.errstate(all="ignore"):
        array = line(numbers, np.float64).astype(dtype)
    expected = [float(v) <= value for v in array.ravel()]
    assert Threshold(value)(array, whole(array.shape)).ravel().tolist() == expected
    opposite = Threshold(value, "bright")(array, whole(array.shape)).ravel().tolist()
    assert opposite == [not v for v in expected]


def test_a_single_precision_voxel_just_above_the_threshold_is_not_dark():
    voxel = np.float32(0.1)
    assert float(voxel) > 0.1
    assert not Threshold(0.1)(line([voxel], np.float32), whole((1, 1, 1))).any()


def test_nan_is_never_pore():
    array = line([np.nan], np.float32)
    for pore in ("dark", "bright"):
        assert not Threshold(5, pore)(array, whole((1, 1, 1))).any()


def test_one_class_of_a_label_volume_is_selected():
    labels = np.random.default_rng(0).integers(0, 4, (5, 6, 7)).astype(np.uint8)
    for value in (0, 3, 300):
        mask = over_blocks(SelectClass(value), labels, (2, 4, 5), (1, 0, 2))
        np.testing.assert_array_equal(mask, labels == value)


def test_outputs_are_masks():
    for kernel in (Threshold(1), GlobalOtsu(), SelectClass(1)):
        assert kernel.output_dtype(np.dtype("u2")) == np.dtype(bool)
        assert kernel.output_kind("grey") == "mask"
        assert kernel.halo == (0, 0, 0)


def test_a_known_threshold_needs_no_fit():
    facts = Facts((1, 1, 1), np.dtype("u1"))
    assert GlobalOtsu(threshold=5.0).fitting(facts) is None
    assert isinstance(GlobalOtsu().fitting(facts), GreyHistogram)


def test_a_kernel_that_was_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="fit"):
        GlobalOtsu()(np.zeros((1, 1, 1), np.uint8), whole((1, 1, 1)))


@pytest.mark.parametrize("make", [lambda: Threshold(1, "black"), lambda: GlobalOtsu("black")])
def test_an_unknown_side_is_refused(make):
    with pytest.raises(ParameterError, match="'dark' or 'bright'"):
        make()


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ParameterError, match="finite"):
        Threshold(float("nan"))
