"""Smooth random fields of a shale: stretched along its bedding, the same in every block.

Values hashed at the points of a lattice that stands along the bedding, with smooth interpolation
between them (value noise). Only additions, products and square roots, so that every processor
makes the same shale.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.datasets.hashing import hash_cell, mix, uniform

__all__ = ["Noise", "along", "bedding_frame", "corners", "noise_over", "noise_row", "stream"]

Vector = tuple[float, float, float]


class Noise(NamedTuple):
    """A smooth field in [-1, 1] over a box, as its values at the points of a lattice.

    `first` is the index of the first of them, `per_length` how many there are per unit of length.
    """

    knots: npt.NDArray[np.float32]
    first: tuple[int, int, int]
    per_length: Vector


def stream(seed: int, number: int) -> int:
    """Return a seed of its own for one purpose.

    Parameters
    ----------
    seed : int
        The rock; 0 … 2⁶³ − 1.
    number : int
        The purpose.

    Examples
    --------
    >>> stream(1, 2) == stream(1, 3)
    False
    """
    return int(mix(np.uint64(seed) ^ np.uint64(number << 40)))


def bedding_frame(seed: int, steepest: float = 0.35) -> npt.NDArray[np.float64]:
    """Return the directions across and along the bedding, which is tilted at random.

    Parameters
    ----------
    seed : int
        The rock.
    steepest : float
        Largest slope of the bedding in a slice; along z it is at most half of that.

    Returns
    -------
    float64 array (3, 3)
        Rows: across the bedding, along it in the slice, along it mostly in z. Columns: z, y, x.

    Examples
    --------
    >>> frame = bedding_frame(1)
    >>> bool(abs(frame @ frame.T - np.eye(3)).max() < 1e-12)
    True
    """
    in_slice = steepest * (2 * uniform(np.uint64(stream(seed, 1))) - 1)
    in_depth = 0.5 * steepest * (2 * uniform(np.uint64(stream(seed, 2))) - 1)
    across = np.array([in_depth, 1.0, in_slice])
    lateral = np.array([0.0, -in_slice, 1.0])
    deep = np.array(
        [
            across[1] * lateral[2] - across[2] * lateral[1],
            across[2] * lateral[0] - across[0] * lateral[2],
            across[0] * lateral[1] - across[1] * lateral[0],
        ]
    )
    return np.stack([axis / np.sqrt((axis * axis).sum()) for axis in (across, lateral, deep)])


def corners(
    matrix: npt.NDArray[np.float64], start: tuple[int, int, int], shape: tuple[int, int, int], margin: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the lowest and highest coordinates that a region has after a linear map.

    Parameters
    ----------
    matrix : float64 array (3, 3)
        From voxel indices z, y, x to the coordinates.
    start, shape : Shape
        The region.
    margin : float
        Added on every side.

    Returns
    -------
    low, high : float64 array (3,)

    Examples
    --------
    >>> low, high = corners(np.eye(3), (0, 0, 0), (2, 3, 4), 1.0)
    >>> low.tolist(), high.tolist()
    ([-1.0, -1.0, -1.0], [2.0, 3.0, 4.0])
    """
    ends = np.array([[s + i * (n - 1) for s, n, i in zip(start, shape, at, strict=True)] for at in _ENDS])
    reached = np.stack([(matrix[axis] * ends).sum(axis=1) for axis in range(3)], axis=1)
    return reached.min(axis=0) - margin, reached.max(axis=0) + margin


_ENDS = tuple((i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1))


