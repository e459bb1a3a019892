"""Non-local means: voxels are averaged where their surroundings look alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import NotFittedError, ParameterError
from bigrock.geometry import Block, Shape
from bigrock.kernels.arrays.denoise import clamped
from bigrock.kernels.backend import namespace, to_host
from bigrock.kernels.denoise import check_axes, check_finite, whole_image
from bigrock.kernels.denoise_noise import NoiseLevel, noise_level
from bigrock.kernels.exact_sums import single_precision
from bigrock.volumes.source import Facts, Kind

__all__ = ["NonLocalMeans", "non_local_means"]

Array = npt.NDArray[Any]

_FARTHEST = 5.0
_BRICK = (8, 16, 128)


def non_local_means(
    image: Array,
    *,
    patch_radius: int = 1,
    search_radius: int = 5,
    strength: float = 0.8,
    sigma: float | None = None,
    ndim: int = 3,
) -> Array:
    """Return an image without noise: each voxel the mean of those around it whose patches look alike.

    ``mean(v)`` of the voxels q within `search_radius` of p, with weights ``exp(-max(d - 2 σ², 0) / h²)``;
    d is the mean squared difference of the patches around p and q, h is `strength` times σ, and weights
    below exp(-5) count as 0. Keeps edges and fine texture better than a median. Beyond the border
    the border voxels are repeated. Sums run in float32 in one fixed order: bitwise the same over any
    blocks and array modules. (`skimage.restoration.denoise_nl_means` with ``fast_mode`` takes the
    patch one voxel smaller and divides by the full one; images differ a little.) The cost is that
    of ``(2 * search_radius + 1) ** ndim`` comparisons per voxel, about 1 ns each.

    Parameters
    ----------
    image : ndarray of bool, integer or float, (y, x) or (z, y, x)
        Of any array module.
    patch_radius, search_radius : int
        Voxels from the centre of the patch, and of the window that is searched, to their faces.
    strength : float
        How unlike patches may be, in standard deviations of the noise; 0.4 (weak) to 1.2 (strong).
    sigma : float, optional
        Standard deviation of the noise in grey levels; by default `noise_level` of the image.
    ndim : {2, 3}
        2: patches and windows are squares in a slice. 3: cubes.

    Returns
    -------
    ndarray, same shape and dtype
        Integers are rounded. The image itself where its noise is 0.

    Raises
    ------
    ParameterError
        If the image has other than 2 or 3 axes, or a setting is not allowed.
    NonFiniteError
        If a voxel is NaN, infinite or beyond the range of float32.

    References
    ----------
    A. Buades, B. Coll, J.-M. Morel, A non-local algorithm for image denoising, CVPR 2005.
    J. Darbon et al., Fast nonlocal filtering applied to electron cryomicroscopy, ISBI 2008.

    Examples
    --------
    >>> step = np.repeat([50.0, 150.0], 16) + np.random.default_rng(0).normal(0, 5, (32, 32))
    >>> smooth = non_local_means(step, sigma=5)
    >>> bool(smooth[:, :16].std() < 2 < 95 < smooth[:, 16:].mean() - smooth[:, :16].mean())
    True
    """
    level = noise_level(to_host(image)) if sigma is None else sigma
    return whole_image(
        NonLocalMeans(patch_radius, search_radius, strength, level, 2 if image.ndim == 2 else ndim), image
    )


@dataclass(frozen=True)
class NonLocalMeans(Kernel):
    """The image without noise, as `non_local_means`; bitwise the same for any blocks.

    The noise is that of the whole volume: without `sigma`, `fit` estimates it by one read.

    Parameters
    ----------
    patch_radius, search_radius : int
        Voxels from the centre of the patch, and of the window that is searched, to their faces.
    strength : float
        How unlike patches may be, in standard deviations of the noise.
    sigma : float, optional
        Standard deviation of the noise in grey levels; set by ``fit``.
    ndim : {2, 3}
        2: patches and windows are squares in a slice. 3: cubes.

    Examples
    --------
    >>> NonLocalMeans(patch_radius=1, search_radius=5).halo
    (6, 6, 6)
    """

    patch_radius: int = 1
    search_radius: int = 5
    strength: float = 0.8
    sigma: float | None = None
    ndim: int = 3

    def __post_init__(self) -> None:
        check_axes(self.ndim)
        for name, least in (("patch_radius", 0), ("search_radius", 1)):
            radius = getattr(self, name)
            if radius != int(radius) or radius < least:
                raise ParameterError(f"{name}={radius} is no window. Use a whole number, at least {least}.")
        if not (math.isfinite(self.strength) and self.strength > 0):
            raise ParameterError(
                f"strength={self.strength} is not allowed. Use a number above 0, such as 0.8."
            )
        if self.sigma is not None and not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ParameterError(
                f"sigma={self.sigma} is no noise level. Use a number of grey levels, or none."
            )

    @property
    def halo(self) -> Shape:
        """Patch and search radius together, along z only for cubes."""
        reach = self.patch_radius + self.search_radius
        return (reach if self.ndim == 3 else 0, reach, reach)

    def accepts(self, kind: Kind) -> bool:
        """Grey levels only."""
        return kind == "grey"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """The image with its border, twice while it is made, once as float32; and float32 means."""
        return 2.0 * dtype.itemsize + 8.0

    def fitting(self, facts: Facts) -> NoiseLevel | None:
        """Return the estimate of the noise, or None where it is known."""
        return NoiseLevel() if self.sigma is None else None

    def fitted(self, result: float) -> NonLocalMeans:
        """Return the kernel with the noise of a volume."""
        return replace(self, sigma=float(result))

    def __call__(self, array: Array, block: Block) -> Array:
        """Return the core without noise."""
        if self.sigma is None:
            raise NotFittedError(
                "NonLocalMeans does not know the noise of the volume: every block would be smoothed by its own. "
                "Give sigma, call kernel.fit(volume) first, or let bigrock.run do it."
            )
        check_finite(array, block)
        patch, search = self._radii(self.patch_radius), self._radii(self.search_radius)
        h2 = (self.strength * self.sigma) ** 2
        if not h2:
            return array[block.trim]
        voxels = math.prod(2 * p + 1 for p in patch)
        limits = (1 / (voxels * h2), 2 * self.sigma**2 / h2, _FARTHEST)
        means = _means(array, block, patch, search, limits)
        xp = namespace(means)
        kind = "real floating" if xp.isdtype(array.dtype, "real floating") else "rounded"
        return cast("Array", xp.astype(xp.round(means) if kind == "rounded" else means, array.dtype))

    def _radii(self, radius: int) -> Shape:
        return (radius if self.ndim == 3 else 0, radius, radius)


def _means(
    array: Array, block: Block, patch: Shape, search: Shape, limits: tuple[float, float, float]
) -> Array:
    """Return the weighted means of the core as float32."""
    if namespace(array) is not np:
        from bigrock.kernels.arrays.denoise import non_local_means as by_arrays

        return cast("Array", by_arrays(array, block.trim, patch, search, limits))
    from bigrock.kernels.non_local_means_loops import non_local_means_bricks

    margin = (patch[0] + search[0], patch[1] + search[1], patch[2] + search[2])
    image = np.ascontiguousarray(single_precision(clamped(array, block.trim, margin)))
    out = np.empty(block.core.shape, np.float32)
    brick = tuple(min(n, size) for n, size in zip(_BRICK, out.shape, strict=True))
    tall = [n + 2 * p for n, p in zip(brick, patch, strict=True)]
    sums, line = np.empty(tall[0] * tall[1] * brick[2], np.float32), np.empty(tall[2], np.float32)
    rounded = tuple(np.float32(v) for v in limits)
    non_local_means_bricks(
        image.ravel(), image.shape, patch, search, brick, rounded, line, sums, out.reshape(-1)
    )
    return out
