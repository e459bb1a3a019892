from __future__ import annotations

import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import rank, threshold_otsu

import bigrock as br
from bigrock.datasets import Shale, ShaleTruth
from bigrock.errors import ParameterError, UnitError, VoxelSizeError
from bigrock.geometry import BlockGrid, Region
from bigrock.transfer import import_volume
from bigrock.volumes.source import Source, facts_of

SHALE = Shale((35, 70, 139), level="hard", seed=5)
LEVELS = ("easy", "middle", "hard")
MATRIX, ORGANIC, ORGANIC_PORE, INORGANIC_PORE = range(4)


@pytest.fixture(scope="module")
def stacks():
    made = {level: Shale((96, 256, 256), level=level) for level in LEVELS}
    everything = Region.whole((96, 256, 256))
    return {level: (s.read(everything), s.truth.read(everything)) for level, s in made.items()}


@pytest.fixture(scope="module")
def whole():
    region = Region.whole(SHALE.shape)
    return {source: source.read(region) for source in (SHALE, SHALE.truth)}


def _overlap(found, true):
    return (found & true).sum() / (found | true).sum()


def _shell_on_organic(classes):
    """Share of the shell of every pore that is organic matter, and the class of the pore."""
    pore = classes >= ORGANIC_PORE
    labels, count = ndimage.label(pore, np.ones((3, 3, 3)))
    shell = ndimage.grey_dilation(labels, footprint=np.ones((3, 3, 3))) * ~pore
    organic = np.bincount(shell.ravel(), (classes == ORGANIC).ravel(), minlength=count + 1)
    all_of_it = np.bincount(shell.ravel(), minlength=count + 1)
    numbers = np.arange(1, count + 1)
    least, most = ndimage.minimum(classes, labels, numbers), ndimage.maximum(classes, labels, numbers)
    assert np.array_equal(least, most), "a pore is organic in one part and inorganic in another"
    return organic[1:] / np.maximum(all_of_it[1:], 1), most


@pytest.mark.parametrize("source", [SHALE, SHALE.truth], ids=["grey", "truth"])
@pytest.mark.parametrize("block", [(16, 16, 16), (35, 70, 7), (4, 70, 139), (13, 5, 139), (11, 64, 99)])
def test_blocks_of_any_size_make_the_same_shale(source, block, whole):
    out = np.empty(source.shape, source.dtype)
    for part in BlockGrid(source.shape, block):
        out[part.core.slices] = source.read(part.core)
    assert np.array_equal(out, whole[source])


@pytest.mark.parametrize("voxel_size", ["4 nm", "12, 7, 9 nm", "25 nm"])
def test_voxels_of_any_size_make_the_same_shale_in_blocks(voxel_size):
    shale = Shale((300, 400, 500), voxel_size=voxel_size, seed=11)
    outer, inner = Region((270, 200, 301), (300, 260, 380)), Region((280, 211, 340), (287, 230, 380))
    for source in (shale, shale.truth):
        assert np.array_equal(source.read(outer)[inner.within(outer)], source.read(inner))


def test_threads_and_pickles_make_the_same_shale():
    regions = [b.core for b in BlockGrid(SHALE.shape, (18, 35, 70))]
    copy = pickle.loads(pickle.dumps(SHALE))
    assert copy == SHALE
    with ThreadPoolExecutor(4) as pool:
        for there, here in zip(pool.map(copy.read, regions), map(SHALE.read, regions), strict=True):
            assert np.array_equal(there, here)


def test_a_stack_of_a_terabyte_is_read_in_its_middle_and_at_its_end():
    shale = Shale((10_000, 10_000, 10_000), seed=1)
    for middle in (5_000, 9_980):
        outer = Region((middle,) * 3, (middle + 20,) * 3)
        inner = Region((middle + 5,) * 3, (middle + 9,) * 3)
        assert np.array_equal(shale.read(outer)[inner.within(outer)], shale.read(inner))


def test_the_same_shale_is_made_on_every_machine(whole):
    digests = {
        source.kind: hashlib.sha256(whole[source].tobytes()).hexdigest()[:16]
        for source in (SHALE, SHALE.truth)
    }
    assert digests == {"grey": "522f97dac8c098d7", "labels": "0d0c3d0979916581"}


