"""The slices of a report: each volume, before and after, and the pores over the grey levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from bigrock.errors import ParameterError
from bigrock.report.drawing import draw_slice
from bigrock.report.palette import (
    class_colours,
    grey_window,
    paint_grey,
    paint_labels,
    paint_mask,
    paint_overlay,
)
from bigrock.report.slices import PLANES, Slice, read_slice
from bigrock.units import format_length
from bigrock.volumes.source import Source

__all__ = ["Cuts", "Picture", "Volumes", "kind_of", "middle_slices", "named_volumes", "slice_pictures"]

Volumes = Source | Sequence[Source] | Mapping[str, Source]
"""One volume, several from before to after, or several with names of their own."""

Cuts = dict[str, list[Slice]]
"""The slices of each volume, in the order of `bigrock.report.slices.PLANES`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure: its file name without ending, the PNG, and what a reader must know of it.

    `dark` is the same figure for a dark page; None where one drawing serves both. `where` is the
    position of a slice.

    Examples
    --------
    >>> Picture("profile-z", b"", "z", "Along z.", "porosity along z").dark is None
    True
    """

    name: str
    png: bytes
    title: str
    caption: str
    alt: str
    dark: bytes | None = None
    where: str = ""


def named_volumes(volumes: Volumes) -> dict[str, Source]:
    """Return the volumes with a name for each: the given one, or the last part of the path.

    Parameters
    ----------
    volumes : Source, sequence or mapping
        Volumes in the order in which they were made.

    Returns
    -------
    dict
        At least one volume, in the same order.

    Raises
    ------
    ParameterError
        If there is none.

    Examples
    --------
    >>> from bigrock.datasets import Sandstone
    >>> list(named_volumes(Sandstone((4, 4, 4))))
    ['grey']
    """
    if isinstance(volumes, Mapping):
        named = {str(name): volume for name, volume in volumes.items()}
    else:
        named = {}
        for volume in [volumes] if isinstance(volumes, Source) else volumes:
            name = PurePosixPath(str(getattr(volume, "path", ""))).stem or kind_of(volume)
            number = 2
            while name in named:
                name, number = f"{name.removesuffix(f' {number - 1}')} {number}", number + 1
            named[name] = volume
    if not named:
        raise ParameterError(
            "a report of no volume was asked for: it would be empty. Give at least one volume."
        )
    return named


def middle_slices(volumes: Mapping[str, Source]) -> Cuts:
    """Return the middle slices of each volume; see `bigrock.report.slices.read_slice` for the cost.

    Parameters
    ----------
    volumes : mapping of str to Source
        As `named_volumes` gives them.

    Returns
    -------
    dict of str to list of Slice
        Volume name to its xy, xz and yz slice.

    Examples
    --------
    >>> from bigrock.datasets import Sandstone
    >>> [cut.index for cut in middle_slices({"rock": Sandstone((8, 16, 32))})["rock"]]
    [4, 8, 16]
    """
    return {name: [read_slice(volume, plane) for plane in PLANES] for name, volume in volumes.items()}


def slice_pictures(volumes: Mapping[str, Source], cuts: Cuts) -> dict[str, list[Picture]]:
    """Return the slices as pictures: each volume, and the last mask over the first grey volume.

    Parameters
    ----------
    volumes : mapping of str to Source
        As `named_volumes` gives them.
    cuts : dict of str to list of Slice
        As `middle_slices` gives them.

    Returns
    -------
    dict of str to list of Picture
        Plane ("xy", "xz", "yz") to the pictures that belong side by side.

    Examples
    --------
    >>> from bigrock.datasets import Sandstone
    >>> rock = Sandstone((8, 16, 16))
    >>> volumes = {"rock": rock, "pores": rock.truth}
    >>> [p.title for p in slice_pictures(volumes, middle_slices(volumes))["xz"]]
    ['rock', 'pores', 'overlay']
    """
    grey = [name for name, volume in volumes.items() if kind_of(volume) == "grey"]
    windows = {name: grey_window([cut.pixels for cut in cuts[name]]) for name in grey}
    pair = _overlay_pair(volumes)
    pictures = {}
    for number, plane in enumerate(PLANES):
        row = [_volume_picture(name, v, cuts[name][number], windows.get(name)) for name, v in volumes.items()]
        if pair is not None:
            below, above = (cuts[name][number] for name in pair)
            row += _overlay_picture(below, above, windows[pair[0]], pair)
        pictures[str(plane)] = row
    return pictures


def kind_of(volume: Source) -> str:
    """Return whether a volume holds "grey" levels, a "mask" or "labels"; grey where it says nothing.

    Examples
    --------
    >>> from bigrock.datasets import Sandstone
    >>> kind_of(Sandstone((4, 4, 4)).truth)
    'mask'
    """
    return str(getattr(volume, "kind", "grey"))


def _overlay_pair(volumes: Mapping[str, Source]) -> tuple[str, str] | None:
    """Return the first grey volume and the last mask of the same shape, where there are both."""
    grey = next((name for name, v in volumes.items() if kind_of(v) == "grey"), None)
    if grey is None:
        return None
    same = [n for n, v in volumes.items() if kind_of(v) == "mask" and v.shape == volumes[grey].shape]
    return (grey, same[-1]) if same else None


def _where(cut: Slice) -> str:
    axis = cut.axis_names[0]
    size = cut.voxel_size
    metres = f" ({format_length((cut.index + 0.5) * size['zyx'.index(axis)], 4)})" if size else ""
    shown = "" if cut.step == 1 else f"; one pixel is {cut.step} voxels"
    return f"{axis} = {cut.index}{metres}{shown}"


def _volume_picture(name: str, volume: Source, cut: Slice, window: tuple[float, float] | None) -> Picture:
    if window is not None:
        painted = paint_grey(cut.pixels, window)
        note = f"Grey levels {window[0]:.5g} (black) to {window[1]:.5g} (white)."
    elif kind_of(volume) == "mask":
        painted, note = (
            paint_mask(cut.pixels),
            f"Pore blue, {100 * np.mean(cut.pixels != 0):.2f} % of this slice.",
        )
    else:
        classes = getattr(volume, "classes", {})
        painted, note = paint_labels(cut.pixels, classes), _class_note(classes)
    alt = f"{cut.plane} slice of {name} at {_where(cut)}"
    file = f"slice-{cut.plane}-{_file_name(name)}"
    return Picture(file, draw_slice(cut, painted), name, note, alt, where=_where(cut))


def _class_note(classes: Mapping[str, int]) -> str:
    colours = class_colours(classes)
    named = ", ".join(f"{name} ({value}) {colours[value]}" for name, value in classes.items())
    return f"{named[:1].upper()}{named[1:]}." if named else "One colour per label, in turn."


def _overlay_picture(
    grey: Slice, mask: Slice, window: tuple[float, float], pair: tuple[str, str]
) -> list[Picture]:
    # Two volumes of one shape may have pyramids of different depth, and then no common pixels.
    if grey.pixels.shape != mask.pixels.shape:
        return []
    painted = paint_overlay(grey.pixels, mask.pixels, window)
    alt = f"{grey.plane} slice of {pair[0]} at {_where(grey)} with the pores of {pair[1]} outlined"
    note = f"Pores of {pair[1]} in light blue over {pair[0]}."
    file = f"slice-{grey.plane}-overlay"
    return [Picture(file, draw_slice(grey, painted), "overlay", note, alt, where=_where(grey))]


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name) or "volume"
