"""Lacunarity against scipy, sliding windows and Bernoulli noise, and over blocks against the whole."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels import GlidingBoxes, lacunarity
from bigrock.volumes.source import Facts


@dataclass(frozen=True)
class Rod:
    """A field of view: a mask that is given."""

    mask: tuple

    def inside(self, region):
        return np.array(self.mask)[region.slices]


def noise(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.3
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def masses_of(image: np.ndarray, size: int) -> list[int]:
    """Return the masses of all boxes as Python integers."""
    window = tuple(1 if n == 1 else size for n in image.shape)
    boxes = sliding_window_view(image, window).reshape(-1, math.prod(window))
    return [sum(map(int, box)) for box in boxes]


def exact(image: np.ndarray, size: int) -> float:
    masses = masses_of(image, size)
    first, second = sum(masses), sum(m * m for m in masses)
    return float(Fraction(len(masses) * second, first * first)) if first else math.nan


def over_blocks(gliding, volume, block, seed=1):
    grid = BlockGrid(volume.shape, block, gliding.halo)
    states = [gliding.block(volume[b.read.slices], b) for b in grid]
    np.random.default_rng(seed).shuffle(states)
    return gliding.finish(reduce(gliding.combine, states), Facts(volume.shape, volume.dtype))


def assert_same(a, b) -> None:
    for name in ("boxes", "total", "squares"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "uint32"])
@pytest.mark.parametrize("shape", [(7, 5, 9), (8, 11), (1, 6, 5)])
def test_lacunarity_is_correctly_rounded(dtype, shape):
    image = noise(dtype, shape)
    assert lacunarity(image, sizes=(1, 2, 3, 5)).tolist() == [exact(image, r) for r in (1, 2, 3, 5)]


@pytest.mark.parametrize("size", [2, 4, 7, 16, 32])
def test_lacunarity_is_that_of_a_uniform_filter(size):
    image = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((40, 44, 48)), 2) > 0.02
    mean = ndimage.uniform_filter(image.astype(float), size, mode="constant")
    o = size // 2
    mass = mean[tuple(slice(o, o + n - size + 1) for n in image.shape)]
    np.testing.assert_allclose(
        lacunarity(image, sizes=[size]), (mass**2).mean() / mass.mean() ** 2, rtol=1e-9
    )


@pytest.mark.parametrize(("shape", "p"), [((512, 512), 0.1), ((80, 80, 80), 0.1), ((80, 80, 80), 0.6)])
def test_noise_has_the_lacunarity_of_theory(shape, p):
    image = np.random.default_rng(0).random(shape) < p
    sizes = np.array([1, 2, 3, 5, 8])
    expected = 1 + (1 - p) / (p * sizes.astype(float) ** image.ndim)
    np.testing.assert_allclose(lacunarity(image, sizes=sizes) - 1, expected - 1, rtol=0.1)


def test_a_full_image_has_lacunarity_one_and_an_empty_one_has_none():
    assert lacunarity(np.ones((9, 9, 9), bool), sizes=(1, 4, 9)).tolist() == [1, 1, 1]
    assert np.isnan(lacunarity(np.zeros((9, 9), bool), sizes=(1, 4))).all()


def test_sums_beyond_64_bits_are_exact():
    image = np.full((24, 24, 24), 2**32 - 1, np.uint32)
    image[::3] = 0
    assert sum(m * m for m in masses_of(image, 8)) > 2**64
    assert lacunarity(image, sizes=[8]).tolist() == [exact(image, 8)]


@pytest.mark.parametrize(("dtype", "size"), [("bool", 300), ("uint8", 200), ("uint16", 130)])
def test_large_boxes_do_not_wrap_round(dtype, size):
    # Sums of a column, a plate and a box pass 8, 16 and 32 bits here.
    image = np.full((1, size + 3, size + 40), 1, dtype)
    image *= np.array(1 if dtype == "bool" else np.iinfo(dtype).max, dtype)
    image[0, :, : size // 2] = 0
    in_x = [max(0, size - max(0, size // 2 - x)) for x in range(41)]
    expected = float(Fraction(41 * sum(m * m for m in in_x), sum(in_x) ** 2))
    assert lacunarity(image, sizes=[size]).tolist() == [expected]


def test_a_cube_of_boxes_of_a_mask_beyond_8_bits_is_exact():
    mask = np.ones((260, 1, 5), bool)
    mask[:130] = False
    image = np.repeat(mask, 258, axis=1)
    with pytest.raises(ParameterError, match="do not lie anywhere inside"):
        lacunarity(image, sizes=[258])
    image = np.repeat(image, 60, axis=2)
    in_z = [258 - (130 - z) for z in range(3)]
    expected = float(Fraction(3 * sum(m * m for m in in_z), sum(in_z) ** 2))
    assert lacunarity(image, sizes=[258]).tolist() == [expected]


@given(
    shape=st.tuples(*[st.integers(1, 11)] * 3),
    block=st.tuples(*[st.integers(1, 11)] * 3),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple),
    axis=st.sampled_from([None, 0, 1, 2]),
    dtype=st.sampled_from(["bool", "uint8", "uint32"]),
)
@settings(max_examples=150)
def test_blocks_of_any_shape_give_the_sums_of_the_whole(shape, block, sizes, axis, dtype):
    volume = noise(dtype, shape)
    gliding = GlidingBoxes(sizes, axis)
    whole = over_blocks(gliding, volume, shape)
    assert_same(whole, over_blocks(gliding, volume, block))
    if axis is None and min(n for n in (*shape, 99) if n > 1) >= max(sizes):
        masses = masses_of(volume, max(sizes))
        assert whole.boxes[-1] == len(masses)
        assert whole.squares[-1] == sum(m * m for m in masses)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_have_the_lacunarity_of_images(axis):
    volume = noise("bool", (6, 10, 16))
    found = over_blocks(GlidingBoxes((2, 5), axis), volume, (4, 3, 5)).lacunarity()
    for i in range(volume.shape[axis]):
        assert found[:, i].tolist() == lacunarity(volume.take(i, axis), sizes=(2, 5)).tolist()


@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("block", [(9, 10, 11), (4, 3, 6)])
def test_only_boxes_inside_the_field_of_view_count(axis, block):
    volume = noise("bool", (9, 10, 11))
    inside = np.hypot(*np.ogrid[-4.5:5.5, -5:6])[None] < 4.5
    inside = np.broadcast_to(inside, volume.shape).copy()
    inside[2:4, 0] = False
    gliding = GlidingBoxes((1, 3), axis, Rod(tuple(map(tuple, inside.tolist()))))
    found = over_blocks(gliding, volume & inside, block)
    for i, size in enumerate((1, 3)):
        window = tuple(1 if a == axis else size for a in range(3))
        whole = sliding_window_view(inside, window).all((3, 4, 5))
        masses = sliding_window_view(volume, window).sum((3, 4, 5))
        other = tuple(a for a in range(3) if a != axis)
        assert found.boxes[i] == pytest.approx(whole.sum(other if axis is not None else None))
        assert found.total[i] == pytest.approx((masses * whole).sum(other if axis is not None else None))
        assert found.squares[i] == pytest.approx((masses**2 * whole).sum(other if axis is not None else None))


def test_the_halo_is_what_the_largest_box_reaches():
    assert GlidingBoxes((2, 9)).halo == (8, 8, 8)
    assert GlidingBoxes((2, 9), axis=1).halo == (8, 0, 8)


def test_sizes_are_sorted_and_taken_once():
    image = noise("bool", (9, 9))
    assert lacunarity(image, sizes=[3, 1, 3]).tolist() == lacunarity(image, sizes=[1, 3]).tolist()


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint64])
def test_values_that_are_no_masses_are_refused(dtype):
    with pytest.raises(ParameterError, match="no masses"):
        lacunarity(np.ones((8, 8), dtype), sizes=[2])


def test_boxes_that_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match="Use sizes up to 4"):
        lacunarity(np.ones((8, 4), bool), sizes=[2, 5])


@pytest.mark.parametrize(
    ("reduction", "dtype"),
    [(GlidingBoxes((2, 9)), "bool"), (GlidingBoxes((5,), axis=2), "bool"), (GlidingBoxes((9,)), "uint32")],
)
def test_a_block_takes_no_more_memory_than_it_says(reduction, dtype):
    volume = noise(dtype, (96, 96, 96))
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
