"""Lacunarity through `bigrock.measure`: any blocks, masks and grey values, fields of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from bigrock.errors import ParameterError
from bigrock.kernels import lacunarity
from bigrock.measures import GreyLacunarity, Lacunarity, measure


@dataclass(frozen=True)
class Rod:
    """A round core: the circle of a radius around the axis along z."""

    centre: float
    radius: float

    def inside(self, region):
        y, x = (np.arange(a, b) - self.centre for a, b in zip(region.start[1:], region.stop[1:], strict=True))
        return (np.hypot(y[:, None], x[None]) < self.radius)[None]


@pytest.mark.parametrize("block", [None, (7, 5, 9), (16, 8, 4)])
def test_blocks_give_the_curve_of_the_whole(block):
    mask = np.random.default_rng(0).random((21, 17, 24)) < 0.2
    found = measure(mask, Lacunarity(sizes=(1, 2, 5, 11)), block=block)["lacunarity"]
    assert found["lacunarity"].tolist() == lacunarity(mask, sizes=(1, 2, 5, 11)).tolist()
    assert found["sizes"].tolist() == [1, 2, 5, 11]
    assert found["boxes"][-1] == 11 * 7 * 14


@pytest.mark.parametrize("block", [None, (7, 5, 9)])
def test_grey_values_have_the_curve_of_the_whole(block):
    grey = np.random.default_rng(0).integers(0, 60000, (21, 17, 24), np.uint16)
    found = measure(grey, GreyLacunarity(sizes=(2, 6)), block=block)["grey_lacunarity"]
    assert found["lacunarity"].tolist() == lacunarity(grey, sizes=(2, 6)).tolist()


def test_the_curve_of_a_round_core_is_that_of_the_boxes_inside():
    mask = np.random.default_rng(0).random((12, 30, 30)) < 0.3
    inside = np.broadcast_to(np.hypot(*np.ogrid[-14.5:15.5, -14.5:15.5])[None] < 12, mask.shape)
    found = measure(mask, Lacunarity(sizes=(4,)), field_of_view=Rod(14.5, 12), block=(5, 9, 16))["lacunarity"]
    whole = sliding_window_view(inside, (4, 4, 4)).all((3, 4, 5))
    masses = sliding_window_view(mask, (4, 4, 4)).sum((3, 4, 5))[whole].astype(float)
    assert found["boxes"].tolist() == [whole.sum()]
    assert found["lacunarity"][0] == pytest.approx((masses**2).mean() / masses.mean() ** 2, rel=1e-12)


def test_default_sizes_fit_four_times():
    mask = np.ones((40, 60, 70), bool)
    assert measure(mask, "lacunarity")["lacunarity"]["sizes"].tolist() == [2, 4, 8]


def test_sizes_and_values_that_make_no_boxes_are_refused_before_the_read():
    with pytest.raises(ParameterError, match="Use sizes up to 8"):
        measure(np.ones((8, 9, 9), bool), Lacunarity(sizes=(2, 9)))
    with pytest.raises(ParameterError, match="no masses"):
        measure(np.ones((8, 9, 9), np.float32), "grey_lacunarity")
