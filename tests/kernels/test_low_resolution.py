"""Down-sampling against scikit-image, scipy and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.measure import block_reduce
from skimage.transform import downscale_local_mean

from bigrock.errors import ParameterError
from bigrock.kernels import low_resolution

SHAPE = (24, 12, 48)


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return np.random.default_rng(5).random(SHAPE).astype(np.float32)


def by_torch(image: np.ndarray, factor: int, mode: str) -> np.ndarray:
    batch = torch.from_numpy(image)[None, None]
    options = {} if mode == "nearest-exact" else {"align_corners": False, "antialias": False}
    found = torch.nn.functional.interpolate(batch, scale_factor=1 / factor, mode=mode, **options)
    return found[0, 0].numpy()


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 6])
def test_the_mean_is_that_of_scikit_image(grey, factor):
    found = low_resolution(grey, factor=factor)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, downscale_local_mean(grey, (factor,) * 3), rtol=1e-6)
    mask = grey < 0.3
    expected = block_reduce(mask, (factor,) * 3, np.mean)
    np.testing.assert_allclose(low_resolution(mask, factor=factor), expected, rtol=1e-6)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize(("method", "mode"), [("nearest", "nearest-exact"), ("trilinear", "trilinear")])
def test_nearest_and_trilinear_are_those_of_torch(grey, factor, method, mode):
    found = low_resolution(grey, factor=factor, method=method)
    np.testing.assert_allclose(found, by_torch(grey, factor, mode), rtol=1e-6)


def test_blur_is_a_gaussian_of_half_the_factor_before_the_mean(grey):
    mask = grey < 0.4
    blurred = gaussian_filter(mask.astype(float), 2.0, mode="nearest")
    expected = downscale_local_mean(blurred, (4, 4, 4))
    found = low_resolution(mask, factor=4, method="blur")
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert 0 <= found.min() < found.max() <= 1
    sharp = low_resolution(mask, factor=4, method="blur", blur_voxels=0)
    np.testing.assert_array_equal(sharp, low_resolution(mask, factor=4))


def test_only_the_mean_keeps_the_porosity_exactly(grey):
    mask = grey < 0.25
    assert low_resolution(mask, factor=4).mean() == pytest.approx(mask.mean(), abs=1e-7)


def test_noise_follows_from_its_seed_and_has_the_asked_strength():
    flat = np.full((64, 64, 64), 0.5, np.float32)
    a, b, c = (low_resolution(flat, factor=2, method="blur", noise=0.1, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    assert a.std() == pytest.approx(0.1, rel=0.02)
    assert a.mean() == pytest.approx(0.5, abs=0.003)


@pytest.mark.parametrize("method", ["mean", "nearest", "trilinear", "blur"])
def test_leading_axes_are_separate_images(grey, method):
    batch = np.stack([grey, grey[::-1]])
    found = low_resolution(batch, factor=3, method=method)
    for one, image in zip(found, batch, strict=True):
        np.testing.assert_array_equal(one, low_resolution(image, factor=3, method=method))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"factor": 5}, "multiples of 5"),
        ({"factor": 0}, "factor 0"),
        ({"factor": 2, "method": "cubic"}, "'cubic'"),
        ({"factor": 2, "blur_voxels": 1.0}, "method='blur'"),
        ({"factor": 2.0}, r"factor 2\.0 is not a positive whole number"),
        ({"factor": np.nan}, "factor nan"),
        ({"factor": 2, "method": "blur", "blur_voxels": -1.0}, "0 or more, finite"),
        ({"factor": 2, "method": "blur", "blur_voxels": np.inf}, "0 or more, finite"),
        ({"factor": 2, "noise": -0.1}, "noise -0.1"),
    ],
)
def test_what_cannot_be_done_is_told(grey, options, words):
    with pytest.raises(ParameterError, match=words):
        low_resolution(grey, **options)