def test_the_shale_is_a_source_and_so_is_its_truth():
    assert isinstance(SHALE, Source)
    assert isinstance(SHALE.truth, Source)
    assert facts_of(SHALE).kind == "grey"
    facts = facts_of(SHALE.truth)
    assert facts.kind == "labels"
    assert facts.classes == {"matrix": 0, "organic matter": 1, "organic pore": 2, "inorganic pore": 3}
    region = Region((1, 2, 3), (4, 6, 8))
    for source in (SHALE, SHALE.truth):
        array = source.read(region)
        assert array.shape == region.shape
        assert array.dtype == source.dtype == np.uint8
        assert array.flags.c_contiguous
        assert source.voxel_size == (1e-8, 5e-9, 5e-9)


def test_three_classes_count_organic_matter_as_matrix(whole):
    three = ShaleTruth(SHALE, three_classes=True)
    assert three.classes == {"matrix": 0, "organic pore": 1, "inorganic pore": 2}
    found = three.read(Region.whole(SHALE.shape))
    four = whole[SHALE.truth]
    assert np.array_equal(found == 0, four <= ORGANIC)
    assert np.array_equal(found == 1, four == ORGANIC_PORE)
    assert np.array_equal(found == 2, four == INORGANIC_PORE)


@pytest.mark.parametrize("level", LEVELS)
def test_the_contents_are_those_of_shales(level, stacks):
    classes = stacks[level][1]
    share = np.bincount(classes.ravel(), minlength=4) / classes.size
    assert 0.03 < share[ORGANIC] + share[ORGANIC_PORE] < 0.60
    assert 0.002 < share[ORGANIC_PORE] + share[INORGANIC_PORE] < 0.0829
    assert share.min() > 0.002


@pytest.mark.parametrize("level", LEVELS)
def test_organic_pores_lie_in_organic_matter_and_the_others_do_not(level, stacks):
    on_organic, kind = _shell_on_organic(stacks[level][1][32:80])
    organic = kind == ORGANIC_PORE
    assert organic.sum() > 100
    assert (on_organic[organic] > 0.5).mean() > 0.95
    assert (on_organic[~organic] <= 0.5).mean() > 0.95


@pytest.mark.parametrize("seed", range(6))
def test_the_contents_change_along_z(seed):
    truth = Shale((96, 192, 192), seed=seed).truth
    first, last = (truth.read(Region((z, 0, 0), (z + 32, 192, 192))) for z in (0, 64))
    organic = [np.isin(part, (ORGANIC, ORGANIC_PORE)).mean() for part in (first, last)]
    assert abs(organic[0] - organic[1]) > 0.04


def test_slices_differ_in_brightness_and_jump(stacks):
    spread, jump = {}, {}
    for level, (grey, classes) in stacks.items():
        clay = [float(g[c == MATRIX].mean()) for g, c in zip(grey, classes, strict=True)]
        spread[level], jump[level] = np.std(clay), np.abs(np.diff(clay)).max()
    assert 2 < spread["easy"] < spread["middle"] < spread["hard"]
    assert 4 < jump["easy"] < jump["hard"]


def test_curtains_are_vertical_and_change_along_z(stacks):
    grey, classes = stacks["hard"]
    matrix = classes == MATRIX
    clay = np.where(matrix, grey - grey.mean(axis=(1, 2), where=matrix, keepdims=True), 0)
    columns, lines = clay[:, 128:].mean(axis=1), clay.mean(axis=2)
    sharp = columns - ndimage.uniform_filter1d(columns, 31, axis=1)
    assert sharp.std() > 2 * (lines - ndimage.uniform_filter1d(lines, 31, axis=1)).std()
    assert np.corrcoef(sharp[40], sharp[41])[0, 1] > 0.6
    assert abs(np.corrcoef(sharp[10], sharp[80])[0, 1]) < 0.4


def test_pores_charge_their_surroundings(stacks):
    grey, classes = stacks["hard"]
    slit = classes == INORGANIC_PORE
    ring = np.ones((1, 3, 3))
    near = ndimage.binary_dilation(slit, ring, iterations=4) & ~ndimage.binary_dilation(
        slit, ring, iterations=2
    )
    far = ~ndimage.binary_dilation(classes != MATRIX, ring, iterations=8)
    assert grey[near & (classes == MATRIX)].mean() > grey[far].mean() + 1.5


