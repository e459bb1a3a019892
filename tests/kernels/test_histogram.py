"""Grey histograms against numpy and scikit-image, and over blocks against the whole."""

from __future__ import annotations

import json
import pickle
from functools import reduce
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters import threshold_otsu

from bigrock.errors import NonFiniteError, ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.histogram import GreyHistogram, grey_histogram
from bigrock.volumes.source import Facts

INTEGERS = ["uint8", "int8", "uint16", "int16"]
WIDE = ["int32", "uint32", "int64", "float16", "float32", "float64"]


def noise(dtype: str, shape: tuple[int, ...] = (11, 13, 29), seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    two_phases = np.where(rng.random(shape) < 0.3, rng.normal(40, 8, shape), rng.normal(90, 12, shape))
    if dtype.startswith("int"):
        two_phases -= 60
    scale = 100 if dtype.endswith("16") and "float" not in dtype else 1
    return np.asarray(np.clip(two_phases, -120, 250) * scale).astype(dtype)


def over_blocks(volume: np.ndarray, block: tuple[int, int, int], halo=(0, 0, 0)):
    grid = BlockGrid(volume.shape, block, halo)
    counting = GreyHistogram()
    states = [counting.block(volume[b.read.slices], b) for b in grid]
    np.random.default_rng(1).shuffle(states)
    return counting.finish(reduce(counting.combine, states), Facts(volume.shape, volume.dtype))


def assert_same(a, b) -> None:
    for name in ("values", "counts", "levels", "uppers"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.min, a.max, a.mean, a.std, a.exact) == (b.min, b.max, b.mean, b.std, b.exact)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_value_has_its_own_bin(dtype):
    image = noise(dtype)
    hist = grey_histogram(image)
    values, counts = np.unique(image, return_counts=True)
    occupied = hist.counts > 0
    np.testing.assert_array_equal(hist.values[occupied], values)
    np.testing.assert_array_equal(hist.counts[occupied], counts)
    assert hist.exact
    assert hist.counts.dtype == np.uint64
    assert len(hist.values) == 256**image.dtype.itemsize
    assert np.all(np.diff(hist.values) == 1)


@pytest.mark.parametrize("dtype", INTEGERS + WIDE)
def test_the_moments_are_those_of_numpy(dtype):
    image = noise(dtype)
    hist = grey_histogram(image)
    plain = image.astype(np.float64)
    assert hist.total == image.size
    assert hist.min == np.float32(plain.min())
    assert hist.max == np.float32(plain.max())
    assert hist.mean == pytest.approx(plain.mean(), rel=1e-7)
    assert hist.std == pytest.approx(plain.std(), rel=1e-7)


def test_a_mask_has_two_bins():
    mask = np.random.default_rng(0).random((5, 6, 7)) < 0.3
    hist = grey_histogram(mask)
    assert hist.counts.tolist() == [np.count_nonzero(~mask), np.count_nonzero(mask)]
    assert hist.mean == pytest.approx(mask.mean())
    assert hist.otsu() == 0


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("seed", range(5))
def test_the_otsu_threshold_is_that_of_scikit_image(dtype, seed):
    rng = np.random.default_rng(seed)
    for image in (noise(dtype, seed=seed), rng.integers(0, 120, (9, 8, 7)).astype(dtype)):
        assert grey_histogram(image).otsu() == threshold_otsu(image)


@given(values=st.lists(st.integers(0, 255), min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_the_otsu_threshold_is_that_of_scikit_image_for_few_values(values):
    image = np.array(values, np.uint8)
    assert grey_histogram(image).otsu() == threshold_otsu(image)


def test_a_constant_image_is_its_own_threshold_and_has_no_contrast():
    hist = grey_histogram(np.full((4, 4), 77, np.uint8))
    assert (hist.otsu(), hist.between_class_contrast(), hist.std) == (77, 0, 0)


def test_contrast_is_the_difference_of_the_class_means():
    image = noise("uint8")
    t = threshold_otsu(image)
    expected = image[image > t].mean() - image[image <= t].mean()
    assert grey_histogram(image).between_class_contrast() == pytest.approx(expected)


def test_counts_beyond_single_precision_keep_the_exact_otsu_split():
    counting, facts = GreyHistogram(), Facts((1, 1, 1), np.dtype(np.uint8))
    counts = np.zeros(256, np.uint64)
    counts[[10, 11, 200, 201]] = [3 * 10**12, 10**12, 2 * 10**12, 10**12]
    hist = counting.finish(counts, facts)
    assert hist.otsu() == 11
    assert hist.total == 7 * 10**12
    assert hist.mean == (30 + 11 + 400 + 201) / 7


def test_the_float_threshold_parts_two_phases_and_is_a_value_of_class_zero():
    image = noise("float32").astype(np.float32)
    hist = grey_histogram(image)
    t = hist.otsu()
    assert t == pytest.approx(threshold_otsu(image, nbins=4096), rel=2**-6)
    inside = hist.uppers <= t
    assert np.count_nonzero(image <= t) == hist.counts[inside].sum()


def test_float_bins_are_ascending_and_hold_exactly_their_values():
    rng = np.random.default_rng(3)
    image = (rng.normal(size=4000) * 10.0 ** rng.integers(-42, 38, 4000)).astype(np.float32)
    image[:4] = [0.0, -0.0, np.finfo(np.float32).max, -np.finfo(np.float32).max]
    hist = grey_histogram(image)
    assert not hist.exact
    assert np.all(np.diff(hist.values) > 0)
    assert np.all(hist.values <= hist.uppers)
    expected = np.diff([np.count_nonzero(image < v) for v in hist.values[hist.counts > 0]], append=4000)
    expected[-1] = 4000 - np.count_nonzero(image < hist.values[hist.counts > 0][-1])
    np.testing.assert_array_equal(hist.counts[hist.counts > 0], expected)
    width = hist.uppers - hist.values
    normal = np.abs(hist.values) > 1e-37
    assert np.all(width[normal] <= np.abs(hist.values[normal]) * 2**-7)


@pytest.mark.parametrize("q", [0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.999, 1])
def test_quantiles_are_those_of_numpy(q):
    image = noise("int16")
    assert grey_histogram(image).quantile(q) == np.quantile(image, q, method="inverted_cdf")
    real = image.astype(np.float32) + 20000
    assert grey_histogram(real).quantile(q) == pytest.approx(np.quantile(real, q), rel=2**-7)


def test_a_quantile_outside_zero_to_one_is_refused():
    with pytest.raises(ParameterError, match="from 0 to 1"):
        grey_histogram(np.zeros(3, np.uint8)).quantile(1.5)


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *WIDE])
def test_blocks_give_bitwise_what_the_whole_gives(dtype):
    volume = noise(dtype) > 60 if dtype == "bool" else noise(dtype)
    whole = grey_histogram(volume)
    for block in ((11, 13, 29), (4, 5, 8), (1, 13, 7), (3, 3, 3)):
        assert_same(over_blocks(volume, block), whole)
    assert_same(over_blocks(volume, (4, 5, 8), halo=(2, 1, 3)), whole)


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 9)] * 3),
    halo=st.tuples(*[st.integers(0, 3)] * 3),
)
@settings(max_examples=40, deadline=None)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block, halo):
    volume = np.random.default_rng(sum(shape)).integers(0, 65536, shape).astype(np.uint16)
    assert_same(over_blocks(volume, block, halo), grey_histogram(volume))


