"""Random numbers by position: the same cell or voxel draws the same numbers in every block.

A generator with a state would have to walk through the volume in one order; a hash of the
position needs no order, so any region can be made alone. The mixing step is splitmix64.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.geometry import Shape

__all__ = ["NORMAL_BITS", "hash_cell", "mix", "normal_table", "smooth_noise", "standard_normal", "uniform"]

NORMAL_BITS = 12
"""Bits of the hash that choose one entry of `normal_table`."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_BITS = np.uint64(NORMAL_BITS)
_MASK = np.uint64(2**NORMAL_BITS - 1)
_HALF_SQRT = np.float32(0.5**0.5)


@njit(nogil=True, cache=True)
def mix(value: Any) -> Any:
    """Return 64 well-mixed bits of a uint64 counter (splitmix64).

    Exact integer arithmetic, modulo 2⁶⁴.

    Parameters
    ----------
    value : uint64
        A counter, a seed, or an earlier hash plus something.

    Returns
    -------
    uint64
        The hash.

    References
    ----------
    Steele, Lea & Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.

    Examples
    --------
    >>> import numpy as np
    >>> hex(mix(np.uint64(0)))
    '0xe220a8397b1dcdaf'
    """
    value = value + _STEP
    value = (value ^ (value >> _S30)) * _FIRST
    value = (value ^ (value >> _S27)) * _SECOND
    return value ^ (value >> _S31)


@njit(nogil=True, cache=True)
def hash_cell(seed: Any, z: int, y: int, x: int) -> Any:
    """Return the hash of a lattice cell, which may have negative indices.

    Exact integer arithmetic.

    Parameters
    ----------
    seed : uint64
        Chooses one of 2⁶⁴ independent fields.
    z, y, x : int
        Indices of the cell.

    Returns
    -------
    uint64
        The hash.

    Examples
    --------
    >>> import numpy as np
    >>> hash_cell(np.uint64(1), 0, 0, 1) == hash_cell(np.uint64(1), 0, 1, 0)
    False
    """
    return mix(mix(mix(seed ^ np.uint64(z)) ^ np.uint64(y)) ^ np.uint64(x))


@njit(nogil=True, cache=True)
def uniform(bits: Any) -> float:
    """Return a number in [0, 1) from the upper 53 bits of a hash.

    Exact: every double of the form k/2⁵³ is equally likely.

    Parameters
    ----------
    bits : uint64
        A hash.

    Returns
    -------
    float
        The number.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.uint64(2**63))
    0.5
    """
    return float(bits >> _S11) * (1.0 / 9007199254740992.0)


@lru_cache(maxsize=1)
def normal_table() -> npt.NDArray[np.float32]:
    """Return the standard normal at 4096 equally likely quantiles, scaled to variance 1.

    A table rather than logarithms and cosines: it is faster, and the same on every processor.

    Returns
    -------
    float32 array (4096,)
        Ascending values, mean 0, standard deviation 1.

    Examples
    --------
    >>> table = normal_table()
    >>> table.shape, round(float(table.std()), 4)
    ((4096,), 1.0)
    """
    size = 2**NORMAL_BITS
    quantile = NormalDist().inv_cdf
    table = np.array([quantile((i + 0.5) / size) for i in range(size)])
    return np.asarray(table / table.std(), np.float32)


@njit(nogil=True, cache=True)
def standard_normal(bits: Any, table: npt.NDArray[np.float32]) -> np.float32:
    """Return a normal number of mean 0 and standard deviation 1 from the bits of a hash.

    Approximate: the sum of two quantiles from the table, so nothing beyond 5.1 standard deviations.

    Parameters
    ----------
    bits : uint64
        A hash; 24 of its bits are used.
    table : float32 array (4096,)
        As `normal_table` gives it.

    Returns
    -------
    float32
        The number.

    Examples
    --------
    >>> import numpy as np
    >>> bool(abs(standard_normal(np.uint64(2**63), normal_table())) < 5.2)
    True
    """
    first = table[bits & _MASK]
    second = table[(bits >> _BITS) & _MASK]
    return (first + second) * _HALF_SQRT


def smooth_noise(
    seed: int, start: Shape, shape: Shape, *, wavelength: float, stride: int = 1
) -> npt.NDArray[np.float32]:
    """Return a smooth random field in [-1, 1] over a region of an unbounded volume.

    Hashed values on a lattice, interpolated with smooth weights. Bitwise the same for a voxel
    whatever region it is part of.

    Parameters
    ----------
    seed : int
        Chooses the field; 0 … 2⁶⁴ − 1.
    start, shape : Shape
        First voxel and extent of the region, z, y, x; may lie outside any volume.
    wavelength : float
        Voxels between two lattice points.
    stride : int
        Voxels between two samples.

    Returns
    -------
    float32 array
        The field, of `shape`.

    References
    ----------
    Value noise, as in Perlin, An image synthesizer, SIGGRAPH 1985, with values for gradients.

    Examples
    --------
    >>> field = smooth_noise(7, (0, 0, 0), (4, 8, 8), wavelength=16)
    >>> bool((field[2:, 3:] == smooth_noise(7, (2, 3, 0), (2, 5, 8), wavelength=16)).all())
    True
    """
    out = np.empty(shape, np.float32)
    _interpolate(np.uint64(seed), start, stride, 1.0 / wavelength, out)
    return out


@njit(nogil=True, cache=True)
def _knot(position: float) -> Any:
    """Return the lattice point below a position, and the smooth weight of the one above."""
    below = np.floor(position)
    part = position - below
    return int(below), np.float32(part * part * (3.0 - 2.0 * part))


@njit(nogil=True, cache=True)
def _interpolate(seed: Any, start: Any, stride: int, per_voxel: float, out: Any) -> None:
    nz, ny, nx = out.shape
    first = int(np.floor(start[2] * per_voxel))
    last = int(np.floor((start[2] + (nx - 1) * stride) * per_voxel)) + 1
    line = np.empty(last - first + 1, np.float32)
    low = np.empty(nx, np.int64)
    weight = np.empty(nx, np.float32)
    for i in range(nx):
        below, part = _knot((start[2] + i * stride) * per_voxel)
        low[i] = below - first
        weight[i] = part
    for k in range(nz):
        cz, wz = _knot((start[0] + k * stride) * per_voxel)
        for j in range(ny):
            cy, wy = _knot((start[1] + j * stride) * per_voxel)
            for i in range(line.size):
                a = _signed(hash_cell(seed, cz, cy, first + i))
                b = _signed(hash_cell(seed, cz, cy + 1, first + i))
                c = _signed(hash_cell(seed, cz + 1, cy, first + i))
                d = _signed(hash_cell(seed, cz + 1, cy + 1, first + i))
                near = a + wy * (b - a)
                line[i] = near + wz * (c + wy * (d - c) - near)
            row = out[k, j]
            for i in range(nx):
                a = line[low[i]]
                row[i] = a + weight[i] * (line[low[i] + 1] - a)


@njit(nogil=True, cache=True)
def _signed(bits: Any) -> np.float32:
    return np.float32(2.0 * uniform(bits) - 1.0)
