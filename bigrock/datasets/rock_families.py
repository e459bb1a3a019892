"""Families of synthetic rock: each is a smooth field over the volume, and its lowest values are the pores.

So any rock has exactly the asked porosity. Sizes below are voxels of a rock of 64³ (`scale` 1), drawn anew
for every rock from the range that is stated, each octave as likely as another. "Cells" is the edge of
the lattice cell that holds one random point: the mean distance of grains.

============  =====================================================  ==================================
family        texture                                                sizes
============  =====================================================  ==================================
blobs         a Gaussian field: rounded pores and grains alike       correlation σ 1.4 … 5
layers        the same, longer along one or two axes                 σ 1.2 … 3.2, stretched 1.5 … 2.4
two-scale     a fine and a coarse Gaussian field added               σ 1 … 1.8 and 3 … 6.5
grains        grains of many sizes in random places, overlapping     cells 7 … 26, sizes of ±35 %
pack          near a lattice, grains of one size: sand               cells 7 … 26
vugs          round cavities in a finely porous matrix: carbonate    cells 12 … 26; σ 1.1 … 2.4
channels      pores along the edges between Voronoi grains: foam     cells 7 … 26
cracks        pores between the faces of Voronoi grains: tight rock  cells 8 … 28
fibres        straight fibres in random directions                   radii 1.6 … 5.5
============  =====================================================  ==================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import Shape

__all__ = ["FAMILIES", "gaussian_field"]

Field = npt.NDArray[np.float32]
Rng = np.random.Generator
_JITTERED = 1.0
_ALMOST_A_LATTICE = 0.35


def gaussian_field(rng: Rng, shape: Shape, sigma: Any) -> Field:
    """Return a random field of mean 0 and variance 1 whose correlation is a Gaussian of width √2 σ.

    Periodic: the field goes on across opposite faces.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the field.
    shape : Shape
        Voxels along z, y, x.
    sigma : float or sequence of three floats
        Standard deviation of the kernel that smooths white noise, in voxels along z, y, x.

    Examples
    --------
    >>> field = gaussian_field(np.random.default_rng(0), (16, 16, 16), 2.0)
    >>> field.dtype, abs(float(field.mean())) < 1e-6, round(float(field.std()), 4)
    (dtype('float32'), True, 1.0)
    """
    from scipy.fft import irfftn, rfftn

    noise = rfftn(rng.standard_normal(shape, np.float32))
    for axis, (n, s) in enumerate(zip(shape, np.broadcast_to(sigma, 3), strict=True)):
        wave = np.fft.rfftfreq(n) if axis == 2 else np.fft.fftfreq(n)
        damped = np.exp(-2 * (math.pi * s * wave) ** 2).astype(np.float32)
        noise *= damped.reshape([-1 if a == axis else 1 for a in range(3)])
    noise[0, 0, 0] = 0
    field = irfftn(noise, shape)
    return np.asarray(field / field.std(), np.float32)


def _between(rng: Rng, low: float, high: float) -> float:
    """Draw a size: as likely between 2 and 4 as between 4 and 8."""
    return float(low * (high / low) ** rng.random())


def _cells(
    rng: Rng, shape: Shape, cell: float, jitter: float, spread: float = 0.0
) -> tuple[Field, Field, Field]:
    """Return the distances to the three nearest of random points, one in each cell of a lattice."""
    from bigrock.datasets.rock_loops import nearest_points

    counts = tuple(math.ceil(n / cell) + 4 for n in shape)
    corners = np.stack(np.meshgrid(*(np.arange(n) - 2.0 for n in counts), indexing="ij"), -1)
    points = (corners + 0.5 + jitter * (rng.random((*counts, 3)) - 0.5)) * cell
    radii = np.exp(spread * np.clip(rng.standard_normal(counts), -1.5, 1.5))
    found = tuple(np.empty(shape, np.float32) for _ in range(3))
    nearest_points(points.astype(np.float32), radii.astype(np.float32), cell, *found)
    return found[0], found[1], found[2]


def _blobs(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    return gaussian_field(rng, shape, _between(rng, 1.4, 5.0) * scale)


def _layers(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    sigma = np.full(3, _between(rng, 1.2, 3.2) * scale)
    axes = rng.permutation(3)[: rng.integers(1, 3)]
    sigma[axes] *= _between(rng, 1.5, 2.4)
    return gaussian_field(rng, shape, sigma)


def _two_scale(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    fine = gaussian_field(rng, shape, _between(rng, 1.0, 1.8) * scale)
    coarse = gaussian_field(rng, shape, _between(rng, 3.0, 6.5) * scale)
    return fine + np.float32(_between(rng, 0.6, 1.5)) * coarse


def _grains(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    return -_cells(rng, shape, _between(rng, 7, 26) * scale, _JITTERED, spread=0.35)[0]


def _pack(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    return -_cells(rng, shape, _between(rng, 7, 26) * scale, _ALMOST_A_LATTICE)[0]


def _vugs(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    matrix = gaussian_field(rng, shape, _between(rng, 1.1, 2.4) * scale)
    cavity = _cells(rng, shape, _between(rng, 12, 26) * scale, _JITTERED, spread=0.25)[0]
    share = porosity * rng.uniform(0.15, 0.45)
    # Cavities are pores whatever the matrix is; the matrix has the rest of the porosity.
    return np.where(cavity <= np.quantile(cavity, share), np.float32(-np.inf), matrix)


def _channels(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    first, _, third = _cells(rng, shape, _between(rng, 7, 26) * scale, _JITTERED)
    return third - first


def _cracks(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    first, second, _ = _cells(rng, shape, _between(rng, 8, 28) * scale, _JITTERED)
    return second - first


def _fibres(rng: Rng, shape: Shape, scale: float, porosity: float) -> Field:
    from bigrock.datasets.rock_loops import line_distances

    radius = _between(rng, 1.6, 5.5) * scale
    # Lines that cross a ball around the volume, as many as leave the asked porosity between cylinders.
    ball = 0.5 * math.hypot(*shape)
    count = math.ceil(-math.log(porosity) * 4 * ball**2 / (3 * radius**2))
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    offset = np.cross(direction, rng.standard_normal((count, 3)))
    offset /= np.linalg.norm(offset, axis=1, keepdims=True)
    middle = offset * (ball * np.sqrt(rng.random((count, 1)))) + (np.array(shape) - 1) / 2
    distance = np.full(shape, np.inf, np.float32)
    lines = np.concatenate([middle, direction], 1).astype(np.float32)
    line_distances(lines, np.full(count, radius, np.float32), distance)
    return -distance


FAMILIES: dict[str, tuple[Callable[[Rng, Shape, float, float], Field], float, float]] = {
    "blobs": (_blobs, 0.12, 0.5),
    "layers": (_layers, 0.15, 0.5),
    "two-scale": (_two_scale, 0.12, 0.5),
    "grains": (_grains, 0.1, 0.5),
    "pack": (_pack, 0.1, 0.5),
    "vugs": (_vugs, 0.14, 0.5),
    "channels": (_channels, 0.1, 0.5),
    "cracks": (_cracks, 0.1, 0.4),
    "fibres": (_fibres, 0.1, 0.5),
}
"""Of each family: its field, and the range within which the porosity of a rock is drawn."""
