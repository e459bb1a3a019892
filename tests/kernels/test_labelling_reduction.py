"""Statistics of components against scikit-image voxel by voxel, and over any blocks against the whole."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import regionprops

from bigrock.engine import reduce
from bigrock.errors import ParameterError, RunError
from bigrock.geometry import BlockGrid
from bigrock.kernels import ComponentRuns, Components, ComponentSums, find_components, label
from bigrock.volumes import ArraySource
from bigrock.volumes.source import Facts

BLOCKS = [
    ((9, 10, 11), (4, 5, 3)),
    ((7, 5, 9), (1, 2, 3)),
    ((16, 16, 16), (16, 8, 5)),
    ((12, 3, 20), (5, 1, 8)),
]


def noise(shape, fraction=0.3, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < fraction


def by_voxels(image: np.ndarray, connectivity: int) -> np.ndarray:
    """The table of all components, summed up voxel by voxel."""
    labels, count = label(image, connectivity=connectivity)
    rows = []
    for region in regionprops(labels):
        z, y, x = region.coords.T.astype(np.int64)
        exposed = []
        for axis in range(3):
            faces = 0
            for step in (-1, 1):
                other = region.coords.copy()
                other[:, axis] += step
                inside = (other[:, axis] >= 0) & (other[:, axis] < image.shape[axis])
                faces += np.count_nonzero(labels[tuple(other[inside].T)] != region.label)
            exposed.append(faces)
        first = np.ravel_multi_index(region.coords.T, image.shape).min()
        sums = [s.sum() for s in (z, y, x, z * z, y * y, x * x, z * y, z * x, y * x)]
        value = [] if image.dtype == bool else [image[tuple(region.coords[0])]]
        rows.append([first, len(z), *region.bbox, *sums, *exposed, *value])
    return np.array(rows, np.int64).reshape(count, -1 if count else 20)


def over_blocks(reduction, image, block, seed=1):
    """The result over blocks, combined in a random order and grouping, and sent between processes."""
    rng = np.random.default_rng(seed)
    grid = BlockGrid(image.shape, block, reduction.halo)
    states = [reduction.block(image[b.read.slices], b) for b in grid]
    states = [states[i] for i in rng.permutation(len(states))]
    while len(states) > 1:
        i = int(rng.integers(len(states) - 1))
        other = pickle.loads(pickle.dumps(states.pop(i + 1)))
        states[i] = reduction.combine(states[i], other)
    [state] = states
    assert not state.layers
    assert len(state.keys) == len(state.table) == len(state.runs) == 0
    return reduction.finish(state, Facts(image.shape, image.dtype))


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize(("shape", "block"), BLOCKS)
def test_all_sums_are_those_of_the_voxels_whatever_the_blocks(shape, block, connectivity):
    labels = np.random.default_rng(1).integers(0, 4, shape).astype(np.int16) - 1
    for image in (noise(shape, 0.1), noise(shape, 0.3), noise(shape, 0.6), labels):
        found = find_components(image, connectivity=connectivity)
        table = found.table.copy()
        if found.values is not None:
            table[:, 20] = found.values
        np.testing.assert_array_equal(table, by_voxels(image, connectivity))
        whole = over_blocks(Components(connectivity), image, block)
        np.testing.assert_array_equal(whole.table, found.table)


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    block=st.tuples(*[st.integers(1, 9)] * 3),
    connectivity=st.sampled_from([6, 18, 26]),
    fraction=st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0]),
)
def test_blocks_of_any_shape_give_bitwise_what_the_whole_gives(shape, block, connectivity, fraction):
    mask = noise(shape, fraction, seed=sum(shape))
    found = find_components(mask, connectivity=connectivity)
    np.testing.assert_array_equal(over_blocks(Components(connectivity), mask, block).table, found.table)
    brief = over_blocks(Components(connectivity, brief=True), mask, block)
    np.testing.assert_array_equal(brief.table, found.table[:, :8])


def test_every_piece_at_a_border_knows_its_component():
    mask = noise((12, 13, 14), 0.3)
    labels, _ = label(mask, connectivity=6)
    found = over_blocks(Components(6, pieces=True), mask, (5, 4, 3))
    keys, roots = found.borders
    assert len(keys) > 50
    assert np.all(np.diff(keys) > 0)
    np.testing.assert_array_equal(labels.ravel()[keys], labels.ravel()[roots])
    assert set(roots) <= set(found.first)


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_one_read_by_any_executor_gives_the_same(executor):
    mask = noise((20, 21, 22), 0.25)
    [found] = reduce(ArraySource(mask), [Components(18)], block=(6, 7, 5), executor=executor, progress=False)
    np.testing.assert_array_equal(found.table, find_components(mask, connectivity=18).table)


def test_a_cluster_gives_the_same():
    distributed = pytest.importorskip("distributed")
    mask = noise((12, 13, 14), 0.3)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        [found] = reduce(
            ArraySource(mask), [Components(26)], block=(6, 7, 5), executor=client, progress=False
        )
    np.testing.assert_array_equal(found.table, find_components(mask).table)


def test_components_that_are_complete_leave_the_part_that_lives():
    mask = noise((60, 16, 16), 0.1)
    counting, grid = Components(6), BlockGrid(mask.shape, (4, 16, 16))
    state, living = None, []
    for block in grid:
        part = counting.block(mask[block.read.slices], block)
        state = part if state is None else counting.combine(state, part)
        living.append(len(state.table))
        assert len(state.layers) == (block.id < len(grid) - 1)
    assert max(living) < 2 * np.mean(living[:-1])
    assert sum(map(len, state.finished)) == len(find_components(mask, connectivity=6))


def test_second_moments_stay_exact_where_their_sums_wrap_around():
    edge, start = 64, 2**31 - 64
    along = range(start, start + edge)
    first, second = sum(along) * edge**2, sum(z * z for z in along) * edge**2
    mixed = sum(along) ** 2 * edge
    assert second > 2**75
    sums = [start**3, edge**3, *[start] * 3, *[start + edge] * 3, *[first] * 3, *[second] * 3, *[mixed] * 3]
    table = np.array([[n % 2**64 for n in [*sums, 0, 0, 0]]], np.uint64).view(np.int64)
    means, products = ComponentSums(table, (2**31,) * 3, np.dtype(bool)).moments()
    np.testing.assert_array_equal(means[0], [start + (edge - 1) / 2] * 3)
    np.testing.assert_allclose(products[0], [(edge**2 - 1) / 12] * 3 + [0] * 3, rtol=1e-14)


def test_moments_beyond_what_is_exact_are_not_known():
    row = np.zeros((1, 20), np.int64)
    row[0, 1], row[0, 5:8] = 2**41, 2**14
    _, products = ComponentSums(row, (2**14,) * 3, np.dtype(bool)).moments()
    assert np.isnan(products).all()


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize(("shape", "block"), BLOCKS)
def test_runs_of_small_and_enclosed_components_are_all_of_them(shape, block, connectivity):
    for fraction in (0.2, 0.6):
        mask = noise(shape, fraction)
        for most, enclosed, of in ((3, False, True), (None, True, False), (5, True, True)):
            phase = mask if of else ~mask
            labels, _ = label(phase, connectivity=connectivity)
            found = find_components(phase, connectivity=connectivity)
            wanted = np.ones(len(found), bool) if most is None else found.voxels <= most
            if enclosed:
                wanted &= ~found.touches.any(axis=1)
            expected = np.concatenate([[False], wanted])[labels]
            runs = over_blocks(ComponentRuns(connectivity, of, most, enclosed), mask, block)
            painted = np.zeros(mask.size, bool)
            for first, length in runs:
                assert not painted[first : first + length].any()
                painted[first : first + length] = True
            np.testing.assert_array_equal(painted.reshape(shape), expected)


def test_slices_have_components_too():
    plane = noise((30, 40), 0.4)
    found = find_components(plane, connectivity=4)
    assert found.voxels.tolist() == np.bincount(label(plane, connectivity=4)[0].ravel())[1:].tolist()


def test_grey_levels_and_unknown_connectivities_are_refused():
    with pytest.raises(ParameterError, match="has no components"):
        find_components(np.zeros((2, 2, 2), np.float32))
    with pytest.raises(RunError, match="have no components"):
        reduce(ArraySource(np.zeros((2, 2, 2), np.float32)), [Components()], executor="serial", retries=0)
    with pytest.raises(ParameterError, match="Use 6"):
        Components(8)


PEAK = """
import sys
import numpy as np
from bigrock.geometry import BlockGrid
from bigrock.kernels import Components

def of(key):
    return next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith(key))

fraction, counting = float(sys.argv[1]), Components(6, brief=sys.argv[2] == "brief")
mask = np.random.default_rng(0).random((112, 112, 112)) < fraction
for n in (24, 112):
    part = np.ascontiguousarray(mask[:n, :n, :n])
    open("/proc/self/clear_refs", "w").write("5")
    before = of("VmRSS")
    counting.block(part, BlockGrid(part.shape, part.shape)[0])
print((of("VmHWM") - before) / part.size, counting.scratch_bytes(part.dtype))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs the memory counters of Linux")
@pytest.mark.parametrize("fraction", [0.1, 0.3116])
@pytest.mark.parametrize("table", ["brief", "full"])
def test_noise_takes_no_more_memory_than_is_declared(fraction, table):
    command = [sys.executable, "-c", PEAK, str(fraction), table]
    peak, declared = map(float, subprocess.run(command, capture_output=True, check=True).stdout.split())
    assert declared / 6 < peak < declared
