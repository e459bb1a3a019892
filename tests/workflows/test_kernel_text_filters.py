"""Filters, morphology and fields of view as the command line writes them."""

from __future__ import annotations

import pytest

from bigrock import kernels
from bigrock.errors import ParameterError
from bigrock.workflows import kernel_vocabulary, parse_kernel


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("median radius=1", kernels.Median(1)),
        ("median radius=2 ndim=2", kernels.Median(2, ndim=2)),
        ("gaussian sigma=1.5", kernels.Gaussian(1.5)),
        ("non-local-means strength=1 search_radius=3", kernels.NonLocalMeans(search_radius=3, strength=1.0)),
        ("remove-stripes limit=40 along=x", kernels.RemoveStripes(40.0, along="x")),
        (
            "remove-rings limit=900 centre=503.5,498 slices=9",
            kernels.RemoveRings(900.0, 5, (503.5, 498.0), 9),
        ),
        ("opening radius=3", kernels.Opening(3.0)),
        ("closing radius=2 shape=cube", kernels.Closing(2.0, "cube")),
        ("erosion radius=1 shape=cross", kernels.Erosion(1.0, "cross")),
        ("dilation radius=1.5", kernels.Dilation(1.5)),
        (
            "mask-outside field_of_view=504,498,483.8",
            kernels.MaskOutside(kernels.Cylinder(504.0, 498.0, 483.8)),
        ),
        (
            "global-otsu field_of_view=1,2,3",
            kernels.GlobalOtsu(field_of_view=kernels.Cylinder(1.0, 2.0, 3.0)),
        ),
        ("median radius=1 | global-otsu", kernels.Median(1) | kernels.GlobalOtsu()),
    ],
)
def test_filters_are_written_by_name_and_settings(text, kernel):
    assert repr(parse_kernel(text)) == repr(kernel)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("median", "needs radius"),
        ("remove-rings", "needs limit"),
        ("mask-outside field_of_view=1,2", "centre_y,centre_x,radius"),
        ("mask-outside field_of_view=1,2,-3", "no circle"),
        ("opening radius=1 shape=disc", "ball or cube or cross"),
    ],
)
def test_what_is_missing_or_wrong_is_told(text, told):
    with pytest.raises(ParameterError, match=told):
        parse_kernel(text)


def test_the_vocabulary_says_how_a_circle_is_written():
    assert kernel_vocabulary()["mask-outside"]["field_of_view"] == "centre_y,centre_x,radius"
