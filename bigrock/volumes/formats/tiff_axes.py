"""Which pages of a TIFF file are the z slices of one volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bigrock.errors import ParameterError, SliceStackError, SourceError
from bigrock.geometry import Shape

__all__ = ["PageChoice", "choose_pages", "choose_series"]

_MOST_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class PageChoice:
    """The pages of a volume in z order; `sample` is the channel inside a page, where it has several."""

    pages: list[Any]
    shape: Shape
    sample: int | None


def choose_series(file: Any, number: int | None, path: str) -> Any:
    """Return one image (series) of an open TIFF file.

    Parameters
    ----------
    file : tifffile.TiffFile
        Open.
    number : int, optional
        Which one; needed where there are several.
    path : str
        For messages.

    Raises
    ------
    ParameterError
        If there is no such image.
    SliceStackError
        If none is chosen and the file holds several, as it does when its pages differ in size or type.
    SourceError
        If the file holds no image.
    """
    series = list(file.series)
    if not series:
        raise SourceError(f"{path} holds no image: there is nothing to read. Check the file.")
    told = "; ".join(f"{k}: {one.axes} {one.shape} {one.dtype}" for k, one in enumerate(series[:12]))
    if number is not None:
        if not 0 <= number < len(series):
            raise ParameterError(f"dataset={number} is not in {path}. It holds {told}.")
        return series[number]
    if len(series) > 1:
        raise SliceStackError(
            f"{path} holds {len(series)} images of different size or type ({told}): stacking them would not make a "
            "volume. Select one with dataset=, or write slices of one size and type."
        )
    return series[0]


def choose_pages(series: Any, channel: int | None, stacked: bool, path: str) -> PageChoice:
    """Return the pages that are the z slices of an image, of one channel where it has several.

    The one long axis before y and x is z, whatever the file calls it (Z, T, I, Q). C is channels, unless it is
    the only such axis and longer than four, as writers that are not told the axes label a stack, or
    the caller says that it is a stack.

    Raises
    ------
    SourceError
        If there are several channels and none is selected, or two long axes besides them.
    ParameterError
        If the channel does not exist.
    """
    axes, shape = str(series.axes), [int(n) for n in series.shape]
    kept = [k for k, (name, n) in enumerate(zip(axes, shape, strict=True)) if n > 1 or name in "YX"]
    axes, shape = "".join(axes[k] for k in kept), [shape[k] for k in kept]
    if axes == "CYX" and (shape[0] > _MOST_CHANNELS or stacked):
        axes = "ZYX"
    colour = next((name for name in "SC" if name in axes), None)
    channels = shape[axes.index(colour)] if colour else 1
    _check_channel(colour, channels, channel, f"{path} ({series.axes} {tuple(series.shape)})")
    stack = [name for name in axes if name not in "YXSC"]
    if len(stack) > 1 or (colour == "S" and "C" in axes) or not axes.replace("S", "").endswith("YX"):
        raise SourceError(
            f"{path} has axes {series.axes} of shape {tuple(series.shape)}: a volume has z, y, x, and besides them "
            "only channels can be selected. Save one time step or position as a 3-D image."
        )
    depth = shape[axes.index(stack[0])] if stack else 1
    size = depth, shape[axes.index("Y")], shape[axes.index("X")]
    sample = channel if colour == "S" else None
    pages = list(series.pages)
    if colour == "C" and len(pages) > 1:
        grid = np.arange(len(pages)).reshape([shape[axes.index(n)] for n in axes if n not in "YX"])
        pages = [pages[k] for k in np.atleast_1d(np.take(grid, channel or 0, axes.index("C")))]
    absent = [z for z, page in enumerate(pages) if page is None]
    if absent:
        raise SliceStackError(
            f"{path} lists {len(pages)} slices but slice {absent[0]} is not stored ({len(absent)} missing in all): "
            "the volume would have a hole. Write all slices."
        )
    if len(pages) != depth and not (len(pages) == 1 and colour is None and pages[0].is_final):
        raise SourceError(
            f"{path} states {depth} slices but holds {len(pages)} pages that cannot be told apart. "
            "Save it again as a multi-page TIFF with one slice per page."
        )
    return PageChoice(pages, size, sample)


def _check_channel(colour: str | None, channels: int, channel: int | None, what: str) -> None:
    if colour is not None and channel is None:
        kind = "colours (RGB)" if colour == "S" else "channels"
        cure = "" if colour == "S" else "; if they are slices, say axes='zyx'"
        raise SourceError(
            f"{what} has {channels} {kind}: which of them is the grey level is not known. "
            f"Select one with channel=, or convert the image to grey levels{cure}."
        )
    if channel is not None and not 0 <= channel < channels:
        raise ParameterError(
            f"channel={channel} is not in {what}, which has {channels}. Give 0 to {channels - 1}."
        )
