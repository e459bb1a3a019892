"""Chosen slices out to a painter: grey pictures, labels to correct, a legend, and a manifest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError, VolumeExistsError
from bigrock.geometry import Region
from bigrock.volumes import Source, facts_of, required_voxel_size, source_of
from bigrock.workflows.shale.annotation_files import (
    IGNORE,
    class_table,
    colours_of,
    digest_of,
    legend_text,
    write_labels,
)
from bigrock.workflows.shale.annotation_prelabels import PrelabelSettings, prelabels
from bigrock.workflows.shale.selection import SliceChoice

__all__ = ["Exported", "export_annotation"]

Array = npt.NDArray[Any]

FORMAT = "bigrock annotation"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """What `export_annotation` wrote.

    Attributes
    ----------
    folder : Path
        Where; `import_annotation` takes it.
    classes : dict of str to int
        Class table.
    slices : dict of int to str
        Slice → its role: "train", "validation", "test", or "slice" where none was given.
    shares : dict of int to dict
        Slice → class → share of its pixels in the labels to begin with.
    """

    folder: Path
    classes: dict[str, int]
    slices: dict[int, str]
    shares: dict[int, dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "folder": str(self.folder),
            "classes": self.classes,
            "slices": [
                {"slice": z, "role": role, "shares": self.shares[z]} for z, role in self.slices.items()
            ],
        }


def export_annotation(
    stack: Source | str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    slices: SliceChoice | Iterable[int],
    classes: int | Mapping[str, int] = 4,
    radius: int = 31,
    min_contrast: float = 0.5,
    min_pore_fraction: float = 0.05,
    shell: int = 2,
    format: Literal["tif", "png"] = "tif",  # noqa: A002
    **options: Any,
) -> Exported:
    """Write slices and labels to begin with into a new folder, for napari, Fiji or any painter.

    For every slice ``slice_00098_grey.tif`` (8 or 16 bits, with the pixel size) and ``slice_00098_labels.tif`` (indexed
    colours: the values are the classes). Correct the labels with the values of ``legend.txt``, paint 255 what you leave
    out, save under the same name, and read them back by `import_annotation`. The folder appears when it is whole, and
    one that exists is never written to: hours of painting may be in it.

    Parameters
    ----------
    stack : Source or path
        Grey levels, with a voxel size.
    folder : str or path-like
        A new folder.
    slices : SliceChoice or iterable of int
        From `select_slices`, or numbers of slices.
    classes : {4, 3, 2} or mapping of str to int
        Class table: matrix, organic matter, organic pore, inorganic pore; without organic matter; matrix and pore;
        or names and values 0, 1, 2…
    radius, min_contrast, min_pore_fraction, shell
        How the labels to begin with are made: `PrelabelSettings`.
    format : {"tif", "png"}
        Of the labels.
    **options
        As for `bigrock.reduce`: executor, block, ram, progress.

    Returns
    -------
    Exported

    Raises
    ------
    VolumeExistsError
        If the folder exists and is not empty.
    VoxelSizeError
        If the stack has no voxel size.
    ParameterError
        If a slice is not in the stack, is named twice, or none is named.
    PhaseError
        If the class table is not possible, or the stack is a mask or labels.
    NonFiniteError
        If a voxel is NaN or infinite.

    Examples
    --------
    >>> import tempfile
    >>> from bigrock.datasets import Shale
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     shale = Shale((8, 64, 64), level="easy")
    ...     done = export_annotation(shale, Path(parent, "a"), slices=[2, 5], radius=15, progress=False)
    ...     sorted(path.name for path in done.folder.glob("slice*"))[:2]
    ['slice_00002_grey.tif', 'slice_00002_labels.tif']
    """
    from bigrock.engine.kinds import check_kinds
    from bigrock.kernels import LocalOtsu

    source = source_of(stack)
    settings = PrelabelSettings(radius, min_contrast, min_pore_fraction, shell)
    table, roles = class_table(classes), _roles(slices, source.shape[0])
    if shell not in (1, 2, 3) or format not in ("tif", "png"):
        raise ParameterError(
            f"shell={shell}, format={format!r} are not allowed. Use a shell of 1, 2 or 3 pixels, and 'tif' or 'png'."
        )
    check_kinds(LocalOtsu(radius), facts_of(source))
    required_voxel_size(source, "the interval between annotated slices")
    target = Path(folder).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise VolumeExistsError(
            f"{target} exists already: hours of painting may be in it. Choose another folder, or remove it yourself."
        )
    labels = prelabels(source, tuple(roles), table, settings, **options)
    part = target.with_name(f".{target.name}.partial")
    shutil.rmtree(part, ignore_errors=True)
    try:
        (part / "prelabels").mkdir(parents=True)
        _write(part, source, labels, table, roles, settings, format)
        if target.exists():
            target.rmdir()
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shares = {z: {n: float((plane == v).mean()) for n, v in table.items()} for z, plane in labels.items()}
    return Exported(target, table, roles, shares)


def _roles(slices: SliceChoice | Iterable[int], depth: int) -> dict[int, str]:
    """Return slice → role, in the order of the stack."""
    if isinstance(slices, SliceChoice):
        roles = slices.roles
    else:
        numbers = sorted(int(z) for z in slices)
        roles = dict.fromkeys(numbers, "slice")
        if len(roles) < len(numbers):
            raise ParameterError(f"slices={numbers} names a slice twice. Name each once.")
    if not roles or not all(0 <= z < depth for z in roles):
        raise ParameterError(
            f"slices={list(roles)} are not some of the slices of a stack of {depth}. Use numbers from 0 to {depth - 1}."
        )
    return roles


def _write(
    part: Path,
    source: Source,
    labels: Mapping[int, Any],
    table: Mapping[str, int],
    roles: Mapping[int, str],
    settings: PrelabelSettings,
    suffix: str,
) -> None:
    """Write everything into a folder."""
    from bigrock.engine.settings import json_value

    planes = {z: source.read(Region((z, 0, 0), (z + 1, *source.shape[1:])))[0] for z in roles}
    span = [float(min(p.min() for p in planes.values())), float(max(p.max() for p in planes.values()))]
    entries = []
    for z, role in roles.items():
        grey, name = _grey(planes[z], span), f"slice_{z:05d}"
        _write_grey(part / f"{name}_grey.tif", grey, source)
        write_labels(part / f"{name}_labels.{suffix}", labels[z], table)
        write_labels(part / "prelabels" / f"{name}.tif", labels[z], table)
        files = {
            "grey": f"{name}_grey.tif",
            "labels": f"{name}_labels.{suffix}",
            "prelabels": f"prelabels/{name}.tif",
        }
        pixels = {"voxels": planes[z], "grey": grey, "prelabels": labels[z]}
        digests = {what: digest_of(array) for what, array in pixels.items()}
        entries.append({"slice": z, "role": role, "files": files, "sha256": digests})
    manifest = {
        "format": FORMAT,
        "version": 1,
        "stack": {
            "path": getattr(source, "path", None),
            "shape": list(source.shape),
            "dtype": str(np.dtype(source.dtype)),
            "voxel_size_m": list(required_voxel_size(source, "its slices")),
            "identity": json_value(source.identity()),
        },
        "classes": dict(table),
        "ignore": IGNORE,
        "grey_levels": None if planes[next(iter(roles))].dtype == grey.dtype else span,
        "prelabels": json_value(settings),
        "slices": entries,
    }
    (part / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    _write_legend(part, table)


def _write_legend(part: Path, table: Mapping[str, int]) -> None:
    """Write what the values mean, for people and for programs."""
    (part / "legend.txt").write_text(legend_text(table), encoding="utf-8")
    names = {v: n for n, v in table.items()} | {IGNORE: "not annotated"}
    legend = [
        {"value": v, "class": names[v], "rgb": list(c), "colour": "#{:02x}{:02x}{:02x}".format(*c)}
        for v, c in colours_of(table).items()
    ]
    (part / "legend.json").write_text(json.dumps(legend, indent=2), encoding="utf-8")


def _grey(plane: Array, span: list[float]) -> Array:
    """Return a slice as 8 or 16 bits; other types from the least to the greatest value of all slices."""
    if plane.dtype in (np.uint8, np.uint16):
        return plane
    low, high = span
    return np.rint((plane.astype(np.float64) - low) / ((high - low) or 1.0) * 65535).astype(np.uint16)


def _write_grey(path: Path, grey: Array, source: Source) -> None:
    from bigrock.volumes.formats.write_tiff import write_tiff

    write_tiff([grey[None]], path, shape=(1, *grey.shape), dtype=grey.dtype, voxel_size=source.voxel_size)
