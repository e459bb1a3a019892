"""The loops of `bigrock.flow.sweep_loops` once more as array operations: what cupy runs on a GPU, and the oracle.

Same names and arguments, with two differences. Rows are relaxed all at once (two steps of Chebyshev) and not
one after the other; and the matrix of a coarse level names the row of each entry instead of where rows begin.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bigrock.kernels.backend import namespace

__all__ = [
    "dot",
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

Array = Any
_LOW, _HIGH = 0.4, 2.0
"""Eigenvalues that a sweep damps, of the matrix over its diagonal: none exceeds 2 (Gershgorin)."""
_STEPS = tuple(
    np.float32(1 / ((_HIGH + _LOW) / 2 + sign * (_HIGH - _LOW) / 2 * math.cos(math.pi / 4)))
    for sign in (1, -1)
)


def stokes(neighbours: Array, codes: Array, v: Array, out: Array) -> None:
    """Set `out` to the Stokes operator of `v`: minus Laplacian plus gradient, and minus divergence."""
    xp, n = namespace(v), len(neighbours)
    around = sum(v[neighbours[:, side], :3] for side in range(6))
    rise = v[:n, 3:] - v[neighbours[:, ::2], 3]
    own = codes[:n].astype(np.float32)
    out[:n, :3] = xp.where(own > 0, own * v[:n, :3] - around + rise, np.float32(0))
    out[:n, 3] = v[:n, :3].sum(1) - sum(v[neighbours[:, 2 * axis + 1], axis] for axis in range(3))


def stokes_energy(neighbours: Array, codes: Array, v: Array) -> float:
    """Return ``v · K v`` of the Stokes operator K."""
    image = namespace(v).zeros_like(v)
    stokes(neighbours, codes, v, image)
    return dot(v, image)


def _around(neighbours: Array, weights: Array, z: Array) -> Array:
    xp, n = namespace(z), len(neighbours)
    total = xp.zeros((n, 4), np.float32)
    for side in range(6):
        beside = z[neighbours[:, side]]
        beside[:, 3] *= xp.minimum(weights[:n], weights[neighbours[:, side]])
        total += beside
    return total


def sweep_fine(
    neighbours: Array, weights: Array, inverse: Array, right: Array, z: Array, forward: bool
) -> None:
    """Relax all rows of `z`; backwards is the same."""
    n = len(neighbours)
    for step in _STEPS:
        z[:n] += step * (inverse * (right[:n] + _around(neighbours, weights, z)) - z[:n])


def residual_to_coarse_fine(
    neighbours: Array, weights: Array, inverse: Array, right: Array, z: Array, parents: Array, coarse: Array
) -> None:
    """Set `coarse` to what `z` leaves of `right`, added up over the children of each row."""
    xp, n = namespace(z), len(neighbours)
    there = inverse > 0
    diagonal = xp.where(there, 1 / xp.where(there, inverse, np.float32(1)), np.float32(0))
    left = right[:n] + _around(neighbours, weights, z) - diagonal * z[:n]
    coarse[:] = 0
    xp.add.at(coarse, parents, xp.where(there, left, np.float32(0)))


def _coupled(rows: Array, columns: Array, weights: Array, z: Array) -> Array:
    xp = namespace(z)
    total = xp.zeros_like(z)
    xp.add.at(total, rows, weights * z[columns])
    return total


def sweep(
    rows: Array, columns: Array, weights: Array, inverse: Array, right: Array, z: Array, forward: bool
) -> None:
    """Relax all rows of `z` on a coarse level; backwards is the same."""
    for step in _STEPS:
        z += step * (inverse * (right + _coupled(rows, columns, weights, z)) - z)


def residual_to_coarse(
    rows: Array,
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
    namespace(z).add.at(coarse, parents, right + _coupled(rows, columns, weights, z) - diagonal * z)


def prolong(parents: Array, coarse: Array, inverse: Array, scale: float, z: Array) -> None:
    """Add to each row `scale` times the correction of its parent, where the row has an unknown."""
    z[: len(inverse)] += np.float32(scale) * coarse[parents] * (inverse > 0)


def dot(a: Array, b: Array) -> float:
    """Return the inner product; its terms are float32, their sum float64."""
    return float((a * b).sum(dtype=np.float64))


def subtract(y: Array, scale: float, x: Array) -> None:
    """Subtract ``scale * x`` from `y`."""
    y -= np.float32(scale) * x


def turn_direction(
    v: Array, older: Array, old: Array, epsilon: float, delta: float, gamma: float, phi: float, x: Array
) -> None:
    """Overwrite `older` with the next direction of MINRES and go along it: ``x += phi * direction``."""
    older *= np.float32(-epsilon)
    older += v - np.float32(delta) * old
    older *= np.float32(1 / gamma)
    x += np.float32(phi) * older
