"""The separate bodies of a shale: grains, crystals and pores, drawn one per lattice cell by hashing.

A body is an ellipsoid, or an ellipsoid cut by the faces of a box, which makes it angular. It depends
on the seed and on the indices of its cell only, so any region can be made alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.datasets.hashing import hash_cell, mix, normal_table, standard_normal, uniform
from bigrock.datasets.shale_fields import along, corners
from bigrock.geometry import Shape

__all__ = ["Population", "Space", "draw_grains", "mark"]

_VALUES = 18


class Space(NamedTuple):
    """Where a shale lies: the bedding, the voxels, and how many slices its profiles span.

    `frame` is as `bedding_frame` gives it; `voxel` is in nanometres, z, y, x.
    """

    frame: npt.NDArray[np.float64]
    voxel: npt.NDArray[np.float64]
    slices: int


class Population(NamedTuple):
    """Bodies of one sort; lengths in nanometres.

    `cell` is the lattice cell across and along the bedding; `share` of the cells hold a body and
    `size` scales it, both as profiles along z. The shortest half axis, which lies across the
    bedding, is drawn between `smallest` and `largest` with a density that falls with its cube; the
    others are `longer[0]` to `longer[1]` times as long. `order` is 0 for bodies that lie at random;
    at 10 they lie within about 10° of the bedding. `facet` is 0 for ellipsoids and up to √3 for boxes.
    """

    seed: int
    cell: tuple[float, float, float]
    share: npt.NDArray[np.float64]
    size: npt.NDArray[np.float64]
    smallest: float
    largest: float
    longer: tuple[float, float]
    order: float
    facet: float


def draw_grains(
    grains: Population, space: Space, start: Shape, shape: Shape, *, reach: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return how far each voxel lies outside of its nearest body, and which one that is.

    Bitwise the same for a voxel whatever region it is part of. The distance is approximate: that
    between similar surfaces, along the shortest axis.

    Parameters
    ----------
    grains : Population
        The bodies.
    space : Space
        Where they lie.
    start, shape : Shape
        The region, which may lie outside any volume.
    reach : float
        Nanometres beyond which bodies are not looked for.

    Returns
    -------
    gap : float32 array
        Nanometres; 0 and less inside a body; `reach` where none is within reach.
    draw : float32 array
        A random number in [0, 1), one for each body; 0 where none is within reach.

    Examples
    --------
    >>> flat = np.ones(2)
    >>> grains = Population(1, (90.0, 90.0, 90.0), flat, flat, 20.0, 40.0, (1.0, 2.0), 3.0, 1.2)
    >>> space = Space(np.eye(3), np.array([10.0, 10.0, 10.0]), 16)
    >>> gap, draw = draw_grains(grains, space, (0, 0, 0), (16, 16, 16), reach=20.0)
    >>> float(gap.max()), bool(gap.min() < 0)
    (20.0, True)
    """
    gap = np.full(shape, reach, np.float32)
    draw = np.zeros(shape, np.float32)
    low, high = _cells(grains, space, start, shape, reach)
    _draw_grains(_typed(grains), space, start, low, high, reach, normal_table(), gap, draw)
    return gap, draw


def mark(bodies: Population, space: Space, start: Shape, flags: npt.NDArray[np.uint8], bit: int) -> None:
    """Set a bit of the voxels whose centre lies in one of the bodies.

    Bitwise the same for a voxel whatever region it is part of.

    Parameters
    ----------
    bodies : Population
        The bodies.
    space : Space
        Where they lie.
    start : Shape
        First voxel of the region.
    flags : uint8 array
        Changed in place.
    bit : int
        What is set, such as 4.

    Examples
    --------
    >>> flat = np.ones(2)
    >>> pores = Population(1, (90.0, 90.0, 90.0), flat, flat, 20.0, 40.0, (1.0, 2.0), 0.0, 0.0)
    >>> flags = np.zeros((16, 16, 16), np.uint8)
    >>> mark(pores, Space(np.eye(3), np.array([10.0, 10.0, 10.0]), 16), (0, 0, 0), flags, 4)
    >>> sorted(set(flags.ravel().tolist()))
    [0, 4]
    """
    z, y, x = flags.shape
    low, high = _cells(bodies, space, start, (z, y, x), 0.0)
    _mark(_typed(bodies), space, start, low, high, normal_table(), flags, np.uint8(bit))


def _typed(bodies: Population) -> Population:
    return bodies._replace(seed=np.uint64(bodies.seed))  # type: ignore[arg-type]


def _cells(bodies: Population, space: Space, start: Shape, shape: Shape, reach: float) -> tuple[Any, Any]:
    """Return the lowest and highest indices of the cells whose bodies may reach the region."""
    margin = (bodies.largest * float(bodies.size.max())) * bodies.longer[1] + reach * bodies.longer[1]
    low, high = corners(space.frame * space.voxel, start, shape, margin)
    cell = np.array(bodies.cell)
    return np.floor(low / cell).astype(np.int64), np.floor(high / cell).astype(np.int64)


