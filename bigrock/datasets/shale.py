"""A FIB-SEM-like stack of a shale with known truth, made region by region at any size."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from bigrock.datasets.shale_fields import along
from bigrock.datasets.shale_imaging import HALO, image, slices_below
from bigrock.datasets.shale_levels import FAULTS_ALONG_Z, LEVELS, profile
from bigrock.datasets.shale_rock import INORGANIC_PORE, MATRIX, ORGANIC, ORGANIC_PORE, Rock, rock_of
from bigrock.errors import ParameterError, VoxelSizeError
from bigrock.geometry import BlockGrid, Region, Shape
from bigrock.units import format_voxel_size, parse_voxel_size
from bigrock.volumes.source import Kind, Voxel

__all__ = ["Shale", "ShaleTruth"]

_TILE = (32, 128, 128)
"""Regions are made in parts of this size, so that a large one needs no more memory than a small one."""

_FINEST_M, _COARSEST_M = 1e-9, 25e-9

_FOUR = {
    "matrix": MATRIX,
    "organic matter": ORGANIC,
    "organic pore": ORGANIC_PORE,
    "inorganic pore": INORGANIC_PORE,
}
_THREE = {"matrix": 0, "organic pore": 1, "inorganic pore": 2}
_FOUR_TO_THREE = np.array([0, 0, 1, 2], np.uint8)


@dataclass(frozen=True, slots=True)
class Shale:
    """A source of grey levels of a shale: clay, silt, pyrite, organic matter, and a FIB-SEM's faults.

    Every voxel follows from the seed and its position: any region can be read alone, in any order,
    on any thread, and is bitwise what the whole volume holds there. A stack of a terabyte needs no
    more memory than the region that is read and about 8 MB beside it (20 MB at the first read of a
    seed), at roughly 8 million voxels per second and core (the truth: 17 million). `truth` is the
    same rock as class labels.

    The rock. Clay lies in wavy, tilted beds, with thin dark lines between its packets. In it lie
    grains of silt (quartz, feldspar, carbonate) and framboids of bright pyrite crystals. Organic
    matter fills elongated bodies along the beds and gathers around the grains; parts of it are a
    sponge of round pores with radii of about 10 to 60 nm. Inorganic pores are slits along the beds,
    angular pores in the clay, and gaps along the faces of grains.

    The microscope (y points down the milled face, z from slice to slice). Charging: bright rims at
    pores and organic matter, dragged along the scan direction x. Light from the back of a pore,
    which is the deeper material. A point spread. Curtains: vertical stripes that change over z and
    grow downwards. Slow shading; slices whose brightness and contrast drift, flicker and jump;
    lines; shot and detector noise.

    Along z, over the whole stack whatever its length, these change by a trend with waves on it: the
    content of organic matter, the number and size of its pores, the inorganic porosity, and the
    strength of curtains and charging. So more training slices see more.

    Measured on 96 × 256 × 256 voxels, least and most of seeds 0, 1, 2, against the truth. An IoU is
    that of all pores together; local Otsu is that of each slice, radius 31; the best threshold is
    the one of all thresholds of standardised slices that the truth itself would choose:

    ======  ==============  ==============  ============  ===========  ==========  ==============
    level   organic matter  organic pores   inorganic     global Otsu  local Otsu  best threshold
    ======  ==============  ==============  ============  ===========  ==========  ==============
    easy    18 … 21 %       2.8 … 3.8 %     2.0 … 2.8 %   0.21 … 0.23  0.19        0.62 … 0.67
    middle  22 … 25 %       2.4 … 3.7 %     1.7 … 2.3 %   0.16 … 0.17  0.12–0.14   0.47 … 0.48
    hard    31 … 34 %       2.4 … 4.4 %     1.0 … 1.5 %   0.08 … 0.11  0.07–0.10   0.26 … 0.27
    ======  ==============  ==============  ============  ===========  ==========  ==============

    What can be learnt, with seed 0: a small 2-D U-Net, trained on six slices for 90 s on one core,
    finds organic and inorganic pores of five other slices with an IoU of 0.92 and 0.96 (easy), 0.84
    and 0.92 (middle), 0.64 and 0.56 (hard).

    Parameters
    ----------
    shape : Shape
        Voxels along z, y, x.
    voxel_size : tuple, float or str
        As `bigrock.units.parse_voxel_size` takes it, 1 to 25 nm along each axis; kept in metres. The
        rock has its size in nanometres, so that smaller voxels show the same rock in more of them.
    level : {"easy", "middle", "hard"}
        From clear contrasts and little noise to organic matter, pores and clay that overlap. Harder
        shales also vary more along z.
    seed : int
        Another seed, another rock; 0 … 2⁶³ − 1.

    Raises
    ------
    ParameterError
        If the shape, the level or the seed is not possible.
    VoxelSizeError
        If the voxels are too fine or too coarse for the pores of a shale.
    UnitError
        If the voxel size cannot be understood.

    References
    ----------
    Loucks et al., Morphology, genesis, and distribution of nanometer-scale pores in siliceous
    mudstones of the Mississippian Barnett Shale, J. Sediment. Res. 79, 2009.

    Examples
    --------
    >>> from bigrock.geometry import Region
    >>> shale = Shale((24, 64, 64), level="easy", seed=3)
    >>> part = Region((8, 0, 16), (16, 32, 48))
    >>> whole = shale.read(Region.whole(shale.shape))
    >>> bool((shale.read(part) == whole[part.slices]).all())
    True
    >>> shale.truth.classes
    {'matrix': 0, 'organic matter': 1, 'organic pore': 2, 'inorganic pore': 3}
    """

    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "grey"
    read_scratch_bytes: ClassVar[float] = 12.0

    shape: Shape
    voxel_size: Voxel = (1e-8, 5e-9, 5e-9)
    level: Literal["easy", "middle", "hard"] = "middle"
    seed: int = 0

    def __post_init__(self) -> None:
        given: Any = self.voxel_size
        if not isinstance(given, str | float | Sequence):
            given = float(given)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "voxel_size", parse_voxel_size(given))
        if np.size(self.shape) != 3 or min(self.shape) < 1:
            raise ParameterError(
                f"shape {self.shape} is not three positive numbers of voxels, in the order z, y, x."
            )
        if self.level not in LEVELS:
            raise ParameterError(f"level {self.level!r} is not known. Use one of {', '.join(LEVELS)}.")
        if not 0 <= self.seed <= 2**63 - 1:
            raise ParameterError(f"seed {self.seed} is not between 0 and 2**63 - 1. Use another one.")
        if not all(_FINEST_M <= length <= _COARSEST_M for length in self.voxel_size):
            raise VoxelSizeError(
                f"voxel size {format_voxel_size(self.voxel_size)} is not between 1 and 25 nm along each axis: "
                f"the pores of a shale would be lost in a voxel, or fill the stack. Use one such as '10, 5, 5 nm'."
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Uint8."""
        return np.dtype(np.uint8)

    @property
    def read_unit(self) -> Shape:
        """(1, 1, 1): any region is computed for itself."""
        return (1, 1, 1)

    @property
    def truth(self) -> ShaleTruth:
        """The same rock as a source of four classes; see `ShaleTruth` for three."""
        return ShaleTruth(self)

    def read(self, region: Region) -> npt.NDArray[np.uint8]:
        """Return the grey levels of `region`, computed from the seed."""
        out = np.empty(region.shape, np.uint8)
        for part in _tiles(region):
            out[part.within(region)] = self._imaged(part)
        return out

    def identity(self) -> dict[str, Any]:
        """Return every setting, and the version of the generator."""
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        settings |= {"shape": list(self.shape), "voxel_size": list(self.voxel_size)}
        return {"synthetic": "shale", "version": self.version, **settings}

    def _imaged(self, part: Region) -> npt.NDArray[np.uint8]:
        voxel_nm = 1e9 * self.voxel_size[0]
        (z, y, x), (nz, ny, nx) = part.start, part.shape
        # The rock goes on beyond the volume, so the halo is never clipped.
        seen = (nz + slices_below(voxel_nm), ny + 2 * HALO, nx + 2 * HALO)
        classes, material = _rock(self).make((z, y - HALO, x - HALO), seen)
        faults = profile(self.seed, *FAULTS_ALONG_Z)
        strength = np.array([along(faults, (z + k + 0.5) / self.shape[0]) for k in range(nz)])
        look = LEVELS[self.level].imaging
        return image(
            classes,
            material,
            part,
            self.shape,
            seed=self.seed,
            look=look,
            strength=strength,
            voxel_nm=voxel_nm,
        )


