"""Progress of a training: epochs, loss, score, time left; as events, or as a bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["TrainingProgress", "TrainingProgressLike", "reporter"]


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """What an epoch ended with.

    Attributes
    ----------
    epoch, epochs : int
        Epochs that are done, and the most there will be.
    loss : float
        Mean training loss of the epoch.
    score, best : float
        Of this epoch, and of the best one; higher is better.
    seconds, seconds_left : float
        Wall time so far, and what is left at most.

    Examples
    --------
    >>> TrainingProgress(1, 4, 0.5, 0.6, 0.6, 10.0, 30.0).epoch
    1
    """

    epoch: int
    epochs: int
    loss: float
    score: float
    best: float
    seconds: float
    seconds_left: float


TrainingProgressLike = Callable[[TrainingProgress], None] | bool | None
"""A callable that takes events; True for a bar, False for none, None for a bar where there is a terminal."""


@contextmanager
def reporter(
    progress: TrainingProgressLike, title: str, epochs: int, already: int
) -> Iterator[Callable[[TrainingProgress], None]]:
    """Yield a function that sends events to a callable or draws a bar.

    Parameters
    ----------
    progress : callable, bool or None
        See `TrainingProgressLike`.
    title : str
        What is trained.
    epochs, already : int
        Epochs in all, and epochs that an earlier run finished.
    """
    if callable(progress):
        yield progress
    elif progress or (progress is None and sys.stderr.isatty()):
        with _bar(title, epochs, already) as draw:
            yield draw
    else:
        yield lambda event: None


@contextmanager
def _bar(title: str, epochs: int, already: int) -> Iterator[Callable[[TrainingProgress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs  {task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=epochs, completed=already, said="")

        def draw(event: TrainingProgress) -> None:
            left = f"{int(event.seconds_left) // 60}:{int(event.seconds_left) % 60:02d}"
            said = f"loss {event.loss:.3f}  score {event.score:.3f} (best {event.best:.3f})  left {left}"
            bar.update(task, completed=event.epoch, said=said)

        yield draw
