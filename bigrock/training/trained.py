"""What every training ends with: a bundle, its history, and what the bundle says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bigrock.models.bundle import Bundle
from bigrock.training.history import History
from bigrock.training.loop import Fitted
from bigrock.training.settings import LoopConfig

__all__ = ["Trained", "json_of", "training_facts"]


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came to be; from the functions of `bigrock.training` that train.

    Attributes
    ----------
    bundle : Bundle
        For the functions of `bigrock.models` that take one.
    history : History
        Every epoch.
    seconds : float
        Wall time of training.
    validation : dict
        Scores of the kept weights on the validation data.

    Examples
    --------
    >>> Trained.__annotations__["history"]
    'History'
    """

    bundle: Bundle
    history: History
    seconds: float
    validation: Mapping[str, Any]

    @property
    def epochs(self) -> int:
        """Epochs that were trained."""
        return len(self.history.epochs)


def json_of(config: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON has them: lists for tuples."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(config).items()
    }


def training_facts(training: LoopConfig, fitted: Fitted, validation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every bundle says of its training."""
    import torch

    return {
        "settings": json_of(training),
        "epochs": fitted.epochs,
        "best_epoch": fitted.history.best_epoch,
        "seconds": round(fitted.seconds, 3),
        "device": fitted.device,
        "threads": fitted.threads,
        "torch": torch.__version__,
        "validation": dict(validation),
    }
