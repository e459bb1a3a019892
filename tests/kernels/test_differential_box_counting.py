"""Differential box counts against block_reduce and the formula, and over blocks against the whole."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import block_reduce

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels import DifferentialBoxCounting, differential_box_count
from bigrock.volumes.source import Facts


def grey(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    info = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(info.min, info.max, shape, dtype, endpoint=True)


def by_formula(image: np.ndarray, size: int, levels: int) -> int:
    """Sum of ⌈max/h⌉ − ⌈min/h⌉ + 1 with h = s·G/M, in exact fractions."""
    lowest, side = int(np.iinfo(image.dtype).min), min(n for n in image.shape if n > 1)
    total = 0
    for corner in np.ndindex(*(-(-n // size) for n in image.shape)):
        column = image[tuple(slice(i * size, (i + 1) * size) for i in corner)]
        ends = (Fraction((int(v) - lowest) * side, size * levels) for v in (column.max(), column.min()))
        high, low = map(math.ceil, ends)
        total += high - low + 1
    return total


def over_blocks(counting, volume, block, seed=1):
    states = [counting.block(volume[b.read.slices], b) for b in BlockGrid(volume.shape, block)]
    np.random.default_rng(seed).shuffle(states)
    return counting.finish(reduce(counting.combine, states), Facts(volume.shape, volume.dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_sums_are_those_of_block_reduce(dtype):
    image = grey(dtype, (24, 36, 48))
    sizes = (2, 3, 4, 6, 12)
    counted = differential_box_count(image, sizes=sizes)
    for size, count in zip(sizes, counted.counts, strict=True):
        height = size * 256**image.itemsize / 24
        high, low = (np.ceil(block_reduce(image, (size,) * 3, f) / height) for f in (np.max, np.min))
        assert count == (high - low + 1).sum()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("shape", [(7, 9), (5, 6, 7), (1, 8, 5)])
@pytest.mark.parametrize("levels", [None, 100])
def test_sums_are_those_of_the_formula_for_any_shape_and_type(dtype, shape, levels):
    image = grey(dtype, shape)
    counted = differential_box_count(image, sizes=(1, 2, 3, 4), levels=levels)
    expected = [by_formula(image, s, levels or 256**image.itemsize) for s in (1, 2, 3, 4)]
    assert counted.counts.tolist() == expected


def test_a_flat_image_has_the_dimension_of_a_surface_and_a_flat_volume_that_of_its_space():
    assert differential_box_count(np.full((64, 64), 7, np.uint8)).dimension == 2.0
    assert differential_box_count(np.full((64, 64, 64), 7, np.uint16)).dimension == 3.0


def test_noise_is_rougher_than_a_slope():
    slope = np.add.outer(np.arange(128), np.arange(128)).astype(np.uint8)
    rough, smooth = differential_box_count(grey("uint8", (128, 128))), differential_box_count(slope)
    assert smooth.dimension == pytest.approx(2, abs=0.1)
    assert 2.3 < rough.dimension < 3


def test_brownian_surfaces_are_told_apart_by_their_roughness():
    # Spectral synthesis: amplitude ~ f^-(H + 1) gives a surface of dimension 3 - H. The method is
    # known to find less of rough surfaces, as the docstring says.
    rng = np.random.default_rng(0)
    f = np.hypot(*np.meshgrid(*[np.fft.fftfreq(256)] * 2))
    f[0, 0] = np.inf
    found = []
    for hurst in (0.2, 0.5, 0.8):
        field = np.fft.ifft2(f ** -(hurst + 1) * np.exp(2j * np.pi * rng.random(f.shape))).real
        image = np.round((field - field.min()) / np.ptp(field) * 255).astype(np.uint8)
        found.append(differential_box_count(image).dimension)
    assert 3 > found[0] > found[1] + 0.1 > found[2] + 0.2 > 2.2
    np.testing.assert_allclose(found, [2.4, 2.26, 2.1], atol=0.03)


@given(
    shape=st.tuples(*[st.integers(1, 11)] * 3),
    block=st.tuples(*[st.integers(1, 11)] * 3),
    sizes=st.none() | st.lists(st.integers(1, 12), min_size=1, max_size=4).map(tuple),
    dtype=st.sampled_from(["uint8", "int16"]),
)
@settings(max_examples=100)
def test_blocks_of_any_shape_give_the_sums_of_the_whole(shape, block, sizes, dtype):
    volume = grey(dtype, shape)
    counting = DifferentialBoxCounting(sizes)
    whole, parts = (over_blocks(counting, volume, b) for b in (shape, block))
    np.testing.assert_array_equal(whole.counts, parts.counts)
    np.testing.assert_array_equal(whole.sizes, parts.sizes)
    if sizes is not None:
        expected = differential_box_count(volume, sizes=sizes)
        np.testing.assert_array_equal(parts.counts, expected.counts)


def test_sizes_end_at_half_of_the_shortest_axis():
    counted = differential_box_count(grey("uint8", (40, 100)))
    assert counted.sizes.tolist() == [2, 4, 8, 16]
    assert counted.fit_range == (2, 16)
    assert differential_box_count(grey("uint8", (40, 100)), fit=(2, 8)).fit_range == (2, 8)


@pytest.mark.parametrize("dtype", [bool, np.int32, np.float32, np.uint64])
def test_values_without_a_fixed_number_of_levels_are_refused(dtype):
    with pytest.raises(ParameterError, match="no fixed number of levels"):
        differential_box_count(np.zeros((8, 8), dtype))


def test_one_grey_level_is_refused():
    with pytest.raises(ParameterError, match="levels=1"):
        differential_box_count(np.zeros((8, 8), np.uint8), levels=1)


@pytest.mark.parametrize(
    ("reduction", "dtype"),
    [(DifferentialBoxCounting(), "uint8"), (DifferentialBoxCounting((3,)), "int16")],
)
def test_a_block_takes_no_more_memory_than_it_says(reduction, dtype):
    volume = grey(dtype, (96, 96, 96))
    block = BlockGrid(volume.shape, (48, 48, 48), reduction.halo)[0]
    array = volume[block.read.slices].copy()
    reduction.block(array, block)
    tracemalloc.start()
    reduction.block(array, block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    facts = Facts(volume.shape, volume.dtype)
    assert (
        peak < reduction.scratch_bytes(array.dtype) * array.size + 4 * reduction.state_bytes(facts) + 50_000
    )