def test_float_states_combine_the_same_in_every_order():
    rng = np.random.default_rng(0)
    volume = (rng.normal(size=(4, 3, 3)) * 10.0 ** rng.integers(-30, 30, (4, 3, 3))).astype(np.float32)
    grid = BlockGrid(volume.shape, (1, 3, 3))
    counting, facts = GreyHistogram(), Facts(volume.shape, volume.dtype)
    for order in permutations(range(4)):
        states = [counting.block(volume[grid[i].read.slices], grid[i]) for i in order]
        assert_same(counting.finish(reduce(counting.combine, states), facts), grey_histogram(volume))


def test_squares_of_more_than_64_bits_do_not_overflow():
    volume = np.full((1, 1, 4), np.nextafter(np.float32(2), np.float32(0)), np.float32)
    counting, facts = GreyHistogram(), Facts((1, 1, 4), volume.dtype)
    state = counting.block(volume, BlockGrid((1, 1, 4), (1, 1, 4))[0])
    for _ in range(40):
        state = counting.combine(state, pickle.loads(pickle.dumps(state)))
    hist = counting.finish(state, facts)
    assert hist.total == 4 * 2**40
    assert (hist.mean, hist.std) == (float(volume[0, 0, 0]), 0.0)


def test_only_voxels_under_the_mask_are_counted():
    image, mask = noise("uint16"), noise("uint8") > 60
    np.testing.assert_array_equal(
        grey_histogram(image, mask=mask).counts, np.bincount(image[mask], minlength=65536)
    )


