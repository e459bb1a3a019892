"""Scores of super-resolved images, held against what other packages say of the same images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.measure import euler_number

from bigrock.errors import ParameterError
from bigrock.training import enlarged, image_quality

TRUTH = gaussian_filter(np.random.default_rng(0).standard_normal((32, 32, 32)), 2) > 0.02


def test_the_truth_is_perfect() -> None:
    found = image_quality(TRUTH.astype(np.float32), TRUTH)
    assert found["psnr"] == np.inf
    assert found["ssim"] == pytest.approx(1)
    assert found["voxel_accuracy"] == found["surface_ratio"] == 1
    assert found["porosity_error"] == found["grey_porosity_error"] == found["correlation_error"] == 0
    assert found["euler"] == found["euler_truth"]


def test_errors_are_what_they_are_called() -> None:
    grey = np.clip(TRUTH + np.random.default_rng(1).normal(0, 0.1, TRUTH.shape), -1, 2)
    found = image_quality(grey, TRUTH)
    assert found["psnr"] == pytest.approx(
        -10 * np.log10(((np.clip(grey, 0, 1) - TRUTH) ** 2).mean()), rel=1e-5
    )
    worse = image_quality(np.roll(grey, 2, axis=0), TRUTH)
    assert worse["ssim"] < found["ssim"] < 1
    assert worse["porosity_error"] == pytest.approx(found["porosity_error"])
    fuller = image_quality(np.where(TRUTH, 1.0, 0.6), TRUTH)
    assert fuller["porosity"] == 1
    assert fuller["porosity_error"] == pytest.approx(1 - TRUTH.mean())
    lag0 = abs(1 - TRUTH.mean())
    assert 0 < fuller["correlation_error"] < 2 * lag0


def test_the_euler_number_is_scikit_images_inside_of_the_volume() -> None:
    body = np.zeros((12, 12, 12), bool)
    body[3:9, 3:9, 3:9] = True
    body[5:7, 5:7, :] = False
    body[:, 5:7, 5:7] = False
    found = image_quality(body.astype(float), body)
    assert found["euler"] * 11**3 == pytest.approx(euler_number(body, connectivity=3))


def test_images_of_another_grid_are_refused() -> None:
    with pytest.raises(ParameterError, match="one grid"):
        image_quality(TRUTH[::2], TRUTH)


def test_interpolations_are_those_of_torch() -> None:
    image = np.random.default_rng(2).random((4, 5, 6)).astype(np.float32)
    given = torch.from_numpy(image)[None, None]
    for method, theirs in (("nearest", {"mode": "nearest"}), ("trilinear", {"mode": "trilinear"})):
        expected = torch.nn.functional.interpolate(given, scale_factor=4, **theirs)[0, 0].numpy()  # type: ignore[arg-type]
        np.testing.assert_allclose(enlarged(image, 4, method), expected, atol=1e-5)
    smooth = np.linspace(0, 1, 8) ** 2 * np.ones((8, 8, 8))
    assert enlarged(smooth, 2)[8, 8, 9] == pytest.approx((4.25 / 7) ** 2, abs=1e-3)
    with pytest.raises(ParameterError, match="'nearest', 'trilinear', 'cubic'"):
        enlarged(image, 2, "lanczos")
