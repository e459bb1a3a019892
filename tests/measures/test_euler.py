"""The measure "euler": signs, densities, blocks and the field of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from skimage import measure as skimage_measure

import bigrock
from bigrock.errors import ParameterError
from bigrock.measures import Euler
from bigrock.volumes import ArraySource


@dataclass(frozen=True)
class Ball:
    """A field of view that is neither aligned nor separable."""

    centre: float
    radius: float

    def inside(self, region):
        z, y, x = (np.arange(a, b) - self.centre for a, b in zip(region.start, region.stop, strict=True))
        return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= self.radius**2


def noise(shape=(15, 17, 20), fraction=0.4):
    return np.random.default_rng(0).random(shape) < fraction


def test_both_euler_numbers_are_those_of_scikit_image_for_any_block():
    mask = noise()
    for block in (None, (7, 5, 9), (4, 17, 3)):
        found = bigrock.measure(mask, "euler", block=block)["euler"]
        assert found["chi"] == found["chi_26"] == skimage_measure.euler_number(mask, 3)
        assert found["chi_6"] == skimage_measure.euler_number(mask, 1)
    assert bigrock.measure(mask, Euler(6))["euler"]["chi"] == found["chi_6"]


def test_the_density_is_per_cubic_metre_where_the_voxel_size_is_known():
    mask = noise()
    plain = bigrock.measure(mask, "euler")
    sized = bigrock.measure(ArraySource(mask, voxel_size=(2e-6, 1e-6, 1e-6)), "euler")
    assert plain["euler"]["chi_per_volume"] == plain["euler"]["chi"] / mask.size
    assert sized["euler"]["chi_per_volume"] == pytest.approx(plain["euler"]["chi_per_volume"] / 2e-18)
    assert (plain.units["euler"]["chi_per_volume"], sized.units["euler"]["chi_per_volume"]) == (
        "1/voxel",
        "1/m³",
    )


def test_outside_the_field_of_view_is_no_phase_and_no_volume():
    mask, field = noise(), Ball(8, 7)
    inside = field.inside(bigrock.geometry.Region.whole(mask.shape))
    found = bigrock.measure(mask, "euler", field_of_view=field, block=(7, 5, 9))["euler"]
    assert found["chi"] == skimage_measure.euler_number(mask & inside, 3)
    assert found["chi_per_volume"] == found["chi"] / np.count_nonzero(inside)


def test_connectivity_18_is_refused():
    with pytest.raises(ParameterError, match="18"):
        Euler(18)
