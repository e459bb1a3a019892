"""The whole permeability loop on synthetic rocks whose permeability is known by physics: what it reaches."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigrock.datasets import RockSet, make_rocks, open_rocks
from bigrock.datasets.rock_set_split import RockSplit
from bigrock.engine.executors import ExecutorLike
from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError, ResumeError, VolumeExistsError
from bigrock.geometry import is_whole
from bigrock.training import INTERPOLATIONS
from bigrock.workflows.permeability.demo_core import map_demo_core
from bigrock.workflows.permeability.demo_networks import DemoNetworks, train_demo_networks
from bigrock.workflows.permeability.demo_report import write_demo_report
from bigrock.workflows.permeability.demo_settings import DemoSettings
from bigrock.workflows.permeability.evaluation import TRUTH, PermeabilityEvaluation
from bigrock.workflows.permeability.judging import judged_parts, ways_to_fine
from bigrock.workflows.permeability.map_result import PermeabilityMap
from bigrock.workflows.permeability.verdicts import verdict

__all__ = ["PermeabilityDemo", "permeability_demo"]

_MARK = "permeability-demo.json"
_FEWEST = 20


@dataclass(frozen=True, eq=False)
class PermeabilityDemo:
    """What `permeability_demo` found.

    Attributes
    ----------
    figures : dict
        What stands in ``permeability.json``.
    networks : DemoNetworks
        The bundles.
    evaluation : PermeabilityEvaluation
        Scores on the test rocks.
    map : PermeabilityMap
        Of the core, by the surrogate and a sample by physics.
    file, report : Path
        ``permeability.json`` and ``report.html``.
    """

    figures: dict[str, Any]
    networks: DemoNetworks
    evaluation: PermeabilityEvaluation
    map: PermeabilityMap
    file: Path
    report: Path


def permeability_demo(
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    rocks: int | str | os.PathLike[str] | None = None,
    quick: bool = False,
    settings: DemoSettings | None = None,
    executor: ExecutorLike = None,
    progress: ProgressLike = None,
) -> PermeabilityDemo:
    """Make rocks, train every network, judge them by physics, map a core, and write ``permeability.json`` and a page.

    Synthetic rocks are labelled by Stokes flow; a super-resolution, a surrogate, a hold-out and a direct
    regressor learn from them; the super-resolution is tuned through masks and held to the voxels, in the
    paper's mode, and on voxels alone; all are judged on rocks that none has seen. Then a core of several
    beds, larger than any rock, is mapped from its coarse image, and compared with Stokes flow in its true
    pores. About an hour on two cores, half of it training; with `quick` a minute, and then nothing is
    reached. Called again it goes on where it stopped.

    Parameters
    ----------
    folder : str or path-like
        A new folder, or that of the same demo.
    seed : int
        Of rocks, weights and samples.
    rocks : int, or path of a set of rocks, optional
        How many to make, at least 20; or a labelled set (`bigrock.datasets.make_rocks`) to take instead.
    quick : bool
        Tiny rocks and hardly any training, to see the files.
    settings : DemoSettings, optional
        In place of those of the demo.
    executor, progress
        As for `bigrock.run`.

    Returns
    -------
    PermeabilityDemo
        ``figures``: r² of log10 k of the test rocks. ``r2_…``: by the surrogate, from grey images (``hr``: the
        true ones; ``bypass``: the direct regressor); ``r2_mask_…``: from masks, as the fine-tuned network was
        tuned for. ``holdout_r2_…``: by the hold-out, from masks in
        which each coarse voxel keeps its pore fraction. ``physics_r2_…``: by Stokes flow in these masks;
        ``physics_threshold_r2_…``: in thresholded images. ``physics_rmse_change_ci95``: RMSE of log10 k of
        fine-tuned minus super-resolved masks, 95 % interval. ``seconds``: of training, in all.

    Raises
    ------
    VolumeExistsError, ResumeError
        If the folder holds something else, or a demo with other settings.
    ParameterError
        If a given set of rocks has other extents than the networks, or rocks are too few.

    Examples
    --------
    >>> DemoSettings.quick(0).rocks  # permeability_demo("demo", quick=True) takes a minute
    30
    """
    begun = time.monotonic()
    place = _folder(folder)
    chosen = settings or (DemoSettings.quick(seed) if quick else DemoSettings.full(seed))
    how = {"executor": executor, "progress": progress}
    mark = {"demo": "permeability", "seed": seed, "quick": quick, "edge": chosen.edge}
    known, parts = _rocks(rocks, chosen, mark, place, how)
    shown = None if callable(progress) else progress
    before = time.process_time()
    networks = train_demo_networks(known, parts, chosen, place / "models", seed, shown)
    trained = time.process_time() - before
    ways = ways_to_fine(networks.plain, networks.tuned, networks.paper, networks.control)
    guides = {name: getattr(networks, name) for name in ("surrogate", "holdout", "direct")}
    judged = judged_parts(known, parts, ways, place / "evaluation", factor=chosen.factor, **guides, **how)
    core = map_demo_core(networks, known, chosen, place, seed, **how)
    figures = {**_figures(judged, networks), "map": core.figures(), "rocks": len(known)}
    figures["verdict"] = verdict(judged)
    figures["training_cpu_seconds_of_this_call"] = round(trained, 1)
    figures["wall_seconds_of_this_call"] = round(time.monotonic() - begun, 1)
    file = place / "permeability.json"
    file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = place / "report.html"
    report = write_demo_report(page, judged, networks, known, parts, ways, chosen.factor, core)
    return PermeabilityDemo(figures, networks, judged, core.found, file, report)


def _folder(folder: str | os.PathLike[str]) -> Path:
    place = Path(folder).expanduser().absolute()
    if place.exists() and not place.is_dir():
        raise VolumeExistsError(f"{place} is a file. Choose another folder.")
    if place.exists() and any(place.iterdir()) and not (place / _MARK).exists():
        raise VolumeExistsError(
            f"{place} holds other files: the demo would be mixed with them. Choose another folder."
        )
    return place


def _rocks(
    rocks: int | str | os.PathLike[str] | None,
    settings: DemoSettings,
    mark: dict[str, Any],
    place: Path,
    how: dict[str, Any],
) -> tuple[RockSet, RockSplit]:
    """Return the rocks and their parts; nothing is written before it is known that they will do."""
    if isinstance(rocks, str | os.PathLike):
        known = open_rocks(rocks)
        if known.edge != settings.edge:
            raise ParameterError(
                f"the rocks of {known.path} have {known.edge} voxels along each axis, and the networks of the demo are "
                f"for {settings.edge}. Give others, or none."
            )
        parts = known.split(seed=mark["seed"])
        _mark(place, {**mark, "rocks": known.path})
        return known, parts
    count = settings.rocks if rocks is None else rocks
    if not is_whole(count) or count < _FEWEST:
        raise ParameterError(
            f"rocks={count} are too few to learn from and to judge by, or no whole number. Give {_FEWEST} or more."
        )
    _mark(place, {**mark, "rocks": int(count)})
    where = place / "rocks.zarr"
    known = make_rocks(where, count=count, edge=settings.edge, axes=("z",), seed=mark["seed"], **how)
    return known, known.split(seed=mark["seed"])


def _mark(place: Path, mark: dict[str, Any]) -> None:
    """Make the folder, and say which demo it is of: a later call goes on in it, unless it has other settings."""
    place.mkdir(parents=True, exist_ok=True)
    file = place / _MARK
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        other = [f"{n} {before.get(n)} then, {mark[n]} now" for n in mark if before.get(n) != mark[n]]
        if other:
            raise ResumeError(
                f"{place} holds another demo ({', '.join(other)}). Ask for that one, or choose another folder."
            )
        return
    file.write_text(json.dumps(mark) + "\n", encoding="utf-8")


def _figures(judged: PermeabilityEvaluation, networks: DemoNetworks) -> dict[str, Any]:
    def r2(variant: str, by: str) -> float:
        told = judged.scores(variant, by)
        assert told is not None, f"{by} was asked of {variant}"
        return round(float(told["r2"]), 4)

    names = {"sr": "super-resolution", "finetuned": "fine-tuned", "paper_mode": "paper's mode"}
    change = {
        name: judged.change("physics", before, "fine-tuned")
        for name, before in (("plain", "super-resolution"), ("control", "voxels only"))
    }
    intervals = {name: [round(c.low, 4), round(c.high, 4)] for name, c in change.items() if c is not None}
    return {
        "surrogate_r2": r2(TRUTH, "surrogate"),
        **{f"psnr_{name}": round(judged.image(name)["psnr"], 3) for name in INTERPOLATIONS},
        "psnr_sr": round(judged.image("super-resolution")["psnr"], 3),
        "porosity_error_cubic": round(judged.image("cubic")["porosity_error"], 5),
        "porosity_error_sr": round(judged.image("super-resolution")["porosity_error"], 5),
        "r2_cubic": r2("cubic", "surrogate"),
        **{f"r2_{key}": r2(name, "surrogate") for key, name in names.items()},
        **{f"r2_mask_{key}": r2(name, "surrogate_mask") for key, name in names.items()},
        "r2_hr": r2(TRUTH, "surrogate"),
        "r2_bypass": r2(TRUTH, "direct"),
        "holdout_r2_hr": r2(TRUTH, "holdout_mask"),
        **{f"holdout_r2_{key}": r2(name, "holdout_mask") for key, name in names.items()},
        **{f"holdout_grey_r2_{key}": r2(name, "holdout") for key, name in names.items()},
        **{f"physics_r2_{key}": r2(name, "physics") for key, name in names.items()},
        "physics_r2_voxels_only": r2("voxels only", "physics"),
        "physics_r2_cubic": r2("cubic", "physics"),
        **{f"physics_threshold_r2_{key}": r2(name, "physics_threshold") for key, name in names.items()},
        "physics_threshold_r2_voxels_only": r2("voxels only", "physics_threshold"),
        "physics_threshold_r2_cubic": r2("cubic", "physics_threshold"),
        "physics_rmse_change_ci95": intervals["plain"],
        "physics_rmse_change_against_control_ci95": intervals["control"],
        "networks": networks.architectures,
        "seconds": round(sum(networks.seconds.values()), 1),
        "training_seconds": networks.seconds,
        "test_rocks": len(judged.truth),
    }
