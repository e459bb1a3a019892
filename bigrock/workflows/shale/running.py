"""The whole shale job: from a stack and some labels to organic porosity and a report page, in one folder."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigrock.engine.progress import ProgressLike
from bigrock.measures import Measurements
from bigrock.report import write_figures, write_report
from bigrock.report.section import Section
from bigrock.volumes import Source, Volume
from bigrock.workflows.execution import executing
from bigrock.workflows.shale.account_report import account_sections
from bigrock.workflows.shale.accounting import ShaleAccount, account
from bigrock.workflows.shale.annotated import AnnotatedSlices, Labels
from bigrock.workflows.shale.evaluation import evaluate, evaluation_sections
from bigrock.workflows.shale.few_slice_job import FewSliceJob, FewSliceResult, kept_json
from bigrock.workflows.shale.job_input import checked_input, imported_stack
from bigrock.workflows.shale.quality import stack_quality
from bigrock.workflows.shale.segmenting import few_slice_settings, prepared_folder
from bigrock.workflows.shale.settings import ShaleSettings
from bigrock.workflows.shale.sweeping import Sweep, sweep, sweep_section

__all__ = ["ShaleResult", "run_shale"]


@dataclass(frozen=True, slots=True, eq=False)
class ShaleResult:
    """What `run_shale` made, and where it lies.

    Attributes
    ----------
    folder : Path
        ``scan.zarr``, ``segmentation.zarr``, ``model``, ``quality.json``, ``metrics.json``,
        ``account.json`` and ``.csv``, ``sweep`` on request, ``report.html``.
    scan : Volume
        The stack.
    few : FewSliceResult
        Labels, scores, bundle.
    account : ShaleAccount or None
        Organic porosity and the rest; None where the class table has no organic and inorganic pores.
    sweep : Sweep or None
        How many slices are enough; None where the settings do not ask.
    report : Path
        The page.
    seconds : float
        Wall time of this call.
    """

    folder: Path
    scan: Volume
    few: FewSliceResult
    account: ShaleAccount | None
    sweep: Sweep | None
    report: Path
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON; the arrays stay in the files of the folder."""
        metrics, found = self.few.metrics, self.account
        told = {name: metrics.get(name) for name in ("iou", "mean_iou", "pore_iou", "porosity_bias")}
        told |= {"scored_on": metrics["scored_on"], "slices": metrics["slices"]}
        if found is not None:
            told |= {name: found[name] for name in ("porosity", "om_content", "organic_porosity")}
        if self.sweep is not None:
            told["recommended_slices"] = self.sweep.recommended
        places = {"report": str(self.report), "folder": str(self.folder), "model": self.few.bundle.folder}
        return {**told, "seconds": round(self.seconds, 3), **places}


def run_shale(
    source: str | os.PathLike[str] | Source,
    labels: Labels | None,
    folder: str | os.PathLike[str],
    *,
    settings: ShaleSettings | None = None,
    seed: int | None = None,
    overwrite: bool = False,
    resume: bool = True,
    progress: ProgressLike = None,
) -> ShaleResult:
    """Return the organic porosity of a stack, learnt from a few annotated slices, and leave a page about it.

    Stack quality, choice of slices, training, segmentation, clean-up, scores, accounting, report. Out
    of core; the same call goes on where an interrupted job stopped, and repeats no finished step.

    Parameters
    ----------
    source : str, path-like or Source
        The stack; anything that `bigrock.import_volume` takes.
    labels : Source, path, mapping of int to ndarray, or None
        As for `segment_from_slices`; or a folder that `export_annotation` wrote and a painter has
        corrected. None takes ``annotation`` in `folder`, which `prepare_annotation` writes.
    folder : str or path-like
        A new folder on this machine, or one that the same job began.
    settings : ShaleSettings, optional
        The defaults otherwise.
    seed : int, optional
        Of weights and patches; that of ``settings.training`` otherwise.
    overwrite, resume : bool
        Replace what a job of other settings left; continue what is there.
    progress : callable, bool, optional
        As for `bigrock.run`.

    Returns
    -------
    ShaleResult

    Raises
    ------
    ParameterError, PhaseError, VoxelSizeError, NonFiniteError
        If stack, labels and settings do not fit together; before anything is trained.
    VolumeExistsError, ResumeError
        If the folder holds something else, or a job with another stack or other settings.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> shale = Shale((16, 48, 48), level="easy")
    >>> short = {"max_epochs": 1, "steps_per_epoch": 2, "batch": 1, "patch": 16}
    >>> settings = ShaleSettings(
    ...     selection={"training": 3}, network={"features": [4, 4, 8]}, training=short, quality=False)
    >>> found = run_shale(shale, shale.truth, tempfile.mkdtemp() + "/job", settings=settings, progress=False)
    >>> found.report.name, found.account["organic_porosity"]["definition"]
    ('report.html', 'hosted')
    """
    start = time.monotonic()
    settings = settings or ShaleSettings()
    place = prepared_folder(folder, overwrite)
    with executing(settings.run.executor) as executor:
        how = {"executor": executor, "ram": settings.run.ram, "progress": progress}
        new = {"resume": resume, "overwrite": overwrite, "block": settings.run.block, **how}
        known, parts = checked_input(source, labels, place, settings, how)
        scan = imported_stack(source, place / "scan.zarr", settings.scan, new)
        seed = settings.training.seed if seed is None else seed
        few = few_slice_settings(settings)
        job = FewSliceJob(scan, known, parts, settings.classes, seed, few, how)
        if settings.quality:
            _quality(scan, place / "quality.json", how)
        done = job.finish(place, resume=resume, overwrite=overwrite)
        found = _accounted(done.volume, place, settings, how)
        swept = _swept(scan, known, place, settings, resume=resume and not overwrite, progress=progress)
    report = _page(place, scan, done, found, swept, settings)
    return ShaleResult(place, scan, done, found, swept, report, time.monotonic() - start)


