"""What a micro-CT scanner makes of a rock: blur, beam hardening, rings, drift, noise, whole numbers.

Every value depends on the position in the volume only, so that blocks fit together bitwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.datasets.hashing import hash_cell, mix, normal_table, standard_normal
from bigrock.geometry import Region, Shape

__all__ = ["blur", "blur_weights", "digitise", "ring_profiles"]

RING_PERIOD = 96
"""Slices over which a ring fades into another one."""

_RING_STREAM = 0x52494E47
_NOISE_STREAM = 0x4E4F4953


def blur_weights(sigma: float) -> npt.NDArray[np.float32]:
    """Return the weights of a Gaussian point spread function along one axis.

    Parameters
    ----------
    sigma : float
        Standard deviation in voxels; 0 for none.

    Returns
    -------
    float32 array (2·h + 1,)
        They sum to one; h is 4 sigma, rounded up.

    Examples
    --------
    >>> blur_weights(0.0)
    array([1.], dtype=float32)
    """
    if sigma == 0:
        return np.ones(1, np.float32)
    half = int(np.ceil(4 * sigma))
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


@njit(nogil=True, cache=True)
def blur(image: Any, weights: Any) -> Any:
    """Return the image convolved with the same weights along z, y and x, without its halo.

    Bitwise the same for a voxel whatever region it is part of. Costs about 2·len(weights) ns per
    voxel and one array of the size of the image.

    Parameters
    ----------
    image : float32 array (z, y, x)
        Holds a halo of h voxels on every side.
    weights : float32 array (2·h + 1,)
        As `blur_weights` gives them.

    Returns
    -------
    float32 array (z - 2·h, y - 2·h, x - 2·h)
        The blurred image.

    Examples
    --------
    >>> import numpy as np
    >>> blur(np.ones((3, 4, 5), np.float32), np.array([0.25, 0.5, 0.25], np.float32)).shape
    (1, 2, 3)
    """
    taps = weights.size
    nz, ny, nx = image.shape[0] - taps + 1, image.shape[1] - taps + 1, image.shape[2] - taps + 1
    out = np.empty((nz, ny, nx), np.float32)
    plane = np.empty((ny + taps - 1, nx + taps - 1), np.float32)
    row = np.empty(nx + taps - 1, np.float32)
    for z in range(nz):
        for y in range(ny + taps - 1):
            _weigh(image[z : z + taps, y], weights, plane[y])
        for y in range(ny):
            _weigh(plane[y : y + taps], weights, row)
            line = out[z, y]
            line[:] = np.float32(0)
            for t in range(taps):
                for x in range(nx):
                    line[x] += weights[t] * row[x + t]
    return out


@njit(nogil=True, cache=True)
def _weigh(rows: Any, weights: Any, out: Any) -> None:
    out[:] = np.float32(0)
    for t in range(weights.size):
        for x in range(out.size):
            out[x] += weights[t] * rows[t, x]


def ring_profiles(seed: int, region: Region, shape: Shape, amplitude: float) -> npt.NDArray[np.float32]:
    """Return the grey level that ring artefacts add at each radius of each slice of a region.

    A ring is a detector column that reads a little high or low: most are faint, a few are strong,
    and they change slowly along z. Bitwise the same whatever region is asked for.

    Parameters
    ----------
    seed : int
        The rock.
    region : Region
        The voxels to be imaged.
    shape : Shape
        The volume; the rotation axis stands in its middle.
    amplitude : float
        Standard deviation, in the unit of the grey levels.

    Returns
    -------
    float32 array (z, radii)
        For radius 0, 1, 2, … voxels, up to the farthest corner of the volume.

    Examples
    --------
    >>> ring_profiles(1, Region((0, 0, 0), (2, 8, 8)), (4, 8, 8), 0.1).shape
    (2, 8)
    """
    radii = int(np.hypot(shape[1], shape[2]) / 2) + 3
    out = np.empty((region.shape[0], radii), np.float32)
    _rings(
        np.uint64(seed ^ _RING_STREAM), region.start[0], np.float32(amplitude / 5**0.5), normal_table(), out
    )
    return out


@njit(nogil=True, cache=True)
def _rings(seed: Any, start: int, scale: Any, table: Any, out: Any) -> None:
    for z in range(out.shape[0]):
        knot, rest = divmod(start + z, RING_PERIOD)
        part = rest / RING_PERIOD
        # Weights on the unit circle keep the variance the same between two knots.
        above = np.float32(part / np.sqrt(part * part + (1 - part) ** 2))
        below = np.float32((1 - part) / np.sqrt(part * part + (1 - part) ** 2))
        for r in range(out.shape[1]):
            a = standard_normal(hash_cell(seed, knot, 0, r), table)
            b = standard_normal(hash_cell(seed, knot + 1, 0, r), table)
            value = a * below + b * above
            # A signed square, of variance 3: heavy tails from a normal number.
            out[z, r] = value * abs(value) * scale * np.float32(1.2909944)


def digitise(
    image: npt.NDArray[np.float32],
    drift: npt.NDArray[np.float32],
    region: Region,
    shape: Shape,
    *,
    seed: int,
    cupping: float,
    rings: float,
    noise: float,
    per_contrast: float,
    dtype: np.dtype[Any],
) -> npt.NDArray[Any]:
    """Return the grey levels that a scanner stores for a blurred image.

    Attenuation is underestimated towards the rotation axis (beam hardening), then rings, drift and
    white noise are added, and the sum is scaled, rounded and clipped. Costs about 6 ns per voxel.

    Parameters
    ----------
    image, drift : float32 array
        Attenuation, and what is added to it, of the shape of `region`, in units of the contrast
        between pore and quartz.
    region : Region
        Where they lie.
    shape : Shape
        The volume.
    seed : int
        The rock.
    cupping : float
        Share of the attenuation that is missing on the axis; it falls to 0 at the vertical edges.
    rings, noise : float
        Standard deviations, in units of the contrast.
    per_contrast : float
        Stored grey levels per unit of contrast.
    dtype : dtype
        uint8 or uint16.

    Returns
    -------
    array of `dtype`
        Of the shape of `region`.

    Examples
    --------
    >>> region = Region((0, 0, 0), (1, 1, 3))
    >>> flat = np.ones((1, 1, 3), np.float32)
    >>> digitise(flat, 0 * flat, region, (1, 1, 3), seed=0, cupping=0, rings=0, noise=0,
    ...          per_contrast=60, dtype=np.dtype("uint8"))
    array([[[60, 60, 60]]], dtype=uint8)
    """
    out = np.empty(region.shape, dtype)
    profiles = ring_profiles(seed, region, shape, rings)
    factors = (
        np.float32(cupping),
        np.float32(noise),
        np.float32(per_contrast),
        np.float32(np.iinfo(dtype).max),
    )
    _expose(
        image,
        drift,
        profiles,
        np.uint64(seed ^ _NOISE_STREAM),
        region.start,
        shape,
        factors,
        normal_table(),
        out,
    )
    return out


@njit(nogil=True, cache=True)
def _expose(
    image: Any,
    drift: Any,
    profiles: Any,
    seed: Any,
    start: Any,
    shape: Any,
    factors: Any,
    table: Any,
    out: Any,
) -> None:
    cupping, noise, per_contrast, largest = factors
    nz, ny, nx = out.shape
    cy, cx = 0.5 * (shape[1] - 1), 0.5 * (shape[2] - 1)
    edge = np.float32(1.0 / max(cy * cy + cx * cx, 1.0))
    seed = mix(seed)
    for k in range(nz):
        profile = profiles[k]
        for j in range(ny):
            dy = start[1] + j - cy
            voxel = ((start[0] + k) * shape[1] + start[1] + j) * shape[2] + start[2]
            for i in range(nx):
                dx = start[2] + i - cx
                square = np.float32(dy * dy + dx * dx)
                radius = np.sqrt(square)
                inner = int(radius)
                part = radius - np.float32(inner)
                ring = profile[inner] + part * (profile[inner + 1] - profile[inner])
                light = image[k, j, i] * (np.float32(1) - cupping * (np.float32(1) - square * edge))
                grain = noise * standard_normal(mix(seed ^ np.uint64(voxel + i)), table)
                value = (light + drift[k, j, i] + ring + grain) * per_contrast + np.float32(0.5)
                out[k, j, i] = min(max(value, np.float32(0)), largest)
