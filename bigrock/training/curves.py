"""Learning curves as a picture: loss, scores and learning rate against epochs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bigrock.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["learning_curves"]

_PAPER, _TEXT, _GRID, _MARK = "#ffffff", "#2a3038", "#dde1e6", "#d55e00"
_INKS = ("#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31", "#2a3038")
_DPI = 100


def learning_curves(history: History, path: str | Path) -> None:
    """Write the learning curves as PNG: the losses above, the scores below, the best epoch marked.

    Parameters
    ----------
    history : History
        Every number whose name ends in "loss" is drawn above; "score", and those that begin with "iou", below.
    path : str or Path
        The file; it is there as a whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "curves.png"
    >>> learning_curves(History([{"epoch": 1, "loss": 0.5, "score": 0.2}]), path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 6.4), dpi=2 * _DPI, facecolor=_PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    names = dict.fromkeys(name for epoch in history.epochs for name in epoch)
    _draw(above, history, [name for name in names if name.endswith("loss")], "loss")
    scored = [name for name in names if name.startswith("iou")] + ["score"]
    _draw(below, history, scored, "score")
    below.set_xlabel("epoch", color=_TEXT)
    target = Path(path)
    fresh = target.with_name(target.name + ".new")
    figure.savefig(fresh, format="png", facecolor=_PAPER)
    fresh.replace(target)


def _draw(axes: Axes, history: History, names: list[str], title: str) -> None:
    epochs = history.column("epoch")
    for number, name in enumerate(names):
        values = [float("nan") if value is None else value for value in history.column(name)]
        width = 2.0 if name in ("loss", "score") else 1.2
        ink = _TEXT if name == "score" else _INKS[number % len(_INKS)]
        axes.plot(epochs, values, color=ink, linewidth=width, label=name, marker="o", markersize=2)
    if history.best_epoch:
        axes.axvline(history.best_epoch, color=_MARK, linewidth=1, linestyle="--", label="kept")
    axes.set_ylabel(title, color=_TEXT)
    axes.tick_params(colors=_TEXT)
    axes.grid(color=_GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize="small", labelcolor=_TEXT)
