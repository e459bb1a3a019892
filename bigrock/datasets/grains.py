"""The solid of a synthetic rock: ellipsoidal grains, one per lattice cell, drawn by hashing.

A grain depends on the seed and on the indices of its cell only, so a region is made from the
grains that can reach it, whatever lies elsewhere, and any region can be made alone. The lattice
stands askew to the axes: an upright one would show as ripples in the porosity of the slices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.datasets.hashing import hash_cell, mix, normal_table, standard_normal, uniform
from bigrock.geometry import Shape

__all__ = [
    "CLAY",
    "FELDSPAR",
    "HEAVY",
    "LARGEST_RADIUS",
    "LATTICE",
    "PORE",
    "QUARTZ",
    "draw_grain",
    "nearest_grain",
]

PORE, CLAY, QUARTZ, FELDSPAR, HEAVY = 1.10, 1.96, 2.10, 2.26, 3.50
"""Grey levels of the phases; the unit is the contrast between pore and quartz."""

LARGEST_RADIUS = 0.80
"""Longest half axis that a grain can have, in lattice cells, before it is grown."""

LATTICE = np.array([[-2.0, -1.0, 2.0], [2.0, -2.0, 1.0], [1.0, 2.0, 2.0]]) / 3.0
"""Rotation whose columns are the directions, in z, y, x, of the axes of the lattice."""

_SMALLEST_MEAN, _LARGEST_MEAN = 0.50, 0.70
_FLATTEST = 0.58
_JITTER = 0.75
_HEAVY_SHARE, _FELDSPAR_SHARE = 0.015, 0.12
_HEAVY_SIZE = 0.62
_GREY_SPREAD = 0.03
_GRAIN_VALUES = 11


@njit(nogil=True, cache=True)
def draw_grain(seed: Any, cell: float, z: int, y: int, x: int, table: Any, grain: Any) -> None:
    """Fill `grain` with the centre, the shape and the grey level of the grain of one cell.

    Parameters
    ----------
    seed : uint64
        The rock.
    cell : float
        Length of a lattice cell in voxels.
    z, y, x : int
        Indices of the cell; may be negative.
    table : float32 array (4096,)
        As `bigrock.datasets.hashing.normal_table` gives it.
    grain : float64 array (11,)
        Result: centre z, y, x in voxels; the symmetric matrix zz, yy, xx, zy, zx, yx whose
        quadratic form is 1 on the surface; the longest half axis in voxels; the grey level.

    Examples
    --------
    >>> import numpy as np
    >>> grain = np.empty(11)
    >>> draw_grain(np.uint64(1), 20.0, 0, 0, 0, normal_table(), grain)
    >>> [int(index) for index in np.floor(LATTICE.T @ grain[:3] / 20.0)]
    [0, 0, 0]
    """
    bits = hash_cell(seed, z, y, x)
    draw = np.empty(7)
    for i in range(7):
        bits = mix(bits)
        draw[i] = uniform(bits)
    for axis in range(3):
        grain[axis] = cell * (
            LATTICE[axis, 0] * (z + _JITTER * draw[0])
            + LATTICE[axis, 1] * (y + _JITTER * draw[1])
            + LATTICE[axis, 2] * (x + _JITTER * draw[2])
        )
    mean = (_SMALLEST_MEAN + (_LARGEST_MEAN - _SMALLEST_MEAN) * draw[3]) * cell
    spread = 0.5 * _GREY_SPREAD * (draw[4] + draw[5] - 1.0)
    if draw[6] < _HEAVY_SHARE:
        mean *= _HEAVY_SIZE
        grain[10] = HEAVY * (1.0 + spread)
    elif draw[6] < _HEAVY_SHARE + _FELDSPAR_SHARE:
        grain[10] = FELDSPAR * (1.0 + spread)
    else:
        grain[10] = QUARTZ * (1.0 + spread)
    # The product of the half axes is mean³, so that the flattest grains are not the smallest.
    middle = _FLATTEST + (1.0 - _FLATTEST) * draw[4]
    short = _FLATTEST + (1.0 - _FLATTEST) * draw[5]
    longest = min(mean / (middle * short) ** (1.0 / 3.0), LARGEST_RADIUS * cell)
    grain[9] = longest
    _orient(
        mix(bits), table, 1.0 / longest**2, 1.0 / (longest * middle) ** 2, 1.0 / (longest * short) ** 2, grain
    )


@njit(nogil=True, cache=True)
def _orient(bits: Any, table: Any, a: float, b: float, c: float, grain: Any) -> None:
    """Write the matrix with the eigenvalues a, b, c in a uniformly random orientation."""
    quaternion = np.empty(4)
    for i in range(4):
        bits = mix(bits)
        quaternion[i] = standard_normal(bits, table)
    quaternion /= np.sqrt((quaternion * quaternion).sum()) + 1e-12
    w, i, j, k = quaternion[0], quaternion[1], quaternion[2], quaternion[3]
    r = np.empty((3, 3))
    r[0, 0], r[0, 1], r[0, 2] = 1 - 2 * (j * j + k * k), 2 * (i * j - k * w), 2 * (i * k + j * w)
    r[1, 0], r[1, 1], r[1, 2] = 2 * (i * j + k * w), 1 - 2 * (i * i + k * k), 2 * (j * k - i * w)
    r[2, 0], r[2, 1], r[2, 2] = 2 * (i * k - j * w), 2 * (j * k + i * w), 1 - 2 * (i * i + j * j)
    for n in range(3):
        grain[3 + n] = a * r[n, 0] ** 2 + b * r[n, 1] ** 2 + c * r[n, 2] ** 2
    grain[6] = a * r[0, 0] * r[1, 0] + b * r[0, 1] * r[1, 1] + c * r[0, 2] * r[1, 2]
    grain[7] = a * r[0, 0] * r[2, 0] + b * r[0, 1] * r[2, 1] + c * r[0, 2] * r[2, 2]
    grain[8] = a * r[1, 0] * r[2, 0] + b * r[1, 1] * r[2, 1] + c * r[1, 2] * r[2, 2]


def nearest_grain(
    seed: int, start: Shape, shape: Shape, *, cell: float, reach: float, stride: int = 1
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return how far each voxel is from its nearest grain, and the grey level of that grain.

    The distance is the squared radius of the voxel in the grain's own ellipsoid: 0 at its centre,
    1 on its surface. Bitwise the same for a voxel whatever region it is part of. Costs about
    10 ns per voxel at reach 1.

    Parameters
    ----------
    seed : int
        The rock; 0 … 2⁶⁴ − 1.
    start, shape : Shape
        First voxel and extent of the region, z, y, x; may lie outside any volume.
    cell : float
        Length of a lattice cell, in voxels.
    reach : float
        Distances above this are not looked for: those voxels get infinity.
    stride : int
        Voxels between two samples.

    Returns
    -------
    distance : float32 array
        Of `shape`.
    grey : float32 array
        Of `shape`; `PORE` where no grain is within reach.

    Examples
    --------
    >>> distance, grey = nearest_grain(1, (0, 0, 0), (8, 8, 8), cell=6.0, reach=1.0)
    >>> bool((grey[distance == np.inf] == np.float32(PORE)).all())
    True
    """
    distance = np.full(shape, np.inf, np.float32)
    grey = np.full(shape, PORE, np.float32)
    _raster(np.uint64(seed), start, stride, cell, reach, normal_table(), distance, grey)
    return distance, grey


