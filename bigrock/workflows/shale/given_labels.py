"""Labels of a job, in whatever form they come: a volume, a file, or a folder that a painter worked in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bigrock.errors import NotAVolumeError, ParameterError
from bigrock.transfer import import_source
from bigrock.volumes import Source, open_volume, required_voxel_size
from bigrock.workflows.shale.annotated import Labels
from bigrock.workflows.shale.annotation import MANIFEST, Exported, export_annotation
from bigrock.workflows.shale.annotation_import import Annotations, import_annotation
from bigrock.workflows.shale.parts import Slices
from bigrock.workflows.shale.selection import SliceChoice, select_slices
from bigrock.workflows.shale.settings import SelectionSettings, ShaleSettings
from bigrock.workflows.shale.slice_diversity import slice_texture

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
    choice = _choice(scan, settings.selection, how)
    return export_annotation(scan, place, slices=choice, classes=settings.classes, **how)


def _choice(scan: Source, wanted: SelectionSettings, how: dict[str, Any]) -> SliceChoice:
    """Return the slices to annotate: those that are named, or at equal intervals, or by texture."""
    depth, voxel = scan.shape[0], required_voxel_size(scan, "the interval between training slices")
    if wanted.slices is not None:
        named = (tuple(wanted.slices.get(part, ())) for part in ("training", "validation", "test"))
        train, validation, test = named
        interval_m = depth * voxel[0] / (len(train) + 1)
        return SliceChoice(depth, train, validation, test, interval_m, voxel[0])
    options: dict[str, Any] = {"voxel_size": voxel, "test": wanted.test, "apart": wanted.apart}
    # Refuses impossible numbers before the texture of a voxel is measured.
    choice = select_slices(depth, wanted.training, **options)
    if not wanted.diverse:
        return choice
    return select_slices(depth, wanted.training, texture=slice_texture(scan, **how), **options)


def given_labels(
    labels: Labels | None, stack: Source, folder: Path, settings: ShaleSettings
) -> tuple[Labels, Slices]:
    """Return labels that can be learnt from, and how many slices, or which, are for training.

    Nothing is written. A label file in another format is read where it lies.

    Parameters
    ----------
    labels : Source, path, mapping or None
        As for `run_shale`.
    stack : Source
        The stack.
    folder : Path
        Of the job.
    settings : ShaleSettings
        Class table, and which slices.

    Returns
    -------
    tuple
        Labels, and slices as `segment_from_slices` takes them.

    Raises
    ------
    ParameterError
        If there are none, or their class table is another one.
    """
    if labels is None:
        if not (folder / ANNOTATION / MANIFEST).exists():
            raise ParameterError(
                f"no labels are given, and {folder / ANNOTATION} holds none: nothing could be learnt. Give labels, "
                "or write slices for a painter with prepare_annotation (bigrock shale run does it)."
            )
        labels = folder / ANNOTATION
    if isinstance(labels, str | os.PathLike):
        labels = _opened(labels, stack)
    slices = settings.selection.wanted
    if not isinstance(labels, Annotations):
        return labels, slices
    if labels.classes != settings.classes:
        raise ParameterError(
            f"the painted slices have the classes {labels.classes}, and the settings {settings.classes}. Set classes "
            "to those of the paint."
        )
    names = {"training": "train", "validation": "validation", "test": "test"}
    painted: Mapping[str, list[int]] = {part: sorted(labels.of_role(role)) for part, role in names.items()}
    return labels, painted if painted["training"] else slices


def _opened(path: str | os.PathLike[str], stack: Source) -> Labels:
    if "://" not in os.fspath(path) and (Path(path) / MANIFEST).exists():
        return import_annotation(path, stack=stack)
    try:
        return open_volume(path)
    except NotAVolumeError:
        return import_source(path)