@njit(nogil=True, cache=True)
def _draw_body(bodies: Population, space: Space, i: int, j: int, k: int, table: Any, body: Any) -> bool:
    """Fill `body` with what the cell (i, j, k) holds; False if it holds none.

    Centre in voxels (0–2), map from voxels to the unit ball (3–11), half extents of the ball in
    voxels (12–14), facet (15), shortest half axis in nanometres (16), a random number (17).
    """
    bits = hash_cell(bodies.seed, i, j, k)
    place = np.empty(3)
    for axis in range(3):
        bits = mix(bits)
        place[axis] = uniform(bits)
    place[0] = (place[0] + i) * bodies.cell[0]
    place[1] = (place[1] + j) * bodies.cell[1]
    place[2] = (place[2] + k) * bodies.cell[2]
    for axis in range(3):
        body[axis] = (
            space.frame[0, axis] * place[0]
            + space.frame[1, axis] * place[1]
            + space.frame[2, axis] * place[2]
        ) / space.voxel[axis]
    depth = (body[0] + 0.5) / space.slices
    bits = mix(bits)
    if uniform(bits) >= along(bodies.share, depth):
        return False
    bits = mix(bits)
    # The inverse of a distribution whose density falls with the cube of the size.
    steep = 1.0 / bodies.smallest**2
    short = 1.0 / np.sqrt(steep + uniform(bits) * (1.0 / bodies.largest**2 - steep))
    short *= along(bodies.size, depth)
    body[15], body[16] = bodies.facet, short
    bits = mix(bits)
    body[17] = uniform(bits)
    _shape(bodies, space, bits, short, table, body)
    return True


@njit(nogil=True, cache=True)
def _shape(bodies: Population, space: Space, bits: Any, short: float, table: Any, body: Any) -> None:
    """Write the map to the unit ball and its half extents: axes turned out of the bedding at random."""
    half = np.empty(3)
    half[0] = short
    for axis in range(1, 3):
        bits = mix(bits)
        half[axis] = short * (bodies.longer[0] + (bodies.longer[1] - bodies.longer[0]) * uniform(bits))
    turn = np.empty(4)
    for axis in range(4):
        bits = mix(bits)
        turn[axis] = standard_normal(bits, table)
    turn[0] += bodies.order
    turn /= np.sqrt((turn * turn).sum()) + 1e-12
    w, v = turn[0], turn[1:]
    rotation = np.empty((3, 3))
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        rotation[a, a] = w * w + v[a] * v[a] - v[b] * v[b] - v[c] * v[c]
        rotation[a, b] = 2.0 * (v[a] * v[b] - w * v[c])
        rotation[b, a] = 2.0 * (v[a] * v[b] + w * v[c])
    for axis in range(3):
        square = 0.0
        for n in range(3):
            direction = (
                rotation[n, 0] * space.frame[0, axis]
                + rotation[n, 1] * space.frame[1, axis]
                + rotation[n, 2] * space.frame[2, axis]
            )
            body[3 + 3 * n + axis] = direction * space.voxel[axis] / half[n]
            square += (half[n] * direction) ** 2
        body[12 + axis] = np.sqrt(square) / space.voxel[axis]


@njit(nogil=True, cache=True)
def _rows(body: Any, start: Any, shape: Any, grown: float, span: Any) -> bool:
    """Write the first and last index of the voxels that the grown body may hold; False if there are none."""
    for axis in range(3):
        first = int(np.ceil(body[axis] - grown * body[12 + axis])) - start[axis]
        last = int(np.floor(body[axis] + grown * body[12 + axis])) - start[axis]
        span[2 * axis], span[2 * axis + 1] = max(first, 0), min(last, shape[axis] - 1)
        if span[2 * axis] > span[2 * axis + 1]:
            return False
    return True


@njit(nogil=True, cache=True)
def _radius(body: Any, dz: float, dy: float, dx: float) -> float:
    """Return 0 at the centre of a body, 1 on its surface, and so on."""
    a = body[3] * dz + body[4] * dy + body[5] * dx
    b = body[6] * dz + body[7] * dy + body[8] * dx
    c = body[9] * dz + body[10] * dy + body[11] * dx
    face = body[15] * max(abs(a), max(abs(b), abs(c)))
    return max(np.sqrt(a * a + b * b + c * c), face)


@njit(nogil=True, cache=True)
def _mark(
    bodies: Population, space: Space, start: Any, low: Any, high: Any, table: Any, flags: Any, bit: Any
) -> None:
    body = np.empty(_VALUES)
    span = np.empty(6, np.int64)
    for i in range(low[0], high[0] + 1):
        for j in range(low[1], high[1] + 1):
            for k in range(low[2], high[2] + 1):
                drawn = _draw_body(bodies, space, i, j, k, table, body)
                if not (drawn and _rows(body, start, flags.shape, 1.0, span)):
                    continue
                for z in range(span[0], span[1] + 1):
                    dz = start[0] + z - body[0]
                    for y in range(span[2], span[3] + 1):
                        dy = start[1] + y - body[1]
                        for x in range(span[4], span[5] + 1):
                            if _radius(body, dz, dy, start[2] + x - body[2]) <= 1.0:
                                flags[z, y, x] |= bit


@njit(nogil=True, cache=True)
def _draw_grains(
    grains: Population,
    space: Space,
    start: Any,
    low: Any,
    high: Any,
    reach: float,
    table: Any,
    gap: Any,
    draw: Any,
) -> None:
    body = np.empty(_VALUES)
    span = np.empty(6, np.int64)
    # Cells are visited in the same order in every region, so the first of two equal grains is too.
    for i in range(low[0], high[0] + 1):
        for j in range(low[1], high[1] + 1):
            for k in range(low[2], high[2] + 1):
                if not _draw_body(grains, space, i, j, k, table, body):
                    continue
                short = body[16]
                if not _rows(body, start, gap.shape, 1.0 + reach / short, span):
                    continue
                for z in range(span[0], span[1] + 1):
                    dz = start[0] + z - body[0]
                    for y in range(span[2], span[3] + 1):
                        dy = start[1] + y - body[1]
                        for x in range(span[4], span[5] + 1):
                            far = np.float32((_radius(body, dz, dy, start[2] + x - body[2]) - 1.0) * short)
                            if far < gap[z, y, x]:
                                gap[z, y, x] = far
                                draw[z, y, x] = np.float32(body[17])
