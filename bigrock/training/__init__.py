"""Training: of segmentations from few slices, of super-resolution and of surrogates of the flow solver.

`train_segmentation` turns annotated slices into a bundle of `bigrock.models`; `train_super_resolution`,
`train_surrogate` and `fine_tune` do so with images of rocks. The loop itself
(`fit`: checkpoints, resume, early stopping, history) knows no segmentation. PyTorch, MONAI and
scikit-learn load when something is trained, not before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bigrock.training.baselines import PermeabilityBaseline, baselines_told, fit_baseline
    from bigrock.training.curves import learning_curves
    from bigrock.training.fine_tuning import fine_tune
    from bigrock.training.forest import Forest, random_forest
    from bigrock.training.history import History
    from bigrock.training.image_scores import INTERPOLATIONS, enlarged, image_quality
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
    from bigrock.training.regression import (
        Bootstrap,
        mean_relative_error,
        paired_bootstrap,
        r_squared,
        regression_scores,
        rmse,
    )
    from bigrock.training.rock_settings import (
        Coarsening,
        FineTuning,
        SuperResolutionTraining,
        SurrogateTraining,
    )
    from bigrock.training.rocks import TrainingRocks, coarse_rocks, rocks_of
    from bigrock.training.segmentation import train_segmentation
    from bigrock.training.settings import Augmentation, LoopConfig, TrainingConfig
    from bigrock.training.slices import IGNORE, TrainingSlice
    from bigrock.training.super_resolution import train_super_resolution
    from bigrock.training.surrogate import train_surrogate
    from bigrock.training.trained import Trained

_HOME = {
    "Augmentation": "settings",
    "Bootstrap": "regression",
    "Coarsening": "rock_settings",
    "FineTuning": "rock_settings",
    "Fitted": "loop",
    "Forest": "forest",
    "History": "history",
    "IGNORE": "slices",
    "INTERPOLATIONS": "image_scores",
    "LoopConfig": "settings",
    "PermeabilityBaseline": "baselines",
    "PorosityBias": "porosity",
    "SuperResolutionTraining": "rock_settings",
    "SurrogateTraining": "rock_settings",
    "Trained": "trained",
    "TrainingConfig": "settings",
    "TrainingProgress": "progress",
    "TrainingRocks": "rocks",
    "TrainingSlice": "slices",
    "baselines_told": "baselines",
    "coarse_rocks": "rocks",
    "confusion_matrix": "metrics",
    "dice": "metrics",
    "enlarged": "image_scores",
    "fine_tune": "fine_tuning",
    "fit": "loop",
    "fit_baseline": "baselines",
    "image_quality": "image_scores",
    "iou": "metrics",
    "learning_curves": "curves",
    "mean_relative_error": "regression",
    "paired_bootstrap": "regression",
    "pixel_accuracy": "metrics",
    "porosity_bias": "porosity",
    "r_squared": "regression",
    "random_forest": "forest",
    "regression_scores": "regression",
    "rmse": "regression",
    "rocks_of": "rocks",
    "row_normalised": "metrics",
    "scores": "metrics",
    "train_segmentation": "segmentation",
    "train_super_resolution": "super_resolution",
    "train_surrogate": "surrogate",
    "without_borders": "metrics",
}

__all__ = [
    "Augmentation",
    "Bootstrap",
    "Coarsening",
    "FineTuning",
    "Fitted",
    "Forest",
    "History",
    "IGNORE",
    "INTERPOLATIONS",
    "LoopConfig",
    "PermeabilityBaseline",
    "PorosityBias",
    "SuperResolutionTraining",
    "SurrogateTraining",
    "Trained",
    "TrainingConfig",
    "TrainingProgress",
    "TrainingRocks",
    "TrainingSlice",
    "baselines_told",
    "coarse_rocks",
    "confusion_matrix",
    "dice",
    "enlarged",
    "fine_tune",
    "fit",
    "fit_baseline",
    "image_quality",
    "iou",
    "learning_curves",
    "mean_relative_error",
    "paired_bootstrap",
    "pixel_accuracy",
    "porosity_bias",
    "r_squared",
    "random_forest",
    "regression_scores",
    "rmse",
    "rocks_of",
    "row_normalised",
    "scores",
    "train_segmentation",
    "train_super_resolution",
    "train_surrogate",
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
