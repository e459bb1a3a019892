"""Label volumes seen from outside."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import bigrock
from bigrock.errors import ParameterError
from bigrock.report.rendering import View, render
from bigrock.report.views import coarse_labels, view_picture
from bigrock.volumes.downsample import halve

RED, BLUE = (255, 0, 0), (0, 0, 255)


def ball(n: int = 25) -> np.ndarray:
    return (((np.indices((n, n, n)) - n // 2) ** 2).sum(axis=0) <= (n // 3) ** 2).astype(np.uint8)


def test_the_axes_of_a_view_stand_upright_and_square():
    axes = np.array(View(turn=-50, lift=35).axes)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert axes[1][1] > 0.8, "y runs down"


def test_a_ball_covers_a_disc_and_is_lit_from_the_upper_left():
    colours, cover = render(
        ball(), (1, 1, 1), surfaces={1: RED}, fog={}, view=View(turn=0, lift=0, size=(100, 100))
    )
    assert cover.sum() == pytest.approx(ball().any(axis=0).sum() * (94 / 25) ** 2, rel=0.03)
    assert not colours[..., 1:].any()
    assert colours[35, 35, 0] > 1.3 * colours[65, 65, 0]


def test_the_first_slice_lies_in_front():
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[0], labels[9] = 1, 2
    colours, _ = render(
        labels, (1, 1, 1), surfaces={1: RED, 2: BLUE}, fog={}, view=View(turn=0, lift=0, size=(50, 50))
    )
    assert colours[25, 25, 0] > 0.3
    assert colours[25, 25, 2] == 0


def test_fog_hides_less_the_thinner_it_is_and_nothing_is_clear():
    labels = np.ones((16, 16, 16), np.uint8)
    thin = labels.copy()
    thin[4:] = 0
    view = View(turn=0, lift=0, size=(40, 40))
    thick_cover, thin_cover, none = (
        render(volume, (1, 1, 1), surfaces={}, fog={1: RED}, view=view)[1][20, 20]
        for volume in (labels, thin, 0 * labels)
    )
    assert thick_cover > thin_cover > 0 == none
    assert thick_cover == pytest.approx(1 - np.exp(-2.2), abs=0.05)


def test_voxels_keep_their_shape():
    _, cover = render(
        np.ones((4, 8, 8), np.uint8),
        (2.0, 1, 1),
        surfaces={1: RED},
        fog={},
        view=View(turn=90, lift=0, size=(80, 80)),
    )
    seen = np.argwhere(cover > 0.5)
    height, width = np.ptp(seen, axis=0)
    assert abs(int(height) - int(width)) <= 1


def test_large_volumes_are_halved_as_pyramids_are(tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, (37, 50, 70)).astype(np.uint8)
    source = bigrock.ArraySource(labels, kind="labels", classes={"a": 0, "b": 1, "c": 2})
    coarse, times = coarse_labels(source, longest=20)
    assert times == 2
    np.testing.assert_array_equal(coarse, halve(halve(labels, "mode"), "mode"))
    assert coarse_labels(source, longest=70)[1] == 0


def test_the_picture_names_classes_and_colours():
    source = bigrock.ArraySource(ball(), (1e-8,) * 3, kind="labels", classes={"matrix": 0, "pore": 1})
    picture = view_picture(source, surfaces=["pore"])
    assert "Pore blue" in picture.caption
    assert all(Image.open(io.BytesIO(png)).size == (600, 520) for png in (picture.png, picture.dark))
    with pytest.raises(ParameterError, match=r"\['clay'\] are not classes"):
        view_picture(source, surfaces=["clay"])


def test_a_pyramid_is_used_where_there_is_one(tmp_path):
    labels = np.random.default_rng(2).integers(0, 3, (10, 40, 600)).astype(np.uint8)
    source = bigrock.ArraySource(labels, kind="labels", classes={"a": 0, "b": 1, "c": 2})
    stored = bigrock.run(
        bigrock.kernels.MajorityAlongZ(1),
        source,
        tmp_path / "labels.zarr",
        pyramid=True,
        shard=(32, 32, 32),
        progress=False,
    )
    assert len(stored.levels) > 1
    plain = bigrock.ArraySource(stored[:], kind="labels")
    for longest in (300, 100, 40):
        np.testing.assert_array_equal(coarse_labels(stored, longest)[0], coarse_labels(plain, longest)[0])
