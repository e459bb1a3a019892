"""Progress of a pass: blocks, voxels per second, time left; as events, or as a bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Progress", "ProgressLike", "reporter"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress event; the last one of a pass has ``done + failed == total``."""

    title: str
    done: int
    total: int
    failed: int
    voxels: int
    seconds: float

    @property
    def voxels_per_second(self) -> float:
        """Voxels finished by this run over its wall time."""
        return self.voxels / self.seconds if self.seconds > 0 else 0.0


ProgressLike = Callable[[Progress], None] | bool | None
"""A callable that takes events; True for a bar, False for none, None for a bar where there is a terminal."""


@contextmanager
def reporter(
    progress: ProgressLike, title: str, total: int, already: int
) -> Iterator[Callable[[int, int, int], None]]:
    """Yield ``report(done, failed, voxels)`` that sends events to a callable or draws a bar.

    Parameters
    ----------
    progress : callable, bool or None
        See `ProgressLike`.
    title : str
        What runs.
    total, already : int
        Blocks in all, and blocks that an earlier run finished.
    """
    start = time.monotonic()

    def event(done: int, failed: int, voxels: int) -> Progress:
        return Progress(title, done, total, failed, voxels, time.monotonic() - start)

    if callable(progress):
        send = progress
        send(event(already, 0, 0))
        yield lambda done, failed, voxels: send(event(done, failed, voxels))
    elif progress or (progress is None and sys.stderr.isatty()):
        with _bar(title, total, already) as draw:
            yield lambda done, failed, voxels: draw(event(done, failed, voxels))
    else:
        yield lambda done, failed, voxels: None


@contextmanager
def _bar(title: str, total: int, already: int) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("blocks  {task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, completed=already, speed="")

        def draw(event: Progress) -> None:
            failed = f"  {event.failed} failed" if event.failed else ""
            speed = f"{event.voxels_per_second / 1e6:.1f} Mvoxel/s{failed}"
            bar.update(task, completed=event.done + event.failed, speed=speed)

        yield draw