def noise_over(seed: int, low: Any, high: Any, wavelengths: Vector) -> Noise:
    """Return a smooth random field over a box of an unbounded space.

    Bitwise the same at a point whatever box it is part of. Costs about 15 ns per lattice point.

    Parameters
    ----------
    seed : int
        Chooses the field.
    low, high : sequence of 3 floats
        The corners of the box.
    wavelengths : tuple of 3 floats
        Distance between lattice points along each axis.

    Returns
    -------
    Noise

    References
    ----------
    Value noise, as in Perlin, An image synthesizer, SIGGRAPH 1985, with values for gradients.

    Examples
    --------
    >>> field = noise_over(1, (0, 0, 0), (10, 10, 10), (5, 5, 5))
    >>> field.knots.shape
    (6, 6, 6)
    """
    # One more point on every side: the coordinates of the corners are rounded.
    first = [int(np.floor(a / w)) - 1 for a, w in zip(low, wavelengths, strict=True)]
    last = [int(np.floor(b / w)) + 2 for b, w in zip(high, wavelengths, strict=True)]
    knots = np.empty([b - a + 1 for a, b in zip(first, last, strict=True)], np.float32)
    at = (first[0], first[1], first[2])
    _fill(np.uint64(seed), at, knots)
    return Noise(knots, at, (1.0 / wavelengths[0], 1.0 / wavelengths[1], 1.0 / wavelengths[2]))


@njit(nogil=True, cache=True)
def _fill(seed: Any, first: Any, knots: Any) -> None:
    for i in range(knots.shape[0]):
        for j in range(knots.shape[1]):
            for k in range(knots.shape[2]):
                bits = hash_cell(seed, first[0] + i, first[1] + j, first[2] + k)
                knots[i, j, k] = np.float32(2.0 * uniform(bits) - 1.0)


@njit(nogil=True, cache=True)
def noise_row(noise: Noise, a: Any, b: Any, c: Any, out: Any) -> None:
    """Write the values of a field at a row of points of its box.

    Bitwise the same whatever box the field was made for. Costs about 7 ns per point. The
    points are not checked: one outside of the box reads other memory.

    Parameters
    ----------
    noise : Noise
        The field.
    a, b, c : float64 arrays (n,)
        The points.
    out : float32 array (n,)
        Result.

    Examples
    --------
    >>> field = noise_over(1, (0, 0, 0), (10, 10, 10), (5, 5, 5))
    >>> larger = noise_over(1, (-9, -9, -9), (20, 20, 20), (5, 5, 5))
    >>> points, values = np.arange(9.0), np.empty((2, 9), np.float32)
    >>> noise_row(field, points, points, points, values[0])
    >>> noise_row(larger, points, points, points, values[1])
    >>> bool((values[0] == values[1]).all())
    True
    """
    knots = noise.knots
    for n in range(out.size):
        i, u = _knot(a[n] * noise.per_length[0], noise.first[0])
        j, v = _knot(b[n] * noise.per_length[1], noise.first[1])
        k, w = _knot(c[n] * noise.per_length[2], noise.first[2])
        p = knots[i, j, k] + w * (knots[i, j, k + 1] - knots[i, j, k])
        q = knots[i, j + 1, k] + w * (knots[i, j + 1, k + 1] - knots[i, j + 1, k])
        r = knots[i + 1, j, k] + w * (knots[i + 1, j, k + 1] - knots[i + 1, j, k])
        s = knots[i + 1, j + 1, k] + w * (knots[i + 1, j + 1, k + 1] - knots[i + 1, j + 1, k])
        p += v * (q - p)
        r += v * (s - r)
        out[n] = p + u * (r - p)


@njit(nogil=True, cache=True)
def _knot(position: float, first: int) -> Any:
    """Return the index of the lattice point below a position, and the smooth weight of the next."""
    below = np.floor(position)
    part = np.float32(position - below)
    return int(below) - first, part * part * (np.float32(3.0) - np.float32(2.0) * part)


@njit(nogil=True, cache=True)
def along(profile: Any, part: float) -> float:
    """Return the value of a profile at a part of its length, linear between its points.

    Parameters
    ----------
    profile : float64 array
        Values at equal distances.
    part : float
        0 at the first value, 1 at the last one; beyond them they go on.

    Returns
    -------
    float

    Examples
    --------
    >>> along(np.array([0.0, 4.0, 6.0]), 0.25)
    2.0
    """
    position = min(max(part, 0.0), 1.0) * (profile.size - 1)
    below = min(int(position), profile.size - 2)
    return float(profile[below] + (position - below) * (profile[below + 1] - profile[below]))
