"""The measures "surface" and "minkowski" against the kernels and against known media."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

import bigrock
from bigrock.kernels import minkowski_functionals, surface_area
from bigrock.volumes import ArraySource


@dataclass(frozen=True)
class Ball:
    centre: float
    radius: float

    def inside(self, region):
        z, y, x = (np.arange(a, b) - self.centre for a, b in zip(region.start, region.stop, strict=True))
        return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= self.radius**2


@dataclass(frozen=True)
class Everything:
    def inside(self, region):
        return np.ones(region.shape, bool)


def blobs(side=40, sigma=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((side,) * 3), sigma, mode="wrap")
    return field > np.quantile(field, 0.7)


@pytest.mark.parametrize("block", [None, (7, 5, 9), (40, 13, 64)])
def test_area_and_specific_surface_are_those_of_the_kernel(block):
    mask, voxel = blobs(), (2e-6, 1e-6, 1e-6)
    found = bigrock.measure(ArraySource(mask, voxel_size=voxel), "surface", block=block)["surface"]
    area = surface_area(mask, voxel_size=voxel)
    window = 39**3 * math.prod(voxel)
    assert found["area"] == area
    assert found["per_bulk_volume"] == pytest.approx(area / window)
    assert found["per_pore_volume"] == pytest.approx(area / window / mask.mean())
    assert found["faces"]["area"] == surface_area(mask, voxel_size=voxel, method="faces")
    assert found["faces"]["per_bulk_volume"] > 1.3 * found["per_bulk_volume"]


def test_pore_and_solid_have_the_same_surface():
    found = bigrock.measure(blobs(), "surface", classes="all")["surface"]
    areas = [found[name]["area"] for name in found]
    assert len(areas) == 2
    assert areas[0] == areas[1]


def test_a_field_of_view_that_holds_everything_changes_nothing():
    mask = blobs()
    for name in ("surface", "minkowski", "euler"):
        plain = bigrock.measure(mask, name)[name]
        assert bigrock.measure(mask, name, field_of_view=Everything(), block=(13, 40, 7))[name] == plain


def test_the_border_of_the_field_of_view_is_no_surface():
    mask, field = blobs(64), Ball(32, 30)
    found = bigrock.measure(mask, "surface", field_of_view=field, block=(33, 20, 64))["surface"]
    whole = bigrock.measure(mask, "surface")["surface"]
    assert found["per_bulk_volume"] == pytest.approx(whole["per_bulk_volume"], rel=0.05)
    everything = bigrock.measure(np.ones_like(mask), "surface", field_of_view=field, pore=True)["surface"]
    assert everything["area"] == 0


def test_one_slice_has_no_surface():
    found = bigrock.measure(blobs()[:1], ["surface", "minkowski"])
    assert found["surface"]["area"] is None
    assert found["surface"]["per_bulk_volume"] is None
    assert found["minkowski"]["density"]["euler"] is None


def test_the_functionals_are_those_of_the_kernel():
    mask, voxel = blobs(), (2e-6, 1e-6, 1e-6)
    found = bigrock.measure(ArraySource(mask, voxel_size=voxel), "minkowski", block=(7, 5, 9))["minkowski"]
    expected = minkowski_functionals(mask, voxel)
    for name in ("volume", "surface", "mean_curvature", "total_curvature", "euler"):
        assert found[name] == getattr(expected, name)
    assert found["mecke"]["M1"] == expected.surface / 8
    assert found["density"]["volume"] == pytest.approx(mask.mean())
    assert found["density"]["euler"] == pytest.approx(expected.euler / (39**3 * 2e-18))


def test_measures_of_one_histogram_share_it():
    from bigrock.measures import Euler, Minkowski, Surface
    from bigrock.volumes.source import Facts

    facts = Facts((4, 4, 4), np.dtype(bool))
    assert Euler().reductions(facts) == Surface().reductions(facts) == Minkowski().reductions(facts)
