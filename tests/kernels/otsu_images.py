"""Images for local Otsu, and scikit-image's thresholds of them."""

from __future__ import annotations

import numpy as np
from skimage.filters import rank


def reference(image, radius, ndim=2):
    footprint = np.ones((2 * radius + 1,) * ndim, np.uint8)
    if image.ndim == ndim:
        return rank.otsu(image, footprint)
    return np.stack([rank.otsu(plane, footprint) for plane in image])


def textured(shape, seed, low=90, high=150, noise=18):
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 3)
    grey = np.where(field > np.quantile(field, 0.7), low, high) + rng.normal(0, noise, shape)
    return np.clip(grey, 0, 255).astype(np.uint8)
