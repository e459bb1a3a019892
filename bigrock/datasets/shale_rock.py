"""The rock of a synthetic shale: which class and which material every voxel is, before it is imaged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.datasets.shale_bodies import Population, Space, draw_grains, mark
from bigrock.datasets.shale_fields import Noise, along, bedding_frame, corners, noise_over, noise_row, stream
from bigrock.datasets.shale_levels import LEVELS, profile
from bigrock.geometry import Shape

__all__ = ["INORGANIC_PORE", "MATRIX", "ORGANIC", "ORGANIC_PORE", "Rock", "rock_of"]

MATRIX, ORGANIC, ORGANIC_PORE, INORGANIC_PORE = 0, 1, 2, 3

_FRAMBOID, _CRYSTAL, _SPONGE, _OPEN = 1, 2, 4, 8
_PYRITE = _FRAMBOID | _CRYSTAL
_PYRITE_GREY = 242.0

_HUG_NM = 90.0
"""Organic matter gathers within this distance of grains."""
_WARP_NM = 26.0
"""Amplitude of the waves of the bedding."""
_RIM = 0.16
"""How deep in the organic matter, or far out of it, a pore must lie, in units of the organic field."""
_CLEARANCE_NM = 14.0
"""Organic pores keep away from grains by this much."""
_PART_NM = 30.0
"""Grains part from the clay by this much at most, and by `_THINNEST_NM` at least."""
_THINNEST_NM = 12.0
_RIPE = -0.45
"""Organic matter is porous where the wave field is above this."""
_SAMPLE_NM, _SAMPLES, _QUANTILES = 40.0, 112, 257


class Fields(NamedTuple):
    """Smooth fields over one region: waves of the bedding, organic matter, and texture of the clay."""

    wave: Noise
    body: Noise
    detail: Noise
    beds: Noise
    plates: Noise


_WAVELENGTHS_NM = (
    (260.0, 520.0, 520.0),
    (105.0, 260.0, 260.0),
    (41.0, 97.0, 97.0),
    (75.0, 640.0, 640.0),
    (23.0, 170.0, 170.0),
)
_FIRST_FIELD, _FIRST_BODY, _FIRST_PROFILE = 10, 40, 100


@dataclass(frozen=True, eq=False)
class Rock:
    """The rock of one seed and level, cut into voxels of one size."""

    seed: int
    space: Space
    grains: Population
    marks: tuple[tuple[Population, int], ...]
    thresholds: npt.NDArray[np.float64]
    openness: npt.NDArray[np.float64]
    greys: tuple[float, float, float, float]

    def make(self, start: Shape, shape: Shape) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Return the class, and the grey level of the material, of every voxel of a region.

        Bitwise the same for a voxel whatever region it is part of.

        Parameters
        ----------
        start, shape : Shape
            The region, which may lie outside the volume.

        Returns
        -------
        classes : uint8 array
        material : float32 array
        """
        gap, material = draw_grains(self.grains, self.space, start, shape, reach=_HUG_NM)
        flags = np.zeros(shape, np.uint8)
        for bodies, bit in self.marks:
            mark(bodies, self.space, start, flags, bit)
        fields = _fields(self.seed, self.space, start, shape)
        _compose(fields, self.space, start, self.thresholds, self.openness, self.greys, gap, flags, material)
        return flags, material


@lru_cache(maxsize=32)
def rock_of(seed: int, level: str, voxel_nm: tuple[float, float, float], slices: int) -> Rock:
    """Return the rock of a seed and a level.

    Parameters
    ----------
    seed : int
        The rock.
    level : str
        A key of `LEVELS`.
    voxel_nm : tuple of float
        Voxel size z, y, x in nanometres.
    slices : int
        Extent along z, over which the contents change.

    Returns
    -------
    Rock

    Examples
    --------
    >>> classes, material = rock_of(1, "easy", (10.0, 5.0, 5.0), 64).make((0, 0, 0), (2, 8, 8))
    >>> classes.dtype, material.dtype
    (dtype('uint8'), dtype('float32'))
    """
    wanted = LEVELS[level]
    organic, sponge, size, openness = (
        profile(seed, _FIRST_PROFILE + 2 * n, span)
        for n, span in enumerate((wanted.organic, wanted.sponge, wanted.pore_size, wanted.openness))
    )
    look = wanted.imaging
    quantiles = _organic_quantiles(seed)
    return Rock(
        seed=seed,
        space=Space(bedding_frame(seed), np.array(voxel_nm), slices),
        grains=_silt(seed),
        marks=_marks(seed, sponge, size, openness),
        thresholds=np.array([along(quantiles, 1.0 - share) for share in organic]),
        openness=openness,
        greys=(look.clay, look.organic, look.pore, look.texture),
    )


