"""A volume as a coarser scan would show it: down-sampling by a whole factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import is_whole

__all__ = ["LOW_RESOLUTION_METHODS", "low_resolution"]

LOW_RESOLUTION_METHODS = ("mean", "nearest", "trilinear", "blur")
"""What `low_resolution` knows."""


def low_resolution(
    image: npt.NDArray[Any],
    *,
    factor: int,
    method: str = "mean",
    blur_voxels: float | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> npt.NDArray[np.float32]:
    """Return an image with `factor` times fewer voxels along z, y and x.

    Of a mask it is the pore fraction, 0 … 1. Each coarse voxel stands for the block of
    factor × factor × factor fine ones:

    - ``"mean"``: their mean, exact to float32 rounding: what an ideal detector records, and the
      only method that keeps the porosity.
    - ``"nearest"``: the voxel in the middle (the upper one of two where the factor is even).
    - ``"trilinear"``: the value in the middle, interpolated without anti-aliasing: the middle voxel, or the
      mean of the middle eight where the factor is even.
    - ``"blur"``: the mean after a Gaussian blur, as the point spread of a scanner leaves it.

    Parameters
    ----------
    image : ndarray (…, z, y, x)
        A mask or grey levels; leading axes are separate images. NaN spreads to the coarse voxels that see it.
    factor : int
        At least 1.
    method : {"mean", "nearest", "trilinear", "blur"}
        See above.
    blur_voxels : float, optional
        Of ``"blur"`` only: standard deviation in fine voxels, half the factor by default. Beyond
        the faces, the outermost voxels are repeated.
    noise : float
        Standard deviation of white noise added to the result, in its units. It is not clipped, so
        that means stay unbiased: values may leave 0 … 1 by a few times the noise.
    seed : int
        Of the noise.

    Returns
    -------
    ndarray of float32 (…, z / factor, y / factor, x / factor)

    Raises
    ------
    ParameterError
        If a side is not a multiple of the factor, or a parameter is out of range.

    Examples
    --------
    >>> mask = np.zeros((4, 4, 4), bool)
    >>> mask[:2] = True
    >>> low_resolution(mask, factor=2).tolist()
    [[[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]
    """
    image = np.asarray(image)
    _check(image, factor, method, blur_voxels, noise)
    if method == "blur":
        from scipy.ndimage import gaussian_filter

        sigma = factor / 2 if blur_voxels is None else blur_voxels
        image = gaussian_filter(image.astype(np.float32), sigma, mode="nearest", axes=(-3, -2, -1))
    coarse = _nearest(image, factor) if method == "nearest" else _mean(image, factor, method == "trilinear")
    if noise:
        rng = np.random.default_rng(seed)
        coarse += np.float32(noise) * rng.standard_normal(coarse.shape, np.float32)
    return coarse


def _nearest(image: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float32]:
    every = slice(factor // 2, None, factor)
    return image[..., every, every, every].astype(np.float32)


def _mean(image: npt.NDArray[Any], factor: int, middle: bool) -> npt.NDArray[np.float32]:
    """Return the mean of each block, or of what is nearest to its middle only."""
    z, y, x = (n // factor for n in image.shape[-3:])
    blocks = image.reshape(*image.shape[:-3], z, factor, y, factor, x, factor)
    if middle:
        part = slice((factor - 1) // 2, factor // 2 + 1)
        blocks = blocks[..., part, :, part, :, part]
    return np.asarray(blocks.mean((-5, -3, -1), dtype=np.float32))


def _check(
    image: npt.NDArray[Any], factor: int, method: str, blur_voxels: float | None, noise: float
) -> None:
    if method not in LOW_RESOLUTION_METHODS:
        raise ParameterError(f"method {method!r} is not one of {', '.join(LOW_RESOLUTION_METHODS)}.")
    if not is_whole(factor) or factor < 1:
        raise ParameterError(f"factor {factor!r} is not a positive whole number.")
    if image.ndim < 3 or any(n % factor for n in image.shape[-3:]):
        raise ParameterError(
            f"an image of shape {image.shape} does not divide into blocks of {factor} voxels along z, y, x: "
            f"voxels would be left over. Crop it to multiples of {factor}."
        )
    if blur_voxels is not None and (method != "blur" or not 0 <= blur_voxels < float("inf")):
        raise ParameterError(
            f"blur_voxels {blur_voxels} needs method='blur' and 0 or more, finite; the method is {method!r}."
        )
    if not 0 <= noise < float("inf"):
        raise ParameterError(f"noise {noise} is not a finite standard deviation of at least 0.")
