from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from bigrock.datasets.scanner import blur, blur_weights, digitise, ring_profiles
from bigrock.geometry import Region

FAULTLESS = {"seed": 4, "cupping": 0.0, "rings": 0.0, "noise": 0.0, "per_contrast": 10_000.0}
UINT16 = np.dtype("uint16")


def _scan(shape, **settings):
    flat = np.ones(shape, np.float32)
    return digitise(
        flat, np.zeros_like(flat), Region.whole(shape), shape, **{**FAULTLESS, "dtype": UINT16, **settings}
    )


@pytest.mark.parametrize("sigma", [0.0, 0.5, 0.65, 1.3])
def test_blur_equals_a_gaussian_filter(sigma):
    image = np.random.default_rng(1).random((15, 16, 17)).astype(np.float32)
    weights = blur_weights(sigma)
    halo = weights.size // 2
    expected = ndimage.gaussian_filter(image.astype(float), sigma, radius=halo) if sigma else image
    inner = tuple(slice(halo, n - halo) for n in image.shape)
    assert np.allclose(blur(image, weights), expected[inner], atol=1e-6)


def test_blur_weights_sum_to_one():
    assert blur_weights(0.9).sum() == pytest.approx(1, abs=1e-6)


def test_noise_is_white_and_normal_with_the_asked_deviation():
    scan = _scan((40, 40, 40), noise=0.1) / 10_000 - 1
    assert abs(scan.mean()) < 0.002
    assert scan.std() == pytest.approx(0.1, rel=0.02)
    assert abs(stats.kurtosis(scan.ravel())) < 0.1
    for axis in range(3):
        lagged = np.corrcoef(scan.take(range(39), axis).ravel(), scan.take(range(1, 40), axis).ravel())
        assert abs(lagged[0, 1]) < 0.02


def test_cupping_lowers_the_axis_and_spares_the_edges():
    scan = _scan((1, 65, 65), cupping=0.2)
    assert scan[0, 32, 32] == 8000
    assert scan[0, 0, 0] == scan[0, 64, 64] == 10_000
    assert np.all(np.diff(scan[0, 32, 32:].astype(int)) >= 0)


def test_rings_are_circles_round_the_axis_of_the_asked_strength():
    profiles = ring_profiles(4, Region((0, 0, 0), (1, 8, 8)), (1, 3001, 3001), 0.05)
    assert profiles.std() == pytest.approx(0.05, rel=0.1)
    scan = _scan((1, 65, 65), rings=0.05)[0]
    assert scan.std() > 0
    assert np.array_equal(scan, scan[::-1])
    assert np.array_equal(scan, scan.T)


def test_rings_change_slowly_along_z():
    profiles = ring_profiles(4, Region((0, 0, 0), (300, 8, 8)), (300, 501, 501), 0.05)
    assert np.corrcoef(profiles[100], profiles[101])[0, 1] > 0.99
    assert abs(np.corrcoef(profiles[0], profiles[299])[0, 1]) < 0.2


def test_levels_beyond_the_data_type_are_clipped():
    assert np.all(_scan((1, 1, 2), per_contrast=300.0, dtype=np.dtype("uint8")) == 255)
