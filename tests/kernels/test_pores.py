"""Pores against the rules written down plainly, known packings and PoreSpy; and over blocks against the whole."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np
import porespy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import BlockGrid
from bigrock.kernels import PoreNetwork, PoreRegions, distance, pores
from bigrock.volumes.source import Facts


def blobs(shape, phi=0.5, seed=0, sigma=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return field > np.quantile(field, 1 - phi)


def pores_by_the_rules(mask, heights, min_depth, max_throat):
    """The three rules of `bigrock.kernels.pores`, one after the other, voxel by voxel."""
    order = {
        v: (heights[v], np.ravel_multi_index(v, mask.shape)) for v in zip(*np.nonzero(mask), strict=True)
    }

    def peak(v):
        around = [tuple(np.add(v, d)) for d in product((-1, 0, 1), repeat=3)]
        best = max((u for u in around if u in order), key=order.__getitem__)
        return v if best == v else peak(best)

    peaks = {v: peak(v) for v in order}
    passes = {}
    for v in order:
        for axis in range(3):
            u = tuple(np.add(v, np.eye(3, dtype=int)[axis]))
            if u in order and peaks[u] != peaks[v]:
                pair = tuple(sorted((peaks[u], peaks[v])))
                passes[pair] = max(passes.get(pair, 0), min(heights[u], heights[v]))
    group, pore = ({p: {p} for p in set(peaks.values())} for _ in range(2))
    for (a, b), height in sorted(passes.items(), key=lambda item: (-item[1], item[0])):
        if group[a] is group[b]:
            continue
        lower = min(
            max(group[a], key=order.__getitem__), max(group[b], key=order.__getitem__), key=order.__getitem__
        )
        h = np.sqrt(heights[lower])
        shallow = np.sqrt(height) > h - min_depth or np.sqrt(height) > max_throat * h
        for sets in (group, *([pore] if shallow else [])):
            joined = sets[a] | sets[b]
            for p in joined:
                sets[p] = joined
    labels, seen = np.zeros(mask.shape, int), {}
    for v in order:
        labels[v] = seen.setdefault(id(pore[peaks[v]]), len(seen) + 1)
    return labels


def over_blocks(regions: PoreRegions, mask, block) -> tuple[np.ndarray, PoreNetwork]:
    grid = BlockGrid(mask.shape, block, regions.halo)
    states = [regions.block(mask[b.read.slices], b) for b in grid]
    np.random.default_rng(1).shuffle(states)
    network = regions.finish(reduce(regions.combine, states), Facts(mask.shape, mask.dtype))
    labels = np.zeros(mask.shape, np.uint32)
    for b in grid:
        pieces = np.concatenate([[0], network.owners[network.blocks == b.id]])
        labels[b.core.slices] = pieces[regions.map(mask[b.read.slices], b).labels]
    return labels, network


def assert_same(a: PoreNetwork, b: PoreNetwork) -> None:
    np.testing.assert_array_equal(a.pores.table, b.pores.table)
    for name in ("peaks", "pairs", "faces", "passes"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("min_depth", "max_throat"), [(0.5, 0.9), (0.0, 1.0), (1.5, 0.7)])
def test_pores_are_those_of_the_rules(seed, min_depth, max_throat):
    mask = blobs((11, 12, 14), phi=0.6, seed=seed, sigma=1.5)
    heights = np.rint(np.square(ndimage.distance_transform_edt(mask)))
    labels, _ = pores(mask, min_depth=min_depth, max_throat=max_throat)
    np.testing.assert_array_equal(labels, pores_by_the_rules(mask, heights, min_depth, max_throat))


@pytest.mark.parametrize("block", [(20, 21, 33), (7, 5, 9), (16, 16, 16), (1, 21, 33), (20, 2, 3)])
@pytest.mark.parametrize("voxel_size", [None, (2.0, 1.0, 1.3)])
@pytest.mark.parametrize("surplus", [0.0, 1.6])
def test_blocks_give_bitwise_what_the_whole_gives(block, voxel_size, surplus):
    mask = blobs((20, 21, 33))
    labels, network = pores(mask, voxel_size=voxel_size)
    largest = float(distance(mask, voxel_size=voxel_size).max()) + surplus
    found, same = over_blocks(PoreRegions(largest, voxel_size=voxel_size), mask, block)
    np.testing.assert_array_equal(found, labels)
    assert_same(same, network)


@given(
    shape=st.tuples(*[st.integers(1, 10)] * 3),
    block=st.tuples(*[st.integers(1, 7)] * 3),
    phi=st.sampled_from([0.3, 0.8, 0.97]),
)
def test_blocks_of_any_shape_give_what_the_whole_gives(shape, block, phi):
    mask = np.random.default_rng(sum(shape)).random(shape) < phi
    mask.flat[0] = False
    labels, network = pores(mask)
    found, same = over_blocks(PoreRegions(float(distance(mask).max())), mask, block)
    np.testing.assert_array_equal(found, labels)
    assert_same(same, network)


def test_the_network_is_what_the_labels_show():
    mask = blobs((30, 31, 32))
    labels, network = pores(mask)
    count = len(network.pores)
    ids = np.arange(1, count + 1)
    assert set(np.unique(labels)) == {0, *ids}
    np.testing.assert_array_equal(labels > 0, mask)
    np.testing.assert_array_equal(network.pores.voxels, np.bincount(labels.ravel())[1:])
    first = [np.flatnonzero(labels.ravel() == i)[0] for i in ids]
    np.testing.assert_array_equal(network.pores.first, first)
    assert (np.diff(first) > 0).all()
    for i, box in enumerate(ndimage.find_objects(labels.astype(int))):
        assert [s.start for s in box] == network.pores.start[i].tolist()
        assert [s.stop for s in box] == network.pores.stop[i].tolist()
    centres = np.array(ndimage.center_of_mass(mask, labels, ids))
    np.testing.assert_allclose(network.pores.moments()[0], centres)
    d = ndimage.distance_transform_edt(mask)
    np.testing.assert_allclose(network.peaks, ndimage.maximum(d, labels, ids))
    assert_throats(labels, d, network)


def assert_throats(labels, d, network):
    found, exposed = {}, np.zeros((len(network.pores), 3), int)
    for axis in range(3):
        a, b = (np.moveaxis(labels, axis, 0)[s] for s in (slice(None, -1), slice(1, None)))
        u, v = (np.moveaxis(d, axis, 0)[s] for s in (slice(None, -1), slice(1, None)))
        for i, j, height in zip(a[a != b], b[a != b], np.minimum(u, v)[a != b], strict=True):
            for one in (i, j):
                if one:
                    exposed[one - 1, axis] += 1
            if i and j:
                faces, highest = found.setdefault((min(i, j), max(i, j)), (np.zeros(3, int), [0.0]))
                faces[axis] += 1
                highest[0] = max(highest[0], height)
    assert sorted(found) == [tuple(p) for p in network.pairs]
    for pair, faces, height in zip(network.pairs, network.faces, network.passes, strict=True):
        np.testing.assert_array_equal(faces, found[tuple(pair)][0])
        assert height == pytest.approx(found[tuple(pair)][1][0])
    np.testing.assert_array_equal(network.pores.exposed, exposed)
    np.testing.assert_array_equal(
        network.coordination, np.bincount(network.pairs.ravel(), minlength=len(exposed) + 1)[1:]
    )


@pytest.mark.parametrize("gap", [11, 13, 15])
def test_overlapping_balls_on_a_lattice_are_one_pore_each(gap):
    centres = 12 + gap * np.array(list(product(range(3), repeat=3)))
    z, y, x = np.mgrid[: 24 + 2 * gap, : 24 + 2 * gap, : 24 + 2 * gap]
    mask = np.zeros(z.shape, bool)
    for a, b, c in centres:
        mask |= (z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2 < 64
    labels, network = pores(mask)
    assert len(network.pores) == 27
    assert len(network.pairs) == 54
    assert sorted(labels[tuple(centres.T)]) == list(range(1, 28))
    # Towards a neighbour there is a little more room than at the centre.
    np.testing.assert_allclose(network.peaks, 8, rtol=0.05)


@pytest.mark.parametrize("sigma", [2, 3, 4])
def test_there_are_about_as_many_pores_as_others_find(sigma, monkeypatch):
    monkeypatch.setitem(porespy.settings.tqdm, "disable", True)
    mask = blobs((80, 80, 80), phi=0.35, sigma=sigma, seed=sigma)
    count = len(pores(mask)[1].pores)
    snow = porespy.filters.snow_partitioning(mask).regions.max()
    d = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 0.4)
    peaks = np.zeros(mask.shape, int)
    places = peak_local_max(d, min_distance=3, labels=mask.astype(int), exclude_border=False)
    peaks[tuple(places.T)] = np.arange(1, len(places) + 1)
    skimage = len(np.unique(watershed(-d, peaks, mask=mask))) - 1
    assert 1 / 1.7 < count / snow < 1.7
    assert 1 / 2 < count / skimage < 2


def test_deeper_limits_give_unions_of_pores():
    mask = blobs((40, 40, 40))
    fine, coarse = pores(mask, min_depth=0, max_throat=1)[0], pores(mask, min_depth=1)[0]
    assert fine.max() > coarse.max()
    for label in range(1, fine.max() + 1):
        assert len(np.unique(coarse[fine == label])) == 1


def test_pores_that_do_not_touch_have_no_throat():
    row = np.array([[[True, True, False, True]]])
    labels, network = pores(row)
    assert labels.tolist() == [[[1, 1, 0, 2]]]
    assert len(network.pairs) == 0
    assert network.coordination.tolist() == [0, 0]


def test_an_image_of_two_dimensions_is_one_slice():
    mask = blobs((50, 60), sigma=3)
    labels, _ = pores(mask)
    np.testing.assert_array_equal(labels, pores(mask[None])[0][0])


def test_a_mask_without_phase_has_no_pores():
    labels, network = pores(np.zeros((4, 5, 6), bool))
    assert not labels.any()
    assert len(network.pores) == len(network.pairs) == 0


def test_what_makes_no_pores_is_refused():
    with pytest.raises(ParameterError, match="no background"):
        pores(np.ones((3, 4, 5), bool))
    with pytest.raises(ParameterError, match="not bool"):
        pores(np.zeros((3, 4, 5), np.uint8))
    for wrong in ({"min_depth": -1.0}, {"max_throat": 0.0}, {"max_throat": 1.1}, {"min_depth": float("nan")}):
        with pytest.raises(ParameterError, match="divide no pores"):
            pores(np.zeros((3, 4, 5), bool), **wrong)
    mask = blobs((8, 8, 8))
    block = BlockGrid(mask.shape, mask.shape)[0]
    with pytest.raises(NotFittedError, match="largest distance"):
        PoreRegions().block(mask, block)
    with pytest.raises(ParameterError, match="exceeds the largest"):
        PoreRegions(0.5).block(mask, block)