@pytest.mark.parametrize("shape", [(40,), (5, 8), (2, 2, 2, 5)])
def test_images_of_any_dimension_are_counted(shape):
    image = np.arange(40, dtype=np.uint8).reshape(shape)
    assert grey_histogram(image).counts[:40].tolist() == [1] * 40
    assert grey_histogram(image.astype(">u2")[..., ::-1]).total == 40


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_voxel_that_is_no_number_is_refused_with_its_place(bad):
    volume = np.zeros((4, 5, 6), np.float32)
    volume[2, 3, 4] = volume[3, 0, 0] = bad
    with pytest.raises(NonFiniteError, match=r"2 of 120 .* the first at \(2, 3, 4\)"):
        grey_histogram(volume)
    block = BlockGrid((4, 5, 6), (2, 5, 6))[1]
    with pytest.raises(NonFiniteError, match=r"2 of 60 .* the first at \(2, 3, 4\)"):
        GreyHistogram().block(volume[block.read.slices], block)


def test_a_double_beyond_single_precision_is_refused():
    with pytest.raises(NonFiniteError, match="beyond the range of float32"):
        grey_histogram(np.array([1.0, 1e300]))


def test_a_histogram_of_nothing_is_refused():
    with pytest.raises(ParameterError, match="no voxel is left"):
        grey_histogram(np.zeros((3, 3), np.uint8), mask=np.zeros((3, 3), bool))
    with pytest.raises(ParameterError, match="no voxel is left"):
        grey_histogram(np.zeros((0, 3), np.float32))


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ParameterError, match="differ in shape"):
        grey_histogram(np.zeros((3, 3), np.uint8), mask=np.zeros((3, 4), bool))


def test_complex_values_are_refused():
    with pytest.raises(ParameterError, match="no order"):
        grey_histogram(np.zeros(3, np.complex64))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_rebinned_counts_every_voxel_once(dtype):
    image = noise(dtype)
    for n in (1, 7, 64, 256, 1000):
        edges, counts = grey_histogram(image).rebinned(n)
        assert len(edges) == len(counts) + 1 <= n + 1
        assert counts.sum() == image.size
        assert edges[0] == image.min()
        assert edges[-1] >= image.max()
        if dtype != "float32":
            expected = np.histogram(image, edges)[0]
            np.testing.assert_array_equal(counts, expected)


def test_a_constant_float_image_is_rebinned_into_one_bin():
    edges, counts = grey_histogram(np.full(5, 0.25, np.float32)).rebinned(10)
    assert counts.tolist() == [5]
    assert edges[0] == 0.25


def test_the_dictionary_is_json():
    for dtype in ("bool", "uint8", "float32"):
        image = noise("uint8") > 50 if dtype == "bool" else noise(dtype)
        text = json.loads(json.dumps(grey_histogram(image).to_dict()))
        assert sum(text["counts"]) == text["total"] == image.size
        assert len(text["values"]) == len(text["counts"])
