"""How good super-resolved images are: voxels, porosity, correlation, topology, surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = ["INTERPOLATIONS", "enlarged", "image_quality"]

Array = npt.NDArray[Any]

_ORDERS = {"nearest": 0, "trilinear": 1, "cubic": 3}
INTERPOLATIONS = tuple(_ORDERS)
"""What `enlarged` knows."""


def image_quality(
    predicted: Array, truth: Array, *, threshold: float = 0.5, max_lag: int = 16
) -> dict[str, float]:
    """Return how near an image of pore fractions is to the mask that it should be.

    Parameters
    ----------
    predicted : ndarray, shape (z, y, x)
        Pore fractions; what lies beyond 0 and 1 is cut off.
    truth : ndarray of bool, shape (z, y, x)
        True = pore.
    threshold : float
        Pore fractions above are pore, for what needs a mask.
    max_lag : int
        Longest lag of the two-point correlation.

    Returns
    -------
    dict of str to float
        ``psnr`` in dB and ``ssim`` (Gaussian weights, σ = 1.5) of the grey image; ``voxel_accuracy``; ``porosity``
        and ``porosity_error`` (absolute) of the mask, ``grey_porosity_error``; ``correlation_error``: mean absolute
        difference of S2 over lags and axes; ``euler`` and ``euler_truth`` per voxel (26-connected);
        ``surface`` and ``surface_truth`` per bulk volume (Crofton, 1/voxel), ``surface_ratio``.

    Raises
    ------
    ParameterError
        If the shapes are not the same.

    References
    ----------
    Wang et al., Image quality assessment, IEEE Trans. Image Process. 13, 2004.

    Examples
    --------
    >>> truth = np.random.default_rng(0).random((16, 16, 16)) < 0.5
    >>> found = image_quality(truth, truth)
    >>> found["ssim"], found["porosity_error"], found["surface_ratio"]
    (1.0, 0.0, 1.0)
    """
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    if predicted.shape != truth.shape:
        raise ParameterError(
            f"an image of {predicted.shape} cannot be compared with one of {truth.shape}. Give images of one grid."
        )
    grey, real = np.clip(np.asarray(predicted, np.float32), 0, 1), np.asarray(truth, bool)
    mask, exact = grey > threshold, real.astype(np.float32)
    with np.errstate(divide="ignore"):
        psnr = peak_signal_noise_ratio(exact, grey, data_range=1.0)
    ssim = structural_similarity(
        exact, grey, data_range=1.0, gaussian_weights=True, use_sample_covariance=False
    )
    return {
        "psnr": float(psnr),
        "ssim": float(ssim),
        "voxel_accuracy": float((mask == real).mean()),
        "porosity": float(mask.mean()),
        "porosity_error": float(abs(mask.mean() - real.mean())),
        "grey_porosity_error": float(abs(grey.mean(dtype=np.float64) - real.mean())),
        "correlation_error": _correlation_error(mask, real, max_lag),
        **_shape_of(mask, real),
    }


def _correlation_error(mask: Array, real: Array, max_lag: int) -> float:
    from bigrock.kernels import two_point_correlation

    found, wanted = (two_point_correlation(m, max_lag=max_lag) for m in (mask, real))
    return float(
        np.mean([np.abs(np.subtract(found[a].probability, wanted[a].probability)).mean() for a in "zyx"])
    )


def _shape_of(mask: Array, real: Array) -> dict[str, float]:
    from bigrock.kernels import minkowski_functionals

    found, wanted = (minkowski_functionals(m) for m in (mask, real))
    cells = float(np.prod([n - 1 for n in real.shape]))
    ratio = found.surface / wanted.surface if wanted.surface else float("nan")
    return {
        "euler": found.euler / cells,
        "euler_truth": wanted.euler / cells,
        "surface": found.surface / cells,
        "surface_truth": wanted.surface / cells,
        "surface_ratio": ratio,
    }


def enlarged(image: Array, factor: int, method: str = "cubic") -> Array:
    """Return an image on a grid `factor` times finer by interpolation: what super-resolution is compared with.

    Parameters
    ----------
    image : ndarray, shape (z, y, x)
        Pore fractions.
    factor : int
        How many times finer.
    method : {"nearest", "trilinear", "cubic"}
        Splines of order 0, 1, 3; beyond the border, the last voxels are repeated.

    Returns
    -------
    ndarray of float32
        A cubic spline may overshoot 0 and 1.

    Raises
    ------
    ParameterError
        If the method is not known.

    Examples
    --------
    >>> enlarged(np.eye(2)[None], 2, "nearest").shape
    (2, 4, 4)
    """
    from scipy.ndimage import zoom

    if method not in _ORDERS:
        raise ParameterError(f"method={method!r} is not known. Use one of {', '.join(map(repr, _ORDERS))}.")
    fine = zoom(np.asarray(image, np.float32), factor, order=_ORDERS[method], mode="nearest", grid_mode=True)
    return np.asarray(fine, np.float32)
