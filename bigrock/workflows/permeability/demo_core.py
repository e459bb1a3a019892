"""The core of the permeability demo: beds of known pores, mapped from a coarse image and beside the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.datasets import RockSet, rock
from bigrock.kernels import low_resolution
from bigrock.transfer import import_volume
from bigrock.volumes import ArraySource, Volume
from bigrock.workflows.permeability.demo_networks import DemoNetworks
from bigrock.workflows.permeability.demo_settings import CORE_BEDS, DemoSettings
from bigrock.workflows.permeability.map_result import PermeabilityMap
from bigrock.workflows.permeability.mapping import map_permeability

__all__ = ["DemoCore", "map_demo_core"]


@dataclass(frozen=True, eq=False)
class DemoCore:
    """A core and its maps.

    Attributes
    ----------
    coarse : Volume
        What was mapped.
    found, exact : PermeabilityMap
        From the coarse image; by Stokes flow in the true pores.
    """

    coarse: Volume
    found: PermeabilityMap
    exact: PermeabilityMap

    def figures(self) -> dict[str, Any]:
        """Return how the map of the core compares with the truth: upscaled k, and windows one by one."""
        found, exact = self.found, self.exact
        k, true = found.k("z"), exact.k("z")
        both = (k > 0) & (true > 0)
        off = np.log10(k[both]) - np.log10(true[both])
        return {
            "windows": int(k.size),
            "darcy_m2": {a: found.figures["permeability"][a]["darcy_m2"] for a in found.axes},
            "true_darcy_m2": {a: exact.figures["permeability"][a]["darcy_m2"] for a in exact.axes},
            "log10_bias_against_truth": round(float(off.mean()), 4) if off.size else None,
            "log10_rmse_against_truth": round(float(np.sqrt((off**2).mean())), 4) if off.size else None,
            "own_error": found.figures["agreement"],
        }


def map_demo_core(
    networks: DemoNetworks, rocks: RockSet, settings: DemoSettings, folder: Path, seed: int, **how: Any
) -> DemoCore:
    """Return the core, and its maps in ``core.zarr``, ``map`` and ``true-map`` of a folder.

    Parameters
    ----------
    networks : DemoNetworks
        Of which the tuned super-resolution and the surrogate are taken.
    rocks : RockSet
        What they have learnt from, for the voxel size.
    settings : DemoSettings
        Extent and scale.
    folder : Path
        Of the demo.
    seed : int
        Of the core and of the samples.
    **how
        Executor and progress.
    """
    pores = _pores(settings, seed)
    fine = rocks.voxel_size[0]
    source = ArraySource(low_resolution(pores, factor=settings.factor), (fine * settings.factor,) * 3)
    core = import_volume(source, folder / "core.zarr", progress=False)
    found = map_permeability(
        core,
        folder / "map",
        super_resolution=networks.tuned,
        surrogate=networks.surrogate,
        sees="mask",
        threshold="fraction",
        seed=seed,
        **how,
    )
    truth = ArraySource(pores, (fine,) * 3)
    exact = map_permeability(
        truth, folder / "true-map", window=settings.edge, rev_sample=0, report=False, **how
    )
    return DemoCore(core, found, exact)


def _pores(settings: DemoSettings, seed: int) -> Any:
    """Return the true pores of the core: a bed of each family, one upon the other."""
    depth, height, width = settings.core
    beds = np.array_split(np.arange(depth), len(CORE_BEDS))
    return np.concatenate(
        [
            rock(
                (seed, 10**6 + i),
                edge=(len(bed), height, width),
                family=family,
                porosity=porosity,
                scale=settings.edge / 64,
            )
            for i, (bed, (family, porosity)) in enumerate(zip(beds, CORE_BEDS, strict=True))
        ]
    )