@njit(nogil=True, cache=True)
def _raster(
    seed: Any, start: Any, stride: int, cell: float, reach: float, table: Any, distance: Any, grey: Any
) -> None:
    margin = LARGEST_RADIUS * cell * np.sqrt(reach)
    low, high = _cells(start, distance.shape, stride, margin, cell)
    grain = np.empty(_GRAIN_VALUES)
    # Cells are visited in the same order in every region, so the first of two equal grains is too.
    for z in range(low[0], high[0] + 1):
        for y in range(low[1], high[1] + 1):
            for x in range(low[2], high[2] + 1):
                if _near(z, y, x, cell, start, distance.shape, stride, margin):
                    draw_grain(seed, cell, z, y, x, table, grain)
                    _stamp(grain, start, stride, reach, distance, grey)


@njit(nogil=True, cache=True)
def _cells(start: Any, shape: Any, stride: int, margin: float, cell: float) -> Any:
    """Return the lowest and the highest indices of the cells whose grains may reach the region."""
    low = np.empty(3, np.int64)
    high = np.empty(3, np.int64)
    for axis in range(3):
        centre = half = 0.0
        for k in range(3):
            size = (shape[k] - 1) * stride
            centre += LATTICE[k, axis] * (start[k] + 0.5 * size)
            half += abs(LATTICE[k, axis]) * (0.5 * size + margin)
        low[axis] = int(np.floor((centre - half) / cell))
        high[axis] = int(np.floor((centre + half) / cell))
    return low, high


