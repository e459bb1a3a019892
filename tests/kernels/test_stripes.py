"""Stripes and rings of known strength, added to a rock; over blocks against the whole."""

from __future__ import annotations

from functools import reduce

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from bigrock.datasets import Sandstone
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import BlockGrid, Region
from bigrock.kernels.rings import RemoveRings, remove_rings
from bigrock.kernels.stripes import RemoveStripes, remove_stripes
from bigrock.volumes.source import Facts

RANGE = 30000
LIMIT = 6000


@pytest.fixture(scope="module")
def rock() -> np.ndarray:
    source = Sandstone((12, 500, 480), noise=0.05, rings=0.0)
    return source.read(Region.whole(source.shape)).astype(np.float32)


def lines(n: int, strength: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where lone lines lie, and their profile."""
    places = np.arange(20, n, 29)
    profile = np.zeros(size, np.float32)
    profile[places] = np.random.default_rng(0).choice([-1, 1], len(places)) * strength
    return places, profile


def contrast(profile: np.ndarray, places: np.ndarray) -> float:
    """Return how lines differ from what is four voxels beside them."""
    beside = (profile[places - 4] + profile[places + 4]) / 2
    return float(np.sqrt(np.mean((profile[places] - beside) ** 2)))


def radii(shape: tuple[int, int], centre: tuple[float, float]) -> np.ndarray:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(y - centre[0], x - centre[1])


def similar(a: np.ndarray, b: np.ndarray) -> float:
    return float(structural_similarity(a[3], b[3], data_range=RANGE))


def fitted(kernel, volume, block):
    facts = Facts(volume.shape, volume.dtype)
    counting = kernel.fitting(facts)
    grid = BlockGrid(volume.shape, block, counting.halo)
    states = [counting.block(volume[b.read.slices], b) for b in grid]
    np.random.default_rng(1).shuffle(states)
    return kernel.fitted(counting.finish(reduce(counting.combine, states), facts))


def over_blocks(kernel, volume, block) -> np.ndarray:
    out = np.empty(volume.shape, kernel.output_dtype(volume.dtype))
    for b in BlockGrid(volume.shape, block, kernel.halo):
        out[b.core.slices] = kernel(volume[b.read.slices], b)
    return out


@pytest.mark.parametrize("strength", [2000, 4000])
@pytest.mark.parametrize("along", ["y", "x"])
def test_stripes_fall_to_a_tenth_and_the_rock_stays(rock, strength, along):
    axis = 1 if along == "y" else 2
    places, profile = lines(460, strength, rock.shape[3 - axis])
    dirty = rock + (profile[None, None, :] if along == "y" else profile[None, :, None])
    cleaned = remove_stripes(dirty, limit=LIMIT, along=along, slices=11)
    left = (cleaned - rock).mean(axis=(0, axis))
    assert contrast(left, places) < strength / 10
    assert similar(rock, cleaned) > 0.996
    assert similar(rock, dirty) < 0.98


@pytest.mark.parametrize(("strength", "factor"), [(2000, 9), (4000, 15)])
def test_rings_fall_to_a_tenth_and_the_rock_stays(rock, strength, factor):
    centre = (249.5, 231.2)
    r = radii(rock.shape[1:], centre)
    places, profile = lines(230, strength, int(r.max()) + 2)
    # The innermost has too few voxels to be told from the rock.
    profile[places[0]], places = 0, places[1:]
    rings = np.interp(r, np.arange(len(profile)), profile).astype(np.float32)
    cleaned = remove_rings(rock + rings, limit=LIMIT, centre=centre, slices=11)
    nearest = np.rint(r).astype(int).ravel()
    number = np.maximum(np.bincount(nearest), 1)

    def by_radius(image):
        return np.bincount(nearest, image.ravel()) / number

    before, after = by_radius(rings), by_radius((cleaned - rock).mean(axis=0))
    assert contrast(after, places) < contrast(before, places) / factor
    assert similar(rock, cleaned) > 0.996
    assert similar(rock, rock + rings) < 0.99


def test_a_clean_rock_stays_what_it_is(rock):
    for cleaned in (remove_stripes(rock, limit=LIMIT), remove_rings(rock, limit=LIMIT)):
        assert similar(rock, cleaned) > 0.995


def test_a_stripe_on_an_even_slice_is_gone():
    image = np.full((50, 40), 100, np.uint8)
    image[:, [7, 21]] += 9
    np.testing.assert_array_equal(remove_stripes(image, limit=20), 100)
    np.testing.assert_array_equal(remove_stripes(image.T.copy(), limit=20, along="x"), 100)


def test_a_ring_on_an_even_slice_is_gone():
    r = radii((80, 90), (38.0, 47.5))
    profile = np.zeros(90)
    profile[[22, 36]] = 50, -30
    image = 1000 + np.interp(r, np.arange(90), profile)
    cleaned = remove_rings(image, limit=100, centre=(38.0, 47.5))
    assert np.abs(cleaned - 1000).max() < 0.2 * np.abs(image - 1000).max()
    assert (cleaned - 1000).std() < 0.12 * (image - 1000).std()


def test_integers_are_rounded_and_stay_in_range():
    image = np.full((40, 30), 255, np.uint8)
    image[:, 11] = 245
    cleaned = remove_stripes(image, limit=20)
    assert cleaned.dtype == np.uint8
    assert cleaned.min() == 255


KERNELS = [
    RemoveStripes(limit=50, radius=2),
    RemoveStripes(limit=50, radius=3, along="x", slices=3),
    RemoveRings(limit=50, radius=1),
    RemoveRings(limit=50, radius=2, centre=(2.3, 11.0), slices=3),
]


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 9)] * 3),
    kernel=st.sampled_from(KERNELS),
    dtype=st.sampled_from(["uint8", "int16", "float32", "float64"]),
)
@settings(max_examples=80, deadline=None)
def test_blocks_of_any_shape_give_bitwise_what_the_whole_gives(shape, block, kernel, dtype):
    volume = np.random.default_rng(sum(shape)).normal(100, 30, shape).clip(0, 250).astype(dtype)
    whole = fitted(kernel, volume, shape)
    parts = fitted(kernel, volume, block)
    np.testing.assert_array_equal(parts.profile, whole.profile)
    np.testing.assert_array_equal(over_blocks(parts, volume, block), over_blocks(whole, volume, shape))
    assert over_blocks(whole, volume, shape).dtype == volume.dtype


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_any_array_module_gives_the_numbers_of_numpy(kernel, dtype):
    volume = np.random.default_rng(0).normal(100, 30, (4, 9, 13)).clip(0, 250).astype(dtype)
    ready, block = fitted(kernel, volume, volume.shape), BlockGrid(volume.shape, volume.shape)[0]
    found = ready(array_api_strict.asarray(volume), block)
    assert type(found).__module__.startswith("array_api_strict")
    np.testing.assert_array_equal(np.asarray(found), ready(volume, block))


def test_what_is_not_fitted_or_of_another_volume_is_refused():
    volume, other = np.zeros((3, 8, 9), np.uint8), np.zeros((4, 8, 10), np.uint8)
    for kernel in KERNELS:
        with pytest.raises(NotFittedError, match="no profile"):
            over_blocks(kernel, volume, volume.shape)
        ready = fitted(kernel, volume, volume.shape)
        assert ready.fitting(Facts(volume.shape, volume.dtype)) is None
        with pytest.raises(ParameterError, match="another volume"):
            over_blocks(ready, other, other.shape)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "limit=0"),
        ({"limit": float("nan")}, "limit=nan"),
        ({"limit": 5, "radius": 0}, "radius=0"),
        ({"limit": 5, "slices": 2}, "slices=2"),
        ({"limit": 5, "along": "z"}, "along='z'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        RemoveStripes(**options)
    if "along" not in options:
        with pytest.raises(ParameterError, match=message):
            RemoveRings(**options)
