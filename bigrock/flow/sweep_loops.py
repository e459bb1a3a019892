"""Compiled loops of the iterations: the operators, the smoothers, and the arithmetic of MINRES.

A vector holds four numbers a row: the velocities at the low faces of a voxel, z, y, x, and its pressure.
All are float32; sums over a vector are float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "dot",
    "laplace",
    "prolong",
    "residual_to_coarse",
    "residual_to_coarse_fine",
    "stokes",
    "stokes_energy",
    "subtract",
    "sweep",
    "sweep_fine",
    "turn_direction",
]

Array = npt.NDArray[Any]
Scalar = np.float32


@njit(nogil=True, cache=True, fastmath=True)
def stokes(neighbours: Array, codes: Array, v: Array, out: Array) -> None:
    """Set `out` to the Stokes operator of `v`: minus Laplacian plus gradient, and minus divergence."""
    for i in range(neighbours.shape[0]):
        a, b, c = Scalar(0), Scalar(0), Scalar(0)
        for side in range(6):
            j = neighbours[i, side]
            a += v[j, 0]
            b += v[j, 1]
            c += v[j, 2]
        p = v[i, 3]
        out[i, 0] = Scalar(codes[i, 0]) * v[i, 0] - a + p - v[neighbours[i, 0], 3] if codes[i, 0] else 0
        out[i, 1] = Scalar(codes[i, 1]) * v[i, 1] - b + p - v[neighbours[i, 2], 3] if codes[i, 1] else 0
        out[i, 2] = Scalar(codes[i, 2]) * v[i, 2] - c + p - v[neighbours[i, 4], 3] if codes[i, 2] else 0
        rising = v[neighbours[i, 1], 0] + v[neighbours[i, 3], 1] + v[neighbours[i, 5], 2]
        out[i, 3] = v[i, 0] + v[i, 1] + v[i, 2] - rising


@njit(nogil=True, cache=True)
def stokes_energy(neighbours: Array, codes: Array, v: Array) -> float:
    """Return ``v · K v`` of the Stokes operator K."""
    total = 0.0
    for i in range(neighbours.shape[0]):
        for axis in range(3):
            if codes[i, axis]:
                around = 0.0
                for side in range(6):
                    around += v[neighbours[i, side], axis]
                # The gradient and the divergence are each other's transpose: twice the first of them.
                rise = np.float64(v[i, 3]) - v[neighbours[i, 2 * axis], 3]
                total += v[i, axis] * (codes[i, axis] * np.float64(v[i, axis]) - around + 2 * rise)
    return total


@njit(nogil=True, cache=True, fastmath=True)
def laplace(neighbours: Array, held: Array, v: Array, out: Array) -> None:
    """Set the fourth numbers of `out` to what flows out of each voxel; `held` conducts to a potential of 0."""
    wall = neighbours.shape[0]
    for i in range(wall):
        own = v[i, 3]
        total = held[i] * own
        for side in range(6):
            j = neighbours[i, side]
            total += own - v[j, 3] if j < wall else Scalar(0)
        out[i, 3] = total


@njit(nogil=True, cache=True, fastmath=True)
def sweep_fine(
    neighbours: Array, weights: Array, inverse: Array, right: Array, z: Array, forward: bool
) -> None:
    """Relax `z` once, row by row (Gauss-Seidel): velocities by their Laplacian, pressure by its weighted one."""
    n = neighbours.shape[0]
    for q in range(n):
        i = q if forward else n - 1 - q
        a, b, c, d = right[i, 0], right[i, 1], right[i, 2], right[i, 3]
        weight = weights[i]
        for side in range(6):
            j = neighbours[i, side]
            a += z[j, 0]
            b += z[j, 1]
            c += z[j, 2]
            d += min(weight, weights[j]) * z[j, 3]
        z[i, 0] = inverse[i, 0] * a
        z[i, 1] = inverse[i, 1] * b
        z[i, 2] = inverse[i, 2] * c
        z[i, 3] = inverse[i, 3] * d


@njit(nogil=True, cache=True, fastmath=True)
def residual_to_coarse_fine(
    neighbours: Array, weights: Array, inverse: Array, right: Array, z: Array, parents: Array, coarse: Array
) -> None:
    """Set `coarse` to what one forward sweep from zero leaves of `right`, added up over the children of each row.

    A row was relaxed with what came before it; what is left are its neighbours that came after it.
    """
    coarse[:] = 0
    for i in range(neighbours.shape[0]):
        a, b, c, d = Scalar(0), Scalar(0), Scalar(0), Scalar(0)
        weight = weights[i]
        for side in range(6):
            j = neighbours[i, side]
            later = Scalar(1) if j > i else Scalar(0)
            a += later * z[j, 0]
            b += later * z[j, 1]
            c += later * z[j, 2]
            d += later * min(weight, weights[j]) * z[j, 3]
        parent = parents[i]
        coarse[parent, 0] += a if inverse[i, 0] > 0 else Scalar(0)
        coarse[parent, 1] += b if inverse[i, 1] > 0 else Scalar(0)
        coarse[parent, 2] += c if inverse[i, 2] > 0 else Scalar(0)
        coarse[parent, 3] += d if inverse[i, 3] > 0 else Scalar(0)


@njit(nogil=True, cache=True, fastmath=True)
def sweep(
    starts: Array, columns: Array, weights: Array, inverse: Array, right: Array, z: Array, forward: bool
) -> None:
    """Relax `z` once, row by row (Gauss-Seidel), on a coarse level."""
    n = inverse.shape[0]
    for q in range(n):
        i = q if forward else n - 1 - q
        a, b, c, d = right[i, 0], right[i, 1], right[i, 2], right[i, 3]
        for t in range(starts[i], starts[i + 1]):
            j = columns[t]
            a += weights[t, 0] * z[j, 0]
            b += weights[t, 1] * z[j, 1]
            c += weights[t, 2] * z[j, 2]
            d += weights[t, 3] * z[j, 3]
        z[i, 0] = inverse[i, 0] * a
        z[i, 1] = inverse[i, 1] * b
        z[i, 2] = inverse[i, 2] * c
        z[i, 3] = inverse[i, 3] * d


@njit(nogil=True, cache=True, fastmath=True)
def residual_to_coarse(
    starts: Array,
    columns: Array,
    weights: Array,
    diagonal: Array,
    right: Array,
    z: Array,
    parents: Array,
    coarse: Array,
) -> None:
    """Set `coarse` to what `z` leaves of `right`, added up over the children of each row, on a coarse level."""
    coarse[:] = 0
    for i in range(diagonal.shape[0]):
        a, b, c, d = right[i, 0], right[i, 1], right[i, 2], right[i, 3]
        for t in range(starts[i], starts[i + 1]):
            j = columns[t]
            a += weights[t, 0] * z[j, 0]
            b += weights[t, 1] * z[j, 1]
            c += weights[t, 2] * z[j, 2]
            d += weights[t, 3] * z[j, 3]
        parent = parents[i]
        coarse[parent, 0] += a - diagonal[i, 0] * z[i, 0]
        coarse[parent, 1] += b - diagonal[i, 1] * z[i, 1]
        coarse[parent, 2] += c - diagonal[i, 2] * z[i, 2]
        coarse[parent, 3] += d - diagonal[i, 3] * z[i, 3]


@njit(nogil=True, cache=True, fastmath=True)
def prolong(parents: Array, coarse: Array, inverse: Array, scale: float, z: Array) -> None:
    """Add to each row `scale` times the correction of its parent, where the row has an unknown."""
    factor = Scalar(scale)
    for i in range(inverse.shape[0]):
        parent = parents[i]
        for lane in range(4):
            z[i, lane] += factor * coarse[parent, lane] if inverse[i, lane] > 0 else Scalar(0)


@njit(nogil=True, cache=True, fastmath=True)
def dot(a: Array, b: Array) -> float:
    """Return the inner product."""
    total = 0.0
    for i in range(a.shape[0]):
        for lane in range(4):
            total += np.float64(a[i, lane]) * np.float64(b[i, lane])
    return total


@njit(nogil=True, cache=True, fastmath=True)
def subtract(y: Array, scale: float, x: Array) -> None:
    """Subtract ``scale * x`` from `y`."""
    factor = Scalar(scale)
    for i in range(y.shape[0]):
        for lane in range(4):
            y[i, lane] -= factor * x[i, lane]


@njit(nogil=True, cache=True, fastmath=True)
def turn_direction(
    v: Array, older: Array, old: Array, epsilon: float, delta: float, gamma: float, phi: float, x: Array
) -> None:
    """Overwrite `older` with the next direction of MINRES and go along it: ``x += phi * direction``."""
    e, d, g, f = Scalar(epsilon), Scalar(delta), Scalar(1 / gamma), Scalar(phi)
    for i in range(v.shape[0]):
        for lane in range(4):
            direction = (v[i, lane] - e * older[i, lane] - d * old[i, lane]) * g
            older[i, lane] = direction
            x[i, lane] += f * direction
