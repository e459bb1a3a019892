"""Painted slices back from a folder, checked, with the share of pore pixels that were changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, PhaseError, SliceStackError
from bigrock.geometry import Region
from bigrock.volumes import Source, Voxel, source_of
from bigrock.workflows.shale.annotation import FORMAT, MANIFEST
from bigrock.workflows.shale.annotation_files import (
    IGNORE,
    SUFFIXES,
    class_table,
    digest_of,
    pore_values,
    read_labels,
)

__all__ = ["Annotations", "Changed", "import_annotation"]

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Changed:
    """What was corrected by hand, in annotated pixels.

    Parameters
    ----------
    annotated, pixels : int
        Pixels with a class, and all.
    pores : int
        Pixels that are pore before or after.
    pores_changed : int
        Those of them whose class is another one.

    Examples
    --------
    >>> Changed(annotated=90, pixels=100, pores=40, pores_changed=2).share
    0.05
    """

    annotated: int
    pixels: int
    pores: int
    pores_changed: int

    @property
    def share(self) -> float | None:
        """Changed share of the pore pixels; None where there are none."""
        return self.pores_changed / self.pores if self.pores else None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"share": self.share}


@dataclass(frozen=True, slots=True, eq=False)
class Annotations(Mapping[int, Labels]):
    """Slice → labels (uint8, (y, x), 255 = not annotated), as a painter left them; from `import_annotation`.

    Attributes
    ----------
    labels : dict of int to ndarray of uint8
        What the mapping gives.
    classes : dict of str to int
        Class table.
    roles : dict of int to str
        Slice → "train", "validation", "test" or "slice".
    changed : dict of int to Changed
        What was corrected, slice by slice.
    voxel_size : tuple of float
        Of the stack, metres z, y, x.
    """

    labels: dict[int, Labels]
    classes: dict[str, int]
    roles: dict[int, str]
    changed: dict[int, Changed]
    voxel_size: Voxel

    def __getitem__(self, z: int) -> Labels:
        return self.labels[z]

    def __iter__(self) -> Iterator[int]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def total(self) -> Changed:
        """What was corrected in all slices."""
        return Changed(*(sum(getattr(c, n) for c in self.changed.values()) for n in Changed.__slots__))

    def of_role(self, role: str) -> dict[int, Labels]:
        """Return the slices of a role: "train", "validation", "test"."""
        return {z: labels for z, labels in self.labels.items() if self.roles[z] == role}

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the labels as JSON."""
        return {
            "classes": self.classes,
            "voxel_size_m": list(self.voxel_size),
            "slices": [
                {"slice": z, "role": self.roles[z], **changed.to_dict()}
                for z, changed in self.changed.items()
            ],
            "total": self.total.to_dict(),
        }


def import_annotation(
    folder: str | os.PathLike[str], *, stack: Source | str | os.PathLike[str] | None = None
) -> Annotations:
    """Return the corrected labels of a folder that `export_annotation` wrote.

    Reads TIFF and PNG, indexed or plain numbers of any type, or true colours of the legend. Everything is checked
    before anything is returned. The share of pore pixels that were changed is that of all annotated pixels that are
    pore before or after and have another class now (the paper: 5.68 %).

    Parameters
    ----------
    folder : str or path-like
        With its manifest.json.
    stack : Source or path, optional
        What the labels are meant for: its slices must be those that were exported, voxel by voxel.

    Returns
    -------
    Annotations

    Raises
    ------
    SliceStackError
        If files are missing or renamed, are no pictures, have another shape, or belong to another stack.
    PhaseError
        If values are not in the class table, or a class is in no slice.
    ParameterError
        If the folder is no annotation, or a slice holds nothing but 255.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> from bigrock.workflows.shale import export_annotation
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     shale = Shale((8, 96, 96), level="easy")
    ...     done = export_annotation(shale, Path(parent, "a"), slices=[2, 5], radius=15, progress=False)
    ...     labels = import_annotation(done.folder, stack=shale)
    >>> labels[5].shape, labels.total.share
    ((96, 96), 0.0)
    """
    place = Path(folder).expanduser().absolute()
    manifest = _manifest(place)
    entries: list[dict[str, Any]] = manifest["slices"]
    shape = (int(manifest["stack"]["shape"][1]), int(manifest["stack"]["shape"][2]))
    table = class_table(manifest["classes"])
    files = {e["slice"]: _file_of(place, e["files"]["labels"]) for e in entries}
    _check_files(place, entries, files)
    if stack is not None:
        _check_stack(source_of(stack), manifest)
    labels = {z: read_labels(path, table, shape) for z, path in files.items() if path is not None}
    there = {int(v) for plane in labels.values() for v in np.unique(plane)}
    absent = [name for name, value in table.items() if value not in there]
    if absent:
        raise PhaseError(
            f"no pixel of any slice is {' or '.join(map(repr, absent))}: a network could not learn it. "
            "Paint some, or export with a class table without it."
        )
    pores = pore_values(table)
    changed = {}
    for entry in entries:
        before = read_labels(place / entry["files"]["prelabels"], table, shape)
        changed[entry["slice"]] = _changed(before, labels[entry["slice"]], pores)
    z, y, x = manifest["stack"]["voxel_size_m"]
    return Annotations(labels, table, {e["slice"]: e["role"] for e in entries}, changed, (z, y, x))


