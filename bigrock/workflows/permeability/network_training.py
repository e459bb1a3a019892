"""Train one network of the permeability workflow on a stored set of rocks, and score it on the test rocks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bigrock.errors import ParameterError
from bigrock.models import Bundle, SuperResolutionConfig, load_bundle, predict_permeability
from bigrock.training import (
    INTERPOLATIONS,
    Trained,
    TrainingRocks,
    baselines_told,
    coarse_rocks,
    enlarged,
    fine_tune,
    r_squared,
    regression_scores,
    rocks_of,
    train_super_resolution,
    train_surrogate,
)
from bigrock.training.progress import TrainingProgressLike
from bigrock.workflows.permeability.network_settings import PermeabilitySettings

if TYPE_CHECKING:
    from bigrock.datasets import RockSet

__all__ = ["NetworkResult", "train_network", "tune_network"]

_LEAST_MSE = 1e-10


@dataclasses.dataclass(frozen=True)
class NetworkResult:
    """A trained network, and its scores on rocks that it never saw.

    Attributes
    ----------
    trained : Trained
        Bundle, history, validation scores.
    test : dict
        Of super-resolution: PSNR in dB, of the network and of interpolations. Of a surrogate: as
        `bigrock.training.regression_scores` gives them, and r² of regressions on porosity and surface that
        are fitted to the same training rocks. Empty where there are no test rocks.
    left_out : dict
        Rocks that are in no part: how many are not labelled, and how many do not percolate.

    Examples
    --------
    >>> [field.name for field in dataclasses.fields(NetworkResult)]
    ['trained', 'test', 'left_out']
    """

    trained: Trained
    test: dict[str, Any]
    left_out: dict[str, int] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        made = self.trained
        return {
            "bundle": made.bundle.folder,
            "task": made.bundle.task,
            "epochs": made.epochs,
            "seconds": round(made.seconds, 1),
            "validation": dict(made.validation),
            # r² of a single rock is no number, and JSON has none for it.
            "test": {n: None if isinstance(v, float) and math.isnan(v) else v for n, v in self.test.items()},
            "left_out": self.left_out,
        }


def train_network(
    kind: Literal["super-resolution", "surrogate", "direct"],
    rocks: RockSet,
    folder: str | Path,
    settings: PermeabilitySettings | None = None,
    *,
    seed: int | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: TrainingProgressLike = None,
) -> NetworkResult:
    """Train a network on the training part of a set of rocks and write it as a bundle.

    Parameters
    ----------
    kind : {"super-resolution", "surrogate", "direct"}
        What it shall do; "direct" is a surrogate that looks at the coarse image, to compare with. Only
        super-resolution learns from rocks without permeabilities, where the set has no others.
    rocks : RockSet
        From `bigrock.datasets.open_rocks`.
    folder : str or Path
        Of the bundle.
    settings : PermeabilitySettings, optional
        Split, networks, trainings.
    seed : int, optional
        Of weights and samples, in place of that of the settings.
    resume : bool
        Go on where an interrupted training stopped; False refuses one.
    overwrite : bool
        Begin anew, and replace what the folder holds.
    progress : callable, bool or None
        As for `bigrock.training.fit`.

    Returns
    -------
    NetworkResult

    Raises
    ------
    ParameterError
        If there is no such network, rocks do not fit it, or none is labelled (see `train_super_resolution` and
        `train_surrogate` of `bigrock.training`).
    ResumeError, VolumeExistsError
        If the folder holds a training of other rocks or settings, or other files.

    Examples
    --------
    >>> train_network("magic", None, "model")
    Traceback (most recent call last):
    bigrock.errors.ParameterError: 'magic' is no network of this workflow. ...
    """
    if kind not in ("super-resolution", "surrogate", "direct"):
        raise ParameterError(
            f"{kind!r} is no network of this workflow. Use 'super-resolution', 'surrogate' or 'direct'."
        )
    settings = settings or PermeabilitySettings()
    (train, validation, test), left_out = _parts(rocks, settings, unlabelled=kind == "super-resolution")
    how: dict[str, Any] = {"folder": folder, "resume": resume, "overwrite": overwrite, "progress": progress}
    how |= {"provenance": {"rocks": rocks.path, "split": settings.split.model_dump(mode="json")}}
    scale = settings.super_resolution.scale
    voxel = rocks.voxel_size
    if kind == "super-resolution":
        training = _seeded(settings.super_resolution_training, seed)
        coarse_voxel = (voxel[0] * scale, voxel[1] * scale, voxel[2] * scale)
        made = train_super_resolution(
            train, validation, settings.super_resolution, training, voxel_size=coarse_voxel, **how
        )
        return NetworkResult(made, {} if test is None else _fidelity(made.bundle, test, settings), left_out)
    edge, looked = rocks.edge, _seeded(settings.surrogate_training, seed)
    if kind == "direct":
        options = settings.super_resolution_training.coarsening.options
        train, validation = (coarse_rocks(part, scale, **options) for part in (train, validation))
        test = None if test is None else coarse_rocks(test, scale, **options)
        edge, looked = edge // scale, dataclasses.replace(looked, soft=0.0)
        voxel = (voxel[0] * scale, voxel[1] * scale, voxel[2] * scale)
    config = dataclasses.replace(settings.surrogate, edge=edge)
    made = train_surrogate(train, validation, config, looked, voxel_size=voxel, **how)
    return NetworkResult(made, {} if test is None else _permeability(made.bundle, test, train), left_out)


def tune_network(
    super_resolution: str | Path | Bundle,
    surrogates: Sequence[str | Path | Bundle],
    rocks: RockSet,
    folder: str | Path,
    settings: PermeabilitySettings | None = None,
    *,
    seed: int | None = None,
    fidelity: float | None = None,
    sees: Literal["grey", "mask", "fraction"] | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: TrainingProgressLike = None,
) -> NetworkResult:
    """Tune a super-resolution so that frozen surrogates tell the right permeability from what it makes.

    Parameters
    ----------
    super_resolution : Bundle, or its folder
        What is tuned; unchanged.
    surrogates : sequence of Bundle, or their folders
        What it shall please; none trains on voxels alone (the control).
    rocks : RockSet
        The same rocks and the same split as those of the other trainings.
    folder : str or Path
        Of the new bundle.
    settings : PermeabilitySettings, optional
        Split and fine-tuning.
    seed : int, optional
        Of the samples, in place of that of the settings.
    fidelity : float, optional
        Weight of the voxels, in place of that of the settings; 0 is the paper.
    sees : {"grey", "mask", "fraction"}, optional
        What the surrogates are shown, in place of that of the settings: see `bigrock.training.FineTuning`.
    resume : bool
        Go on where an interrupted training stopped; False refuses one.
    overwrite : bool
        Begin anew, and replace what the folder holds.
    progress : callable, bool or None
        As for `bigrock.training.fit`.

    Returns
    -------
    NetworkResult

    Raises
    ------
    BundleError, ParameterError, ResumeError, VolumeExistsError
        As `bigrock.training.fine_tune` does.

    Examples
    --------
    >>> PermeabilitySettings().fine_tuning.fidelity
    10.0
    """
    settings = settings or PermeabilitySettings()
    training = _seeded(settings.fine_tuning, seed)
    if not surrogates and fidelity == 0:
        raise ParameterError(
            "fidelity=0 and no surrogate: nothing would be learnt, neither permeability nor voxels. Give a surrogate "
            "(--surrogate), or leave the fidelity as it is."
        )
    given = {"fidelity": fidelity, "sees": sees, "flow": None if surrogates else 0.0}
    training = dataclasses.replace(training, **{n: v for n, v in given.items() if v is not None})
    plain = load_bundle(super_resolution)
    (train, validation, test), left_out = _parts(rocks, settings)
    made = fine_tune(
        plain,
        [load_bundle(each) for each in surrogates],
        train,
        validation,
        training,
        folder=folder,
        provenance={"rocks": rocks.path, "split": settings.split.model_dump(mode="json")},
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )
    return NetworkResult(made, {} if test is None else _fidelity(made.bundle, test, settings), left_out)


def _parts(
    rocks: RockSet, settings: PermeabilitySettings, unlabelled: bool = False
) -> tuple[tuple[TrainingRocks, TrainingRocks, TrainingRocks | None], dict[str, int]]:
    """Return the parts, and how many rocks are in none, by the reason."""
    parts = rocks.split(**settings.split.model_dump(), unlabelled=unlabelled)
    test = rocks_of(rocks, parts.test) if len(parts.test) else None
    every = sum(map(len, (parts.train, parts.validation, parts.test))) == len(rocks)
    left_out = {} if every else {reason: n for reason, n in rocks.left_out.items() if n}
    return (rocks_of(rocks, parts.train), rocks_of(rocks, parts.validation), test), left_out


def _seeded(training: Any, seed: int | None) -> Any:
    return training if seed is None else dataclasses.replace(training, seed=seed)


def _permeability(bundle: Bundle, test: TrainingRocks, train: TrainingRocks) -> dict[str, Any]:
    """Return scores of a surrogate on the axes of the test rocks that are labelled, and r² of regressions beside it."""
    known = test.targets()
    images = np.stack([known.image(test.images, number) for number in range(len(known))])
    # What is scored is the network: that these rocks percolate is known from their labels.
    flows = np.ones(len(known), bool)
    found = predict_permeability(bundle, images, voxel_size=1e-6, backend="cpu", percolating=flows)
    foreign = int(found.out_of_distribution.sum())
    beside = {
        f"r2_{kind.replace('-', '_').replace(' ', '_')}": r_squared(known.log10_k, told)
        for kind, told in baselines_told(train, images).items()
    }
    return regression_scores(10**known.log10_k, found.k_voxel2) | beside | {"out_of_distribution": foreign}


def _fidelity(bundle: Bundle, test: TrainingRocks, settings: PermeabilitySettings) -> dict[str, Any]:
    """Return the mean PSNR of the network's test rocks, and of those that interpolation makes."""
    from bigrock.engine.running import run
    from bigrock.models import super_resolution_kernel
    from bigrock.volumes import ArraySource

    scale = bundle.expect(SuperResolutionConfig).scale
    options = settings.super_resolution_training.coarsening.options
    coarse = coarse_rocks(test, scale, **options)
    kernel = super_resolution_kernel(bundle, value_range=(0.0, 1.0), dtype="float32", backend="cpu")
    errors: list[list[float]] = []
    for number in range(len(test)):
        fine = np.asarray(test.images[number], np.float32)
        given = np.asarray(coarse.images[number])
        made = run(kernel, ArraySource(given), f"memory://fidelity-{number}", progress=False, overwrite=True)[
            :
        ]
        beside = [np.clip(enlarged(given, scale, method), 0, 1) for method in INTERPOLATIONS]
        errors.append([float(((image - fine) ** 2).mean()) for image in (made, *beside)])
    psnr = -10 * np.log10(np.maximum(errors, _LEAST_MSE)).mean(0)
    return dict(zip(("psnr", *(f"psnr_{method}" for method in INTERPOLATIONS)), psnr.tolist(), strict=True))
