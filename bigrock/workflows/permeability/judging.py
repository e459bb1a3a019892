"""Judge networks on the test rocks of a set, beside interpolation and regressions, and write a page about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.datasets import RockSet
from bigrock.datasets.rock_set_split import RockSplit
from bigrock.engine.executors import ExecutorLike
from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError
from bigrock.models import Bundle, SuperResolutionConfig, load_bundle
from bigrock.report import write_report
from bigrock.report.figures import Picture
from bigrock.report.rock_figures import rocks_picture
from bigrock.training import INTERPOLATIONS, baselines_told, regression_scores, rocks_of
from bigrock.volumes import ArraySource
from bigrock.workflows.permeability.evaluation import PermeabilityEvaluation, evaluate_permeability
from bigrock.workflows.permeability.evaluation_report import evaluation_sections
from bigrock.workflows.permeability.network_settings import PermeabilitySettings, SplitSettings
from bigrock.workflows.permeability.rock_pass import coarse_image, fine_image
from bigrock.workflows.permeability.verdicts import Roles

__all__ = ["baseline_scores", "judge_networks", "judged_parts", "slices_picture", "ways_to_fine"]

BundleLike = Bundle | str | os.PathLike[str]

_SHOWN = 4
_ONLY_IMAGES = tuple(name for name in INTERPOLATIONS if name != Roles().interpolated)


def judge_networks(
    rocks: RockSet,
    folder: str | os.PathLike[str],
    settings: PermeabilitySettings | None = None,
    *,
    super_resolution: BundleLike,
    tuned: BundleLike | None = None,
    paper: BundleLike | None = None,
    control: BundleLike | None = None,
    surrogate: BundleLike | None = None,
    holdout: BundleLike | None = None,
    direct: BundleLike | None = None,
    executor: ExecutorLike = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: ProgressLike = None,
) -> PermeabilityEvaluation:
    """Judge a super-resolution and what was tuned of it, on test rocks, by networks and by Stokes flow.

    Beside them stand nearest, trilinear and cubic interpolation (Stokes flow in cubic alone), and regressions
    on porosity and surface. Called again it goes on where it stopped.

    Parameters
    ----------
    rocks : RockSet
        Labelled along z: the set that the networks were trained on.
    folder : str or path-like
        For ``evaluation.json``, ``.csv``, ``.parquet`` and ``report.html``.
    settings : PermeabilitySettings, optional
        Those of the trainings: their split says which rocks no network has seen, their coarsening how coarse
        images are made.
    super_resolution : Bundle, or its folder
        As it was trained on voxels.
    tuned, paper, control : Bundle, or its folder, optional
        Fine-tuned; in the paper's mode (grey images, voxels free); the same epochs on voxels alone.
    surrogate, holdout, direct : Bundle, or its folder, optional
        What guided the tuning; a surrogate that had no part in it; one of coarse images.
    executor, resume, overwrite, progress
        As for `bigrock.run`.

    Returns
    -------
    PermeabilityEvaluation

    Raises
    ------
    BundleError
        If a network is one for something else, or for rocks of another extent.
    ParameterError
        If rocks do not divide by the scale, the split leaves no test rock, or a network was trained with another
        split.
    ResumeError
        If the folder holds another evaluation.

    Examples
    --------
    >>> judge_networks(None, "judged", super_resolution="nowhere")
    Traceback (most recent call last):
    bigrock.errors.BundleError: nowhere is no model bundle: ...
    """
    chosen, plain = settings or PermeabilitySettings(), load_bundle(super_resolution)
    finer = [None if one is None else load_bundle(one) for one in (tuned, paper, control)]
    told = {"surrogate": surrogate, "holdout": holdout, "direct": direct}
    tellers = {name: None if one is None else load_bundle(one) for name, one in told.items()}
    for bundle in (plain, *finer, *tellers.values()):
        if bundle is not None:
            _refuse_another_split(bundle, chosen.split)
    factor = plain.expect(SuperResolutionConfig).scale
    parts = rocks.split(**chosen.split.model_dump())
    ways = ways_to_fine(plain, *finer)
    coarse = chosen.super_resolution_training.coarsening.options
    place = Path(folder)
    found = judged_parts(
        rocks, parts, ways, place, factor=factor, coarse=coarse, **tellers,
        executor=executor, resume=resume, overwrite=overwrite, progress=progress,
    )  # fmt: skip
    pictures = [slices_picture(rocks, parts.test, ways, factor, coarse)]
    sections = evaluation_sections(found, pictures=pictures, baselines=baseline_scores(rocks, parts, found))
    voxel_m = rocks.voxel_size[0] * factor
    first = int(parts.test[0])
    shown = ArraySource(coarse_image(rocks.image(first), first, factor, coarse), (voxel_m,) * 3)
    write_report(
        {"a coarse test rock": shown}, place / "report.html", title="Networks on test rocks", sections=sections,
        mark_threshold=False,
    )  # fmt: skip
    return found


def _refuse_another_split(bundle: Bundle, split: SplitSettings) -> None:
    """Refuse a network that says that it was trained on another part of the rocks: it may have seen test rocks."""
    then: Any = bundle.provenance.get("split")
    now = split.model_dump(mode="json")
    if then not in (None, now):
        other = [
            f"{name} {then.get(name)} then, {now[name]} now" for name in now if then.get(name) != now[name]
        ]
        raise ParameterError(
            f"{bundle.folder} was trained with another split of the rocks ({', '.join(other)}): it may have learnt "
            "from what would be test rocks here. Give the settings that it was trained with (--config)."
        )


def ways_to_fine(
    plain: Bundle, tuned: Bundle | None, paper: Bundle | None, control: Bundle | None
) -> dict[str, Any]:
    """Return what brings coarse images to the fine grid by the names of `Roles`: interpolations, then networks."""
    roles = Roles()
    networks = {roles.plain: plain, roles.tuned: tuned, roles.paper: paper, roles.control: control}
    ways: dict[str, Any] = {name: name for name in INTERPOLATIONS}
    return ways | {name: bundle for name, bundle in networks.items() if bundle is not None}


def judged_parts(
    rocks: RockSet, parts: RockSplit, ways: Mapping[str, Any], folder: Path, **how: Any
) -> PermeabilityEvaluation:
    """Return `evaluate_permeability` of the test part; what does not percolate counts as the tightest training rock."""
    floor = float(np.log10(rocks.k_voxel2[parts.train, 0].min()))
    physics = [name for name in ways if name not in _ONLY_IMAGES]
    return evaluate_permeability(
        rocks, parts.test.tolist(), ways, folder, floor=floor, physics=physics, **how
    )


def baseline_scores(
    rocks: RockSet, parts: RockSplit, judged: PermeabilityEvaluation
) -> dict[str, dict[str, Any]]:
    """Return the scores of regressions on a few numbers of the true images, fitted to the training rocks."""
    told = baselines_told(rocks_of(rocks, parts.train), rocks.take(parts.test))
    return {
        f"{kind}, true image": regression_scores(10.0**judged.truth, 10.0**log10_k)
        for kind, log10_k in told.items()
    }


def slices_picture(
    rocks: RockSet,
    test: Sequence[int] | np.ndarray[Any, Any],
    ways: Mapping[str, Any],
    factor: int,
    coarse: Mapping[str, Any] | None = None,
) -> Picture:
    """Return the middle slices of a few test rocks of different families, coarse, in every way, and true."""
    _, first = np.unique(rocks.families[test], return_index=True)
    shown = {name: way for name, way in ways.items() if name not in _ONLY_IMAGES} | {"truth": "truth"}
    rows = {}
    for i in np.asarray(test)[np.sort(first)][:_SHOWN]:
        truth = rocks.image(int(i))
        image = coarse_image(truth, int(i), factor, coarse or {})
        fine = [fine_image(way, image, truth, factor) for way in shown.values()]
        rows[str(rocks.families[i])] = [volume[len(volume) // 2] for volume in (image, *fine)]
    caption = f"Middle slices of test rocks: pore fractions, from solid (light) to pore (blue), coarse and ×{factor}."
    return rocks_picture("test-rocks", rows, ["coarse", *shown], caption=caption)