def _silt(seed: int) -> Population:
    """Return the grains of quartz, feldspar and carbonate."""
    share, size = np.full(2, 0.8), np.ones(2)
    return Population(
        stream(seed, _FIRST_BODY), (260.0, 360.0, 360.0), share, size, 50.0, 130.0, (1.0, 1.9), 3.0, 1.25
    )


def _marks(seed: int, sponge: Any, size: Any, openness: Any) -> tuple[tuple[Population, int], ...]:
    """Return framboids and their crystals, organic pores of two sizes, slits and angular pores."""
    often, half, one = np.full(2, 0.95), np.full(2, 0.55), np.ones(2)
    framboid, crystal, small, large, slit, angular = (stream(seed, _FIRST_BODY + 1 + n) for n in range(6))
    return (
        (Population(framboid, (520.0,) * 3, half, one, 60.0, 210.0, (1.0, 1.1), 0.0, 0.0), _FRAMBOID),
        (Population(crystal, (46.0,) * 3, often, one, 16.0, 27.0, (1.0, 1.2), 0.0, 1.5), _CRYSTAL),
        (Population(small, (50.0,) * 3, sponge, size, 11.0, 24.0, (1.0, 1.6), 1.0, 0.0), _SPONGE),
        (Population(large, (140.0,) * 3, sponge, size, 24.0, 46.0, (1.0, 1.7), 1.0, 0.0), _SPONGE),
        (
            Population(slit, (95.0, 210.0, 210.0), 0.5 * openness, one, 9.0, 22.0, (4.0, 9.0), 12.0, 0.0),
            _OPEN,
        ),
        (Population(angular, (210.0,) * 3, 0.6 * openness, one, 22.0, 55.0, (1.0, 2.2), 1.0, 1.6), _OPEN),
    )


def _fields(seed: int, space: Space, start: Shape, shape: Shape) -> Fields:
    low, high = corners(space.frame * space.voxel, start, shape, 0.0)
    low[0] -= _WARP_NM
    high[0] += _WARP_NM
    seeds = (stream(seed, _FIRST_FIELD + n) for n in range(len(_WAVELENGTHS_NM)))
    return Fields(*(noise_over(s, low, high, w) for s, w in zip(seeds, _WAVELENGTHS_NM, strict=True)))


