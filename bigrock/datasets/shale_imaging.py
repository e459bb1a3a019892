"""What a FIB-SEM makes of a shale: charging, shine-through, blur, curtains, drift, noise, grey levels.

Every value depends on the position in the volume only, so that blocks fit together bitwise.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from bigrock.datasets.hashing import hash_cell, mix, normal_table, standard_normal, uniform
from bigrock.datasets.scanner import blur_weights
from bigrock.datasets.shale_fields import Noise, noise_over, noise_row, stream
from bigrock.datasets.shale_levels import Imaging
from bigrock.datasets.shale_rock import INORGANIC_PORE, ORGANIC, ORGANIC_PORE
from bigrock.geometry import Region, Shape

__all__ = ["HALO", "image", "slice_light", "slices_below"]

_RIM, _POINT = 6, 4
HALO = _RIM + _POINT
"""Pixels around a region, in the slice, that its image depends on: the rims, then the blur."""

_ESCAPE_NM = 30.0
"""Depth below a pore at which the light that comes through it has halved."""
_DEEPEST = 6
_SEGMENT = 23
"""Slices between two jumps of the brightness, on average."""
_FIRST_STREAM, _LIGHT, _NOISE = 200, 210, 220


class Faults(NamedTuple):
    """Smooth fields of the faults over one region, by the index of the voxel."""

    shading: Noise
    charge: Noise
    broad: Noise
    fine: Noise
    onset: Noise


_HANGING = 1e9
_WAVELENGTHS = (
    (90.0, 310.0, 310.0),
    (30.0, 90.0, 90.0),
    (19.0, _HANGING, 23.0),
    (9.0, _HANGING, 3.7),
    (19.0, _HANGING, 23.0),
)


def slices_below(voxel_nm: float) -> int:
    """Return how many slices below a pore are seen through it.

    Parameters
    ----------
    voxel_nm : float
        Distance between slices.

    Examples
    --------
    >>> slices_below(10.0), slices_below(25.0)
    (6, 3)
    """
    return max(1, min(_DEEPEST, math.ceil(2.0 * _ESCAPE_NM / voxel_nm)))


def image(
    classes: npt.NDArray[np.uint8],
    material: npt.NDArray[np.float32],
    region: Region,
    shape: Shape,
    *,
    seed: int,
    look: Imaging,
    strength: npt.NDArray[np.float64],
    voxel_nm: float,
) -> npt.NDArray[np.uint8]:
    """Return the grey levels that a FIB-SEM stores of a region.

    Costs about 80 ns per voxel and a few slices of memory.

    Parameters
    ----------
    classes, material : arrays (z + below, y + 2·HALO, x + 2·HALO)
        As `Rock.make` gives them: over the region, `HALO` pixels around it and `slices_below` it.
    region : Region
        Where the image lies.
    shape : Shape
        The volume.
    seed : int
        The rock.
    look : Imaging
        The faults.
    strength : float64 array (z,)
        Of the curtains and of the charging in every slice, about 1.
    voxel_nm : float
        Distance between slices.

    Returns
    -------
    uint8 array
        Of the shape of `region`.
    """
    below = slices_below(voxel_nm)
    out = np.empty(region.shape, np.uint8)
    faults = _faults(seed, region)
    light = slice_light(seed, region.start[0], region.shape[0], look)
    fade = np.array([1.0 / (1.0 + (d * voxel_nm / _ESCAPE_NM) ** 2) for d in range(1, below + 1)], np.float32)
    rim, tail = _rim_weights()
    point = blur_weights(look.blur)
    spare = _POINT - point.size // 2
    edge = slice(spare, -spare if spare else None)
    noise = np.uint64(stream(seed, _NOISE))
    for k in range(region.shape[0]):
        at = (region.start[0] + k, region.start[1], region.start[2])
        deep = slice(k, k + below + 1)
        plane, glow = _surface(classes[deep], material[deep], fade, look)
        _charge(plane, glow, _convolve(glow, rim, tail), faults.charge, at, look.charging * strength[k])
        seen = _convolve(plane[_RIM:-_RIM, _RIM:-_RIM][edge, edge], point, point)
        _expose(seen, faults, at, shape, light[k], look, strength[k], noise, normal_table(), out[k])
    return out


def _faults(seed: int, region: Region) -> Faults:
    low = np.array(region.start, np.float64) - _POINT
    high = np.array(region.stop, np.float64) + _POINT
    fields = []
    for n, wavelengths in enumerate(_WAVELENGTHS):
        # Curtains hang down along y: their fields are those of the line y = 0.
        spread = np.array([1.0, 0.0 if wavelengths[1] == _HANGING else 1.0, 1.0])
        fields.append(noise_over(stream(seed, _FIRST_STREAM + n), low * spread, high * spread, wavelengths))
    return Faults(*fields)


def slice_light(seed: int, first: int, count: int, look: Imaging) -> npt.NDArray[np.float32]:
    """Return the contrast and the brightness of slices: a slow drift, a jitter, and sudden jumps.

    Parameters
    ----------
    seed : int
        The rock.
    first, count : int
        The slices.
    look : Imaging
        How much they vary.

    Returns
    -------
    float32 array (count, 2)
        What the grey level is multiplied with, and what is added to it.

    Examples
    --------
    >>> from bigrock.datasets.shale_levels import LEVELS
    >>> look = LEVELS["hard"].imaging
    >>> bool((slice_light(1, 0, 30, look)[20:] == slice_light(1, 20, 10, look)).all())
    True
    """
    out = np.empty((count, 2), np.float32)
    z, zero = np.arange(first, first + count, dtype=np.float64), np.zeros(count)
    for column, deviation in enumerate((look.contrast, look.brightness)):
        own = stream(seed, _LIGHT + column)
        slow = noise_over(own, (first, 0, 0), (first + count, 0, 0), (31.0, 1.0, 1.0))
        noise_row(slow, z, zero, zero, out[:, column])
        _flicker(np.uint64(own), first, normal_table(), out[:, column])
        out[:, column] *= np.float32(deviation)
    out[:, 0] += np.float32(1.0)
    return out


@njit(nogil=True, cache=True)
def _flicker(seed: Any, first: int, table: Any, light: Any) -> None:
    """Add a jitter to the light of every slice, and a step that holds from one jump to the next."""
    for n in range(light.size):
        segment = (first + n) // _SEGMENT
        jump = int(uniform(hash_cell(seed, 1, segment, 0)) * _SEGMENT)
        if first + n < segment * _SEGMENT + jump:
            segment -= 1
        step = np.float32(2.0 * uniform(hash_cell(seed, 2, segment, 0)) - 1.0)
        jitter = standard_normal(hash_cell(seed, 3, first + n, 0), table)
        light[n] += np.float32(1.2) * step + np.float32(0.3) * jitter


def _rim_weights() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return how far light spills around an edge: along y, and along x, where the scan drags it on."""
    steps = np.arange(-_RIM, _RIM + 1)
    across = 1.0 / (1.0 + (steps / 2.0) ** 2) ** 2
    dragged = 1.0 / (1.0 + (steps / np.where(steps > 0, 3.2, 1.6)) ** 2) ** 2
    return np.asarray(across / across.sum(), np.float32), np.asarray(dragged / dragged.sum(), np.float32)


