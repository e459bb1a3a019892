"""The sweep over numbers of training slices as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_sweep"]

_PAPER, _TEXT, _GRID, _MARK = "#ffffff", "#2a3038", "#dde1e6", "#d55e00"
_INKS = ("#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31", "#2a3038")


def draw_sweep(rows: Sequence[Mapping[str, Any]], recommended: int) -> bytes:
    """Return IoU, loss, epochs and seconds against the number of training slices, as PNG.

    Points are single seeds, lines their means; the upper axis is the interval between training
    slices, and the dashed line the recommended number.

    Parameters
    ----------
    rows : sequence of mapping
        As in `bigrock.workflows.shale.sweeping.Sweep.table`.
    recommended : int
        Number of slices to mark.

    Returns
    -------
    bytes

    Examples
    --------
    >>> row = {"interval_um": 0.3, "iou pore": 0.8, "mean_iou": 0.8, "validation_iou": 0.8, "train_loss": 0.1,
    ...     "test_loss": 0.2, "epochs": 5, "seconds": 3.0}
    >>> draw_sweep([{"n": 2, "seed": 0, **row}], 2)[1:4]
    b'PNG'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 7.2), dpi=200, facecolor=_PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    classes = [name for name in rows[0] if name.startswith("iou ")]
    panels = {
        "IoU on test slices": [*classes, "mean_iou"],
        "loss": ["train_loss", "test_loss"],
        "mean IoU": ["mean_iou", "validation_iou"],
        "epochs; seconds of training": ["epochs", "seconds"],
    }
    for axes, (title, names) in zip(figure.subplots(2, 2).ravel(), panels.items(), strict=True):
        _panel(axes, rows, names, title)
        axes.axvline(recommended, color=_MARK, linewidth=1, linestyle="--")
        _interval_axis(axes, rows)
    kept = io.BytesIO()
    figure.savefig(kept, format="png", facecolor=_PAPER)
    return kept.getvalue()


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], names: Sequence[str], title: str) -> None:
    counts = sorted({row["n"] for row in rows})
    for ink, name in zip(_INKS, names, strict=False):
        each = {
            n: [float("nan") if r[name] is None else r[name] for r in rows if r["n"] == n] for n in counts
        }
        label = name.removeprefix("iou ").replace("_", " ")
        axes.plot(counts, [np.mean(each[n]) for n in counts], color=ink, linewidth=1.6, label=label)
        for n in counts:
            axes.plot([n] * len(each[n]), each[n], "o", color=ink, markersize=3)
    axes.set_xlabel("training slices", color=_TEXT)
    axes.set_ylabel(title, color=_TEXT)
    axes.set_xticks(counts)
    axes.tick_params(colors=_TEXT)
    axes.grid(color=_GRID)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize="small", labelcolor=_TEXT)


def _interval_axis(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    counts = sorted({row["n"] for row in rows})
    above = axes.twiny()
    above.set_xlim(axes.get_xlim())
    above.set_xticks(counts, [f"{next(r['interval_um'] for r in rows if r['n'] == n):.3g}" for n in counts])
    above.set_xlabel("interval in µm", color=_TEXT, fontsize="small")
    above.tick_params(colors=_TEXT, labelsize="small")
