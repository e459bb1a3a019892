"""Two-point correlation against every pair counted one by one, PoreSpy, and known structures."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels.two_point import PairCounts, two_point_correlation


def noise(shape: tuple[int, ...], fraction: float = 0.4) -> np.ndarray:
    return np.random.default_rng(sum(shape)).random(shape) < fraction


def overlap(mask: np.ndarray, lag: tuple[int, ...]) -> np.ndarray:
    first = tuple(slice(max(0, -r), n - max(0, r)) for r, n in zip(lag, mask.shape, strict=True))
    second = tuple(slice(max(0, r), n - max(0, -r)) for r, n in zip(lag, mask.shape, strict=True))
    return mask[first] & mask[second]


def shells(mask: np.ndarray, max_lag: int, spacing=(1.0, 1.0, 1.0)) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of the phase and all pairs of every shell, lag by lag."""
    hits, pairs = np.zeros(max_lag + 1, int), np.zeros(max_lag + 1, int)
    reach = [min(int(max_lag / s + 1), n - 1) for s, n in zip(spacing, mask.shape, strict=True)]
    for lag in np.ndindex(*(2 * r + 1 for r in reach)):
        lag = tuple(i - r for i, r in zip(lag, reach, strict=True))
        shell = int(np.floor(np.sqrt(sum((i * s) ** 2 for i, s in zip(lag, spacing, strict=True))) + 0.5))
        if shell <= max_lag:
            both = overlap(mask, lag)
            hits[shell] += np.count_nonzero(both)
            pairs[shell] += both.size
    return hits, pairs


def over_blocks(mask: np.ndarray, block: tuple[int, int, int], counting: PairCounts) -> dict[str, np.ndarray]:
    grid = BlockGrid(mask.shape, block, counting.halo)
    return reduce(counting.combine, [counting.block(mask[b.read.slices], b) for b in grid])


def whole(mask: np.ndarray, counting: PairCounts) -> dict[str, np.ndarray]:
    return counting.block(mask, BlockGrid(mask.shape, mask.shape)[0])


def assert_same(found, expected) -> None:
    assert found.keys() == expected.keys()
    for name, counts in expected.items():
        np.testing.assert_array_equal(found[name], counts, err_msg=name)


@pytest.mark.parametrize("shape", [(9, 12, 70), (5, 3, 64), (4, 30, 9), (2, 3, 200)])
def test_pairs_along_the_axes_are_counted_one_by_one(shape):
    mask = noise(shape)
    found = two_point_correlation(mask, max_lag=100)
    for axis, name in enumerate("zyx"):
        expected = []
        for lag in range(min(100, shape[axis] - 1) + 1):
            both = overlap(mask, tuple(lag * (i == axis) for i in range(3)))
            expected.append(np.count_nonzero(both) / both.size)
        np.testing.assert_array_equal(found[name].probability, expected)
        np.testing.assert_array_equal(found[name].distance, np.arange(len(expected)))


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.5), (1.0, 3.0, 1.0)])
@pytest.mark.parametrize("shape", [(8, 9, 11), (3, 12, 6)])
def test_radial_pairs_are_counted_one_by_one(shape, voxel):
    mask = noise(shape)
    found = two_point_correlation(mask, max_lag=5, directions="radial", voxel_size=voxel)["radial"]
    hits, pairs = shells(mask, 5, voxel)
    np.testing.assert_array_equal(found.pairs, pairs[pairs > 0])
    np.testing.assert_array_equal(found.probability, hits[pairs > 0] / pairs[pairs > 0])


def test_the_distance_of_a_shell_is_the_mean_of_its_lattice_vectors():
    found = two_point_correlation(noise((9, 9, 9)), max_lag=1, directions="radial", voxel_size=(5, 5, 5))
    assert found["radial"].distance == pytest.approx([0, 5 * (6 + 12 * np.sqrt(2)) / 18])


def test_the_radial_curve_is_that_of_porespy():
    metrics = pytest.importorskip("porespy", exc_type=ImportError).metrics
    from scipy import ndimage

    field = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((40, 40, 40)), 2)
    mask = field > 0
    theirs = metrics.two_point_correlation(mask, bins=np.arange(0, 16) - 0.5)
    ours = two_point_correlation(mask, max_lag=14, directions="radial")["radial"]
    # They weigh every lag alike, we every pair; up to a third of the side both are close.
    np.testing.assert_allclose(ours.probability[1:10], theirs.probability_scaled[1:10], rtol=0.01)


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("block", [(7, 5, 9), (4, 11, 30), (20, 20, 64)])
def test_blocks_give_bitwise_what_the_whole_gives(block, radial):
    mask = noise((15, 17, 70))
    for spacing in ((1.0, 1.0, 1.0), (1.0, 2.0, 1.5)):
        counting = PairCounts(6, spacing, radial)
        assert_same(over_blocks(mask, block, counting), whole(mask, counting))


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 6)] * 3),
    lag=st.integers(1, 6),
    radial=st.booleans(),
)
@settings(max_examples=40)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block, lag, radial):
    mask, counting = noise(shape), PairCounts(lag, radial=radial)
    assert_same(over_blocks(mask, block, counting), whole(mask, counting))


def test_along_the_axes_radial_and_plain_counts_are_the_same():
    mask = noise((20, 33, 40))
    plain, radial = whole(mask, PairCounts(12)), whole(mask, PairCounts(12, radial=True))
    assert_same({name: radial[name] for name in "zyx"}, plain)


def test_full_and_empty_masks_are_exact_to_the_last_pair():
    full = two_point_correlation(np.ones((31, 32, 33), bool), max_lag=20, directions="radial")["radial"]
    assert (full.probability == 1).all()
    empty = two_point_correlation(np.zeros((9, 9, 9), bool), max_lag=4, directions="radial")["radial"]
    assert (empty.probability == 0).all()


def test_an_image_has_no_lags_along_z():
    image = noise((20, 30))
    assert list(two_point_correlation(image, max_lag=3)) == ["y", "x"]
    hits, pairs = shells(image[None], 3)
    radial = two_point_correlation(image, max_lag=3, directions="radial")["radial"]
    np.testing.assert_array_equal(radial.probability, hits / pairs)


def test_options_that_are_not_known_are_refused():
    with pytest.raises(ParameterError, match="max_lag=0"):
        two_point_correlation(noise((4, 4, 4)), max_lag=0)
    with pytest.raises(ParameterError, match="'axes' or 'radial'"):
        two_point_correlation(noise((4, 4, 4)), max_lag=2, directions="diagonal")
