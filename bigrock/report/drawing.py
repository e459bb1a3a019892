"""Draw slices as PNG bytes; matplotlib's Agg canvas, no global state."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.report.slices import Slice
from bigrock.units import format_length

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_slice", "new_figure", "png_of", "scale_bar"]

Pixels = npt.NDArray[Any]

_SHOWN = 640
_DPI = 100
_BACKDROP = "#23272e"


def scale_bar(length: float) -> float:
    """Return the longest length of 1, 2 or 5 times a power of ten that is at most `length`.

    Examples
    --------
    >>> scale_bar(144.0)
    100.0
    """
    # Rounding a hair upwards keeps 2e-4 from becoming 1e-4 where log10 falls short of a whole number.
    power = 10.0 ** math.floor(math.log10(length * (1 + 1e-9)))
    factor = max(f for f in (1, 2, 5) if f * power <= length * (1 + 1e-9))
    return float(f"{factor * power:.12g}")


def draw_slice(cut: Slice, picture: Pixels) -> bytes:
    r"""Return a painted slice as PNG, with a scale bar and the names of its axes.

    Voxels keep their shape: anisotropic ones are drawn longer. Small slices are enlarged by whole
    pixels; slices too thin for the writing get a dark margin.

    Parameters
    ----------
    cut : Slice
        Where the slice lies.
    picture : uint8 array (rows, columns, 3)
        Its pixels, painted by `bigrock.report.palette`.

    Returns
    -------
    bytes
        A PNG file.

    Examples
    --------
    >>> import numpy as np
    >>> cut = Slice(np.zeros((8, 8)), "xy", 0, 1, None)
    >>> draw_slice(cut, np.zeros((8, 8, 3), np.uint8))[:4]
    b'\x89PNG'
    """
    height, width = _drawn_size(cut)
    paper = (max(height, width // 4), max(width, height // 3))
    figure = new_figure(paper[1], paper[0], _BACKDROP)
    place = ((1 - width / paper[1]) / 2, 1 - height / paper[0], width / paper[1], height / paper[0])
    axes = figure.add_axes(place)
    axes.imshow(picture, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    _write_scale(figure, cut, paper, width)
    return png_of(figure)


def _drawn_size(cut: Slice) -> tuple[int, int]:
    """Return rows and columns of the drawing: voxels in their shape, none smaller than a pixel."""
    high, wide = cut.pitch
    fine = min(high, wide)
    rows, columns = cut.pixels.shape[0] * high / fine, cut.pixels.shape[1] * wide / fine
    zoom = max(1, round(_SHOWN / max(rows, columns)))
    shrink = min(1.0, 2 * _SHOWN / max(rows, columns))
    return max(1, round(rows * zoom * shrink)), max(1, round(columns * zoom * shrink))


def _write_scale(figure: Figure, cut: Slice, paper: tuple[int, int], drawn: int) -> None:
    """Write the scale bar at the bottom left and the axes at the top left of the paper, in pixels."""
    from matplotlib.patches import Rectangle

    height, width = paper
    unit = width / 27
    _, rows, columns = cut.axis_names
    extent = cut.pixels.shape[1] * cut.pitch[1]
    length = scale_bar(extent / 3)
    label = format_length(length) if cut.voxel_size else f"{length:g} voxels"
    bar = length / extent * drawn
    text: dict[str, Any] = {"color": "#ffffff", "fontsize": unit * 72 / _DPI}

    def box(left: float, bottom: float, wide: float, high: float, color: str, alpha: float) -> None:
        place = (left / width, bottom / height)
        figure.add_artist(
            Rectangle(
                place,
                wide / width,
                high / height,
                transform=figure.transFigure,
                color=color,
                alpha=alpha,
                lw=0,
            )
        )

    box(0, 0, max(bar, 0.62 * unit * len(label)) + 1.2 * unit, 2.3 * unit, "#000000", 0.6)
    box(0.6 * unit, 0.5 * unit, bar, 0.24 * unit, "#ffffff", 1)
    figure.text(0.6 * unit / width, 0.85 * unit / height, label, va="bottom", ha="left", **text)
    box(0, height - 2.9 * unit, 2.5 * unit, 2.9 * unit, "#000000", 0.6)
    figure.text(0.5 * unit / width, 1 - 0.35 * unit / height, f"{columns} →", va="top", ha="left", **text)
    figure.text(0.5 * unit / width, 1 - 1.5 * unit / height, f"{rows} ↓", va="top", ha="left", **text)


def new_figure(width: int, height: int, paper: str, scale: float = 1.0) -> Figure:
    """Return an empty matplotlib figure with an Agg canvas of its own.

    Parameters
    ----------
    width, height : int
        Size on the page in CSS pixels.
    paper : str
        Colour of the background.
    scale : float
        Pixels of the image per CSS pixel.

    Returns
    -------
    Figure
        Nothing is drawn yet.

    Examples
    --------
    >>> new_figure(200, 100, "#ffffff", scale=2).canvas.get_width_height()
    (400, 200)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(width / _DPI, height / _DPI), dpi=_DPI * scale, facecolor=paper)
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Figure, palette: int | None = None) -> bytes:
    r"""Return a drawing as PNG: grey where it is grey, with a palette where one is asked for.

    Lossless without a palette.

    Parameters
    ----------
    figure : Figure
        As `new_figure` makes it.
    palette : int, optional
        Number of colours kept; a fifth of the bytes for plots.

    Returns
    -------
    bytes
        A PNG file.

    Examples
    --------
    >>> png_of(new_figure(20, 10, "#ffffff"))[:4]
    b'\x89PNG'
    """
    from PIL import Image

    canvas: Any = figure.canvas
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    if (pixels == pixels[..., :1]).all():
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0]))
    else:
        image = Image.fromarray(np.ascontiguousarray(pixels))
    if palette is not None:
        image = image.quantize(palette, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()
