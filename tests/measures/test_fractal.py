"""Fractal dimensions through `bigrock.measure`: any blocks, classes, fields of view, real rocks."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from bigrock.errors import ParameterError
from bigrock.kernels import box_count, differential_box_count
from bigrock.measures import DifferentialFractal, Fractal, measure


@dataclass(frozen=True)
class Rod:
    """A round core: the circle of a radius around the axis along z."""

    centre: float
    radius: float

    def inside(self, region):
        y, x = (np.arange(a, b) - self.centre for a, b in zip(region.start[1:], region.stop[1:], strict=True))
        return (np.hypot(y[:, None], x[None]) < self.radius)[None]


def rock(shape=(40, 37, 45), seed=0) -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2)
    return field > np.quantile(field, 0.75)


@pytest.mark.parametrize("block", [None, (7, 5, 9), (16, 16, 16), (40, 1, 45)])
def test_blocks_give_the_dimensions_of_the_whole(block):
    mask = rock()
    found = measure(mask, Fractal(sizes=(1, 2, 3, 4, 8, 11)), block=block)["fractal"]
    for kind in ("phase", "interface"):
        counted = box_count(mask, sizes=(1, 2, 3, 4, 8, 11), kind=kind)
        assert found[kind]["dimension"] == counted.dimension
        assert found[kind]["r2"] == counted.r2
        assert (found[kind]["fit_smallest"], found[kind]["fit_largest"]) == counted.fit_range
        np.testing.assert_array_equal(found[kind]["counts"], counted.counts)


def test_the_interface_inside_a_field_of_view_is_not_its_border():
    mask, rod = rock((24, 30, 30)), Rod(14.5, 12)
    inside = np.broadcast_to(np.hypot(*np.ogrid[-14.5:15.5, -14.5:15.5])[None] < 12, mask.shape)
    found = measure(mask, Fractal(sizes=(2, 4, 5)), field_of_view=rod, block=(9, 7, 11))["fractal"]
    for size, phase, both in zip(
        (2, 4, 5), found["phase"]["counts"], found["interface"]["counts"], strict=True
    ):
        holds = [
            [
                m[tuple(slice(i * size, (i + 1) * size) for i in at)].any()
                for m in (mask & inside, ~mask & inside)
            ]
            for at in np.ndindex(*(-(-n // size) for n in mask.shape))
        ]
        assert phase == sum(p for p, _ in holds)
        assert both == sum(p and s for p, s in holds)


def test_classes_are_measured_one_by_one():
    mask = rock()
    found = measure(mask, "fractal", classes="all")["fractal"]
    assert found["pore"]["phase"]["dimension"] == box_count(mask).dimension
    assert found["solid"]["phase"]["dimension"] == box_count(~mask).dimension
    np.testing.assert_array_equal(found["pore"]["interface"]["counts"], found["solid"]["interface"]["counts"])


def test_an_empty_mask_has_no_dimension_and_is_json():
    result = measure(np.zeros((16, 16, 16), bool), "fractal")
    assert result["fractal"]["phase"]["dimension"] is None
    assert json.loads(result.to_json())["fractal"]["interface"]["fit_largest"] is None


@pytest.mark.parametrize("block", [None, (7, 5, 9)])
def test_grey_values_have_the_differential_dimension(block):
    grey = np.random.default_rng(0).integers(0, 200, (21, 32, 19), np.uint8)
    found = measure(grey, DifferentialFractal(levels=200, sizes=(2, 3, 6)), block=block)
    counted = differential_box_count(grey, levels=200, sizes=(2, 3, 6))
    assert found["differential_fractal"]["dimension"] == counted.dimension
    np.testing.assert_array_equal(found["differential_fractal"]["counts"], counted.counts)


def test_grey_values_without_levels_are_refused_before_the_read():
    with pytest.raises(ParameterError, match="no fixed number of levels"):
        measure(np.zeros((8, 8, 8), np.float32), "differential_fractal")


@pytest.mark.parametrize(("file", "pore"), [("deepore_sample_256/*.tif", 0), ("berea_200_openpnm/*.tif", 1)])
def test_real_rocks_have_dimensions_between_two_and_three(shared_data, file, pore):
    from tifffile import imread

    mask = imread(next(shared_data.glob(file))) == pore
    found = measure(mask, "fractal")["fractal"]
    assert 2 < found["phase"]["dimension"] < 3
    assert 2 < found["interface"]["dimension"] < 3
    assert found["phase"]["r2"] > 0.98