@lru_cache(maxsize=32)
def _organic_quantiles(seed: int) -> npt.NDArray[np.float64]:
    """Return the quantiles of the organic field over a cube of 4.5 µm, grains as its lowest values."""
    shape = (_SAMPLES, _SAMPLES, _SAMPLES)
    space = Space(bedding_frame(seed), np.full(3, _SAMPLE_NM), 1)
    gap, _ = draw_grains(_silt(seed), space, (0, 0, 0), shape, reach=_HUG_NM)
    _score(_fields(seed, space, (0, 0, 0), shape), space, gap)
    ranked = np.sort(gap.ravel())
    return np.asarray(ranked[np.arange(_QUANTILES) * (ranked.size - 1) // (_QUANTILES - 1)], np.float64)


@njit(nogil=True, cache=True)
def _walk(fields: Fields, space: Space, z: int, y: int, x: int, points: Any, rows: Any) -> None:
    """Write where a row of voxels lies in the wavy bedding, and its wave, body and detail fields."""
    frame, voxel = space.frame, space.voxel
    for axis in range(3):
        for i in range(points.shape[1]):
            points[axis, i] = (
                frame[axis, 0] * voxel[0] * z
                + frame[axis, 1] * voxel[1] * y
                + frame[axis, 2] * voxel[2] * (x + i)
            )
    noise_row(fields.wave, points[0], points[1], points[2], rows[0])
    for i in range(points.shape[1]):
        points[0, i] += _WARP_NM * rows[0, i]
    noise_row(fields.body, points[0], points[1], points[2], rows[1])
    noise_row(fields.detail, points[0], points[1], points[2], rows[2])


@njit(nogil=True, cache=True)
def _organic(body: Any, detail: Any, gap: Any) -> Any:
    """Return the field whose highest values are organic matter: between the grains, most along them."""
    hug = np.float32(0.35) * (np.float32(1.0) - gap / np.float32(_HUG_NM))
    return body + np.float32(0.4) * detail + hug


@njit(nogil=True, cache=True)
def _score(fields: Fields, space: Space, gap: Any) -> None:
    """Replace the gap to the grains by the organic field; grains get a value below all others."""
    points, rows = np.empty((3, gap.shape[2])), np.empty((3, gap.shape[2]), np.float32)
    for z in range(gap.shape[0]):
        for y in range(gap.shape[1]):
            _walk(fields, space, z, y, 0, points, rows)
            for x in range(gap.shape[2]):
                near = gap[z, y, x]
                gap[z, y, x] = _organic(rows[1, x], rows[2, x], near) if near > 0 else np.float32(-9.0)


@njit(nogil=True, cache=True)
def _compose(
    fields: Fields,
    space: Space,
    start: Any,
    thresholds: Any,
    openness: Any,
    greys: Any,
    gap: Any,
    flags: Any,
    material: Any,
) -> None:
    """Replace the flags by classes, and the random numbers of the grains by grey levels."""
    points, rows = np.empty((3, gap.shape[2])), np.empty((5, gap.shape[2]), np.float32)
    for k in range(gap.shape[0]):
        depth = (start[0] + k + 0.5) / space.slices
        threshold = np.float32(along(thresholds, depth))
        part = np.float32(3.0 * _PART_NM * along(openness, depth))
        for j in range(gap.shape[1]):
            _walk(fields, space, start[0] + k, start[1] + j, start[2], points, rows)
            noise_row(fields.beds, points[0], points[1], points[2], rows[3])
            noise_row(fields.plates, points[0], points[1], points[2], rows[4])
            near, flag, grey = gap[k, j], flags[k, j], material[k, j]
            for i in range(near.size):
                if flag[i] & _PYRITE == _PYRITE:
                    flag[i], grey[i] = MATRIX, np.float32(_PYRITE_GREY)
                elif near[i] <= 0:
                    flag[i], grey[i] = MATRIX, _grain_grey(grey[i], greys, rows[4, i])
                else:
                    excess = _organic(rows[1, i], rows[2, i], near[i]) - threshold
                    flag[i] = _classify(near[i], flag[i], excess, rows[0, i], rows[2, i], part)
                    grey[i] = _grey(flag[i], greys, rows[0, i], rows[2, i], rows[3, i], rows[4, i])


@njit(nogil=True, cache=True)
def _classify(near: Any, flag: Any, excess: Any, wave: Any, detail: Any, part: Any) -> int:
    """Return the class of a voxel between the grains."""
    if excess > 0:
        hosted = flag & _SPONGE and excess > _RIM and near > _CLEARANCE_NM and wave > _RIPE
        return ORGANIC_PORE if hosted else ORGANIC
    if excess > -_RIM or flag & _FRAMBOID:
        return MATRIX
    # Grains part from the clay along some of their faces.
    width = min(_PART_NM, -part * (detail + np.float32(0.3)))
    parted = near < width and width > _THINNEST_NM
    return INORGANIC_PORE if parted or flag & _OPEN else MATRIX


@njit(nogil=True, cache=True)
def _grain_grey(draw: Any, greys: Any, plates: Any) -> Any:
    """Return the grey level of a grain: quartz, feldspar or carbonate, the later the brighter."""
    return np.float32(greys[0] + 5.0 + 8.0 * draw + (16.0 if draw > 0.55 else 0.0) + 0.2 * greys[3] * plates)


@njit(nogil=True, cache=True)
def _grey(found: int, greys: Any, wave: Any, detail: Any, beds: Any, plates: Any) -> Any:
    """Return the grey level of what lies between the grains, with the texture that it has."""
    if found >= ORGANIC_PORE:
        return np.float32(greys[2])
    texture = np.float32(greys[3])
    if found == ORGANIC:
        return np.float32(greys[1]) + np.float32(0.4) * texture * wave
    # Dark lines between packets of clay: slits too thin to be resolved.
    line = max(np.float32(0.0), np.float32(1.0) - np.float32(5.0) * abs(plates)) * (np.float32(0.4) - detail)
    soft = np.float32(0.7) * beds + np.float32(0.4) * detail + np.float32(0.4) * plates
    return np.float32(greys[0]) + texture * (soft - np.float32(0.9) * line)
