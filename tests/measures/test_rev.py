"""The measure "rev": statistics of boxes one by one, the criterion, and blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage, stats

import bigrock
from bigrock.errors import ParameterError
from bigrock.measures import Rev
from bigrock.volumes import ArraySource


@dataclass(frozen=True)
class Ball:
    centre: float
    radius: float

    def inside(self, region):
        z, y, x = (np.arange(a, b) - self.centre for a, b in zip(region.start, region.stop, strict=True))
        return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= self.radius**2


def blobs(side=64, sigma=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((side,) * 3), sigma, mode="wrap")
    return field > np.quantile(field, 0.7)


def boxes_of(mask, size):
    z, y, x = (n // size for n in mask.shape)
    parts = mask[: z * size, : y * size, : x * size].reshape(z, size, y, size, x, size)
    return parts.mean((1, 3, 5)).ravel()


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        if isinstance(a[name], dict):
            assert_same(a[name], b[name])
        else:
            np.testing.assert_array_equal(a[name], b[name])


def test_porosity_by_size_is_that_of_each_box_by_itself():
    mask = blobs()[:, :50]
    found = bigrock.measure(mask, Rev(smallest=5))["rev"]
    assert found["voxels"].tolist() == [5, 10, 15, 20, 30, 40]
    for i, size in enumerate(found["voxels"]):
        samples, table = boxes_of(mask, size), found["porosity"]
        assert table["boxes"][i] == samples.size
        assert table["mean"][i] == pytest.approx(samples.mean())
        if samples.size > 1:
            assert table["std"][i] == pytest.approx(samples.std(ddof=1))
            assert table["cv"][i] == pytest.approx(samples.std(ddof=1) / samples.mean())
            low, high = stats.t.interval(0.95, samples.size - 1, samples.mean(), stats.sem(samples))
            assert (table["ci_low"][i], table["ci_high"][i]) == pytest.approx((low, high))
        else:
            assert np.isnan(table["cv"][i])


@pytest.mark.parametrize("field", [None, Ball(20, 19)])
def test_porosity_alone_is_what_it_is_beside_the_others(field):
    options = {"field_of_view": field, "block": (20, 33, 40)}
    mask = blobs()[:, :50]
    every = bigrock.measure(mask, Rev(smallest=1), **options)["rev"]
    alone = bigrock.measure(mask, Rev(smallest=1, quantities=("porosity",)), **options)["rev"]
    assert "chi" in every
    assert_same(
        alone, {name: found for name, found in every.items() if name not in ("chi", "surface", "curvature")}
    )


@pytest.mark.parametrize("block", [(7, 5, 9), (33, 64, 20)])
def test_blocks_give_bitwise_what_the_whole_gives(block):
    source = ArraySource(blobs()[:33, :40], voxel_size=(2e-6, 1e-6, 1e-6))
    assert_same(bigrock.measure(source, "rev", block=block)["rev"], bigrock.measure(source, "rev")["rev"])


def test_boxes_of_every_size_have_the_euler_density_and_surface_of_the_rock():
    mask = blobs(96)
    found = bigrock.measure(mask, ["rev", "minkowski", "surface"])
    rev = found["rev"]
    assert rev["chi"]["mean"][0] == pytest.approx(found["minkowski"]["density"]["euler"], rel=0.05)
    np.testing.assert_allclose(rev["surface"]["mean"], found["surface"]["per_bulk_volume"], rtol=0.02)
    np.testing.assert_allclose(
        rev["curvature"]["mean"], found["minkowski"]["density"]["mean_curvature"], rtol=0.05
    )


def test_the_size_that_is_enough_is_the_first_from_which_on_the_criterion_holds():
    mask = blobs(128, 1.0)
    found = bigrock.measure(ArraySource(mask, voxel_size=(1e-6,) * 3), "rev")["rev"]["porosity"]
    voxels = np.array([8, 16, 24, 32, 48, 64])
    enough = [
        size
        for size in voxels
        if all(
            boxes_of(mask, s).std(ddof=1) / boxes_of(mask, s).mean() <= 0.05
            and abs(boxes_of(mask, s).mean() - boxes_of(mask, 8).mean()) <= 0.02 * boxes_of(mask, 8).mean()
            for s in voxels[voxels >= size]
        )
    ]
    assert found["rev_size"] == pytest.approx(enough[0] * 1e-6)
    assert 8e-6 < found["rev_size"] < 64e-6


def test_a_rock_with_a_trend_has_no_representative_size_and_the_reason_is_given():
    trend = np.random.default_rng(0).random((64, 64, 64)) < np.linspace(0.1, 0.6, 64)
    found = bigrock.measure(trend, "rev")["rev"]["porosity"]
    assert found["rev_size"] is None
    assert "still varies" in found["reason"]
    small = bigrock.measure(np.ones((9, 9, 9), bool), "rev", pore=True)["rev"]["porosity"]
    assert (small["rev_size"], small["boxes"].tolist()) == (None, [1])
    assert "no size has 8 boxes" in small["reason"]
    flat = bigrock.measure(np.ones((1, 9, 9), bool), "rev", pore=True)["rev"]["porosity"]
    assert (flat["rev_size"], flat["boxes"].size) == (None, 0)


def test_only_boxes_wholly_inside_the_field_of_view_count():
    mask, field = blobs(), Ball(32, 30)
    inside = field.inside(bigrock.geometry.Region.whole(mask.shape))
    full = boxes_of(inside, 8) == 1
    found = bigrock.measure(mask, Rev(smallest=8), field_of_view=field, block=(33, 20, 64))["rev"]["porosity"]
    assert 0.5 * full.sum() < found["boxes"][0] <= full.sum()
    whole = bigrock.measure(np.ones_like(mask), Rev(smallest=8), field_of_view=field, pore=True)["rev"]
    assert (whole["porosity"]["mean"] == 1).all()
    assert (whole["surface"]["mean"] == 0).all()
    assert (whole["chi"]["mean"] == 0).all()


def test_parameters_without_meaning_are_refused():
    with pytest.raises(ParameterError, match="has no meaning"):
        Rev(cv=0)
    with pytest.raises(ParameterError, match="nothing is known of \\['colour'\\]"):
        Rev(quantities=("porosity", "colour"))
    with pytest.raises(ParameterError, match="cannot be described"):
        Rev(quantities=())
