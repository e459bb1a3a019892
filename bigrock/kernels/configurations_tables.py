"""What each 2×2×2 configuration adds to the Euler number, to surface and to mean curvature.

All tables are integers, one row per code (see `bigrock.kernels.configurations`), so sums over any
blocks are exact; voxel sizes and direction weights come in only at the end.
"""

from __future__ import annotations

import functools
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError

__all__ = [
    "DIRECTIONS",
    "checked_connectivity",
    "differing_pairs",
    "direction_weights",
    "eighths_of_euler",
    "plane_euler_parts",
]

Table = npt.NDArray[np.int64]
Voxel = tuple[float, float, float]

DIRECTIONS: tuple[tuple[int, int, int], ...] = tuple(
    (z, y, x) for z, y, x in product((-1, 0, 1), repeat=3) if (z, y, x) > (0, 0, 0)
)
"""The 13 directions from a voxel to its 26 neighbours, one of each opposite pair; z, y, x."""

_CORNERS = tuple(product((0, 1), repeat=3))
_VOXEL_SETS = np.array(
    [[code >> (z + 2 * y + 4 * x) & 1 for z, y, x in _CORNERS] for code in range(256)], np.int64
).reshape(256, 2, 2, 2)
"""Code → its voxels, as an array of z, y, x."""


@functools.cache
def eighths_of_euler(connectivity: int) -> Table:
    """Return eight times what each configuration adds to the Euler number.

    V − E + F − C over the cells of the cubic complex, each shared by the 2×2×2 cells around it.
    With connectivity 26 voxels are closed cubes, and the middle of the 2×2×2 cell is the one vertex;
    with 6 voxels are the vertices, and the complement's numbers are exchanged.

    Parameters
    ----------
    connectivity : {6, 26}
        Of the voxels that are True.

    Examples
    --------
    >>> int(eighths_of_euler(26)[1]), int(eighths_of_euler(6)[255])
    (1, 0)
    """
    sets = _VOXEL_SETS.astype(bool)
    voxels = sets.sum((1, 2, 3))
    edges = [sets[:, a, b, :] for a, b in product((0, 1), repeat=2)]
    edges += [sets[:, a, :, b] for a, b in product((0, 1), repeat=2)]
    edges += [sets[:, :, a, b] for a, b in product((0, 1), repeat=2)]
    faces = [sets.take(i, axis).reshape(256, 4) for axis in (1, 2, 3) for i in (0, 1)]
    if connectivity == 26:
        pairs = sum(edge.any(1).astype(np.int64) for edge in edges)
        quads = sum(face.any(1).astype(np.int64) for face in faces)
        return np.asarray(8 * sets.any((1, 2, 3)) - 4 * quads + 2 * pairs - voxels, np.int64)
    pairs = sum(edge.all(1).astype(np.int64) for edge in edges)
    quads = sum(face.all(1).astype(np.int64) for face in faces)
    return np.asarray(voxels - 2 * pairs + 4 * quads - 8 * sets.all((1, 2, 3)), np.int64)


@functools.cache
def differing_pairs() -> Table:
    """Return four times the pairs of True and False neighbours that each configuration adds, by direction.

    A pair along an axis stands in four cells, along a diagonal of a face in two.

    Returns
    -------
    ndarray of int64, shape (256, 13)
        Columns as `DIRECTIONS`.

    Examples
    --------
    >>> int(differing_pairs()[1].sum())
    13
    """
    flat = _VOXEL_SETS.reshape(256, 8)
    table = np.zeros((256, len(DIRECTIONS)), np.int64)
    for (i, one), (j, other) in combinations(enumerate(_CORNERS), 2):
        step = tuple(b - a for a, b in zip(one, other, strict=True))
        times = 2 ** sum(s != 0 for s in step) // 2
        table[:, DIRECTIONS.index(step)] += (flat[:, i] != flat[:, j]) * times
    return table


