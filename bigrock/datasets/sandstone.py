"""A micro-CT-like sandstone with known truth, made region by region at any size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bigrock.datasets.grains import CLAY, PORE, nearest_grain
from bigrock.datasets.hashing import mix, smooth_noise
from bigrock.datasets.scanner import blur, blur_weights, digitise
from bigrock.errors import ParameterError
from bigrock.geometry import Region, Shape
from bigrock.units import parse_voxel_size
from bigrock.volumes.source import Kind, Voxel

__all__ = ["Sandstone", "SandstoneTruth"]

_PER_CONTRAST = {"uint8": 57.0, "uint16": 14600.0}
_GRAINS, _ROUGHNESS, _CLAY, _DRIFT, _SLICES = range(5)
_ROUGH = 0.16
_COAT = 0.70
_PATCHES = 0.40
_FARTHEST = 4.0
_SAMPLES = 2_000_000
_SAMPLED_DIAMETERS = 40


@dataclass(frozen=True, slots=True)
class Sandstone:
    """A source of grey levels of a sandstone: grains, clay, heavy minerals, and a scanner's faults.

    Every voxel follows from the seed and its position: any region can be read alone, in any order,
    on any thread, and is bitwise what the whole volume holds there. So a rock of a terabyte needs
    no more memory than the region that is read (about 16 bytes per voxel of it), at roughly
    13 million voxels per second and core. `truth` is the same rock as a mask.

    Made so hard that one threshold for the volume is wrong and a local one is right. With the
    defaults, 192 × 256 × 256 voxels and seeds 0, 1, 2, against the truth: global Otsu finds 36, 10,
    42 % too much porosity (pore IoU 0.68, 0.85, 0.67); local Otsu per slice with radius 31 finds
    3.7, 4.5, 4.5 % too much (IoU 0.93 each), clay and windows without a pore included.

    Parameters
    ----------
    shape : Shape
        Voxels along z, y, x; the rotation axis of the scan is z, through the middle.
    seed : int
        Another seed, another rock; 0 … 2⁶³ − 1.
    voxel_size : tuple, float or str
        As `bigrock.units.parse_voxel_size` takes it; kept in metres.
    porosity : float
        Share of pore voxels in the truth, 0.05 … 0.45; met within about 0.002.
    grain_diameter_voxels : float
        Diameter of the sphere that has the mean volume of a grain, ≥ 6.
    blur : float
        Standard deviation of the point spread function in voxels: partial volume at edges.
    noise : float
        Standard deviation of white noise. This and the next two in units of the contrast between
        pore and quartz.
    rings : float
        Standard deviation of ring artefacts around the axis.
    uneven : float
        Amplitude of the slow drift of the grey level along z and in the slices.
    beam_hardening : float
        Share of the attenuation that is missing on the axis, < 1; it falls to 0 at the edges.
    dtype : {"uint16", "uint8"}
        Of the grey levels.

    Raises
    ------
    ParameterError
        If a setting lies outside the range stated above.

    Examples
    --------
    >>> from bigrock.geometry import Region
    >>> rock = Sandstone((48, 64, 64), seed=3, grain_diameter_voxels=16)
    >>> part = Region((8, 0, 16), (16, 32, 48))
    >>> whole = rock.read(Region.whole(rock.shape))
    >>> bool((rock.read(part) == whole[part.slices]).all())
    True
    >>> round(float(rock.truth.read(Region.whole(rock.shape)).mean()), 1)
    0.2
    """

    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "grey"
    read_scratch_bytes: ClassVar[float] = 16.0

    shape: Shape
    seed: int = 0
    voxel_size: Voxel = (2.25e-6, 2.25e-6, 2.25e-6)
    porosity: float = 0.2
    grain_diameter_voxels: float = 24.0
    blur: float = 0.65
    noise: float = 0.1
    rings: float = 0.03
    uneven: float = 0.30
    beam_hardening: float = 0.22
    dtype: Any = "uint16"

    def __post_init__(self) -> None:
        fixed: dict[str, Any] = {"shape": tuple(int(n) for n in self.shape), "dtype": np.dtype(self.dtype)}
        given: Any = self.voxel_size
        if not isinstance(given, str | float | Sequence):
            given = float(given)
        fixed["voxel_size"] = parse_voxel_size(given)
        for name, value in fixed.items():
            object.__setattr__(self, name, value)
        if len(fixed["shape"]) != 3 or min(self.shape) < 1:
            raise ParameterError(
                f"shape {self.shape} is not three positive numbers of voxels, in the order z, y, x."
            )
        if self.dtype.name not in _PER_CONTRAST:
            raise ParameterError(f"dtype {self.dtype} is not one of {', '.join(_PER_CONTRAST)}.")
        _check_range("seed", self.seed, 0, 2**63 - 1)
        _check_range("porosity", self.porosity, 0.05, 0.45)
        _check_range("grain_diameter_voxels", self.grain_diameter_voxels, 6, math.inf)
        _check_range("beam_hardening", self.beam_hardening, 0, 0.99)
        for name in ("blur", "noise", "rings", "uneven"):
            _check_range(name, getattr(self, name), 0, 10)

    @property
    def read_unit(self) -> Shape:
        """(1, 1, 1): any region is computed for itself."""
        return (1, 1, 1)

    @property
    def truth(self) -> SandstoneTruth:
        """The same rock as a mask source: True = pore."""
        return SandstoneTruth(self)

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the grey levels of `region`, computed from the seed."""
        weights = blur_weights(self.blur)
        halo = weights.size // 2
        start, shape = _grown(region, halo)
        _, attenuation = _phases(self, start, shape)
        drift = self._drift(region)
        return digitise(
            blur(attenuation, weights),
            drift,
            region,
            self.shape,
            seed=self.seed,
            cupping=self.beam_hardening,
            rings=self.rings,
            noise=self.noise,
            per_contrast=_PER_CONTRAST[self.dtype.name],
            dtype=self.dtype,
        )

    def identity(self) -> dict[str, Any]:
        """Return every setting, and the version of the generator."""
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        settings |= {"dtype": str(self.dtype), "shape": list(self.shape), "voxel_size": list(self.voxel_size)}
        return {"synthetic": "sandstone", "version": self.version, **settings}

    def _drift(self, region: Region) -> npt.NDArray[np.float32]:
        wave = 6 * self.grain_diameter_voxels
        drift = smooth_noise(_stream(self.seed, _DRIFT), region.start, region.shape, wavelength=wave)
        along_z = smooth_noise(
            _stream(self.seed, _SLICES), (region.start[0], 0, 0), (region.shape[0], 1, 1), wavelength=wave / 2
        )
        drift += along_z
        drift *= np.float32(self.uneven)
        return drift


