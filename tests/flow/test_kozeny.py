"""Kozeny-Carman's formula and the surface that goes into it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bigrock.errors import ParameterError
from bigrock.flow import kozeny_carman, permeability, surface_per_bulk


def test_equal_spheres_have_the_textbook_permeability() -> None:
    porosity, diameter = 0.37, 250e-6
    surface = 6 * (1 - porosity) / diameter
    expected = porosity**3 * diameter**2 / (180 * (1 - porosity) ** 2)
    assert kozeny_carman(porosity, surface) == pytest.approx(expected)


def test_a_tube_is_exact_with_the_constant_two() -> None:
    assert kozeny_carman(1.0, 2 / 3.0, c=2) == pytest.approx(3.0**2 / 8)


def test_without_pores_it_is_zero_and_without_surface_infinite() -> None:
    assert kozeny_carman(0.0, 0.0) == 0
    assert kozeny_carman(1.0, 0.0) == math.inf
    assert math.isnan(surface_per_bulk(np.ones((1, 4, 4), bool)))


@pytest.mark.parametrize(("porosity", "surface", "c"), [(-0.1, 1, 5), (1.2, 1, 5), (0.2, -1, 5), (0.2, 1, 0)])
def test_what_is_not_allowed_is_refused(porosity: float, surface: float, c: float) -> None:
    with pytest.raises(ParameterError, match="positive constant"):
        kozeny_carman(porosity, surface, c=c)


def test_it_stands_beside_every_permeability_unless_it_is_not_defined() -> None:
    ball = np.asarray(sum((np.mgrid[:24, :24, :24] - 11.5) ** 2) >= 10**2)
    found = permeability(ball, voxel_size="2 um", axis="z", tolerance=0.1)["z"]
    expected = kozeny_carman(ball.mean(), 4 * np.pi * 100 / 23**3) * 4e-12
    assert found.kozeny_carman_m2 == pytest.approx(expected, rel=0.05)
    open_duct = permeability(np.ones((2, 4, 4), bool), voxel_size="2 um", axis="z")["z"]
    assert open_duct.kozeny_carman_m2 is None
