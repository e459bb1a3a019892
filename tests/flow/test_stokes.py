"""Stokes flow against exact and published permeabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from bigrock.flow import permeability

Mask = npt.NDArray[np.bool_]


def k_voxel2(mask: Mask, axis: str = "z", boundary: str = "periodic", tolerance: float = 1e-4) -> float:
    found = permeability(mask, voxel_size="1 um", axis=axis, boundary=boundary, tolerance=tolerance)
    return found[axis].k_voxel2


def round_tube(diameter: int) -> Mask:
    y, x = np.mgrid[: diameter + 2, : diameter + 2] - (diameter + 1) / 2
    return np.repeat((y**2 + x**2 <= diameter**2 / 4)[None], 4, axis=0)


def spheres(edge: int, solid: float) -> Mask:
    radius = (3 * solid / 4 / np.pi) ** (1 / 3) * edge
    return np.asarray(sum((np.mgrid[:edge, :edge, :edge] - (edge - 1) / 2) ** 2) >= radius**2)


def cylinders(edge: int, solid: float) -> Mask:
    """Return cylinders along x."""
    z, y = np.mgrid[:edge, :edge] - (edge - 1) / 2
    return np.repeat((z**2 + y**2 >= solid / np.pi * edge**2)[:, :, None], 2, axis=2)


@pytest.mark.parametrize("width", [2, 4, 8, 16])
@pytest.mark.parametrize("boundary", ["periodic", "mirrored"])
def test_a_slit_has_the_permeability_of_the_discrete_parabola(width: int, boundary: str) -> None:
    """Exact is h²/12; the grid, walls half a voxel away, gives (h² + 2)/12: +3 % at 8 voxels."""
    slit = np.zeros((5, width + 3, 3), bool)
    slit[:, 1 : 1 + width] = True
    expected = width / (width + 3) * (width**2 + 2) / 12
    assert k_voxel2(slit, boundary=boundary) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("side", "tolerance"), [(8, 0.06), (16, 0.016), (32, 0.005)])
def test_a_square_duct_comes_near_its_exact_permeability_from_above(side: int, tolerance: float) -> None:
    found = k_voxel2(np.ones((4, side, side), bool), boundary="sealed")
    assert 0 < found / (0.035144 * side**2) - 1 < tolerance


@pytest.mark.parametrize(("diameter", "tolerance"), [(10, 0.018), (20, 0.006), (40, 0.002)])
def test_a_round_tube_comes_near_poiseuille(diameter: int, tolerance: float) -> None:
    tube = round_tube(diameter)
    exact = np.pi / 4 * diameter**2 / tube[0].size * diameter**2 / 32
    assert k_voxel2(tube) == pytest.approx(exact, rel=tolerance)


@pytest.mark.parametrize(
    ("solid", "exact"),
    [(0.125, 0.039850), (0.216, 0.019152), (0.343, 0.007933), (0.45, 0.003971), (0.5236, 0.00252)],
)
def test_simple_cubic_spheres_have_the_permeability_of_zick_and_homsy(solid: float, exact: float) -> None:
    assert k_voxel2(spheres(32, solid), tolerance=1e-3) / 32**2 == pytest.approx(exact, rel=0.037)


@pytest.mark.parametrize(("solid", "exact"), [(0.1, 0.040274), (0.3, 0.0097182), (0.5, 0.0018778)])
def test_a_square_array_of_cylinders_has_the_permeability_of_sangani_and_acrivos(
    solid: float, exact: float
) -> None:
    assert k_voxel2(cylinders(64, solid)) / 64**2 == pytest.approx(exact, rel=0.02)
