"""Euler numbers against scikit-image and known bodies; areas and curvatures against analytic ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage
from skimage import measure

from bigrock.errors import ParameterError
from bigrock.kernels.configurations_tables import DIRECTIONS, direction_weights, eighths_of_euler
from bigrock.kernels.minkowski import euler_number, minkowski_functionals, surface_area


def ball(radius: float, side: int = 0, voxel=(1.0, 1.0, 1.0)) -> np.ndarray:
    shape = [side or int(2 * radius / v) + 7 for v in voxel]
    squares = [((np.arange(n) - n / 2 + 0.31) * v) ** 2 for n, v in zip(shape, voxel, strict=True)]
    return squares[0][:, None, None] + squares[1][:, None] + squares[2] <= radius**2


def handles(number: int) -> np.ndarray:
    """Return a plate with holes: a body of that many handles."""
    body = np.zeros((5, 9, 4 + 4 * number), bool)
    body[1:4, 1:8, 1:-1] = True
    for i in range(number):
        body[:, 3:6, 3 + 4 * i : 5 + 4 * i] = False
    return body


@pytest.mark.parametrize("connectivity", [6, 26])
def test_bodies_have_the_euler_number_of_their_topology(connectivity):
    hollow = ball(8, 21) & ~ball(4, 21)
    assert euler_number(ball(8), connectivity=connectivity) == 1
    assert euler_number(hollow, connectivity=connectivity) == 2
    for number in range(5):
        assert euler_number(handles(number), connectivity=connectivity) == 1 - number
    assert euler_number(np.zeros((3, 3, 3), bool), connectivity=connectivity) == 0
    assert euler_number(np.ones((3, 4, 5), bool), connectivity=connectivity) == 1


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 5), (9, 8, 70), (5, 66, 6)])
def test_the_euler_number_is_that_of_scikit_image(shape, fraction):
    mask = np.random.default_rng(int(fraction * 10)).random(shape) < fraction
    assert euler_number(mask) == measure.euler_number(mask, 3)
    assert euler_number(mask, connectivity=6) == measure.euler_number(mask, 1)


def test_the_euler_number_of_an_image_is_that_of_scikit_image():
    image = np.random.default_rng(0).random((37, 90)) < 0.5
    assert euler_number(image, connectivity=8) == measure.euler_number(image, 2)
    assert euler_number(image, connectivity=4) == measure.euler_number(image, 1)
    assert euler_number(image) == measure.euler_number(image, 2)


def test_the_euler_numbers_of_a_mask_and_of_its_complement_agree():
    mask = np.pad(np.random.default_rng(3).random((9, 9, 9)) < 0.4, 2)
    # In a frame, the complement is one hollow object more.
    assert euler_number(~mask, connectivity=6) == euler_number(mask, connectivity=26) + 1


def test_components_minus_tunnels_plus_cavities_is_the_euler_number():
    mask = ndimage.binary_dilation(np.random.default_rng(0).random((20, 20, 20)) < 0.002, iterations=1)
    mask &= np.pad(np.ones((16, 16, 16), bool), 2)
    assert euler_number(mask, connectivity=6) == ndimage.label(mask)[1]


@pytest.mark.parametrize("name", ["berea", "drp"])
def test_the_euler_number_of_rocks_is_that_of_scikit_image(shared_data, name):
    import tifffile

    folder = {"berea": "berea_400", "drp": "drp374_06_00_256"}[name]
    [path] = (shared_data / folder).glob("*.tif")
    mask = tifffile.imread(path)[:80, 50:140, 7:100] == 0
    assert euler_number(mask) == measure.euler_number(mask, 3)
    assert euler_number(mask, connectivity=6) == measure.euler_number(mask, 1)


def test_connectivity_18_is_refused():
    with pytest.raises(ParameterError, match="18 neighbours"):
        euler_number(np.ones((2, 2, 2), bool), connectivity=18)
    with pytest.raises(ParameterError, match="connectivity=8"):
        euler_number(np.ones((2, 2, 2), bool), connectivity=8)


def test_the_weights_of_directions_are_those_of_the_literature():
    weights = direction_weights(DIRECTIONS)
    expected = {1: 0.045778, 2: 0.036981, 3: 0.035196}
    for direction, weight in zip(DIRECTIONS, weights, strict=True):
        assert weight / 2 == pytest.approx(expected[sum(map(abs, direction))], abs=1e-6)


def test_the_weights_are_the_solid_angles_nearest_to_each_direction():
    steps = np.array(DIRECTIONS) * (2.5, 1.0, 1.3)
    units = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    random = np.random.default_rng(0).normal(size=(200_000, 3))
    nearest = np.abs(random @ units.T).argmax(1)
    shares = np.bincount(nearest, minlength=13) / len(random)
    np.testing.assert_allclose(direction_weights(tuple(map(tuple, steps.tolist()))), shares, atol=0.004)


@pytest.mark.parametrize("voxel", [(1, 1, 1), (2, 1, 1), (1, 1, 3), (1, 1.5, 2)])
@pytest.mark.parametrize("radius", [12, 25])
def test_a_ball_has_the_area_and_curvature_of_a_sphere(radius, voxel):
    found = minkowski_functionals(ball(radius, voxel=voxel), voxel)
    assert found.surface == pytest.approx(4 * math.pi * radius**2, rel=0.01)
    assert found.mean_curvature == pytest.approx(4 * math.pi * radius, rel=0.02)
    assert found.total_curvature == pytest.approx(4 * math.pi)
    faces = surface_area(ball(radius, voxel=voxel), voxel_size=voxel, method="faces")
    assert faces == pytest.approx(1.5 * 4 * math.pi * radius**2, rel=0.03)


@pytest.mark.parametrize("radius", range(5, 12))
def test_the_tolerance_of_the_area_holds_for_small_balls(radius):
    tolerance = 0.02 if radius < 8 else 0.01
    assert surface_area(ball(radius)) == pytest.approx(4 * math.pi * radius**2, rel=tolerance)


def test_an_ellipsoid_has_its_area():
    grid = np.indices((30, 50, 70)) - np.array([14.6, 24.7, 34.8])[:, None, None, None]
    a, b, c = 10.0, 18.0, 28.0
    mask = (grid[0] / a) ** 2 + (grid[1] / b) ** 2 + (grid[2] / c) ** 2 <= 1
    theta, phi = np.meshgrid((np.arange(400) + 0.5) * math.pi / 400, (np.arange(800) + 0.5) * math.pi / 400)
    normal = [
        b * c * np.sin(theta) ** 2 * np.cos(phi),
        a * c * np.sin(theta) ** 2 * np.sin(phi),
        a * b * np.sin(theta) * np.cos(theta),
    ]
    area = np.sqrt(sum(n**2 for n in normal)).sum() * (math.pi / 400) ** 2
    assert surface_area(mask) == pytest.approx(area, rel=0.01)


def test_the_area_of_blobs_is_below_that_of_a_voxel_mesh_by_its_known_excess():
    field = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((64, 64, 64)), 4, mode="wrap")
    mask = field > np.quantile(field, 0.7)
    smooth = measure.mesh_surface_area(*measure.marching_cubes(field, np.quantile(field, 0.7))[:2])
    blocky = measure.mesh_surface_area(*measure.marching_cubes(mask.astype(np.float32), 0.5)[:2])
    assert surface_area(mask) == pytest.approx(smooth, rel=0.01)
    assert surface_area(mask) < 0.95 * blocky


def test_voxel_faces_are_counted_exactly():
    mask = np.pad(np.random.default_rng(0).random((6, 7, 8)) < 0.5, 1)
    voxel = (3.0, 2.0, 5.0)
    areas = (2.0 * 5.0, 3.0 * 5.0, 3.0 * 2.0)
    expected = sum(np.count_nonzero(np.diff(mask, axis=i)) * a for i, a in enumerate(areas))
    assert surface_area(mask, voxel_size=voxel, method="faces") == pytest.approx(expected)


def test_cuts_at_the_border_are_no_surface():
    half = np.zeros((9, 9, 9), bool)
    half[:4] = True
    assert surface_area(half, method="faces") == 8 * 8
    assert surface_area(np.ones((5, 6, 7), bool)) == 0
    closed = surface_area(np.ones((5, 6, 7), bool), method="faces", border="closed")
    assert closed == 2 * (5 * 6 + 6 * 7 + 7 * 5)
    assert surface_area(half) == surface_area(~half)


def test_the_functionals_of_mecke_of_a_ball():
    radius = 20
    volume, surface, curvature, euler = minkowski_functionals(ball(radius)).mecke
    assert volume == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.01)
    assert surface == pytest.approx(math.pi * radius**2 / 2, rel=0.01)
    assert curvature == pytest.approx(2 * radius / math.pi, rel=0.01)
    assert euler == pytest.approx(3 / (4 * math.pi))


def test_functionals_are_additive_over_disjoint_bodies():
    a = np.zeros((12, 12, 40), bool)
    b = a.copy()
    a[2:6, 3:9, 3:9] = True
    b[3:8, 2:10, 20:31] = True
    parts, both = (
        [minkowski_functionals(m, (1, 2, 3)) for m in (a, b)],
        minkowski_functionals(a | b, (1, 2, 3)),
    )
    for name in ("volume", "surface", "mean_curvature", "euler"):
        assert getattr(both, name) == pytest.approx(sum(getattr(p, name) for p in parts))


def test_an_open_border_gives_the_density_of_the_rock():
    field = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((96, 96, 96)), 2, mode="wrap")
    mask = field > 0.02
    inner = mask[16:80, 16:80, 16:80]
    whole = minkowski_functionals(mask).euler / 95**3
    opened = minkowski_functionals(inner).euler / 63**3
    closed = minkowski_functionals(inner, border="closed").euler / 64**3
    assert abs(opened - whole) < abs(closed - whole)


def test_options_that_are_not_known_are_refused():
    mask = np.ones((3, 3, 3), bool)
    with pytest.raises(ParameterError, match="'crofton' or 'faces'"):
        surface_area(mask, method="mesh")
    with pytest.raises(ParameterError, match="'open' or 'closed'"):
        surface_area(mask, border="mirror")
    with pytest.raises(ParameterError, match=r"\(z, y, x\)"):
        surface_area(mask[0])


def test_the_share_of_a_single_voxel_is_an_eighth_in_each_of_its_cells():
    singles = [1 << bit for bit in range(8)]
    assert [int(eighths_of_euler(c)[code]) for c in (6, 26) for code in singles] == [1] * 16
