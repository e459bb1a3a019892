"""A folder or glob of single slices, in the order that people count."""

from __future__ import annotations

import glob
import hashlib
import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import SliceStackError, UnsupportedFormatError, VolumeNotFoundError
from bigrock.geometry import Region, Shape
from bigrock.volumes.formats.slice_file import SLICE_SUFFIXES, SliceFacts, read_slice, slice_facts
from bigrock.volumes.formats.voxels import check_region, require_file
from bigrock.volumes.source import Voxel

__all__ = ["SliceStackSource", "natural_key", "open_stack"]

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class SliceStackSource:
    """A volume whose z slices are files.

    Exact (JPEG slices carry the loss of their compression). A region opens one file per slice that it
    covers; a TIFF slice decodes only the strips that are asked for, other formats whole.

    Parameters
    ----------
    folder : str
        The folder of the files.
    names : tuple of str
        The files, slice 0 first.
    facts : SliceFacts
        Size and type, the same for all.
    channel : int, optional
        Which channel of colour slices.
    voxel_size : tuple of float, optional
        Metres along z, y, x; single slices state none.

    Examples
    --------
    >>> import tempfile, tifffile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for z in (2, 10):
    ...         tifffile.imwrite(Path(folder, f"slice{z}.tif"), np.full((3, 4), z, "u1"))
    ...     source = open_stack(folder)
    ...     source.names, source.shape
    (('slice2.tif', 'slice10.tif'), (2, 3, 4))
    """

    folder: str
    names: tuple[str, ...]
    facts: SliceFacts
    channel: int | None = None
    voxel_size: Voxel | None = None

    @property
    def shape(self) -> Shape:
        """Extent in voxels: files, height, width."""
        return len(self.names), self.facts.height, self.facts.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the slices, in native byte order."""
        return np.dtype(self.facts.dtype)

    @property
    def read_unit(self) -> Shape:
        """A strip or tile of one TIFF slice; a whole slice of other formats."""
        return 1, *self.facts.unit

    def read(self, region: Region) -> npt.NDArray[Any]:
        """Return the voxels of `region`, opening the files of its slices only.

        Raises
        ------
        SliceStackError
            If a slice changed its size or type since the stack was opened.
        """
        check_region(region, self.shape, self.folder)
        out = np.empty(region.shape, self.dtype)
        rows, columns = region.slices[1:]
        for place, name in enumerate(self.names[region.start[0] : region.stop[0]]):
            out[place] = read_slice(str(Path(self.folder, name)), self.facts, self.channel, rows, columns)
        return out

    def identity(self) -> dict[str, Any]:
        """Return the folder, the number of slices, their bytes, and a digest of names, sizes and times."""
        digest, size, latest = hashlib.sha256(), 0, 0
        for name in self.names:
            state = Path(self.folder, name).stat()
            digest.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
            size, latest = size + state.st_size, max(latest, state.st_mtime_ns)
        return {
            "path": self.folder,
            "format": "stack",
            "slices": len(self.names),
            "first": self.names[0],
            "size": size,
            "mtime_ns": latest,
            "digest": digest.hexdigest(),
            "channel": self.channel,
            "voxel_size": self.voxel_size and list(self.voxel_size),
        }


def natural_key(name: str) -> tuple[tuple[str, int], ...]:
    """Return a sort key in which numbers count as numbers, so that slice2 comes before slice10.

    Examples
    --------
    >>> sorted(["s10.tif", "s2.tif", "S1.tif"], key=natural_key)
    ['S1.tif', 's2.tif', 's10.tif']
    """
    parts = _DIGITS.split(name.lower())
    pairs = zip(parts[::2], [*(int(digits) for digits in parts[1::2]), -1], strict=True)
    return tuple(pairs)


def open_stack(
    path: str | Path, *, channel: int | None = None, voxel_size: Voxel | None = None
) -> SliceStackSource:
    """Return the volume in a folder, or a glob, of slice images.

    The numbers in the names must have no gaps, counted in the largest step that divides all their
    differences: 0, 10, 20 is complete and 0, 10, 30 is not. Every header is read (about 1 ms for a TIFF
    slice, less for others), no pixel is.

    Parameters
    ----------
    path : str or Path
        A folder, of which all TIFF, PNG, BMP and JPEG files are taken, or a pattern such as
        ``"scan/slice_*.tif"``.
    channel : int, optional
        Which channel of colour slices.
    voxel_size : tuple of float, optional
        Metres along z, y, x.

    Returns
    -------
    SliceStackSource
        Slices in natural order: slice2 before slice10.

    Raises
    ------
    VolumeNotFoundError
        If no file matches.
    SliceStackError
        If slice numbers are missing or double, or slices differ in size or type; it says which.
    SourceError
        If the slices are in colour and no channel is selected.
    """
    files = _find(path)
    folder = files[0].parent
    if any(file.parent != folder for file in files):
        raise SliceStackError(
            f"{path} matches files in several folders ({folder}, {files[-1].parent}): their order is not known. "
            "Match the slices of one folder."
        )
    names = [file.name for file in files]
    _check_names(names, str(folder))
    facts = [slice_facts(str(file), channel) for file in files]
    _check_alike([(f.height, f.width) for f in facts], names, "size (y, x)", "Crop or replace them")
    _check_alike([f.dtype for f in facts], names, "type", "Convert them to one type")
    return SliceStackSource(str(folder), tuple(names), facts[0], channel, voxel_size)


def _find(path: str | Path) -> list[Path]:
    text = str(Path(path).expanduser().absolute())
    if glob.has_magic(text) and not Path(text).exists():
        found = [Path(name) for name in glob.glob(text)]  # noqa: PTH207  (an absolute pattern)
    elif require_file(text).is_file():
        found = [Path(text)]
    else:
        found = [file for file in Path(text).iterdir() if not file.name.startswith(".")]
        found = [file for file in found if file.suffix.lower() in SLICE_SUFFIXES]
    if not found:
        raise VolumeNotFoundError(
            f"{path} holds no slice images. Give a folder or a pattern with {', '.join(SLICE_SUFFIXES)} files."
        )
    odd = sorted({file.suffix for file in found if file.suffix.lower() not in SLICE_SUFFIXES})
    if odd:
        raise UnsupportedFormatError(
            f"{path} matches {', '.join(odd)} files, which are not slice images. Slices can be "
            f"{', '.join(SLICE_SUFFIXES)}."
        )
    kinds = Counter(file.suffix.lower() for file in found)
    if len(kinds) > 1:
        told = ", ".join(f"{count} {suffix}" for suffix, count in kinds.most_common())
        raise SliceStackError(
            f"{path} holds slices of several formats ({told}): the stack may hold slices twice. "
            f"Select one kind, such as '*{kinds.most_common(1)[0][0]}'."
        )
    return sorted(found, key=lambda file: natural_key(file.name))


def _check_names(names: Sequence[str], folder: str) -> None:
    """Refuse gaps in the one number that varies from name to name; names without one are only sorted."""
    parts = [_DIGITS.split(name) for name in names]
    patterns = Counter(tuple(part[::2]) for part in parts)
    if len(patterns) > 1:
        usual = patterns.most_common(1)[0][0]
        odd = [name for name, part in zip(names, parts, strict=True) if tuple(part[::2]) != usual]
        raise SliceStackError(
            f"{folder} holds files that are not named like the other slices ({_few(odd)}): whether they belong to the "
            f"volume is not known. Move them away, or select the slices with a pattern such as '{'*'.join(usual)}'."
        )
    columns = [[int(text) for text in column] for column in list(zip(*parts, strict=True))[1::2]]
    varying = [column for column in columns if len(set(column)) > 1]
    if len(varying) != 1:
        return
    numbers = varying[0]
    twice = [names[k] for k in range(1, len(numbers)) if numbers[k] == numbers[k - 1]]
    if twice:
        raise SliceStackError(
            f"{folder} holds slice numbers twice ({_few(twice)}): one would come after its twin. Remove one of them."
        )
    pitch = math.gcd(*(b - a for a, b in itertools.pairwise(numbers)))
    absent = sorted(set(range(numbers[0], numbers[-1] + 1, pitch)) - set(numbers))
    if absent:
        raise SliceStackError(
            f"{folder} has no slice {_few(absent)} between {names[0]} and {names[-1]} ({len(absent)} missing): the "
            "volume would be shorter than the sample and torn there. Add the slices, or copy one of their neighbours."
        )


def _check_alike(values: Sequence[Any], names: Sequence[str], what: str, cure: str) -> None:
    counts = Counter(values)
    if len(counts) > 1:
        usual = counts.most_common(1)[0][0]
        odd = [f"{name}: {value}" for name, value in zip(names, values, strict=True) if value != usual]
        raise SliceStackError(
            f"{len(odd)} of {len(names)} slices differ in {what} from the others' {usual} ({_few(odd)}): "
            f"they do not make one volume. {cure}."
        )


def _few(items: Sequence[Any]) -> str:
    told = ", ".join(str(item) for item in items[:8])
    return told if len(items) <= 8 else f"{told}, ... ({len(items)} in all)"
