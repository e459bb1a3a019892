"""How far the picture moves from slice to slice, and how alike slices are once that is taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Neighbours", "neighbours"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_SIDE = 256
_STEPS_PER_PIXEL = 10
_FINEST, _COARSEST = 1.0, 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """What neighbouring slices have in common; NaN where a slice has one grey value.

    Attributes
    ----------
    steps : ndarray of float64, shape (z - 1, 2)
        How far the picture moves along y and x from each slice to the next, in pixels.
    next, second : ndarray of float64, shapes (z - 1,) and (z - 2,)
        Correlation with the next slice, and with the one after it, once the steps are taken out.
    """

    steps: Floats
    next: Floats
    second: Floats


def neighbours(window: Array) -> Neighbours:
    """Return steps and likeness of neighbouring slices.

    Steps by phase correlation of the window of every slice, without the amplitudes being made equal (which
    noise would win), to a tenth of a pixel. Curtains and lines, which stand still while the rock moves, are
    taken out first: the mean of every column and row. Windows of over 256 pixels are averaged over
    squares. A step that makes the slices no more alike than none is 0. Approximate: of slices moved by whole pixels
    half are found to 0.1 pixels and nine in ten to 0.5, those of 256 pixels better; rock at a slant moves as well.

    Parameters
    ----------
    window : ndarray, shape (z, rows, columns)
        The same part of every slice.

    Returns
    -------
    Neighbours

    References
    ----------
    M. Guizar-Sicairos et al., Efficient subpixel image registration algorithms, Optics Letters 33 (2008).

    Examples
    --------
    >>> picture = np.random.default_rng(0).random((40, 40))
    >>> found = neighbours(np.stack([picture, np.roll(picture, 2, axis=1)]))
    >>> found.steps.tolist()
    [[0.0, 2.0]]
    """
    binning, depth = -(-max(window.shape[1:]) // _SIDE), len(window)
    steps = np.full((max(0, depth - 1), 2), np.nan)
    likeness, second = np.full(len(steps), np.nan), np.full(max(0, depth - 2), np.nan)
    # Only three slices at a time are held as numbers of 8 bytes.
    a = b = _flattened(window[0], binning)
    spectrum = _spectrum(b)
    for z in range(depth - 1):
        before, a, b = a, b, _flattened(window[z + 1], binning)
        last, spectrum = spectrum, _spectrum(b)
        if a.any() and b.any():
            steps[z], likeness[z] = _step(a, b, last, spectrum, binning)
        if z and np.isfinite(both := steps[z - 1] + steps[z]).all():
            # Of a slice that is like none the steps mean nothing: those around it did not move by them.
            second[z - 1] = np.fmax(_alike(before, b, np.zeros(2)), _alike(before, b, both / binning))
    return Neighbours(steps + 0.0, likeness, second)


def _flattened(plane: Array, binning: int) -> Floats:
    """Return a slice in squares, without the level of its columns and rows."""
    rows, columns = (n // binning for n in plane.shape)
    values = plane[: rows * binning, : columns * binning].astype(np.float64)
    values = values.reshape(rows, binning, columns, binning).mean(axis=(1, 3))
    values -= values.mean(axis=0, keepdims=True)
    values -= values.mean(axis=1, keepdims=True)
    return values if np.ptp(plane) else np.zeros_like(values)


def _spectrum(flat: Floats) -> npt.NDArray[np.complex128]:
    from bigrock.kernels import gaussian

    rows, columns = (np.hanning(n + 2)[1:-1] for n in flat.shape)
    # Noise is finer than what moves, shading and charging coarser.
    band = gaussian(flat, sigma=_FINEST) - gaussian(flat, sigma=_COARSEST)
    spectrum: npt.NDArray[np.complex128] = np.fft.fft2(band * rows[:, None] * columns)
    return spectrum


def _step(a: Floats, b: Floats, spectrum_a: Array, spectrum_b: Array, binning: int) -> tuple[Floats, float]:
    """Return how far `b` is moved, in pixels, and how alike the slices are after it."""
    from skimage.registration import phase_cross_correlation

    back, _, _ = phase_cross_correlation(
        spectrum_a,
        spectrum_b,
        space="fourier",
        upsample_factor=_STEPS_PER_PIXEL * binning,
        normalization=None,
    )
    step = -np.asarray(back, np.float64)
    still, moved = _alike(a, b, np.zeros(2)), _alike(a, b, step)
    if np.rint(step).any() and not moved > still:
        return np.zeros(2), still
    return step * binning, moved


def _alike(a: Floats, b: Floats, step: Floats) -> float:
    """Return the correlation of two slices where they overlap, once `b` is moved back by whole squares."""
    dy, dx = np.rint(step).astype(int)
    rows, columns = a.shape
    if abs(dy) >= rows or abs(dx) >= columns:
        return float("nan")
    mine = a[max(0, -dy) : rows - max(0, dy), max(0, -dx) : columns - max(0, dx)]
    other = b[max(0, dy) : rows - max(0, -dy), max(0, dx) : columns - max(0, -dx)]
    mine, other = mine - mine.mean(), other - other.mean()
    size = np.sqrt((mine * mine).sum() * (other * other).sum())
    return float((mine * other).sum() / size) if size else float("nan")
