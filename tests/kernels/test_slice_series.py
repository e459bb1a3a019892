"""Neighbouring slices against numpy, for any blocks."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest

import bigrock
from bigrock.errors import NotFittedError
from bigrock.geometry import BlockGrid
from bigrock.kernels.slice_series import SliceSeries, stripe_strength
from bigrock.volumes.source import Facts


def stack(dtype="uint8", shape=(9, 41, 37)) -> np.ndarray:
    rng = np.random.default_rng(3)
    grey = np.cumsum(rng.normal(0, 6, shape), axis=0) + rng.normal(100, 15, shape)
    grey[4] = grey[3]
    if dtype == "int16":
        return (grey * 100 - 20000).astype(dtype)
    return np.clip(grey, 0, 255).astype(dtype) if dtype != "float32" else grey.astype(dtype)


def over_blocks(series, volume, block, order=1):
    states = [series.block(volume[b.read.slices], b) for b in [*BlockGrid(volume.shape, block)][::order]]
    return series.finish(reduce(series.combine, states), Facts(volume.shape, volume.dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_the_correlation_of_neighbours_is_that_of_numpy(dtype):
    volume = stack(dtype)
    found = over_blocks(SliceSeries(float(volume.min()), float(volume.max())), volume, volume.shape)
    expected = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairwise(volume)]
    np.testing.assert_allclose(found.correlation, expected, rtol=1e-4 if dtype == "float32" else 1e-12)
    assert found.identical.tolist() == [z == 3 for z in range(8)]


@pytest.mark.parametrize("block", [(1, 41, 37), (2, 7, 9), (4, 40, 5), (9, 3, 36), (7, 11, 37)])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_blocks_give_what_the_whole_gives(block, order, dtype):
    volume = stack(dtype)
    series = SliceSeries(float(volume.min()), float(volume.max()), window=20)
    whole, parts = over_blocks(series, volume, volume.shape), over_blocks(series, volume, block, order)
    for name in ("correlation", "identical", "curtains", "window"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name), strict=True)


def test_every_seam_is_closed_and_forgotten():
    volume, series = stack(), SliceSeries()
    states = [series.block(volume[b.read.slices], b) for b in BlockGrid(volume.shape, (3, 20, 20))]
    assert reduce(series.combine, states).borders == {}


def test_the_window_is_the_middle_of_every_slice():
    volume = stack()
    found = over_blocks(SliceSeries(window=20), volume, (4, 16, 16))
    np.testing.assert_array_equal(found.window, volume[:, 10:30, 8:28])


def test_a_deep_stack_keeps_a_smaller_middle():
    region = SliceSeries().middle((100_000, 4000, 4000), np.dtype("u2"))
    assert region.shape == (100_000, 64, 64)
    assert SliceSeries().middle((100, 4000, 4000), np.dtype("u2")).shape == (100, 512, 512)


def test_a_slice_of_one_grey_value_has_no_correlation():
    volume = stack()
    volume[2] = 7
    found = over_blocks(SliceSeries(), volume, volume.shape)
    assert np.flatnonzero(np.isnan(found.correlation)).tolist() == [1, 2]


def test_the_engine_runs_it_in_one_read():
    volume = stack(shape=(30, 70, 70))
    [found] = bigrock.reduce(bigrock.ArraySource(volume), [SliceSeries()], block=(16, 32, 32), progress=False)
    np.testing.assert_array_equal(
        found.correlation, over_blocks(SliceSeries(), volume, volume.shape).correlation
    )


def test_stripes_are_measured_through_grains_and_noise():
    rng = np.random.default_rng(0)
    image = rng.normal(100, 10, (2, 256, 300))
    image[:, 100:140, 50:90] -= 60
    image[1] += rng.normal(0, 4, 300)
    faint, striped = stripe_strength(image.reshape(2, 4, 64, 300).mean(axis=2))
    assert faint < 0.6
    assert 3 < striped < 4.5


def test_wide_grey_values_need_their_range():
    with pytest.raises(NotFittedError, match="float32"):
        over_blocks(SliceSeries(), stack("float32"), (9, 41, 37))
