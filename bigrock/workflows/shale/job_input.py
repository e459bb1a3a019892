"""What a shale job is given: the stack, imported where it is no volume yet, and labels that fit it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bigrock.engine.progress import ProgressLike
from bigrock.errors import NotAVolumeError, VolumeNotFoundError
from bigrock.transfer import import_source, import_volume
from bigrock.units import parse_voxel_size
from bigrock.volumes import Source, Volume, open_volume, required_voxel_size
from bigrock.workflows.settings import ImportSettings
from bigrock.workflows.shale.annotated import AnnotatedSlices, Labels
from bigrock.workflows.shale.few_slice_job import checked_labels
from bigrock.workflows.shale.given_labels import given_labels
from bigrock.workflows.shale.parts import Parts
from bigrock.workflows.shale.segmenting import few_slice_settings, prepared_folder
from bigrock.workflows.shale.settings import ShaleSettings
from bigrock.workflows.shale.sweep_slices import sweep_parts

__all__ = ["checked_input", "imported_stack", "stack_of"]


def stack_of(
    source: str | os.PathLike[str] | Source,
    folder: str | os.PathLike[str],
    *,
    settings: ShaleSettings,
    overwrite: bool = False,
    resume: bool = True,
    progress: ProgressLike = None,
) -> Volume:
    """Return the stack of a job as a volume, imported into its folder where it is none.

    Parameters
    ----------
    source, folder, settings, overwrite, resume, progress
        As for `run_shale`.
    """
    place = prepared_folder(folder, overwrite)
    _looked_at(source, settings.scan)
    new = {"resume": resume, "overwrite": overwrite, "ram": settings.run.ram, "progress": progress}
    return imported_stack(source, place / "scan.zarr", settings.scan, new)


def checked_input(
    source: str | os.PathLike[str] | Source,
    labels: Labels | None,
    place: Path,
    settings: ShaleSettings,
    how: dict[str, Any],
) -> tuple[AnnotatedSlices, Parts]:
    """Return labels and parts of a job, once they fit the stack: before it is imported, which may take hours.

    Parameters
    ----------
    source, labels, settings
        As for `run_shale`.
    place : Path
        Folder of the job.
    how : dict
        For `bigrock.reduce`: executor, ram, progress.

    Returns
    -------
    labels : AnnotatedSlices
    parts : Parts
    """
    scan = settings.scan
    stack = _looked_at(source, scan)
    known, slices = given_labels(labels, stack, place, settings)
    voxel = None if scan.voxel_size is None else parse_voxel_size(scan.voxel_size)
    few = few_slice_settings(settings)
    checked = checked_labels(known, slices, stack, settings.classes, few, voxel_size=voxel, **how)
    if settings.sweep.counts:
        sweep_parts(checked[0], settings.sweep.counts, test=settings.selection.test)
    return checked


def _looked_at(source: str | os.PathLike[str] | Source, scan: ImportSettings) -> Source:
    """Return the stack where it lies, once its voxel size is known."""
    stack = _volume(source, scan) or import_source(source, **scan.model_dump(exclude={"voxel_size"}))
    if scan.voxel_size is None:
        required_voxel_size(stack, "the interval between training slices")
    return stack


def _volume(source: str | os.PathLike[str] | Source, scan: ImportSettings) -> Volume | None:
    """Return the stack if it is a volume that is taken as it is."""
    if scan != ImportSettings():
        return None
    if isinstance(source, str | os.PathLike):
        try:
            return open_volume(source)
        except (NotAVolumeError, VolumeNotFoundError):
            return None
    return source if isinstance(source, Volume) else None


def imported_stack(
    source: str | os.PathLike[str] | Source, dest: Path, scan: ImportSettings, options: dict[str, Any]
) -> Volume:
    """Return the stack as a volume: itself where it is one, else imported.

    Parameters
    ----------
    source : str, path-like or Source
        The stack.
    dest : Path
        Where it goes if it is imported.
    scan : ImportSettings
        How it is read.
    options : dict
        For `bigrock.import_volume`.

    Returns
    -------
    Volume
    """
    return _volume(source, scan) or import_volume(source, dest, **scan.model_dump(), **options)
