"""What a synthetic shale holds and how badly it is imaged: three levels, and how they vary along z."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bigrock.datasets.hashing import smooth_noise, uniform
from bigrock.datasets.shale_fields import stream

__all__ = ["FAULTS_ALONG_Z", "LEVELS", "Imaging", "Level", "profile"]

Range = tuple[float, float]

_POINTS = 65
_WAVES = 5


class Imaging(NamedTuple):
    """Grey levels of the materials, and the faults of the microscope, in the grey levels of uint8."""

    pore: float
    organic: float
    clay: float
    texture: float
    blur: float
    """Standard deviation of the point spread in a slice, in pixels."""
    charging: float
    """Brightest rim beside a pore; beside organic matter a quarter of it."""
    shine: float
    """Share of the light of the back of a pore, at no depth."""
    curtains: float
    """Standard deviation of the vertical stripes."""
    shading: float
    """Amplitude of the slow change of the brightness within slices."""
    brightness: float
    """Standard deviation of the brightness of slices, jumps included."""
    contrast: float
    """Standard deviation of the contrast of slices, as a share."""
    shot: float
    """Standard deviation of the noise at grey level 128 that grows with the root of the signal."""
    detector: float
    """Standard deviation of the noise that does not depend on the signal."""


class Level(NamedTuple):
    """The contents of a shale, each from its least to its most along z, and its imaging."""

    organic: Range
    """Share of the volume that is organic matter, hosted pores included."""
    sponge: Range
    """Share of the lattice cells in porous organic matter that hold a pore."""
    pore_size: Range
    """Scale of the organic pores, whose radii are about 12 to 45 nm at 1."""
    openness: Range
    """Share of the lattice cells that hold an inorganic pore, in thirds."""
    imaging: Imaging


LEVELS: dict[str, Level] = {
    "easy": Level(
        organic=(0.12, 0.30),
        sponge=(0.30, 0.70),
        pore_size=(1.1, 1.4),
        openness=(0.3, 0.8),
        imaging=Imaging(
            pore=36, organic=84, clay=146, texture=13, blur=0.75, charging=45, shine=0.15, curtains=4,
            shading=6, brightness=5, contrast=0.04, shot=7.0, detector=3.0,
        ),
    ),
    "middle": Level(
        organic=(0.06, 0.40),
        sponge=(0.25, 0.70),
        pore_size=(0.95, 1.3),
        openness=(0.2, 0.8),
        imaging=Imaging(
            pore=40, organic=88, clay=142, texture=17, blur=0.8, charging=85, shine=0.3, curtains=6,
            shading=10, brightness=9, contrast=0.07, shot=9.0, detector=3.0,
        ),
    ),
    "hard": Level(
        organic=(0.03, 0.60),
        sponge=(0.10, 0.65),
        pore_size=(0.8, 1.25),
        openness=(0.05, 0.8),
        imaging=Imaging(
            pore=46, organic=92, clay=137, texture=20, blur=1.0, charging=110, shine=0.55, curtains=9,
            shading=15, brightness=13, contrast=0.1, shot=12.0, detector=4.0,
        ),
    ),
}  # fmt: skip
"""The levels by name."""

FAULTS_ALONG_Z: tuple[int, Range] = (120, (0.6, 1.5))
"""The number of the profile of curtains and charging, and the factors between which it runs."""


def profile(seed: int, number: int, span: Range) -> npt.NDArray[np.float64]:
    """Return how a property changes along z: a trend, up or down, with waves on it.

    Parameters
    ----------
    seed : int
        The rock.
    number : int
        The property.
    span : tuple of 2 floats
        Its least and its most.

    Returns
    -------
    float64 array (65,)
        From the first slice to the last one.

    Examples
    --------
    >>> change = profile(1, 2, (0.1, 0.4))
    >>> bool(abs(change[0] - change[-1]) > 0.1)
    True
    """
    part = np.arange(_POINTS) / (_POINTS - 1)
    if uniform(np.uint64(stream(seed, number))) < 0.5:
        part = 1.0 - part
    waves = smooth_noise(stream(seed, number + 1), (0, 0, 0), (_POINTS, 1, 1), wavelength=_POINTS / _WAVES)
    mixed = np.clip(0.1 + 0.8 * part + 0.25 * waves[:, 0, 0].astype(np.float64), 0.0, 1.0)
    return span[0] + (span[1] - span[0]) * mixed
