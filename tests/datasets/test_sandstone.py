from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from skimage.filters import rank, threshold_otsu

from bigrock.datasets import Sandstone, SandstoneTruth
from bigrock.errors import ParameterError
from bigrock.geometry import BlockGrid, Region
from bigrock.volumes.source import Source, facts_of

ROCK = Sandstone((50, 61, 72), seed=5, grain_diameter_voxels=12)


@pytest.fixture(scope="module")
def demo():
    rock = Sandstone((96, 192, 192))
    everything = Region.whole(rock.shape)
    return rock.read(everything), rock.truth.read(everything)


def _assembled(source, block):
    out = np.empty(source.shape, source.dtype)
    for part in BlockGrid(source.shape, block):
        out[part.core.slices] = source.read(part.core)
    return out


@pytest.mark.parametrize("source", [ROCK, ROCK.truth], ids=["grey", "truth"])
@pytest.mark.parametrize("block", [(16, 16, 16), (50, 7, 72), (1, 61, 72), (13, 29, 31)])
def test_blocks_of_any_size_make_the_same_rock(source, block):
    assert np.array_equal(_assembled(source, block), source.read(Region.whole(source.shape)))


def test_threads_and_pickles_make_the_same_rock():
    regions = [b.core for b in BlockGrid(ROCK.shape, (25, 31, 36))]
    copy = pickle.loads(pickle.dumps(ROCK))
    assert copy == ROCK
    with ThreadPoolExecutor(4) as pool:
        for there, here in zip(pool.map(copy.read, regions), map(ROCK.read, regions), strict=True):
            assert np.array_equal(there, here)


def test_a_rock_of_many_terabytes_is_read_in_its_middle():
    rock = Sandstone((20_000, 30_000, 30_000), seed=1)
    middle = Region((9_990, 15_000, 15_010), (10_010, 15_020, 15_030))
    inner = Region((10_000, 15_005, 15_015), (10_004, 15_010, 15_020))
    assert np.array_equal(rock.read(middle)[inner.within(middle)], rock.read(inner))


def test_the_rock_is_a_source_and_so_is_its_truth():
    assert isinstance(ROCK, Source)
    assert isinstance(ROCK.truth, Source)
    assert facts_of(ROCK).kind == "grey"
    assert facts_of(ROCK.truth).kind == "mask"
    region = Region((1, 2, 3), (4, 6, 8))
    for source in (ROCK, ROCK.truth):
        array = source.read(region)
        assert array.shape == region.shape
        assert array.dtype == source.dtype
        assert array.flags.c_contiguous


@pytest.mark.parametrize("porosity", [0.05, 0.1, 0.2, 0.3, 0.45])
def test_the_truth_has_the_asked_porosity(porosity):
    rock = Sandstone((96, 96, 96), seed=2, porosity=porosity, grain_diameter_voxels=10)
    assert rock.truth.read(Region.whole(rock.shape)).mean() == pytest.approx(porosity, abs=0.002)


def test_a_large_rock_has_the_asked_porosity_on_the_whole():
    rock = Sandstone((300, 300, 300), seed=2, grain_diameter_voxels=9)
    assert rock.truth.read(Region.whole(rock.shape)).mean() == pytest.approx(0.2, abs=0.002)


def test_the_porosity_of_slices_shows_no_lattice():
    rock = Sandstone((200, 200, 200), grain_diameter_voxels=10)
    pore = rock.truth.read(Region.whole(rock.shape))
    for axis in range(3):
        profile = pore.mean(axis=tuple(k for k in range(3) if k != axis))
        # About 400 independent grains in a slice: the scatter of an irregular packing.
        assert profile.std() < 0.012


def test_the_grains_have_the_asked_size():
    small, large = (
        Sandstone((90, 90, 90), seed=2, grain_diameter_voxels=d).truth.read(Region.whole((90, 90, 90)))
        for d in (9, 18)
    )
    faces = [sum(np.count_nonzero(np.diff(m, axis=a)) for a in range(3)) for m in (small, large)]
    assert faces[0] / faces[1] == pytest.approx(2, rel=0.15)


def test_seeds_make_other_rocks():
    region = Region.whole(ROCK.shape)
    other = Sandstone(ROCK.shape, seed=6, grain_diameter_voxels=12)
    assert not np.array_equal(ROCK.truth.read(region), other.truth.read(region))


def test_pores_are_darker_than_grains(demo):
    grey, pore = demo
    assert grey.dtype == np.uint16
    assert 0.45 < grey[pore].mean() / grey[~pore].mean() < 0.7
    assert grey.max() < 65535


def test_a_scan_without_faults_is_two_clear_phases():
    rock = Sandstone((40, 40, 40), blur=0, noise=0, rings=0, uneven=0, beam_hardening=0, dtype="uint8")
    region = Region.whole(rock.shape)
    grey, pore = rock.read(region), rock.truth.read(region)
    assert np.unique(grey[pore]).size == 1
    assert grey[~pore].min() > grey[pore].max() + 40


def test_blur_makes_partial_volume_at_the_edges_only():
    sharp, soft = (
        Sandstone((40, 40, 40), blur=b, noise=0, rings=0, uneven=0, beam_hardening=0) for b in (0, 0.65)
    )
    region = Region.whole(sharp.shape)
    changed = sharp.read(region) != soft.read(region)
    assert 0.1 < changed.mean() < 0.9


def test_one_threshold_is_wrong_where_a_local_one_is_right(demo):
    grey, pore = demo
    whole = grey <= threshold_otsu(grey)
    low, high = np.percentile(grey, (0, 99.95))
    levels = np.clip((grey - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    slices = range(8, 96, 16)
    square = np.ones((63, 63), np.uint8)
    local = np.stack([levels[z] <= rank.otsu(levels[z], square) for z in slices])

    def error_and_overlap(found, true):
        return abs(found.mean() / true.mean() - 1), (found & true).sum() / (found | true).sum()

    global_error, global_overlap = error_and_overlap(whole, pore)
    local_error, local_overlap = error_and_overlap(local, pore[list(slices)])
    assert local_error < 0.06 < 0.1 < global_error
    assert global_overlap < 0.85 < 0.9 < local_overlap


def test_the_identity_tells_rocks_apart():
    assert ROCK.identity() == Sandstone((50, 61, 72), seed=5, grain_diameter_voxels=12).identity()
    assert ROCK.identity() != Sandstone((50, 61, 72), seed=5, grain_diameter_voxels=13).identity()
    assert ROCK.identity() != ROCK.truth.identity()


def test_voxel_sizes_are_understood_and_kept_in_metres():
    assert Sandstone((4, 4, 4), voxel_size="10, 5, 5 nm").voxel_size == (1e-8, 5e-9, 5e-9)
    assert SandstoneTruth(ROCK).voxel_size == (2.25e-6,) * 3


@pytest.mark.parametrize(
    "settings",
    [
        {"shape": (0, 4, 4)},
        {"shape": (4, 4)},
        {"porosity": 0.6},
        {"porosity": float("nan")},
        {"seed": -1},
        {"noise": -0.1},
        {"beam_hardening": 1.0},
        {"grain_diameter_voxels": 2},
        {"dtype": "float32"},
    ],
)
def test_impossible_rocks_are_refused(settings):
    with pytest.raises(ParameterError):
        Sandstone(**{"shape": (8, 8, 8), **settings})
