from __future__ import annotations

import numpy as np

from bigrock.datasets.grains import (
    FELDSPAR,
    HEAVY,
    LARGEST_RADIUS,
    LATTICE,
    PORE,
    QUARTZ,
    draw_grain,
    nearest_grain,
)
from bigrock.datasets.hashing import mix, normal_table


def _grain(cell: tuple[int, int, int], seed: int = 3, size: float = 10.0) -> np.ndarray:
    grain = np.empty(11)
    draw_grain(np.uint64(seed), size, *cell, normal_table(), grain)
    return grain


def _matrix(grain: np.ndarray) -> np.ndarray:
    zz, yy, xx, zy, zx, yx = grain[3:9]
    return np.array([[zz, zy, zx], [zy, yy, yx], [zx, yx, xx]])


def test_a_grain_lies_in_its_cell_and_has_three_positive_half_axes():
    for i in range(-20, 20):
        grain = _grain((i, -i, 2 * i))
        assert np.all(np.floor(LATTICE.T @ grain[:3] / 10 + 1e-9) == (i, -i, 2 * i))
        half_axes = 1 / np.sqrt(np.linalg.eigvalsh(_matrix(grain)))
        assert np.isclose(half_axes.max(), grain[9])
        assert 0 < half_axes.min() <= half_axes.max() <= LARGEST_RADIUS * 10 + 1e-9


def test_the_lattice_is_a_rotation():
    assert np.allclose(LATTICE @ LATTICE.T, np.eye(3))
    assert np.isclose(np.linalg.det(LATTICE), 1)


def test_grains_are_oriented_at_random():
    longest = [np.linalg.eigh(_matrix(_grain((i, 7, 0))))[1][:, 0] for i in range(2000)]
    # Second moment of a uniform direction is a third of the unit matrix.
    assert np.abs(np.einsum("ni,nj->ij", longest, longest) / 2000 - np.eye(3) / 3).max() < 0.03


def test_minerals_occur_in_their_shares():
    grey = np.array([_grain((i, j, 0))[10] for i in range(60) for j in range(60)])
    assert abs((np.abs(grey / HEAVY - 1) < 0.02).mean() - 0.015) < 0.006
    assert (np.abs(grey / QUARTZ - 1) < 0.02).mean() > 0.8
    assert (np.abs(grey / FELDSPAR - 1) < 0.02).mean() > 0.1


def test_nearest_grain_equals_a_search_over_all_grains():
    cell, shape, start = 7.0, (9, 10, 11), (-5, 3, 40)
    distance, grey = nearest_grain(11, start, shape, cell=cell, reach=1.7)
    lattice = np.rint(LATTICE.T @ np.add(start, np.array(shape) / 2) / cell).astype(int)
    reach = range(-5, 6)
    grains = [
        _grain(tuple(lattice + np.array((z, y, x))), 11, cell) for z in reach for y in reach for x in reach
    ]
    points = np.stack(
        np.meshgrid(*(np.arange(s, s + n) for s, n in zip(start, shape, strict=True)), indexing="ij"), -1
    )
    forms = []
    for grain in grains:
        offset = points - grain[:3]
        forms.append(np.einsum("...i,ij,...j->...", offset, _matrix(grain), offset))
    best = np.min(forms, axis=0)
    shade = np.array([g[10] for g in grains])[np.argmin(forms, axis=0)]
    clear = np.abs(best - 1.7) > 1e-4
    expected = np.where(best <= 1.7, best, np.inf)
    assert np.allclose(distance[clear], expected[clear], atol=1e-4)
    found = clear & np.isfinite(distance)
    assert found.mean() > 0.5
    assert (np.abs(grey[found] - shade[found]) < 1e-6).mean() > 0.999
    assert np.all(grey[np.isinf(distance)] == np.float32(PORE))


def test_a_strided_raster_samples_the_full_one():
    whole = nearest_grain(2, (0, 0, 0), (20, 20, 20), cell=6.0, reach=2.0)
    sampled = nearest_grain(2, (1, 0, 2), (7, 7, 6), cell=6.0, reach=2.0, stride=3)
    for full, few in zip(whole, sampled, strict=True):
        assert np.array_equal(full[1::3, ::3, 2::3], few)


def test_another_seed_gives_other_grains():
    assert not np.array_equal(_grain((0, 0, 0), 1), _grain((0, 0, 0), 2))
    assert int(mix(np.uint64(1))) != int(mix(np.uint64(2)))
