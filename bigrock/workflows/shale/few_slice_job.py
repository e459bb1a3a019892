"""One few-slice job: checked as a whole before anything is written, then trained, segmented and scored."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.running import run
from bigrock.errors import PhaseError, VolumeExistsError
from bigrock.models import Bundle, segmentation_kernel
from bigrock.training import Trained, TrainingSlice, train_segmentation
from bigrock.volumes import Source, Volume
from bigrock.volumes.source import Voxel, required_voxel_size
from bigrock.workflows.shale.annotated import AnnotatedSlices, Labels, annotated_slices
from bigrock.workflows.shale.annotation_files import digest_of
from bigrock.workflows.shale.clean_up import clean_up
from bigrock.workflows.shale.parts import Parts, Slices, held_out, parts_of
from bigrock.workflows.shale.scoring import forest_scores, otsu_scores, score_slices
from bigrock.workflows.shale.settings import FewSliceSettings
from bigrock.workflows.shale.slices import SliceReader

__all__ = ["FewSliceJob", "FewSliceResult", "checked_labels", "kept_json"]


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


class FewSliceJob:
    """A stack, its labels and settings, checked as a whole; nothing is written before `train` or `finish`.

    Parameters as those of `segment_from_slices`; `how` holds executor, ram and progress.
    """

    def __init__(
        self,
        stack: Source,
        labels: Labels,
        slices: Slices,
        classes: dict[str, int],
        seed: int,
        settings: FewSliceSettings,
        how: dict[str, Any],
    ) -> None:
        self.stack, self.settings, self.how = stack, settings, how
        self.network = settings.network.made(classes)
        self.pores = [classes[name] for name in settings.pore_names(classes)]
        self.training = dataclasses.replace(settings.training, seed=seed)
        self.labels, self.parts = checked_labels(labels, slices, stack, classes, settings, **how)
        tested = self.parts.test or self.parts.validation or self.parts.training
        self.truth = {z: self.labels.read(z) for z in tested}
        depth_m = stack.shape[0] * required_voxel_size(stack, "the interval between training slices")[0]
        self.interval_m = depth_m / (len(self.parts.training) + 1)
        self.reader = SliceReader.of(stack, self.network, **how)
        self.learnt = self._slices(self.parts.training)
        self.held = self._slices(self.parts.validation)
        if not self.held:
            self.learnt, self.held = held_out(self.learnt, self.network.stride)

    def _slices(self, places: tuple[int, ...]) -> list[TrainingSlice]:
        return [TrainingSlice(self.reader.read(z), self.labels.read(z), str(z)) for z in places]

    def train(self, folder: Path, *, resume: bool) -> Trained:
        """Train, and write the bundle."""
        progress = self.how["progress"]
        return train_segmentation(
            self.learnt,
            self.held,
            self.network,
            self.training,
            folder=folder,
            test=self._slices(self.parts.test) if self.training.stop_on == "paper" else (),
            voxel_size=self.stack.voxel_size,
            provenance={"stack": self.stack.identity(), "slices": self.parts.to_dict()},
            resume=resume,
            progress=None if callable(progress) else progress,
        )

    def finish(self, place: Path, *, resume: bool, overwrite: bool) -> FewSliceResult:
        """Train, segment, score, all into a folder."""
        if not (resume or overwrite) and (place / "model").exists():
            raise VolumeExistsError(
                f"{place} holds a job already, and resume=False refuses to continue it: its model would be lost. "
                "Choose another folder, or overwrite=True."
            )
        resume = resume and not overwrite
        trained = self.train(place / "model", resume=resume)
        begun = time.monotonic()
        passes = {
            "resume": resume,
            "overwrite": overwrite,
            "block": self.settings.run.block,
            **self.how,
        }
        kernel = self.reader.completed(segmentation_kernel(trained.bundle, backend=self.settings.run.backend))
        cleaning = self.settings.clean_up
        dest = place / ("network.zarr" if cleaning.needed else "segmentation.zarr")
        volume = run(kernel, self.stack, dest, pyramid=not cleaning.needed, **passes)
        seconds = {"training": trained.seconds, "segmentation": time.monotonic() - begun}
        if cleaning.needed:
            volume = clean_up(volume, place / "segmentation.zarr", cleaning, self.pores, **passes)
        metrics = self._metrics(trained, volume, seconds, place / "metrics.json")
        return FewSliceResult(place, volume, metrics, trained.bundle, trained, self.parts, self.truth)

    def _metrics(
        self, trained: Trained, volume: Volume, seconds: dict[str, float], file: Path
    ) -> dict[str, Any]:
        """Return the scores, and write them; those of the same labels and truth stay."""
        truth = {str(z): digest_of(plane) for z, plane in self.truth.items()}
        said = {"of": volume.history[-1], "truth": truth, "pores": self.pores}
        scored = json.loads(json.dumps({**said, "baselines": self.settings.baselines}))
        kept = kept_json(file)
        before = kept.get("scored", {})
        if before == scored:
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
        again = before.get("of") == scored["of"]
        metrics["seconds"] = kept["seconds"] if again else {n: round(s, 3) for n, s in seconds.items()}
        metrics["scored"] = scored
        file.write_text(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return metrics


def checked_labels(
    labels: Labels,
    slices: Slices,
    stack: Source,
    classes: Mapping[str, int],
    settings: FewSliceSettings,
    *,
    voxel_size: Voxel | None = None,
    **how: Any,
) -> tuple[AnnotatedSlices, Parts]:
    """Return labels and parts of a stack, once it is known that they fit it; reads no voxel of the stack.

    Parameters
    ----------
    labels, slices, stack, classes
        As for `segment_from_slices`.
    settings : FewSliceSettings
        How many slices are tested, and how far apart.
    voxel_size : tuple of float, optional
        Metres z, y, x, where the stack does not say so itself.
    **how
        For `bigrock.reduce`: executor, ram, progress.

    Returns
    -------
    labels : AnnotatedSlices
    parts : Parts

    Raises
    ------
    ParameterError, PhaseError, VoxelSizeError
        If they do not fit, a class is annotated in no training slice, or there is no voxel size.
    """
    voxel = voxel_size or required_voxel_size(stack, "the interval between training slices")
    known = annotated_slices(labels, stack.shape, classes, **how)
    wanted = settings.selection
    parts = parts_of(slices, known, voxel_size=voxel, test=wanted.test, apart=wanted.apart)
    if missing := known.missing(list(parts.training)):
        raise PhaseError(
            f"no pixel of the training slices {list(parts.training)} is annotated as {', '.join(missing)}: the network "
            "would never give that class. Annotate some, choose other slices, or leave the class out of the table."
        )
    return known, parts


def kept_json(file: Path) -> dict[str, Any]:
    """Return what an earlier call left in a file; nothing where there is none, or it was cut off."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return told if isinstance(told, dict) else {}