@njit(nogil=True, cache=True)
def _near(z: int, y: int, x: int, cell: float, start: Any, shape: Any, stride: int, margin: float) -> bool:
    """Whether the sphere around a cell comes within the margin of the region."""
    for k in range(3):
        centre = cell * (LATTICE[k, 0] * (z + 0.5) + LATTICE[k, 1] * (y + 0.5) + LATTICE[k, 2] * (x + 0.5))
        reach = margin + 0.87 * cell
        if centre + reach < start[k] or centre - reach > start[k] + (shape[k] - 1) * stride:
            return False
    return True


@njit(nogil=True, cache=True)
def _first_index(position: float, start: int, stride: int) -> int:
    return max(0, int(np.ceil((position - start) / stride)))


@njit(nogil=True, cache=True)
def _last_index(position: float, start: int, stride: int, size: int) -> int:
    return min(size - 1, int(np.floor((position - start) / stride)))


@njit(nogil=True, cache=True)
def _stamp(grain: Any, start: Any, stride: int, reach: float, distance: Any, grey: Any) -> None:
    """Lower the distance wherever this grain is nearer than those before it."""
    nz, ny, nx = distance.shape
    cz, cy, cx, azz, ayy, axx, azy, azx, ayx, longest, level = grain
    radius = longest * np.sqrt(reach)
    shade = np.float32(level)
    curve = np.float32(axx)
    for k in range(
        _first_index(cz - radius, start[0], stride), _last_index(cz + radius, start[0], stride, nz) + 1
    ):
        dz = start[0] + k * stride - cz
        for j in range(
            _first_index(cy - radius, start[1], stride), _last_index(cy + radius, start[1], stride, ny) + 1
        ):
            dy = start[1] + j * stride - cy
            rest = azz * dz * dz + ayy * dy * dy + 2.0 * azy * dz * dy
            slope = 2.0 * (azx * dz + ayx * dy)
            # The ends of the chord that the row cuts from the grown grain.
            root = slope * slope - 4.0 * axx * (rest - reach)
            if root <= 0.0:
                continue
            middle, half = cx - 0.5 * slope / axx, 0.5 * np.sqrt(root) / axx
            first = _first_index(middle - half, start[2], stride)
            last = _last_index(middle + half, start[2], stride, nx)
            near, shades = distance[k, j], grey[k, j]
            base, tilt = np.float32(rest), np.float32(slope)
            for i in range(first, last + 1):
                dx = np.float32(start[2] + i * stride - cx)
                value = base + dx * (tilt + dx * curve)
                closer = value < near[i]
                near[i] = value if closer else near[i]
                shades[i] = shade if closer else shades[i]