@functools.cache
def plane_euler_parts(connectivity: int) -> Table:
    """Return 24 times what each configuration adds to the Euler numbers of plane sections, by normal.

    The planes of the lattice normal to (0, 0, 1) and (0, 1, 1) and their like are rectangular (the
    voxels have 8 neighbours there with connectivity 26, 4 with connectivity 6), those normal to
    (1, 1, 1) triangular.

    Returns
    -------
    ndarray of int64, shape (256, 13)
        Columns as `DIRECTIONS`.

    Examples
    --------
    >>> plane_euler_parts(26).shape
    (256, 13)
    """
    table = np.zeros((256, len(DIRECTIONS)), np.int64)
    for column, normal in enumerate(DIRECTIONS):
        level = {corner: sum(n * c for n, c in zip(normal, corner, strict=True)) for corner in _CORNERS}
        axis_normal = sum(n != 0 for n in normal) == 1
        for plane in set(level.values()):
            corners = [corner for corner in _CORNERS if level[corner] == plane]
            if len(corners) == 4:
                # A square stands in two cells, a rectangle along a diagonal in one.
                table[:, column] += _quad_euler(corners, connectivity) * (1 if axis_normal else 2)
            elif len(corners) == 3:
                voxels = _chosen(corners).sum(1)
                table[:, column] += 4 * voxels - 12 * (voxels * (voxels - 1) // 2) + 24 * (voxels == 3)
    return table


def _chosen(corners: list[tuple[int, ...]]) -> Table:
    return np.stack([_VOXEL_SETS[:, z, y, x] for z, y, x in corners], 1)


def _quad_euler(corners: list[tuple[int, ...]], connectivity: int) -> Table:
    """Return twelve times what the cell of a rectangular lattice adds to its Euler number, per code."""
    sets = _chosen(corners)
    # In the order of `_CORNERS`, corners 0, 1, 3, 2 go round the rectangle.
    sides = [sets[:, [a, b]] for a, b in ((0, 1), (1, 3), (3, 2), (2, 0))]
    voxels, every, some = sets.sum(1), sets.all(1), sets.any(1)
    if connectivity == 26:
        twelfths = 3 * voxels - 6 * sum(side.any(1).astype(np.int64) for side in sides) + 12 * some
    else:
        twelfths = 3 * voxels - 6 * sum(side.all(1).astype(np.int64) for side in sides) + 12 * every
    return np.asarray(twelfths, np.int64)


@functools.lru_cache(64)
def direction_weights(
    vectors: tuple[Voxel, ...],
) -> npt.NDArray[np.float64]:
    """Return the share of all directions that is nearest to each line: areas of Voronoi cells on the sphere.

    Parameters
    ----------
    vectors : tuple of 3-tuples
        Lines through the origin, such as the `DIRECTIONS` times the voxel size.

    Returns
    -------
    ndarray of float64
        They sum to 1.

    References
    ----------
    .. [1] Ohser J., Mücklich F., "Statistical Analysis of Microstructures in Materials Science",
       Wiley, 2000; for cubic voxels 2 × 0.045778, 2 × 0.036981 and 2 × 0.035196.

    Examples
    --------
    >>> direction_weights(((1, 0, 0), (0, 1, 0), (0, 0, 1))).round(6).tolist()
    [0.333333, 0.333333, 0.333333]
    """
    from scipy.spatial import SphericalVoronoi

    lines = np.array(vectors, np.float64)
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    areas = SphericalVoronoi(np.concatenate([lines, -lines]), threshold=1e-9).calculate_areas()
    shares = areas[: len(lines)] + areas[len(lines) :]
    return np.asarray(shares / shares.sum())


def checked_connectivity(connectivity: int, ndim: int) -> int:
    """Return 6 or 26 for the connectivity of a volume, or of an image (4 or 8).

    Raises
    ------
    ParameterError
        If the Euler number is not defined for it.

    Examples
    --------
    >>> checked_connectivity(8, 2)
    26
    """
    known = {6: 6, 26: 26} | ({4: 6, 8: 26} if ndim == 2 else {})
    if connectivity not in known:
        raise ParameterError(
            f"connectivity={connectivity} is not known: with 18 neighbours the complement has no connectivity "
            f"that makes the Euler number one of both. Use one of {sorted(known)}."
        )
    return known[connectivity]
