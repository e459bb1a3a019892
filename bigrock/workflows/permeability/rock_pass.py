"""Rocks of a test set as tasks: each is made coarse, super-resolved in several ways, and judged against itself."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.datasets import RockSet
from bigrock.geometry import Block, BlockGrid, Region
from bigrock.kernels import low_resolution, pores_of_fractions
from bigrock.models import Bundle
from bigrock.workflows.permeability.rows import numbered

__all__ = ["JUDGED", "RockWork", "Variant", "coarse_image", "fine_image"]

Array = npt.NDArray[Any]

JUDGED = np.dtype(
    [
        ("edge", "<i8"),
        ("variant", "<i8"),
        ("rock", "<i8"),
        ("surrogate", "<f8"),
        ("surrogate_mask", "<f8"),
        ("holdout", "<f8"),
        ("holdout_mask", "<f8"),
        ("physics", "<f8"),
        ("physics_threshold", "<f8"),
        ("kozeny_carman", "<f8"),
        ("direct", "<f8"),
        ("psnr", "<f8"),
        ("ssim", "<f8"),
        ("porosity", "<f8"),
        ("euler", "<f8"),
        ("surface", "<f8"),
        ("correlation_error", "<f8"),
        ("porosity_mask", "<f8"),
        ("euler_mask", "<f8"),
        ("surface_mask", "<f8"),
        ("seconds", "<f8"),
    ]
)
"""One rock in one variant. Permeabilities are log10 of k in squared voxels (−inf: does not percolate; NaN: not
asked) by a network that sees pore fractions or the mask, by Stokes flow in the mask and in the thresholded
image, by Kozeny–Carman; in the mask each coarse voxel keeps its pore fraction.
`direct` by a network that sees the coarse image. Then what the image is like: PSNR and SSIM of pore
fractions; porosity, Euler number (26-connected), surface (Crofton) and error of the two-point correlation of the
thresholded image, per voxel; the first three also of the mask."""


@dataclass(frozen=True)
class Variant:
    """One way from the coarse image to the fine grid: a network, an interpolation, or the truth itself.

    Parameters
    ----------
    name : str
        How tables call it.
    made_by : Bundle, "truth", "cubic", "trilinear" or "nearest"
        A super-resolution, or one of these.
    physics : bool
        Whether Stokes flow is solved in its images.
    """

    name: str
    made_by: Bundle | Literal["truth", "cubic", "trilinear", "nearest"]
    physics: bool = True


@dataclass(frozen=True)
class RockWork:
    """Every rock in every variant; task number v·n + i is rock i of n in variant v."""

    rocks: RockSet
    indices: tuple[int, ...]
    variants: tuple[Variant, ...]
    factor: int
    coarse: Mapping[str, Any] = field(default_factory=dict)
    surrogate: Bundle | None = None
    holdout: Bundle | None = None
    direct: Bundle | None = None
    threshold: float = 0.5
    boundary: str = "sealed"
    tolerance: float = 1e-2

    @property
    def folders(self) -> dict[str, str]:
        """Folders of all networks."""
        found = [self.surrogate, self.holdout, self.direct, *(v.made_by for v in self.variants)]
        return {b.digest[:16]: b.folder for b in found if isinstance(b, Bundle)}

    @property
    def grid(self) -> BlockGrid:
        """One block per rock and variant."""
        return numbered(len(self.indices) * len(self.variants))

    def keys(self, task: int) -> Sequence[tuple[int, ...]]:
        """Return variant and rock."""
        variant, place = divmod(task, len(self.indices))
        return [(variant, self.indices[place])]

    def read(self, block: Block) -> Array:
        """Return the rock."""
        return self.rocks.image(self.indices[block.id % len(self.indices)])

    def compute(self, block: Block, truth: Array) -> npt.NDArray[np.void]:
        """Return its row."""
        begun = time.perf_counter()
        row = np.zeros(1, JUDGED)
        for name in JUDGED.names or ():
            if JUDGED[name].kind == "f":
                row[name] = np.nan
        number = block.id // len(self.indices)
        variant = self.variants[number]
        row["edge"], row["variant"] = self.rocks.edge, number
        row["rock"] = rock = self.indices[block.id % len(self.indices)]
        coarse = coarse_image(truth, rock, self.factor, self.coarse)
        fine = fine_image(variant.made_by, coarse, truth, self.factor)
        mask = pores_of_fractions(fine, coarse)
        self._describe(row, fine, mask, truth)
        self._predict(row, fine, mask)
        if variant.made_by == "truth" and self.direct is not None:
            row["direct"] = self._log10_k(self.direct, coarse, self.factor)
        if variant.physics:
            row["physics"] = self._flow(mask)
            row["physics_threshold"] = self._flow(fine > self.threshold)
        row["seconds"] = time.perf_counter() - begun
        return row

    def write(self, block: Block, result: npt.NDArray[np.void], kept: list[Any]) -> None:
        """Keep the row for the coordinator."""
        kept.append(result)

    def _describe(self, row: Array, fine: Array, mask: Array, truth: Array) -> None:
        from bigrock.flow import kozeny_carman
        from bigrock.kernels import minkowski_functionals
        from bigrock.training import image_quality

        found = image_quality(fine, truth, threshold=self.threshold)
        for name in ("psnr", "ssim", "porosity", "euler", "surface", "correlation_error"):
            row[name] = found[name]
        cells, kept = float(np.prod(np.subtract(mask.shape, 1))), minkowski_functionals(mask)
        row["porosity_mask"] = mask.mean()
        row["euler_mask"], row["surface_mask"] = kept.euler / cells, kept.surface / cells
        k = kozeny_carman(found["porosity"], found["surface"])
        row["kozeny_carman"] = _log10(k) if math.isfinite(k) else math.nan

    def _predict(self, row: Array, fine: Array, mask: Array) -> None:
        for name, bundle in (("surrogate", self.surrogate), ("holdout", self.holdout)):
            if bundle is not None:
                row[name] = self._log10_k(bundle, fine)
                row[f"{name}_mask"] = self._log10_k(bundle, mask.astype(np.float32))

    def _log10_k(self, bundle: Bundle, image: Array, coarser: int = 1) -> float:
        """Return log10 k in voxels squared of the fine grid."""
        from bigrock.models import predict_permeability

        voxel_m = self.rocks.voxel_size[0]
        # What the network itself says: a throat that is grey is not closed to it.
        how: dict[str, Any] = {"axis": "z", "percolating": [True]}
        found = predict_permeability(bundle, image[None], voxel_size=coarser * voxel_m, **how)
        return _log10(float(found.k_m2[0]) / voxel_m**2)

    def _flow(self, mask: Array) -> float:
        from bigrock.flow import permeability

        how: dict[str, Any] = {"boundary": self.boundary, "tolerance": self.tolerance}
        return _log10(permeability(mask, voxel_size=self.rocks.voxel_size, axis="z", **how)["z"].k_voxel2)


def coarse_image(truth: Array, rock: int, factor: int, options: Mapping[str, Any]) -> Array:
    """Return a rock as a coarser scan would show it: pore fractions, float32; its noise is that of its number."""
    return low_resolution(truth, factor=factor, **{"seed": rock, **options}).clip(0, 1)


def fine_image(made_by: Bundle | str, coarse: Array, truth: Array, factor: int) -> Array:
    """Return the fine image of a variant: pore fractions, float32."""
    if made_by == "truth":
        return truth.astype(np.float32)
    if isinstance(made_by, Bundle):
        from bigrock.models import super_resolution_kernel

        kernel = super_resolution_kernel(made_by, dtype="float32")
        whole = Region.whole(coarse.shape)
        return np.asarray(kernel(coarse, Block(0, whole, whole, coarse.shape)), np.float32)
    from bigrock.training import enlarged

    return np.clip(enlarged(coarse, factor, made_by), 0, 1)


def _log10(k: float) -> float:
    return math.log10(k) if k > 0 else -math.inf
