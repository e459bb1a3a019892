"""The measure "correlation" against the kernel, and on media with known answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

import bigrock
from bigrock.errors import ParameterError
from bigrock.kernels import two_point_correlation
from bigrock.measures import Correlation
from bigrock.volumes import ArraySource


@dataclass(frozen=True)
class Ball:
    centre: float
    radius: float

    def inside(self, region):
        z, y, x = (np.arange(a, b) - self.centre for a, b in zip(region.start, region.stop, strict=True))
        return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= self.radius**2


def blobs(sigma=(2.0, 2.0, 2.0), side=48):
    field = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((side,) * 3), sigma, mode="wrap")
    return field > np.quantile(field, 0.7)


@pytest.mark.parametrize("block", [None, (17, 25, 48)])
def test_the_curves_are_those_of_the_kernel(block):
    mask, voxel = blobs(side=40), (2e-6, 1e-6, 1e-6)
    source = ArraySource(mask, voxel_size=voxel)
    found = bigrock.measure(source, Correlation(9), block=block)["correlation"]
    for directions, names in (("axes", "zyx"), ("radial", ["radial"])):
        expected = two_point_correlation(mask, max_lag=9, directions=directions, voxel_size=voxel)
        for name in names:
            np.testing.assert_array_equal(found[name]["s2"], expected[name].probability)
            np.testing.assert_allclose(found[name]["distance"], expected[name].distance)
    assert found["porosity"] == mask.mean()


def test_the_correlation_length_of_exponential_decay_is_its_length():
    rng = np.random.default_rng(0)
    # A row that switches at random has covariance (1 - 2 p)^r: its sum less half the first term is 4.5.
    rows = np.logical_xor.accumulate(rng.random((40, 40, 3000)) < 0.1, axis=2)[:, :, 2000:2400]
    found = bigrock.measure(rows, Correlation(60, radial=False))["correlation"]
    assert found["x"]["correlation_length"] == pytest.approx(4.5, rel=0.06)
    assert found["y"]["correlation_length"] < 1


def test_stretched_blobs_are_anisotropic_by_their_stretch_in_metres():
    mask = blobs((1.0, 1.0, 2.5), side=80)
    plain = bigrock.measure(mask, Correlation(24, radial=False))["correlation"]
    assert plain["anisotropy"] == pytest.approx(2.5, rel=0.15)
    assert plain["x"]["correlation_length"] > plain["z"]["correlation_length"]
    squeezed = ArraySource(mask, voxel_size=(2.5e-6, 2.5e-6, 1e-6))
    assert bigrock.measure(squeezed, Correlation(40, radial=False))["correlation"]["anisotropy"] < 1.2


def test_the_slope_gives_the_specific_surface():
    mask = blobs((3.0, 3.0, 3.0), side=80)
    found = bigrock.measure(mask, [Correlation(4, radial=False), "surface"])
    surface = found["surface"]["per_bulk_volume"]
    assert found["correlation"]["specific_surface"] == pytest.approx(surface, rel=0.03)


def test_only_pairs_inside_the_field_of_view_count():
    mask, field = blobs(), Ball(24, 20)
    inside = field.inside(bigrock.geometry.Region.whole(mask.shape))
    found = bigrock.measure(mask, Correlation(3), field_of_view=field, block=(20, 48, 31))["correlation"]
    seen = mask & inside
    expected = [np.count_nonzero(seen) / np.count_nonzero(inside)]
    expected += [
        np.count_nonzero(seen[:, :, :-n] & seen[:, :, n:])
        / np.count_nonzero(inside[:, :, :-n] & inside[:, :, n:])
        for n in (1, 2, 3)
    ]
    np.testing.assert_array_equal(found["x"]["s2"], expected)
    full = bigrock.measure(np.ones_like(mask), Correlation(3), field_of_view=field, pore=True)["correlation"]
    assert (full["radial"]["s2"] == 1).all()


def test_a_mask_of_one_phase_has_no_length():
    found = bigrock.measure(np.zeros((6, 6, 6), bool), Correlation(3))["correlation"]
    assert (found["porosity"], found["x"]["correlation_length"], found["anisotropy"]) == (0.0, None, None)


def test_lags_of_nothing_are_refused():
    with pytest.raises(ParameterError, match="max_lag=0"):
        Correlation(0)
