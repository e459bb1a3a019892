"""Box counts against fractals that are known, brute force and PoreSpy, and over blocks against the whole."""

from __future__ import annotations

import json
import math
import pickle
import tracemalloc
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import block_reduce

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels import BoxCounting, box_count
from bigrock.kernels.box_counting_fit import fit_counts
from bigrock.volumes.source import Facts


def fractal(seed: np.ndarray, level: int) -> np.ndarray:
    """Return the seed with every True replaced by the seed, `level` times."""
    whole = np.ones((1,) * seed.ndim, bool)
    for _ in range(level):
        whole = np.kron(seed, whole)
    return whole


def menger(level: int) -> np.ndarray:
    middle = sum(np.meshgrid(*[[0, 1, 0]] * 3, indexing="ij"))
    return fractal(middle < 2, level)


def noise(shape: tuple[int, ...], p: float = 0.2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < p


def brute_force(mask: np.ndarray, sizes, kind: str) -> list[int]:
    counts = []
    for size in sizes:
        corners = np.ndindex(*(-(-n // size) for n in mask.shape))
        boxes = [mask[tuple(slice(i * size, (i + 1) * size) for i in corner)] for corner in corners]
        counts.append(sum(bool(b.any() and (kind == "phase" or not b.all())) for b in boxes))
    return counts


def over_blocks(mask, block, *, sizes=None, axis=None, seed=1):
    """Return the tally of blocks combined in any order and grouping."""
    counting = BoxCounting(sizes, axis)
    states = [counting.block(mask[b.read.slices], b) for b in BlockGrid(mask.shape, block)]
    np.random.default_rng(seed).shuffle(states)
    half = len(states) // 2
    halves = [reduce(counting.combine, part) for part in (states[:half], states[half:]) if part]
    return counting.finish(reduce(counting.combine, halves), Facts(mask.shape, mask.dtype))


def test_a_menger_sponge_of_level_four_has_the_counts_and_the_dimension_of_theory():
    counted = box_count(menger(4), sizes=(1, 3, 9, 27))
    assert counted.counts.tolist() == [160000, 8000, 400, 20]
    assert counted.dimension == pytest.approx(math.log(20) / math.log(3), abs=1e-12)
    assert counted.r2 == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(counted.local_slopes, math.log(20) / math.log(3), rtol=1e-12)


@pytest.mark.parametrize(
    ("mask", "dimension"),
    [
        (fractal(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool), 4), math.log(8) / math.log(3)),
        (fractal(np.einsum("i,j,k", *[np.array([1, 0, 1])] * 3).astype(bool), 4), math.log(8) / math.log(3)),
        (menger(3), math.log(20) / math.log(3)),
    ],
    ids=["Sierpinski carpet", "Cantor dust", "Menger sponge"],
)
def test_known_fractals_have_their_dimension(mask, dimension):
    counted = box_count(mask, sizes=[3**k for k in range(4)], fit=(1, 27))
    assert counted.dimension == pytest.approx(dimension, abs=1e-12)
    assert counted.fit_range == (1, 27)


@pytest.mark.parametrize("side", [8, 16, 64])
def test_a_full_cube_has_dimension_three_and_a_full_slice_two_exactly(side):
    assert box_count(np.ones((side,) * 3, bool)).dimension == 3.0
    assert box_count(np.ones((side,) * 2, bool)).dimension == 2.0
    assert box_count(np.ones((1, side, side), bool)).dimension == 2.0


def test_the_interface_of_a_half_space_is_a_plane():
    mask = np.zeros((64, 64, 64), bool)
    mask[:33] = True
    counted = box_count(mask, kind="interface")
    assert counted.counts.tolist() == [0, 1024, 256, 64, 16, 4, 1]
    assert counted.dimension == 2.0
    assert counted.fit_range == (2, 16)


@pytest.mark.parametrize("kind", ["phase", "interface"])
@pytest.mark.parametrize("shape", [(7, 5, 9), (13, 1, 8), (1, 1, 1), (12, 17), (3, 30, 2)])
def test_any_sizes_count_as_by_brute_force_and_cut_boxes_are_boxes(shape, kind):
    mask = noise(shape)
    sizes = (1, 2, 3, 4, 6, 7, 12, 50)
    assert box_count(mask, sizes=sizes, kind=kind).counts.tolist() == brute_force(mask, sizes, kind)


def test_counts_are_those_of_block_reduce():
    mask = noise((30, 40, 50), 0.05)
    for size, count in zip((2, 5, 10), box_count(mask, sizes=(2, 5, 10)).counts, strict=True):
        assert count == np.count_nonzero(block_reduce(mask, (size,) * 3, np.max))


def test_the_interface_is_counted_as_porespy_does():
    # PoreSpy counts boxes with both phases, from size 10 on where sizes are not given; so does "interface".
    metrics = pytest.importorskip("porespy", reason="porespy is not installed").metrics
    mask = noise((40, 41, 47), 0.002)
    sizes = [2, 3, 4, 8, 10, 16, 20]
    expected = metrics.boxcount(mask, sizes)
    assert box_count(mask, sizes=sizes, kind="interface").counts.tolist() == [int(n) for n in expected.count]


@given(
    shape=st.tuples(*[st.integers(1, 13)] * 3),
    block=st.tuples(*[st.integers(1, 13)] * 3),
    sizes=st.none() | st.lists(st.integers(1, 14), min_size=1, max_size=5).map(tuple),
    axis=st.sampled_from([None, 0, 1, 2]),
    seed=st.integers(0, 99),
)
@settings(max_examples=150)
def test_blocks_of_any_shape_give_the_counts_of_the_whole(shape, block, sizes, axis, seed):
    mask = noise(shape, 0.3, seed)
    whole, parts = (over_blocks(mask, b, sizes=sizes, axis=axis, seed=seed) for b in (shape, block))
    assert whole.sizes == parts.sizes
    np.testing.assert_array_equal(whole.phase, parts.phase)
    np.testing.assert_array_equal(whole.interface, parts.interface)
    if axis is None:
        assert whole.phase.tolist() == brute_force(
            mask.squeeze() if mask.size > 1 else mask, whole.sizes, "phase"
        )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_count_as_images_do(axis):
    mask = noise((6, 10, 16))
    tally = over_blocks(mask, (4, 3, 5), axis=axis)
    for i in range(mask.shape[axis]):
        image = mask.take(i, axis)
        for kind in ("phase", "interface"):
            of_slice, alone = tally.fitted(kind, index=i), box_count(image, kind=kind)
            np.testing.assert_array_equal(of_slice.counts, alone.counts)
            assert of_slice.dimension == alone.dimension or math.isnan(alone.dimension)


def test_nothing_waits_where_blocks_are_multiples_of_the_boxes():
    mask = noise((32, 32, 32))
    counting = BoxCounting(sizes=(1, 2, 4, 8))
    states = [counting.block(mask[b.read.slices], b) for b in BlockGrid(mask.shape, (8, 16, 8))]
    assert not any(state.open.waiting for state in states)


def test_nothing_waits_once_every_block_has_come():
    mask = noise((20, 20, 20))
    counting = BoxCounting(sizes=(3, 7, 20))
    states = [counting.block(mask[b.read.slices], b) for b in BlockGrid(mask.shape, (6, 7, 9))]
    assert any(state.open.waiting for state in states)
    assert not reduce(counting.combine, states).open.waiting


def test_combining_leaves_the_second_state_as_it_is():
    mask = noise((9, 9, 9))
    counting = BoxCounting(sizes=(2, 5))
    a, b, c = (counting.block(mask[p.read.slices], p) for p in BlockGrid(mask.shape, (3, 9, 9)))
    before = pickle.dumps(b)
    counting.combine(counting.combine(a, b), c)
    assert pickle.dumps(b) == before


def test_a_core_with_a_halo_counts_its_core_only():
    mask = noise((8, 8, 8))
    block = BlockGrid(mask.shape, (4, 4, 4), (1, 2, 3))[0]
    counting = BoxCounting(sizes=(1, 2, 4))
    counts = counting.block(mask[block.read.slices], block).counts[:, 0, 0]
    assert counts.tolist() == box_count(mask[:4, :4, :4], sizes=(1, 2, 4)).counts.tolist()


@pytest.mark.parametrize("mask", [np.zeros((16, 16, 16), bool), np.ones((1, 1, 1), bool), noise((3, 3))])
def test_what_cannot_be_fitted_has_no_dimension_and_is_json(mask):
    counted = box_count(mask)
    assert math.isnan(counted.dimension)
    assert counted.fit_range is None
    assert json.loads(json.dumps(counted.to_dict()))["dimension"] is None


def test_one_voxel_has_dimension_zero_and_no_r2():
    mask = np.zeros((16, 16, 16), bool)
    mask[3, 4, 5] = True
    counted = box_count(mask)
    assert counted.dimension == 0.0
    assert math.isnan(counted.r2)


def test_the_fit_takes_the_sizes_of_its_range_and_is_that_of_polyfit():
    mask = noise((64, 64, 64), 0.03)
    counted = box_count(mask, sizes=(1, 2, 3, 5, 8, 13, 21), fit=(2, 13))
    x, y = np.log(counted.sizes[1:6]), np.log(counted.counts[1:6])
    slope, offset = np.polyfit(x, y, 1)
    assert counted.fit_range == (2, 13)
    assert counted.dimension == pytest.approx(-slope, rel=1e-12)
    residual = ((y - slope * x - offset) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert counted.r2 == pytest.approx(1 - residual, rel=1e-12)
    assert 2 < counted.dimension < 3


def test_the_default_fit_ends_at_a_quarter_of_the_shortest_axis():
    assert box_count(noise((64, 100, 32))).fit_range == (1, 8)
    assert box_count(noise((64, 100))).fit_range == (1, 16)


def test_counts_of_zero_between_others_are_left_out_of_the_fit():
    counted = fit_counts((1, 2, 4, 8), np.array([64, 0, 16, 8], np.uint64), largest=8)
    assert counted.dimension == pytest.approx(1.0)
    assert np.isnan(counted.local_slopes).tolist() == [True, True, False]


@pytest.mark.parametrize("mask", [noise((4, 4)).astype(np.uint8), noise((4, 4)).astype(float)])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ParameterError, match="would be a guess"):
        box_count(mask)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": ()}, "no sizes of boxes"),
        ({"sizes": (0, 2)}, "no sizes of boxes"),
        ({"sizes": (1.5, 2)}, "no sizes of boxes"),
        ({"kind": "pore"}, "not known"),
        ({"fit": (4, 4)}, "no range"),
    ],
)
def test_parameters_that_are_not_allowed_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        box_count(noise((8, 8, 8)), **options)


def test_images_without_voxels_or_with_other_axes_are_refused():
    for shape in [(4,), (2, 2, 2, 2), (0, 4)]:
        with pytest.raises(ParameterError, match="two or three axes"):
            box_count(np.zeros(shape, bool))
    with pytest.raises(ParameterError, match="axis=3"):
        BoxCounting(axis=3)


def test_the_pore_space_of_berea_has_a_dimension_between_two_and_three(shared_data):
    from tifffile import imread

    pores = imread(next((shared_data / "berea_400").glob("*.tif")))[:200, :200, :200] == 0
    for kind in ("phase", "interface"):
        volume, image = box_count(pores, kind=kind), box_count(pores[100], kind=kind)
        assert 2 < volume.dimension < 3
        assert 1 < image.dimension < 2
        assert volume.r2 > 0.98


@pytest.mark.parametrize(
    "reduction", [BoxCounting(), BoxCounting(axis=0), BoxCounting(axis=2), BoxCounting((3, 7))]
)
def test_a_block_takes_no_more_memory_than_it_says(reduction):
    volume = noise((96, 96, 96))
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
