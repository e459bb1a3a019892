"""Find the circle of a round core: where the slices stop being what their corners are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Region
from bigrock.kernels.field_of_view import Cylinder
from bigrock.volumes.source import Source

__all__ = ["detect_field_of_view"]

Floats = npt.NDArray[np.floating[Any]]
Circle = tuple[float, float, float]

_SLICES = 9
_LONGEST = 1024
_CELL = 4
_CONTRAST = 2.0
_TRIALS = 400
_RAYS = 720
_LEAST_OUTSIDE = 0.005
_LEAST_SUPPORT = 0.5


def detect_field_of_view(volume: Source | npt.NDArray[Any]) -> Cylinder | None:
    """Return the circle that shows rock in the slices of a round core, or None where they are full.

    Reads nine slices at most, thinned to 1024 voxels along the longer side. Outside is what is like
    the calmest corner: constant padding, or noise of another mean or of lower variance. The circle is fitted
    to where rows and columns enter and leave the rest, by random consensus (a fixed seed: the same
    answer every time), so that pores and grains at its edge do not bend it; then along 720 rays.
    Off-centre and partly cut circles are found while a corner lies outside. Approximate: within a
    voxel for padding, two where outside is noisy, both in steps of the thinned slices.

    Parameters
    ----------
    volume : Source, or ndarray of shape (z, y, x) or (y, x)
        Grey values. The axis of the core lies along z.

    Returns
    -------
    Cylinder or None
        None where no circle parts the slices in rock and surroundings.

    Raises
    ------
    ParameterError
        If the array has other than 2 or 3 axes.

    References
    ----------
    M. Fischler, R. Bolles, Random sample consensus, Communications of the ACM 24 (1981).

    Examples
    --------
    >>> grey = np.random.default_rng(0).normal(100, 20, (200, 200))
    >>> y, x = np.ogrid[:200, :200]
    >>> grey[(y - 90) ** 2 + (x - 105) ** 2 > 80**2] = 0
    >>> found = detect_field_of_view(grey)
    >>> round(found.centre_y), round(found.centre_x), round(found.radius)
    (90, 105, 80)
    >>> detect_field_of_view(np.random.default_rng(0).normal(100, 20, (200, 200)))
    """
    slices, step = _sample(volume)
    if min(slices.shape[1:]) < 8 * _CELL:
        return None
    reference = _calmest_corner(slices)
    # The mean squared difference to the corner: small outside, large for any other mean or texture.
    unlike = ((slices - reference.mean()) ** 2).mean(axis=0)
    height, width = (n // _CELL for n in unlike.shape)
    cells = unlike[: height * _CELL, : width * _CELL].reshape(height, _CELL, width, _CELL).mean(axis=(1, 3))
    centre = cells[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    noise, rock = float(reference.var()), float(np.median(centre))
    if rock <= _CONTRAST * noise:
        return None
    inside = cells > max(np.sqrt(noise * rock), 0.02 * rock)
    circle = _consensus(_ends(inside), 1.0)
    if circle is None or not _parts(inside, circle):
        return None
    y, x, r = (circle[0] + 0.5) * _CELL - 0.5, (circle[1] + 0.5) * _CELL - 0.5, circle[2] * _CELL
    fine = _consensus(_along_rays(unlike, (y, x, r)), 1.0) or (y, x, r)
    return Cylinder(*(round(float(v) * step, 2) for v in fine))


def _sample(volume: Source | npt.NDArray[Any]) -> tuple[Floats, int]:
    """Return some slices, thinned, and the step between their voxels."""
    if isinstance(volume, np.ndarray):
        if volume.ndim not in (2, 3):
            raise ParameterError(
                f"an array of shape {volume.shape} has no slices. Give (z, y, x) or (y, x) axes."
            )
        array = volume if volume.ndim == 3 else volume[None]
        depth, height, width = array.shape
    else:
        depth, height, width = volume.shape
    step = -(-max(height, width) // _LONGEST)
    places = sorted({int(z) for z in (np.arange(_SLICES) + 0.5) * depth / _SLICES})
    planes = []
    for z in places:
        region = Region((z, 0, 0), (z + 1, height, width))
        plane = array[z] if isinstance(volume, np.ndarray) else volume.read(region)[0]
        planes.append(plane[::step, ::step].astype(np.float32))
    return np.nan_to_num(np.stack(planes), copy=False), step


def _calmest_corner(slices: Floats) -> Floats:
    """Return the voxels of the corner that vary least."""
    n = max(2 * _CELL, round(0.03 * min(slices.shape[1:])))
    corners = [slices[:, y, x] for y in (slice(n), slice(-n, None)) for x in (slice(n), slice(-n, None))]
    return min(corners, key=lambda corner: float(corner.var()))


def _ends(inside: npt.NDArray[np.bool_]) -> Floats:
    """Return the (y, x) at which rows and columns enter and leave the inside, those at the border left out."""
    points = []
    for mask, swap in ((inside, False), (inside.T, True)):
        lines = np.flatnonzero(mask.any(axis=1))
        last = mask.shape[1] - 1
        for along, shift in ((mask.argmax(axis=1), -0.5), (last - mask[:, ::-1].argmax(axis=1), 0.5)):
            kept = lines[(along[lines] > 0) & (along[lines] < last)]
            pair = (kept, along[kept] + shift)
            points.append(np.stack(pair[::-1] if swap else pair, axis=1))
    return np.concatenate(points)


def _consensus(points: Floats, tolerance: float) -> Circle | None:
    """Return the circle that most points lie on, or None where fewer than half of them agree."""
    if len(points) < 12:
        return None
    rng = np.random.default_rng(0)
    best = np.zeros(len(points), bool)
    for _ in range(_TRIALS):
        circle = _fit(points[rng.choice(len(points), 3, replace=False)])
        if circle is not None and (near := _near(points, circle, tolerance)).sum() > best.sum():
            best = near
    if best.sum() < max(12, _LEAST_SUPPORT * len(points)):
        return None
    for _ in range(3):
        circle = _fit(points[best])
        if circle is None:
            return None
        best = _near(points, circle, tolerance)
    return circle


def _fit(points: Floats) -> Circle | None:
    """Return the circle of least squares (Kåsa): y² + x² = a·y + b·x + c."""
    middle = points.mean(axis=0)
    shifted = points - middle
    matrix = np.column_stack([shifted, np.ones(len(points))])
    (a, b, c), _, rank, _ = np.linalg.lstsq(matrix, (shifted**2).sum(axis=1))
    square = c + (a * a + b * b) / 4
    if rank < 3 or square <= 0:
        return None
    return float(middle[0] + a / 2), float(middle[1] + b / 2), float(np.sqrt(square))


def _near(points: Floats, circle: Circle, tolerance: float) -> npt.NDArray[np.bool_]:
    y, x, radius = circle
    near: npt.NDArray[np.bool_] = abs(np.hypot(points[:, 0] - y, points[:, 1] - x) - radius) <= tolerance
    return near


def _parts(inside: npt.NDArray[np.bool_], circle: Circle) -> bool:
    """Return whether a circle parts what is like the corner from what is not."""
    disc = Cylinder(*circle).inside(Region.whole((1, *inside.shape)))[0]
    rim = Cylinder(circle[0], circle[1], circle[2] + 1.5).inside(Region.whole((1, *inside.shape)))[0]
    outside = ~rim
    if outside.mean() < _LEAST_OUTSIDE or not disc.any():
        return False
    return bool(inside[disc].mean() > 0.5 and inside[outside].mean() < 0.1)


def _along_rays(unlike: Floats, circle: Circle) -> Floats:
    """Return where rays from the centre leave what is unlike the corner, near a circle."""
    y, x, radius = circle
    angles = np.arange(_RAYS) * 2 * np.pi / _RAYS
    reach = np.arange(-2 * _CELL, 2 * _CELL + 1) + radius
    ys = np.rint(y + np.sin(angles)[:, None] * reach).astype(int)
    xs = np.rint(x + np.cos(angles)[:, None] * reach).astype(int)
    there = (ys >= 0) & (ys < unlike.shape[0]) & (xs >= 0) & (xs < unlike.shape[1])
    kept = there.all(axis=1)
    values = np.sqrt(unlike[ys[kept], xs[kept]].astype(np.float64))
    # The best step: n·m·(mean within − mean beyond)² over all places of the step.
    n = np.arange(1, len(reach))
    total = values.cumsum(axis=1)
    within = total[:, :-1] / n
    beyond = (total[:, -1:] - total[:, :-1]) / (len(reach) - n)
    score = np.where(within > beyond, n * (len(reach) - n) * (within - beyond) ** 2, 0)
    leave = reach[score.argmax(axis=1)] + 0.5
    return np.stack([y + np.sin(angles[kept]) * leave, x + np.cos(angles[kept]) * leave], axis=1)
