"""Labels of a job, in whatever form they come: a volume, a file, or a folder that a painter worked in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bigrock.errors import NotAVolumeError, ParameterError, VolumeNotFoundError
from bigrock.transfer import import_volume
from bigrock.volumes import Source, Volume, open_volume
from bigrock.workflows.shale.annotated import Labels
from bigrock.workflows.shale.annotation import MANIFEST, Exported, export_annotation
from bigrock.workflows.shale.annotation_import import Annotations, import_annotation
from bigrock.workflows.shale.parts import Slices
from bigrock.workflows.shale.selection import select_slices
from bigrock.workflows.shale.settings import ShaleSettings

__all__ = ["given_labels", "prepare_annotation"]

ANNOTATION = "annotation"


def prepare_annotation(scan: Source, folder: Path, settings: ShaleSettings, **how: Any) -> Exported | None:
    """Write the slices of a job with labels to begin with, for a painter; None where they were written before.

    Parameters
    ----------
    scan : Volume
        The stack.
    folder : Path
        Of the job; they are written to ``annotation`` in it.
    settings : ShaleSettings
        How many slices, which classes.
    **how
        executor, ram, progress.

    Returns
    -------
    Exported or None

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> job = Path(tempfile.mkdtemp())
    >>> settings = ShaleSettings(selection={"training": 2, "test": 1})
    >>> prepare_annotation(Shale((12, 48, 48), level="easy"), job, settings, progress=False).folder.name
    'annotation'
    >>> prepare_annotation(Shale((12, 48, 48), level="easy"), job, settings, progress=False) is None
    True
    """
    place = folder / ANNOTATION
    if place.exists():
        return None
    wanted = settings.selection
    choice = select_slices(
        scan.shape[0], wanted.training, voxel_size=scan.voxel_size, test=wanted.test, apart=wanted.apart
    )
    return export_annotation(scan, place, slices=choice, classes=settings.classes, **how)


def given_labels(
    labels: Labels | None, scan: Volume, folder: Path, settings: ShaleSettings, **new: Any
) -> tuple[Labels, Slices]:
    """Return labels that can be learnt from, and how many slices, or which, are for training.

    Parameters
    ----------
    labels : Source, path, mapping or None
        As for `run_shale`.
    scan : Volume
        The stack.
    folder : Path
        Of the job.
    settings : ShaleSettings
        Class table, and how many slices.
    **new
        For `bigrock.import_volume`, of a label file in another format.

    Returns
    -------
    tuple
        Labels, and slices as `segment_from_slices` takes them.

    Raises
    ------
    ParameterError
        If there are none, or their class table is another one.
    """
    count = settings.selection.training
    if labels is None:
        if not (folder / ANNOTATION / MANIFEST).exists():
            raise ParameterError(
                f"no labels are given, and {folder / ANNOTATION} holds none: nothing could be learnt. Give labels, "
                "or write slices for a painter with prepare_annotation (bigrock shale run does it)."
            )
        labels = folder / ANNOTATION
    if isinstance(labels, str | os.PathLike):
        labels = _opened(labels, scan, folder, settings, new)
    if not isinstance(labels, Annotations):
        return labels, count
    if labels.classes != settings.classes:
        raise ParameterError(
            f"the painted slices have the classes {labels.classes}, and the settings {settings.classes}. Set classes "
            "to those of the paint."
        )
    names = {"training": "train", "validation": "validation", "test": "test"}
    parts: Mapping[str, list[int]] = {part: sorted(labels.of_role(role)) for part, role in names.items()}
    return labels, parts if parts["training"] else count


def _opened(
    path: str | os.PathLike[str], scan: Volume, folder: Path, settings: ShaleSettings, new: dict[str, Any]
) -> Labels:
    if "://" not in os.fspath(path) and (Path(path) / MANIFEST).exists():
        return import_annotation(path, stack=scan)
    try:
        return open_volume(path)
    except (NotAVolumeError, VolumeNotFoundError):
        pass
    return import_volume(
        path, folder / "labels.zarr", classes=settings.classes, voxel_size=scan.voxel_size, **new
    )
