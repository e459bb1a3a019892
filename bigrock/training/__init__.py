"""Training from few slices: patches, losses, the loop, metrics, and a random forest to compare with.

`train_segmentation` turns annotated slices into a bundle of `bigrock.models`. The loop itself
(`fit`: checkpoints, resume, early stopping, history) knows no segmentation. PyTorch, MONAI and
scikit-learn load when something is trained, not before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.training.curves import learning_curves
    from bigrock.training.forest import Forest, random_forest
    from bigrock.training.history import History
    from bigrock.training.loop import Fitted, fit
    from bigrock.training.metrics import (
        confusion_matrix,
        dice,
        iou,
        pixel_accuracy,
        row_normalised,
        scores,
        without_borders,
    )
    from bigrock.training.porosity import PorosityBias, porosity_bias
    from bigrock.training.progress import TrainingProgress
    from bigrock.training.segmentation import Trained, train_segmentation
    from bigrock.training.settings import Augmentation, LoopConfig, TrainingConfig
    from bigrock.training.slices import IGNORE, TrainingSlice

_HOME = {
    "Augmentation": "settings",
    "Fitted": "loop",
    "Forest": "forest",
    "History": "history",
    "IGNORE": "slices",
    "LoopConfig": "settings",
    "PorosityBias": "porosity",
    "Trained": "segmentation",
    "TrainingConfig": "settings",
    "TrainingProgress": "progress",
    "TrainingSlice": "slices",
    "confusion_matrix": "metrics",
    "dice": "metrics",
    "fit": "loop",
    "iou": "metrics",
    "learning_curves": "curves",
    "pixel_accuracy": "metrics",
    "porosity_bias": "porosity",
    "random_forest": "forest",
    "row_normalised": "metrics",
    "scores": "metrics",
    "train_segmentation": "segmentation",
    "without_borders": "metrics",
}

__all__ = [
    "Augmentation",
    "Fitted",
    "Forest",
    "History",
    "IGNORE",
    "LoopConfig",
    "PorosityBias",
    "Trained",
    "TrainingConfig",
    "TrainingProgress",
    "TrainingSlice",
    "confusion_matrix",
    "dice",
    "fit",
    "iou",
    "learning_curves",
    "pixel_accuracy",
    "porosity_bias",
    "random_forest",
    "row_normalised",
    "scores",
    "train_segmentation",
    "without_borders",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
