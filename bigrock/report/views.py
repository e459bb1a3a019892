"""A label volume of any size seen from outside, as a picture of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.geometry import Region
from bigrock.report.drawing import new_figure, png_of
from bigrock.report.figures import Picture
from bigrock.report.palette import CLASSES, class_colours
from bigrock.report.plots import DARK, LIGHT, Ink
from bigrock.report.rendering import View, render
from bigrock.units import format_length
from bigrock.volumes import Volume
from bigrock.volumes.downsample import halve
from bigrock.volumes.levels import LevelSource
from bigrock.volumes.source import Source

__all__ = ["coarse_labels", "view_picture"]

Array = npt.NDArray[Any]

_SLAB_VOXELS = 2**28


def coarse_labels(volume: Source, longest: int = 192) -> tuple[Array, int]:
    """Return a label volume with at most `longest` voxels along any axis, and how often it was halved.

    Takes a pyramid level where there is one; else halves the volume as pyramids do (the most
    frequent of eight labels), slab by slab. Memory: twice the result and a slab.

    Parameters
    ----------
    volume : Source
        Labels.
    longest : int
        Voxels allowed along an axis.

    Returns
    -------
    labels : ndarray, (z, y, x)
    halvings : int

    Examples
    --------
    >>> from bigrock.volumes import ArraySource
    >>> coarse, times = coarse_labels(ArraySource(np.ones((2, 40, 50), np.uint8), kind="labels"), longest=20)
    >>> coarse.shape, times
    ((1, 10, 13), 2)
    """
    times = 0
    while max(-(-n // 2**times) for n in volume.shape) > longest:
        times += 1
    source, done = volume, 0
    if isinstance(volume, Volume):
        done = min(times, len(volume.levels) - 1)
        source = LevelSource(volume, done) if done else volume
    depth, height, width = source.shape
    step = 2 ** (times - done)
    # Whole chunks, so that none is decoded twice, unless that would be much.
    fits = max(1, _SLAB_VOXELS // (height * width * step))
    thick = step * min(fits, -(-max(step, source.read_unit[0]) // step))
    parts = []
    for z in range(0, depth, thick):
        slab = source.read(Region((z, 0, 0), (min(z + thick, depth), height, width)))
        for _ in range(times - done):
            slab = halve(slab, "mode")
        parts.append(slab)
    return np.concatenate(parts), times


def view_picture(
    volume: Source, *, surfaces: Sequence[str], fog: Sequence[str] = (), longest: int = 192
) -> Picture:
    """Return a view of a label volume from outside as a picture, for light pages and dark ones.

    Parameters
    ----------
    volume : Source
        Labels with a class table.
    surfaces, fog : sequence of str
        Classes that are drawn opaque, and as fog; in the colours of `class_colours`.
    longest : int
        The volume is halved until no axis has more voxels.

    Raises
    ------
    ParameterError
        If a class is not in the table.

    Examples
    --------
    >>> from bigrock.datasets import Shale
    >>> stack = Shale((8, 24, 24), level="easy").truth
    >>> view_picture(stack, surfaces=["organic pore"], fog=["organic matter"]).name
    'view'
    """
    classes: dict[str, int] = dict(getattr(volume, "classes", {}))
    missing = [name for name in (*surfaces, *fog) if name not in classes]
    if missing:
        raise ParameterError(f"{missing} are not classes of the volume; its classes are {classes}.")
    names = class_colours(classes)
    labels, times = coarse_labels(volume, longest)
    size = volume.voxel_size or (1.0, 1.0, 1.0)
    paints = [{classes[n]: CLASSES[names[classes[n]]] for n in chosen} for chosen in (surfaces, fog)]
    colours, cover = render(labels, size, surfaces=paints[0], fog=paints[1])
    told = [f"{n} {names[classes[n]]}" for n in surfaces]
    told += [f"{n} as {names[classes[n]]} fog" for n in fog]
    coarse = f" Drawn at {2**times} voxels per point." if times else ""
    extent = [n * s for n, s in zip(volume.shape, size, strict=True)]
    words = [format_length(e, 3) if volume.voxel_size else f"{e:g} voxels" for e in extent]
    light, dark = (_painted(colours, cover, extent, words, ink) for ink in (LIGHT, DARK))
    caption = f"{', '.join(told).capitalize()}; the rest is clear.{coarse}"
    return Picture("view", light, "", caption, f"view of the volume from outside: {', '.join(told)}", dark)


def _painted(colours: Array, cover: Array, extent: Sequence[float], words: Sequence[str], ink: Ink) -> bytes:
    """Return the image on paper, in a box with its edges and their lengths."""
    from matplotlib.colors import to_rgb

    height, width = cover.shape
    paper = np.array(to_rgb(ink.paper), np.float32)
    figure = new_figure(width, height, ink.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.clip(colours + (1 - cover)[..., None] * paper, 0, 1), interpolation="bilinear")
    view = View(size=(height, width))
    right, down, ahead = view.axes
    box = np.array(extent[::-1])
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    places = (corners - 0.5) * box
    pitch = max(np.ptp(places @ right) / (0.94 * width), np.ptp(places @ down) / (0.94 * height))
    x, y = places @ right / pitch + (width - 1) / 2, places @ down / pitch + (height - 1) / 2
    hidden = int(np.argmax(places @ ahead))
    for a in range(8):
        for b in range(a):
            if np.abs(corners[a] - corners[b]).sum() == 1 and hidden not in (a, b):
                axes.plot(x[[a, b]], y[[a, b]], color=ink.text, linewidth=0.8, alpha=0.75)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_axis_off()
    _write_lengths(axes, corners, x, y, words, ink)
    return png_of(figure)


def _write_lengths(axes: Any, corners: Array, x: Array, y: Array, words: Sequence[str], ink: Ink) -> None:
    """Write name and length beside an outer edge along each axis."""
    middle = np.array([x.mean(), y.mean()])
    for axis, name in enumerate("xyz"):
        pairs = [
            (a, b)
            for a in range(8)
            for b in range(a)
            if np.flatnonzero(corners[a] != corners[b]).tolist() == [axis]
        ]
        mids = np.array([[(x[a] + x[b]) / 2, (y[a] + y[b]) / 2] for a, b in pairs])
        # The edge that lies farthest from the middle is on the outline; of two, the lower one.
        best = mids[np.argmax(np.linalg.norm(mids - middle, axis=1) + 0.02 * mids[:, 1])]
        inward = (middle - best) / np.linalg.norm(middle - best)
        place = best - 8 * inward
        side = "right" if best[0] < middle[0] else "left"
        text = f"{name} {words[2 - axis]}"
        paper = {"facecolor": ink.paper, "alpha": 0.72, "edgecolor": "none", "pad": 1.5}
        axes.text(*place, text, color=ink.text, fontsize=9, ha=side, va="center", bbox=paper)