def test_the_back_of_a_pore_shines_through_where_it_is_shallow(stacks):
    grey, classes = stacks["hard"]
    inner = ndimage.binary_erosion(classes == INORGANIC_PORE, np.ones((1, 5, 5)))
    solid_below = np.zeros_like(inner)
    solid_below[:-1] = classes[1:] < ORGANIC_PORE
    deep = np.zeros_like(inner)
    deep[:-6] = np.all([classes[d : d - 6 or None] >= ORGANIC_PORE for d in range(1, 7)], axis=0)
    assert (inner & deep).sum() > 50
    assert grey[inner & solid_below].mean() > grey[inner & deep].mean() + 15


def test_the_levels_are_harder_one_after_the_other(stacks):
    def separation(level):
        grey, classes = stacks[level]
        grey = grey.astype(np.float32) - grey.mean(axis=(1, 2), keepdims=True)
        organic, pore = grey[classes == ORGANIC], grey[classes >= ORGANIC_PORE]
        return (organic.mean() - pore.mean()) / np.sqrt(organic.var() + pore.var())

    easy, middle, hard = map(separation, LEVELS)
    assert easy > 1.2 * middle > 1.44 * hard > 0.5


@pytest.mark.parametrize(("level", "best"), [("easy", 0.35), ("middle", 0.3), ("hard", 0.2)])
def test_otsu_thresholds_fail(level, best, stacks):
    grey, classes = stacks[level]
    pore = classes >= ORGANIC_PORE
    assert _overlap(grey <= threshold_otsu(grey), pore) < best
    slices = range(8, 96, 22)
    square = np.ones((63, 63), np.uint8)
    local = np.stack([grey[z] <= rank.otsu(grey[z], square) for z in slices])
    assert _overlap(local, pore[list(slices)]) < best


@pytest.mark.parametrize("level", ["middle", "hard"])
def test_even_the_best_threshold_of_standardised_slices_fails(level, stacks):
    grey, classes = stacks[level]
    even = grey - grey.mean(axis=(1, 2), keepdims=True)
    even /= even.std(axis=(1, 2), keepdims=True)
    pore = classes >= ORGANIC_PORE
    every = (slice(None, None, 8),)
    assert max(_overlap(even[every] <= t, pore[every]) for t in np.linspace(-4, 0, 41)) < 0.55


def test_finer_voxels_show_the_same_rock():
    coarse = Shale((20, 60, 60), voxel_size="10 nm", seed=4).truth.read(Region((0, 0, 0), (20, 60, 60)))
    # Every third voxel of the finer stack has its centre where a coarse voxel has its own.
    fine = Shale((60, 180, 180), voxel_size=10e-9 / 3, seed=4).truth.read(Region((0, 0, 0), (60, 180, 180)))
    assert (fine[::3, ::3, ::3] == coarse).mean() > 0.98


def test_seeds_and_levels_make_other_shales():
    region = Region.whole((8, 64, 64))
    made = [
        Shale(region.shape, level=v, seed=n).read(region) for v, n in (("easy", 0), ("hard", 0), ("hard", 1))
    ]
    assert not np.array_equal(made[0], made[1])
    assert not np.array_equal(made[1], made[2])


def test_a_shale_and_its_truth_become_volumes(tmp_path):
    shale = Shale((40, 70, 80), seed=2)
    for name, source in (("grey", shale), ("truth", shale.truth)):
        volume = import_volume(source, tmp_path / f"{name}.zarr", progress=False)
        assert (volume.kind, volume.voxel_size) == (source.kind, source.voxel_size)
        assert np.array_equal(volume[:], source.read(Region.whole(source.shape)))
    assert br.open_volume(tmp_path / "truth.zarr").classes == shale.truth.classes


def test_the_identity_tells_shales_apart():
    same = Shale((35, 70, 139), level="hard", seed=5)
    assert SHALE.identity() == same.identity()
    others = (Shale(SHALE.shape, level="easy", seed=5), SHALE.truth, ShaleTruth(SHALE, three_classes=True))
    identities = [str(s.identity()) for s in (SHALE, *others)]
    assert len(set(identities)) == 4


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"level": "harder"}, ParameterError),
        ({"shape": (0, 4, 4)}, ParameterError),
        ({"shape": (4, 4)}, ParameterError),
        ({"seed": -1}, ParameterError),
        ({"voxel_size": "2.25 um"}, VoxelSizeError),
        ({"voxel_size": "0.5 nm"}, VoxelSizeError),
        ({"voxel_size": "10, 5 nm"}, UnitError),
        ({"voxel_size": "ten"}, UnitError),
    ],
)
def test_impossible_shales_are_refused(settings, error):
    with pytest.raises(error):
        Shale(**{"shape": (8, 8, 8), **settings})
