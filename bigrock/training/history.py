"""What each epoch of a training ended with, and what follows from it: the best epoch, when to stop."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bigrock.training.settings import LoopConfig

__all__ = ["History", "learning_rate"]

_WARM_UP = 0.05
_LAST = 0.01


@dataclass
class History:
    """The epochs of a training, in order.

    Attributes
    ----------
    epochs : list of dict
        ``epoch`` (from 1), ``loss``, ``score`` (higher is better), ``learning_rate``, ``seconds`` (wall time since
        the start), and whatever else was scored.

    Examples
    --------
    >>> history = History([{"epoch": 1, "score": 0.2}, {"epoch": 2, "score": 0.1}])
    >>> history.best_epoch, history.since_best
    (1, 1)
    """

    epochs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the highest score; 0 before any epoch."""
        return max(self.epochs, key=lambda e: e["score"])["epoch"] if self.epochs else 0

    @property
    def since_best(self) -> int:
        """Epochs after the best one."""
        return len(self.epochs) - self.best_epoch

    @property
    def seconds(self) -> float:
        """Wall time, of all runs if the training was interrupted."""
        return float(self.epochs[-1]["seconds"]) if self.epochs else 0.0

    def column(self, name: str) -> list[Any]:
        """Return one number of every epoch; None where it is not there."""
        return [epoch.get(name) for epoch in self.epochs]

    def write(self, path: Path) -> None:
        """Write it as JSON; the file is there as a whole or not at all."""
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps({"best_epoch": self.best_epoch, "epochs": self.epochs}, indent=1) + "\n")
        fresh.replace(path)


def learning_rate(config: LoopConfig, done: float, scores: Sequence[float]) -> float:
    """Return the learning rate of a step.

    Parameters
    ----------
    config : LoopConfig
        Its highest value, and the schedule.
    done : float
        Which share of the training is done, 0 to 1.
    scores : sequence of float
        Of the epochs so far.

    Returns
    -------
    float

    Examples
    --------
    >>> learning_rate(LoopConfig(learning_rate=1.0), 1.0, [])
    0.01
    """
    rate = config.learning_rate * min(1.0, done / _WARM_UP + 0.05)
    if config.schedule == "cosine":
        fall = max(0.0, done - _WARM_UP) / (1 - _WARM_UP)
        return rate * (_LAST + (1 - _LAST) * 0.5 * (1 + math.cos(math.pi * min(1.0, fall))))
    if config.schedule == "plateau":
        return rate * 0.5 ** _plateaus(scores, max(1, config.patience // 3))
    return rate


def _plateaus(scores: Sequence[float], length: int) -> int:
    """Return how often `length` epochs passed without a better score."""
    count, best, since = 0, -math.inf, 0
    for score in scores:
        since = 0 if score > best else since + 1
        best = max(best, score)
        if since == length:
            count, since = count + 1, 0
    return count