@njit(nogil=True, cache=True)
def _surface(classes: Any, material: Any, fade: Any, look: Imaging) -> Any:
    """Return the light of the milled face, and how strongly each point makes its surroundings glow."""
    plane = material[0].copy()
    glow = np.zeros(plane.shape, np.float32)
    shine, mixed = np.float32(look.shine), np.float32(0.2 * look.shine)
    for j in range(plane.shape[0]):
        for i in range(plane.shape[1]):
            found = classes[0, j, i]
            if found < ORGANIC_PORE:
                glow[j, i] = np.float32(0.25) if found == ORGANIC else np.float32(0.0)
                plane[j, i] += mixed * (material[1, j, i] - plane[j, i])
                continue
            glow[j, i] = np.float32(1.0) if found == INORGANIC_PORE else np.float32(0.7)
            for d in range(fade.size):
                if classes[d + 1, j, i] < ORGANIC_PORE:
                    plane[j, i] += shine * fade[d] * (material[d + 1, j, i] - plane[j, i])
                    break
    return plane, glow


@njit(nogil=True, cache=True)
def _convolve(plane: Any, down: Any, right: Any) -> Any:
    """Return a plane weighed along y and along x, without the pixels that weights of its size reach."""
    ny, nx = plane.shape[0] - down.size + 1, plane.shape[1] - right.size + 1
    out = np.zeros((ny, nx), np.float32)
    row = np.empty(plane.shape[1], np.float32)
    for y in range(ny):
        row[:] = np.float32(0.0)
        for t in range(down.size):
            for x in range(row.size):
                row[x] += down[t] * plane[y + t, x]
        # A source drags its light to higher x, so the weights are read backwards.
        for t in range(right.size):
            for x in range(nx):
                out[y, x] += right[right.size - 1 - t] * row[x + t]
    return out