def _manifest(place: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"{place} has no readable {MANIFEST} ({type(error).__name__}): which slices of which stack these are is "
            "not known. Give the folder that export_annotation (bigrock shale annotate) wrote."
        ) from error
    if not isinstance(manifest, dict) or (manifest.get("format"), manifest.get("version")) != (FORMAT, 1):
        raise ParameterError(
            f"{place / MANIFEST} is not of an annotation that this version of bigrock reads."
        )
    return manifest


def _file_of(place: Path, name: str) -> Path | None:
    """Return the labels of a slice, under the name they were written by or with another suffix."""
    found = [path for s in SUFFIXES if (path := (place / name).with_suffix(s)).is_file()]
    if len(found) > 1:
        raise SliceStackError(
            f"{' and '.join(path.name for path in found)} are both there: which one was painted is not known. "
            "Remove the other."
        )
    return found[0] if found else None


def _check_files(place: Path, entries: list[dict[str, Any]], files: Mapping[int, Path | None]) -> None:
    """Refuse a folder that lacks files, or whose grey pictures or labels to begin with were changed."""
    missing = [e["files"]["labels"] for e in entries if files[e["slice"]] is None]
    missing += [e["files"]["prelabels"] for e in entries if not (place / e["files"]["prelabels"]).is_file()]
    if missing:
        known = {name for e in entries for name in e["files"].values()}
        others = sorted(p.name for p in place.iterdir() if p.suffix in SUFFIXES and p.name not in known)
        hint = f" Renamed? There are {', '.join(others[:5])}." if others else ""
        raise SliceStackError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing in {place}: a slice without labels "
            f"cannot be told from one that nobody painted.{hint} Put it back under its name."
        )
    for entry in entries:
        for what in ("grey", "prelabels"):
            path = place / entry["files"][what]
            if path.is_file() and _digest(path) != entry["sha256"][what]:
                raise SliceStackError(
                    f"{path.name} is not the picture that was exported: the labels of slice {entry['slice']} would be "
                    "those of another. Put the file back, or export again."
                )


def _digest(path: Path) -> str | None:
    """Return the digest of a picture; None of what is none."""
    import tifffile

    try:
        return digest_of(np.asarray(tifffile.imread(path)).squeeze())
    except Exception:
        return None


def _check_stack(source: Source, manifest: dict[str, Any]) -> None:
    """Refuse a stack whose slices are not those that were exported."""
    told = manifest["stack"]
    wrong = list(source.shape) != told["shape"]
    for entry in [] if wrong else manifest["slices"]:
        z = entry["slice"]
        plane = source.read(Region((z, 0, 0), (z + 1, *source.shape[1:])))[0]
        wrong = wrong or digest_of(plane) != entry["sha256"]["voxels"]
    if wrong:
        raise SliceStackError(
            f"the annotated slices are not those of {getattr(source, 'path', 'this stack')} {source.shape}: they were "
            f"exported from {told['path'] or 'a stack'} {tuple(told['shape'])}. Give that stack, or export anew."
        )


def _changed(before: Labels, after: Labels, pores: list[int]) -> Changed:
    annotated = after != IGNORE
    pore = (np.isin(before, pores) | np.isin(after, pores)) & annotated
    return Changed(int(annotated.sum()), after.size, int(pore.sum()), int((pore & (before != after)).sum()))