def _quality(scan: Volume, file: Path, how: dict[str, Any]) -> None:
    """Write what is wrong with the stack; what is there of the same stack stays."""
    if kept_json(file).get("stack") == _plain(scan.identity()):
        return
    told = {"stack": scan.identity(), **stack_quality(scan, **how).to_dict()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _accounted(
    volume: Volume, place: Path, settings: ShaleSettings, how: dict[str, Any]
) -> ShaleAccount | None:
    """Return the account of the labels, and write it; None where there are no two kinds of pores."""
    if not {"organic pore", "inorganic pore"} <= set(volume.classes):
        return None
    wanted = settings.account
    found = account(
        volume,
        sample=place.name,
        depth=wanted.depth,
        organic_porosity=wanted.organic_porosity,
        pores_count_as_om=wanted.pores_count_as_om,
        min_pore_voxels=wanted.min_pore_voxels,
        **how,
    )
    found.to_json(place / "account.json")
    found.to_csv(place / "account.csv")
    return found


def _swept(
    scan: Volume, known: AnnotatedSlices, place: Path, settings: ShaleSettings, **how: Any
) -> Sweep | None:
    """Return how many slices are enough, where that is asked for."""
    wanted = settings.sweep
    if not wanted.counts:
        return None
    config = few_slice_settings(settings)
    return sweep(
        scan,
        known,
        place / "sweep",
        classes=settings.classes,
        counts=wanted.counts,
        seeds=wanted.seeds,
        config=config,
        **how,
    )


def _page(
    place: Path,
    scan: Volume,
    few: FewSliceResult,
    found: ShaleAccount | None,
    swept: Sweep | None,
    settings: ShaleSettings,
) -> Path:
    """Write the page, and return its path."""
    classes = few.volume.classes
    scored = evaluate(few.volume, few.truth, slices=sorted(few.truth), pores=settings.pore_names(classes))
    sections = evaluation_sections(scored, scan)
    if swept is not None:
        sections.append(sweep_section(swept))
    told: list[Measurements] = [_training(few)]
    if found is not None:
        sections = account_sections(found, few.volume) + sections
        kept = {n: found.measurements[n] for n in found.measurements if n not in ("shale", "pore_space")}
        told += [Measurements(kept, found.measurements.units, found.measurements.volume), found.pores]
    if settings.quality:
        sections.append(_quality_section(place / "quality.json"))
    volumes = {"scan": scan, "segmentation": few.volume}
    if settings.report.figures:
        write_figures(volumes, place / "figures", measurements=told)
    return write_report(
        volumes,
        place / "report.html",
        measurements=told,
        title=settings.report.title or f"Organic porosity of {place.name}",
        sections=sections,
    )


def _quality_section(file: Path) -> Section:
    """Return what was wrong with the stack, for the page."""
    warnings = json.loads(file.read_text(encoding="utf-8"))["warnings"]
    note = " ".join(warnings) or "No lost, doubled, shifted or striped slice was found."
    return Section("Stack quality", note=note)


def _training(few: FewSliceResult) -> Measurements:
    """Return what was trained, and what the random forest reaches, as a table for the page."""
    told: dict[str, Any] = {
        name: ", ".join(map(str, few.metrics["slices"][name])) or "none"
        for name in ("training", "validation", "test")
    }
    told |= {"interval": few.metrics["slices"]["interval_m"], "epochs": few.trained.epochs}
    told["scored_on"] = few.metrics["scored_on"]
    told["seconds"] = few.metrics["seconds"]
    told |= {
        f"iou_of_{name}": few.metrics[name]["iou"]
        for name in ("random_forest", "otsu")
        if name in few.metrics
    }
    return Measurements({"slices and training": told}, {"slices and training": {"interval": "m"}}, {})


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))
