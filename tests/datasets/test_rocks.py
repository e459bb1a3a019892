"""Synthetic rocks: what follows from the seed, exact porosity, textures that differ, distances by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label
from scipy.spatial import cKDTree

from bigrock.datasets import ROCK_FAMILIES, rock
from bigrock.datasets.rock_families import FAMILIES, gaussian_field
from bigrock.datasets.rock_loops import line_distances, nearest_points
from bigrock.errors import ParameterError
from bigrock.kernels.percolation import percolates


@pytest.mark.parametrize("family", ROCK_FAMILIES)
def test_a_rock_follows_from_its_seed_and_has_the_asked_porosity(family):
    mask = rock((3, 1), edge=32, family=family, porosity=0.27)
    assert mask.shape == (32, 32, 32)
    assert mask.dtype == bool
    assert mask.mean() == pytest.approx(0.27, abs=1e-4)
    np.testing.assert_array_equal(mask, rock((3, 1), edge=32, family=family, porosity=0.27))
    assert not np.array_equal(mask, rock((3, 2), edge=32, family=family, porosity=0.27))


@pytest.mark.parametrize("family", ROCK_FAMILIES)
def test_the_drawn_porosity_lies_in_the_range_of_the_family(family):
    _, low, high = FAMILIES[family]
    assert 0.1 <= low < high <= 0.5
    found = [rock((0, i), edge=24, family=family).mean() for i in range(8)]
    assert low - 1e-3 <= min(found) < max(found) <= high + 1e-3


@pytest.mark.parametrize("family", ROCK_FAMILIES)
def test_most_rocks_percolate_at_once_and_all_when_they_are_drawn_until_they_do(family):
    at_once = [all(percolates(rock((1, i), edge=48, family=family)).values()) for i in range(12)]
    assert sum(at_once) >= 6
    for i in np.flatnonzero(np.logical_not(at_once)):
        assert all(percolates(rock((1, i), edge=48, family=family, percolating=True)).values())


def test_a_percolating_rock_is_drawn_until_it_percolates():
    seeds = [
        s for s in range(40) if not all(percolates(rock(s, edge=32, family="layers", porosity=0.2)).values())
    ]
    assert seeds
    again = rock(seeds[0], edge=32, family="layers", porosity=0.2, percolating=True)
    assert all(percolates(again).values())


def test_percolation_is_that_of_scipy_across_faces():
    for seed in range(6):
        mask = rock(seed, edge=24, family="blobs", porosity=0.2)
        labels, _ = label(mask)
        for axis, name in enumerate("zyx"):
            ends = [set(np.unique(labels.take(i, axis))) - {0} for i in (0, -1)]
            assert percolates(mask)[name] == bool(ends[0] & ends[1])


def test_families_differ_in_surface_and_size_at_one_porosity():
    def faces(mask: np.ndarray) -> float:
        return sum(np.count_nonzero(np.diff(mask, axis=a)) for a in range(3)) / mask.size

    surface = {f: np.mean([faces(rock((2, i), family=f, porosity=0.3)) for i in range(4)]) for f in FAMILIES}
    assert max(surface.values()) / min(surface.values()) > 1.6


def test_features_grow_with_the_edge_unless_a_scale_is_given():
    def faces(mask: np.ndarray) -> float:
        return sum(np.count_nonzero(np.diff(mask, axis=a)) for a in range(3)) / mask.size

    small, large = (rock(5, edge=n, family="channels", porosity=0.3) for n in (32, 64))
    assert faces(small) == pytest.approx(2 * faces(large), rel=0.3)
    more = rock(5, edge=(64, 32, 48), family="channels", porosity=0.3, scale=0.5)
    assert more.shape == (64, 32, 48)
    assert faces(more) == pytest.approx(faces(small), rel=0.2)


def test_nearest_points_are_those_of_a_tree():
    rng = np.random.default_rng(0)
    cell, shape = 5.5, (13, 9, 17)
    counts = tuple(int(np.ceil(n / cell)) + 4 for n in shape)
    corners = np.stack(np.meshgrid(*(np.arange(n) - 2.0 for n in counts), indexing="ij"), -1)
    points = ((corners + rng.random((*counts, 3))) * cell).astype(np.float32)
    found = [np.empty(shape, np.float32) for _ in range(3)]
    nearest_points(points, np.ones(counts, np.float32), cell, *found)
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    expected, _ = cKDTree(points.reshape(-1, 3)).query(voxels, k=3)
    certain = expected < 2**0.5 * cell
    assert certain.mean() > 0.99
    np.testing.assert_allclose(np.stack(found, -1)[certain], expected[certain], rtol=1e-4)


def test_line_distances_are_those_of_the_cross_product():
    rng = np.random.default_rng(1)
    direction = rng.standard_normal((5, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    points, radii, shape = rng.uniform(0, 10, (5, 3)), rng.uniform(1, 3, 5), (7, 8, 9)
    found = np.full(shape, np.inf, np.float32)
    line_distances(np.float32(np.concatenate([points, direction], 1)), np.float32(radii), found)
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)[..., None, :]
    away = np.linalg.norm(np.cross(voxels - points, direction), axis=-1) / radii
    np.testing.assert_allclose(found, away.min(-1), atol=2e-3)


def test_a_gaussian_field_has_the_asked_correlation_along_each_axis():
    field = gaussian_field(np.random.default_rng(2), (96, 96, 96), (2.0, 3.0, 4.0))
    for axis, sigma in enumerate((2.0, 3.0, 4.0)):
        # exp(-lag² / 4σ²), so 1/e at twice σ.
        found = (field * np.roll(field, round(2 * sigma), axis)).mean()
        assert found == pytest.approx(np.exp(-1), abs=0.05)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"family": "granite"}, "Give one of blobs"),
        ({"porosity": 1.0}, "porosity 1.0"),
        ({"edge": 4}, "at least 8"),
        ({"edge": (32, 32)}, "three for z, y, x"),
        ({"edge": 8.9}, "at least 8"),
        ({"scale": 0.0}, "scale 0.0"),
        ({"scale": 100.0}, "not fit"),
        ({"scale": np.inf}, "not fit"),
    ],
)
def test_what_cannot_be_made_is_told(options, words):
    with pytest.raises(ParameterError, match=words):
        rock(0, **options)