@dataclass(frozen=True, slots=True)
class ShaleTruth:
    """A source of the class of every voxel of a `Shale`, at its centre; `classes` says which is which.

    Bitwise the same whatever region is read. Silt and pyrite count as matrix. Organic pores lie
    inside the organic matter: measured by components, over 99 % of them have more than half of
    their shell of one voxel on it.

    Parameters
    ----------
    shale : Shale
        The rock.
    three_classes : bool
        Count organic matter as matrix: 0 matrix, 1 organic pore, 2 inorganic pore.

    Examples
    --------
    >>> truth = ShaleTruth(Shale((8, 32, 32)), three_classes=True)
    >>> truth.classes
    {'matrix': 0, 'organic pore': 1, 'inorganic pore': 2}
    """

    kind: ClassVar[Kind] = "labels"
    read_scratch_bytes: ClassVar[float] = 12.0

    shale: Shale
    three_classes: bool = False

    @property
    def shape(self) -> Shape:
        """Extent in voxels, z, y, x."""
        return self.shale.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Uint8."""
        return np.dtype(np.uint8)

    @property
    def voxel_size(self) -> Voxel:
        """Metres along z, y, x."""
        return self.shale.voxel_size

    @property
    def read_unit(self) -> Shape:
        """(1, 1, 1): any region is computed for itself."""
        return (1, 1, 1)

    @property
    def classes(self) -> dict[str, int]:
        """Which value is which class."""
        return dict(_THREE if self.three_classes else _FOUR)

    def read(self, region: Region) -> npt.NDArray[np.uint8]:
        """Return the class of every voxel of `region`."""
        rock = _rock(self.shale)
        out = np.empty(region.shape, np.uint8)
        for part in _tiles(region):
            out[part.within(region)], _ = rock.make(part.start, part.shape)
        return _FOUR_TO_THREE[out] if self.three_classes else out

    def identity(self) -> dict[str, Any]:
        """Return the settings of the rock, and which classes are told apart."""
        return {**self.shale.identity(), "synthetic": "shale truth", "three_classes": self.three_classes}


def _rock(shale: Shale) -> Rock:
    z, y, x = (1e9 * length for length in shale.voxel_size)
    return rock_of(shale.seed, shale.level, (z, y, x), shale.shape[0])


def _tiles(region: Region) -> Iterator[Region]:
    for block in BlockGrid(region.shape, _TILE):
        yield block.core.moved(region.start)
