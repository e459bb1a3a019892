"""The few-slice loop: a stack and the labels of a few of its slices become labels of the whole stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bigrock.engine.progress import ProgressLike
from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.training import Trained
from bigrock.volumes import Source, source_of
from bigrock.workflows.execution import executing
from bigrock.workflows.shale.annotated import Labels
from bigrock.workflows.shale.few_slice_job import FewSliceJob, FewSliceResult
from bigrock.workflows.shale.parts import Slices
from bigrock.workflows.shale.settings import FewSliceSettings

__all__ = [
    "few_slice_settings",
    "local_folder",
    "prepared_folder",
    "segment_from_slices",
    "train_from_slices",
]

_OURS = (
    "scan.zarr",
    "annotation",
    "quality.json",
    "model",
    "segmentation.zarr",
    "metrics.json",
)


def segment_from_slices(
    stack: Source | str | os.PathLike[str],
    labels: Labels,
    out: str | os.PathLike[str],
    *,
    slices: Slices,
    classes: Mapping[str, int],
    seed: int = 0,
    config: FewSliceSettings | Mapping[str, Any] | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: ProgressLike = None,
) -> FewSliceResult:
    """Return the classes of all voxels of a stack, learnt from a few annotated slices of it.

    Chooses slices, trains a network on them, segments the whole stack out of core, and scores test
    slices that were not learnt from. The same call continues an interrupted job: training from its last
    epoch, the segmentation from its last block. Repeatable on a CPU for the same seed and number of
    threads. The labels of test slices decide nothing but the scores.

    Parameters
    ----------
    stack : Source or path
        Grey levels, with a voxel size.
    labels : Source, path or mapping of int to ndarray
        A label volume of the same shape, or slice → labels (y, x); 255 where nobody annotated.
    out : str or path-like
        A new folder, or that of the same job.
    slices : int, sequence of int, or mapping
        How many slices to train on (at equal intervals), which ones, or which for "training",
        "validation" and "test". Annotated slices that are left validate, then test; where none is
        left, the last fifth of every training slice validates.
    classes : mapping of str to int
        Name and value of each class, 0, 1, 2…
    seed : int
        Of weights and patches.
    config : FewSliceSettings or mapping, optional
        Network, training, clean-up, baselines.
    resume, overwrite : bool
        Continue what is in the folder; or replace what a job of other settings left there.
    progress : callable, bool, optional
        As for `bigrock.run`; training draws its own bar.

    Returns
    -------
    FewSliceResult

    Raises
    ------
    ParameterError, PhaseError, VoxelSizeError, NonFiniteError
        Before anything is trained or written: if slices, labels, classes and stack do not fit
        together, the stack has no voxel size, or a voxel is NaN or infinite.
    VolumeExistsError, ResumeError
        If the folder holds something else, or a job of other slices or settings.

    References
    ----------
    The few-slice method for FIB-SEM stacks of shale: Geophysics, 2023.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> shale = Shale((16, 48, 48), level="easy")
    >>> short = {"max_epochs": 1, "steps_per_epoch": 2, "batch": 1, "patch": 16}
    >>> config = {"network": {"features": [4, 4, 8]}, "training": short}
    >>> result = segment_from_slices(
    ...     shale, shale.truth, tempfile.mkdtemp() + "/job", slices=3, classes=shale.truth.classes,
    ...     config=config, progress=False)
    >>> result.volume.shape, sorted(result.metrics["iou"])
    ((16, 48, 48), ['inorganic pore', 'matrix', 'organic matter', 'organic pore'])
    """
    place = prepared_folder(out, overwrite)
    settings = few_slice_settings(config)
    with executing(settings.run.executor) as executor:
        how = {"executor": executor, "ram": settings.run.ram, "progress": progress}
        job = FewSliceJob(source_of(stack), labels, slices, dict(classes), seed, settings, how)
        return job.finish(place, resume=resume, overwrite=overwrite)


def train_from_slices(
    stack: Source | str | os.PathLike[str],
    labels: Labels,
    out: str | os.PathLike[str],
    *,
    slices: Slices,
    classes: Mapping[str, int],
    seed: int = 0,
    config: FewSliceSettings | Mapping[str, Any] | None = None,
    resume: bool = True,
    progress: ProgressLike = None,
) -> Trained:
    """Return a network trained on a few annotated slices of a stack, as a bundle: no stack is segmented.

    Parameters
    ----------
    stack, labels, slices, classes, seed, config, progress
        As for `segment_from_slices`.
    out : str or path-like
        Folder of the bundle, for `bigrock segment --model`; the same call continues a training in it.
    resume : bool
        Continue; False begins anew.

    Returns
    -------
    Trained
        ``bundle``, ``history``, and ``validation``: scores of the slices that chose the weights.

    Raises
    ------
    ParameterError, PhaseError, VoxelSizeError, NonFiniteError
        As for `segment_from_slices`.
    ResumeError
        If the folder holds a training of other slices or settings.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> shale = Shale((16, 48, 48), level="easy")
    >>> short = {"max_epochs": 1, "steps_per_epoch": 2, "batch": 1, "patch": 16}
    >>> trained = train_from_slices(
    ...     shale, shale.truth, tempfile.mkdtemp() + "/model", slices=3, classes=shale.truth.classes,
    ...     config={"network": {"features": [4, 4, 8]}, "training": short}, progress=False)
    >>> trained.epochs
    1
    """
    settings = few_slice_settings(config)
    with executing(settings.run.executor) as executor:
        how = {"executor": executor, "ram": settings.run.ram, "progress": progress}
        job = FewSliceJob(source_of(stack), labels, slices, dict(classes), seed, settings, how)
        return job.train(local_folder(out), resume=resume)


def few_slice_settings(config: FewSliceSettings | Mapping[str, Any] | None) -> FewSliceSettings:
    """Return the settings that are given, or made of a mapping; of those of a larger job its part."""
    if type(config) is FewSliceSettings:
        return config
    if isinstance(config, FewSliceSettings):
        config = {name: getattr(config, name) for name in FewSliceSettings.model_fields}
    return FewSliceSettings(**(config or {}))


def local_folder(out: str | os.PathLike[str]) -> Path:
    """Return a folder of this machine, whether or not it is there."""
    if "://" in os.fspath(out):
        raise ParameterError(
            f"out={os.fspath(out)!r} is a URL, and the model is a folder of files. Give a folder of this machine."
        )
    place = Path(out).expanduser().absolute()
    if place.exists() and not place.is_dir():
        raise VolumeExistsError(f"{place} is a file. Choose another folder.")
    return place


def prepared_folder(out: str | os.PathLike[str], overwrite: bool) -> Path:
    """Return the folder of a job, once it is known that nothing of the user's is in the way."""
    place = local_folder(out)
    ours = any((place / name).exists() for name in _OURS)
    if place.exists() and any(place.iterdir()) and not (ours or overwrite):
        raise VolumeExistsError(
            f"{place} holds other files: the results would be mixed with them. Choose another one, or overwrite=True."
        )
    return place
