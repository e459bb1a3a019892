"""The few-slice loop: a stack and the labels of a few of its slices become labels of the whole stack."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.progress import ProgressLike
from bigrock.engine.running import run
from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.models import Bundle, segmentation_kernel
from bigrock.training import Trained, TrainingSlice, train_segmentation
from bigrock.volumes import Source, Volume, open_volume
from bigrock.volumes.source import required_voxel_size
from bigrock.workflows.execution import executing
from bigrock.workflows.shale.annotated import AnnotatedSlices, Labels, annotated_slices
from bigrock.workflows.shale.clean_up import clean_up
from bigrock.workflows.shale.parts import Parts, Slices, held_out, parts_of
from bigrock.workflows.shale.scoring import forest_scores, otsu_scores, score_slices
from bigrock.workflows.shale.settings import FewSliceSettings
from bigrock.workflows.shale.slices import SliceReader

__all__ = ["FewSliceResult", "prepared_folder", "segment_from_slices"]

_OURS = (
    "scan.zarr",
    "annotation",
    "quality.json",
    "model",
    "segmentation.zarr",
    "metrics.json",
)


@dataclass(frozen=True, slots=True, eq=False)
class FewSliceResult:
    """What `segment_from_slices` made, and where it lies.

    Attributes
    ----------
    folder : Path
        Where everything is: ``model`` (the bundle, and in it the training), ``segmentation.zarr``,
        ``metrics.json``.
    volume : Volume
        Class labels of the whole stack.
    metrics : dict
        ``iou``, ``dice`` (by class), ``pore_iou``, ``pixel_accuracy``, ``confusion``, ``porosity_bias`` of the
        test slices (``scored_on`` says if there were none), ``slices`` (which had which part),
        ``validation``, ``random_forest`` and ``otsu`` (where baselines are asked for), and
        ``seconds`` of each step.
    bundle : Bundle
        The trained network.
    trained : Trained
        How it was trained, epoch by epoch.
    parts : Parts
        Which slices were learnt from, chosen by and tested on.
    truth : dict of int to ndarray
        Labels of the slices that were scored.
    """

    folder: Path
    volume: Volume
    metrics: dict[str, Any]
    bundle: Bundle
    trained: Trained
    parts: Parts
    truth: dict[int, npt.NDArray[np.uint8]]


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
    settings = config if isinstance(config, FewSliceSettings) else FewSliceSettings(**(config or {}))
    source = open_volume(stack) if isinstance(stack, str | os.PathLike) else stack
    place = prepared_folder(out, overwrite)
    with executing(settings.run.executor) as executor:
        how = {"executor": executor, "ram": settings.run.ram, "progress": progress}
        job = _Job(source, labels, slices, dict(classes), seed, settings, place, how)
        return job.finish(resume=resume and not overwrite, overwrite=overwrite)


class _Job:
    """A stack, its labels and settings, checked; nothing is written before `finish`."""

    def __init__(
        self,
        stack: Source,
        labels: Labels,
        slices: Slices,
        classes: dict[str, int],
        seed: int,
        settings: FewSliceSettings,
        place: Path,
        how: dict[str, Any],
    ) -> None:
        import dataclasses

        self.stack, self.settings, self.place, self.how = stack, settings, place, how
        self.network = settings.network.made(classes)
        self.pores = [classes[name] for name in settings.pore_names(classes)]
        self.training = dataclasses.replace(settings.training, seed=seed)
        voxel = required_voxel_size(stack, "the interval between training slices")
        self.labels: AnnotatedSlices = annotated_slices(labels, stack.shape, classes, **how)
        wanted = settings.selection
        self.parts = parts_of(slices, self.labels, voxel_size=voxel, test=wanted.test, apart=wanted.apart)
        tested = self.parts.test or self.parts.validation or self.parts.training
        self.truth = {z: self.labels.read(z) for z in tested}
        self.interval_m = stack.shape[0] * voxel[0] / (len(self.parts.training) + 1)
        self.reader = SliceReader.of(stack, self.network, **how)
        self.learnt = self._slices(self.parts.training)
        self.held = self._slices(self.parts.validation)
        if not self.held:
            self.learnt, self.held = held_out(self.learnt, self.network.stride)

    def _slices(self, places: tuple[int, ...]) -> list[TrainingSlice]:
        return [TrainingSlice(self.reader.read(z), self.labels.read(z), str(z)) for z in places]

    def finish(self, *, resume: bool, overwrite: bool) -> FewSliceResult:
        """Train, segment, score."""
        trained = train_segmentation(
            self.learnt,
            self.held,
            self.network,
            self.training,
            folder=self.place / "model",
            test=self._slices(self.parts.test) if self.training.stop_on == "paper" else (),
            voxel_size=self.stack.voxel_size,
            provenance={"stack": self.stack.identity(), "slices": self.parts.to_dict()},
            resume=resume,
            progress=None if callable(self.how["progress"]) else self.how["progress"],
        )
        begun = time.monotonic()
        passes = {"resume": resume, "overwrite": overwrite, "block": self.settings.run.block, **self.how}
        kernel = self.reader.completed(segmentation_kernel(trained.bundle, backend=self.settings.run.backend))
        cleaning = self.settings.clean_up
        dest = self.place / ("network.zarr" if cleaning.needed else "segmentation.zarr")
        volume = run(kernel, self.stack, dest, pyramid=not cleaning.needed, **passes)
        seconds = {"training": trained.seconds, "segmentation": time.monotonic() - begun}
        if cleaning.needed:
            volume = clean_up(volume, self.place / "segmentation.zarr", cleaning, self.pores, **passes)
        metrics = self._metrics(trained, volume, seconds)
        return FewSliceResult(self.place, volume, metrics, trained.bundle, trained, self.parts, self.truth)

    def _metrics(self, trained: Trained, volume: Volume, seconds: dict[str, float]) -> dict[str, Any]:
        """Return the scores, and write them."""
        file = self.place / "metrics.json"
        scored = {"of": volume.history[-1], "baselines": self.settings.baselines}
        kept = _kept(file)
        if kept.get("scored") == json.loads(json.dumps(scored)):
            return kept
        predicted = {z: volume[z] for z in self.truth}
        metrics = score_slices(self.truth, predicted, self.network.classes, self.pores)
        metrics["scored_on"] = (
            "test" if self.parts.test else "validation" if self.parts.validation else "training"
        )
        metrics["slices"] = {**self.parts.to_dict(), "interval_m": self.interval_m}
        metrics["validation"] = dict(trained.validation)
        metrics["epochs"] = trained.epochs
        if self.settings.baselines:
            images = {z: self.reader.read(z) for z in self.truth}
            given = (self.learnt, self.held, images, self.truth, self.network.classes, self.pores)
            metrics["otsu"] = otsu_scores(
                self.stack, self.truth, self.network.classes, self.pores, **self.how
            )
            metrics["random_forest"] = forest_scores(*given, seed=self.training.seed)
        metrics["seconds"] = {name: round(value, 3) for name, value in seconds.items()}
        metrics["scored"] = scored
        file.write_text(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return metrics


def prepared_folder(out: str | os.PathLike[str], overwrite: bool) -> Path:
    """Return the folder, once it is known that nothing of the user's is in the way."""
    if "://" in os.fspath(out):
        raise ParameterError(
            f"out={os.fspath(out)!r} is a URL, and the model is a folder of files. Give a folder of this machine."
        )
    place = Path(out).expanduser().absolute()
    if place.exists() and not place.is_dir():
        raise VolumeExistsError(f"{place} is a file. Choose another folder.")
    ours = any((place / name).exists() for name in _OURS)
    if place.exists() and any(place.iterdir()) and not (ours or overwrite):
        raise VolumeExistsError(
            f"{place} holds other files: the results would be mixed with them. Choose another one, or overwrite=True."
        )
    return place


def _kept(file: Path) -> dict[str, Any]:
    """Return what an earlier call left in a file; nothing where there is none, or it was cut off."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return told if isinstance(told, dict) else {}