@dataclass(frozen=True, slots=True)
class SandstoneTruth:
    """A source of the pores of a `Sandstone`: True = pore, at the centre of each voxel.

    Bitwise the same whatever region is read; clay counts as solid.

    Parameters
    ----------
    rock : Sandstone
        The rock.

    Examples
    --------
    >>> from bigrock.geometry import Region
    >>> truth = Sandstone((32, 32, 32), grain_diameter_voxels=12).truth
    >>> truth.read(Region((0, 0, 0), (1, 2, 3))).dtype
    dtype('bool')
    """

    kind: ClassVar[Kind] = "mask"
    read_scratch_bytes: ClassVar[float] = 16.0

    rock: Sandstone

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""
        return self.rock.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Bool."""
        return np.dtype(bool)

    @property
    def voxel_size(self) -> Voxel:
        """Metres along z, y, x."""
        return self.rock.voxel_size

    @property
    def read_unit(self) -> Shape:
        """(1, 1, 1): any region is computed for itself."""
        return (1, 1, 1)

    def read(self, region: Region) -> npt.NDArray[np.bool_]:
        """Return True where the centre of a voxel of `region` lies in a pore."""
        pore, _ = _phases(self.rock, region.start, region.shape)
        return pore

    def identity(self) -> dict[str, Any]:
        """Return the settings of the rock."""
        return {**self.rock.identity(), "synthetic": "sandstone truth"}


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ParameterError(
            f"{name} {value} is not between {low} and {high}: no such sandstone can be made."
        )


def _stream(seed: int, number: int) -> int:
    return int(mix(np.uint64(seed) ^ np.uint64(number << 40)))


def _cell(rock: Sandstone) -> float:
    """Return the length of the cell in which a grain of the asked volume leaves the asked porosity."""
    return rock.grain_diameter_voxels * (math.pi / 6 / (1 - rock.porosity)) ** (1 / 3)


def _grown(region: Region, halo: int) -> tuple[Shape, Shape]:
    """Return start and shape with a halo that is not clipped: the rock goes on beyond the volume."""
    (a, b, c), (d, e, f) = region.start, region.shape
    return (a - halo, b - halo, c - halo), (d + 2 * halo, e + 2 * halo, f + 2 * halo)


def _distance(
    rock: Sandstone, start: Shape, shape: Shape, reach: float, stride: int = 1
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the distance from the nearest grain, with rough surfaces, and the grain's grey level."""
    seed, diameter = rock.seed, rock.grain_diameter_voxels
    distance, grey = nearest_grain(
        _stream(seed, _GRAINS), start, shape, cell=_cell(rock), reach=reach / (1 - _ROUGH), stride=stride
    )
    rough = smooth_noise(_stream(seed, _ROUGHNESS), start, shape, wavelength=diameter / 5, stride=stride)
    rough *= np.float32(_ROUGH)
    rough += np.float32(1)
    distance *= rough
    return distance, grey


def _phases(
    rock: Sandstone, start: Shape, shape: Shape
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """Return where the pores are, and the attenuation of every voxel before the scan."""
    surface = _surface(rock)
    distance, grey = _distance(rock, start, shape, surface)
    pore = distance > np.float32(surface)
    patches = smooth_noise(_stream(rock.seed, _CLAY), start, shape, wavelength=rock.grain_diameter_voxels)
    grey[(distance > np.float32(surface * _COAT)) & (patches > _PATCHES)] = CLAY
    grey[pore] = PORE
    return pore, grey


@lru_cache(maxsize=32)
def _surface(rock: Sandstone) -> float:
    """Return the distance at which the grains end so that the volume has the asked porosity.

    Sampled on a regular grid over the middle of the volume, at most 40 grains wide.
    """
    widest = int(_SAMPLED_DIAMETERS * rock.grain_diameter_voxels)
    z, y, x = (min(n, widest) for n in rock.shape)
    start = ((rock.shape[0] - z) // 2, (rock.shape[1] - y) // 2, (rock.shape[2] - x) // 2)
    stride = max(1, math.ceil((z * y * x / _SAMPLES) ** (1 / 3)))
    samples = (-(-z // stride), -(-y // stride), -(-x // stride))
    distance, _ = _distance(rock, start, samples, _FARTHEST, stride)
    rank = min(distance.size - 1, int((1 - rock.porosity) * distance.size))
    surface = float(np.partition(distance.ravel(), rank)[rank])
    if not surface < _FARTHEST:
        raise ParameterError(
            f"porosity {rock.porosity} cannot be met in a volume of {rock.shape} voxels with grains of "
            f"{rock.grain_diameter_voxels} voxels. Use a larger volume or smaller grains."
        )
    return surface
