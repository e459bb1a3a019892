"""The page of the permeability demo: verdict, scores, images, learning, and the map of a core beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.datasets import RockSet
from bigrock.datasets.rock_set_split import RockSplit
from bigrock.report import write_report
from bigrock.report.permeability_figures import agreement_picture, map_picture, millidarcy
from bigrock.report.section import Section
from bigrock.report.tables import Grid
from bigrock.units import format_permeability
from bigrock.workflows.permeability.demo_core import DemoCore
from bigrock.workflows.permeability.demo_networks import DemoNetworks
from bigrock.workflows.permeability.evaluation import PermeabilityEvaluation
from bigrock.workflows.permeability.evaluation_report import evaluation_sections
from bigrock.workflows.permeability.judging import baseline_scores, slices_picture
from bigrock.workflows.permeability.map_report import map_sections
from bigrock.workflows.permeability.map_result import PermeabilityMap

__all__ = ["write_demo_report"]


def write_demo_report(
    path: Path,
    judged: PermeabilityEvaluation,
    networks: DemoNetworks,
    rocks: RockSet,
    parts: RockSplit,
    ways: Mapping[str, Any],
    factor: int,
    core: DemoCore,
) -> Path:
    """Write the page of the demo, and return its path.

    Parameters
    ----------
    path : Path
        The page.
    judged : PermeabilityEvaluation
        On the test rocks.
    networks : DemoNetworks
        All of them.
    rocks, parts : RockSet, RockSplit
        What they have learnt from.
    ways : mapping
        Name to what brings coarse images to the fine grid.
    factor : int
        Of the super-resolution.
    core : DemoCore
        With its maps.
    """
    images = slices_picture(rocks, parts.test, ways, factor)
    baselines = baseline_scores(rocks, parts, judged)
    sections = [
        *evaluation_sections(judged, pictures=[images], baselines=baselines),
        _training(rocks, parts, networks),
        *_beside_the_truth(core.found, core.exact),
        *map_sections(core.found),
    ]
    return write_report(
        {"core": core.coarse}, path, title="Permeability demo", sections=sections, mark_threshold=False
    )


def _training(rocks: RockSet, parts: RockSplit, networks: DemoNetworks) -> Section:
    bundles = {
        "super-resolution": networks.plain,
        "surrogate": networks.surrogate,
        "hold-out": networks.holdout,
        "direct": networks.direct,
        "fine-tuned": networks.tuned,
        "paper": networks.paper,
        "voxels-only": networks.control,
    }
    rows = []
    for name, bundle in bundles.items():
        told = bundle.training
        scores = ", ".join(
            f"{what.replace('_', ' ')} {value:.3f}"
            for what, value in dict(told["validation"]).items()
            if what in ("psnr", "r2", "r2 surrogate", "rmse_log10")
        )
        epochs = f"{told['epochs']} (best {told['best_epoch']})"
        kind = networks.architectures.get(name, "super-resolution")
        rows.append((name, kind, epochs, f"{networks.seconds[name]:.0f}", scores, bundle.digest[:12]))
    total = sum(networks.seconds.values())
    note = (
        f"{len(parts.train)} rocks to learn from, {len(parts.validation)} to choose weights by, {len(parts.test)} to "
        f"judge by, of {len(rocks)} of {rocks.edge}³ voxels in {len(set(rocks.families.tolist()))} families; "
        f"{total:.0f} s of training in all. The surrogate guides the tuning, also in the paper's mode: darcy solves "
        "Darcy's law through cells whose conductivity it tells from the voxels. Views are the paper's three branches."
    )
    head = ("network", "kind", "epochs", "seconds", "on the validation rocks", "digest")
    return Section("Training", grids={"": Grid(head, tuple(rows), note)})


def _beside_the_truth(found: PermeabilityMap, exact: PermeabilityMap) -> list[Section]:
    """Return the map of the core beside Stokes flow in its true pores."""
    pairs = {a: (millidarcy(exact.k(a)).ravel(), millidarcy(found.k(a)).ravel()) for a in found.axes}
    scatter = agreement_picture(
        "map-and-truth", pairs, x_label="Stokes flow in the true pores (mD)", y_label="map (mD)",
        caption="Windows of the core that was mapped from its coarse image.",
    )  # fmt: skip
    every = np.concatenate([millidarcy(k.k("z")).ravel() for k in (found, exact)])
    flowing = every[every > 0]
    limits = (float(flowing.min()), float(flowing.max())) if np.unique(flowing).size > 1 else None
    maps = [
        map_picture(name, millidarcy(of.k("z")), of.plan.step_m, label="k along z (mD)", log=True, limits=limits,
                    caption=said)
        for name, of, said in (("mapped", found, "From the coarse image."), ("true", exact, "In the true pores."))
    ]  # fmt: skip
    rows = tuple(
        (axis, *(format_permeability(of.figures["permeability"][axis]["darcy_m2"]) for of in (found, exact)))
        for axis in found.axes
    )
    grid = Grid(("axis", "from the coarse image", "in the true pores"), rows)
    return [
        Section("The core: map and truth", maps, columns=1),
        Section("The core: windows and upscaled", [scatter], grids={"Upscaled by Darcy flow": grid}),
    ]
