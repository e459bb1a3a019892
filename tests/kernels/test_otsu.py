"""Thresholds of local Otsu are those of scikit-image, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from otsu_images import reference, textured

from bigrock.errors import ParameterError
from bigrock.kernels.otsu import local_otsu
from bigrock.kernels.otsu_windows import window_thresholds


def adversarial():
    rng = np.random.default_rng(5)
    shape = (23, 150)
    one = np.zeros(shape, np.uint8)
    one[11, 70] = 255
    steps = np.repeat(np.arange(0, 240, 16, dtype=np.uint8), 10)[None, :].repeat(23, 0)
    return {
        "zero": np.zeros(shape, np.uint8),
        "constant": np.full(shape, 100, np.uint8),
        "white": np.full(shape, 255, np.uint8),
        "one bright voxel": one,
        "one dark voxel": 255 - one,
        "black and white": (rng.random(shape) < 0.5).astype(np.uint8) * 255,
        "zero and one": (rng.random(shape) < 0.5).astype(np.uint8),
        "zero and sixteen": (rng.random(shape) < 0.5).astype(np.uint8) * 16,
        "neighbours across a segment edge": 15 + (rng.random(shape) < 0.5).astype(np.uint8),
        "mostly zero": np.where(rng.random(shape) < 0.8, 0, rng.integers(0, 256, shape)).astype(np.uint8),
        "rarely anything": np.where(rng.random(shape) < 0.99, 0, rng.integers(1, 256, shape)).astype(
            np.uint8
        ),
        "ramp": np.linspace(0, 255, 150).astype(np.uint8)[None, :].repeat(23, 0),
        "ramp down y": np.linspace(255, 0, 23).astype(np.uint8)[:, None].repeat(150, 1),
        "checkerboard": (np.indices(shape).sum(0) % 2 * 255).astype(np.uint8),
        "three values": rng.choice(np.array([3, 120, 250], np.uint8), shape),
        "multiples of sixteen": (rng.integers(0, 16, shape) * 16).astype(np.uint8),
        "ends of segments": (rng.integers(0, 16, shape) * 16 + 15).astype(np.uint8),
        "noise": rng.integers(0, 256, shape).astype(np.uint8),
        "weak noise": rng.integers(126, 130, shape).astype(np.uint8),
        "steps": steps,
        "symmetric ties": rng.choice(np.array([50, 100, 150], np.uint8), shape, p=[0.25, 0.5, 0.25]),
    }


@pytest.mark.parametrize("name", adversarial())
@pytest.mark.parametrize("radius", [1, 2, 7, 40])
def test_thresholds_of_difficult_images_equal_skimage(name, radius):
    image = adversarial()[name]
    np.testing.assert_array_equal(local_otsu(image, radius=radius), reference(image, radius))


@pytest.mark.parametrize("name", adversarial())
def test_cube_thresholds_of_difficult_images_equal_skimage(name):
    image = np.stack([np.roll(adversarial()[name], 5 * z, axis=1)[:12, :40] for z in range(7)])
    for radius in (1, 3):
        np.testing.assert_array_equal(
            local_otsu(image, radius=radius, ndim=3), reference(image, radius, ndim=3)
        )


@pytest.mark.parametrize("radius", [3, 15, 63, 64, 140])
def test_thresholds_of_a_textured_slice_equal_skimage(radius):
    image = textured((150, 301), seed=radius)
    np.testing.assert_array_equal(local_otsu(image, radius=radius), reference(image, radius))


@pytest.mark.parametrize("radius", [1, 4, 9, 22])
def test_cube_thresholds_of_a_textured_volume_equal_skimage(radius):
    image = textured((24, 40, 45) if radius < 22 else (45, 45, 45), seed=radius)
    core = (slice(10, 12), slice(0, image.shape[1]), slice(0, image.shape[2]))
    near = slice(max(0, 10 - radius), 12 + radius)
    expected = reference(image[near], radius, ndim=3)[10 - near.start :][:2]
    np.testing.assert_array_equal(window_thresholds(image, core, radius, 3)[0], expected)


grey_images = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14),
    elements=st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 15, 16, 17, 100, 101, 240, 254, 255])),
)


@settings(max_examples=300, deadline=None)
@given(image=grey_images, radius=st.integers(1, 9))
def test_thresholds_of_any_small_slice_equal_skimage(image, radius):
    np.testing.assert_array_equal(local_otsu(image, radius=radius), reference(image, radius))


@settings(max_examples=100, deadline=None)
@given(
    image=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7)),
    radius=st.integers(1, 4),
)
def test_cube_thresholds_of_any_small_volume_equal_skimage(image, radius):
    np.testing.assert_array_equal(local_otsu(image, radius=radius, ndim=3), reference(image, radius, ndim=3))


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_of_random_mixtures_equal_skimage(seed):
    rng = np.random.default_rng(seed)
    for _ in range(12):
        levels = rng.choice(256, rng.integers(2, 40), replace=False)
        weights = rng.dirichlet(np.full(levels.size, rng.choice([0.05, 0.3, 1.0])))
        image = rng.choice(levels, rng.integers(1, 160, 2), p=weights).astype(np.uint8)
        radius = int(rng.integers(1, 30))
        np.testing.assert_array_equal(local_otsu(image, radius=radius), reference(image, radius))


def test_a_view_that_is_not_contiguous_gives_the_same_thresholds():
    image = textured((40, 60), 3)
    view = image[::-1, ::2]
    np.testing.assert_array_equal(local_otsu(view, radius=4), reference(np.ascontiguousarray(view), 4))


def test_every_slice_stands_alone_with_a_square_window():
    image = textured((4, 30, 40), 4)
    whole = local_otsu(image, radius=5)
    for z in range(4):
        np.testing.assert_array_equal(whole[z], local_otsu(image[z], radius=5))


@pytest.mark.parametrize(
    ("image", "settings", "message"),
    [
        (np.zeros((4, 4), np.uint16), {"radius": 1}, "uint16.*Quantise"),
        (np.zeros((4, 4), np.float32), {"radius": 1}, "float32.*Quantise"),
        (np.zeros((4, 4), np.uint8), {"radius": 0}, "radius=0"),
        (np.zeros((4, 4), np.uint8), {"radius": 1.5}, "radius=1.5"),
        (np.zeros((4, 4), np.uint8), {"radius": 1, "ndim": 3}, r"\(4, 4\)"),
        (np.zeros((4, 4), np.uint8), {"radius": 1, "ndim": 4}, "ndim=4"),
        (np.zeros((0, 4), np.uint8), {"radius": 1}, "at least one voxel"),
        (np.broadcast_to(np.uint8(0), (2500, 2500)), {"radius": 2500}, "2\\*\\*53"),
    ],
)
def test_what_cannot_be_thresholded_is_refused_with_the_values(image, settings, message):
    with pytest.raises(ParameterError, match=message):
        local_otsu(image, **settings)