@njit(nogil=True, cache=True)
def _charge(plane: Any, glow: Any, spilled: Any, patches: Noise, at: Any, strength: float) -> None:
    """Add bright rims where more glow spills over than there is, more so in some patches."""
    ny, nx = spilled.shape
    z, y, x = np.full(nx, float(at[0])), np.empty(nx), np.empty(nx)
    for i in range(nx):
        x[i] = at[2] + i - _POINT
    patch = np.empty(nx, np.float32)
    for j in range(ny):
        y[:] = at[1] + j - _POINT
        noise_row(patches, z, y, x, patch)
        for i in range(nx):
            over = spilled[j, i] - glow[j + _RIM, i + _RIM]
            if over > 0:
                uneven = max(np.float32(0.35), np.float32(1.1) + np.float32(1.3) * patch[i])
                plane[j + _RIM, i + _RIM] += np.float32(strength) * over * uneven


@njit(nogil=True, cache=True)
def _expose(
    seen: Any,
    faults: Faults,
    at: Any,
    shape: Any,
    light: Any,
    look: Imaging,
    strength: float,
    seed: Any,
    table: Any,
    out: Any,
) -> None:
    """Write one slice as whole numbers: curtains, shading, the light of the slice, and noise."""
    ny, nx = out.shape
    z, y, x = np.full(nx, float(at[0])), np.zeros(nx), np.arange(at[2], at[2] + nx).astype(np.float64)
    stripe, onset, shade = np.empty(nx, np.float32), np.empty(nx, np.float32), np.empty(nx, np.float32)
    noise_row(faults.fine, z, y, x, stripe)
    noise_row(faults.broad, z, y, x, shade)
    noise_row(faults.onset, z, y, x, onset)
    curtains = np.float32(look.curtains * strength / 128.0)
    for i in range(nx):
        # Signed squares: most curtains are faint and a few are strong.
        stripe[i] = curtains * (np.float32(4.0) * stripe[i] * abs(stripe[i]) + np.float32(1.3) * shade[i])
    shot, fixed = np.float32(look.shot**2 / 128.0), np.float32(look.detector**2)
    for j in range(ny):
        y[:] = at[1] + j
        noise_row(faults.shading, z, y, x, shade)
        line = mix(seed ^ np.uint64(at[0] * shape[1] + at[1] + j))
        voxel = ((at[0]) * shape[1] + at[1] + j) * shape[2] + at[2]
        level = light[1] + np.float32(0.4 * look.detector) * standard_normal(mix(line), table)
        down = np.float32(2.0 * (at[1] + j) / shape[1])
        for i in range(nx):
            grown = min(np.float32(1.0), max(np.float32(0.25), down - onset[i] - np.float32(0.2)))
            value = seen[j, i] * (np.float32(1.0) + grown * stripe[i]) + np.float32(look.shading) * shade[i]
            value = np.float32(128.0) + (value - np.float32(128.0)) * light[0] + level
            spread = np.sqrt(fixed + shot * max(value, np.float32(0.0)))
            value += spread * standard_normal(mix(seed ^ np.uint64(voxel + i)), table) + np.float32(0.5)
            out[j, i] = np.uint8(min(max(value, np.float32(0.0)), np.float32(255.0)))
