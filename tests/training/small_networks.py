"""Small networks of the permeability workflow, and rocks that they learn from in seconds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from bigrock.models import (
    SuperResolutionConfig,
    SurrogateConfig,
)
from bigrock.training import (
    FineTuning,
    SuperResolutionTraining,
    SurrogateTraining,
    Trained,
    TrainingRocks,
    fine_tune,
    train_super_resolution,
    train_surrogate,
)

EDGE = 16

HOW: dict[str, Any] = {"device": "cpu", "threads": 1, "batch": 4}

SR = SuperResolutionConfig(scale=2, features=8, blocks=1)

SURROGATE = SurrogateConfig(EDGE, architecture="conv3d", features=(4, 8), head=8)

SHORT = {
    "sr": SuperResolutionTraining(max_epochs=2, steps_per_epoch=3, **HOW),
    "surrogate": SurrogateTraining(max_epochs=2, steps_per_epoch=3, **HOW),
    "tune": FineTuning(max_epochs=2, steps_per_epoch=3, **HOW),
}


def rocks(seed: int, count: int = 12) -> TrainingRocks:
    """Blobs, with a permeability that follows from their porosity and from the axis."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.standard_normal((count, EDGE, EDGE, EDGE)), (0, 1.2, 1.2, 1.2), mode="wrap")
    porosity = rng.uniform(0.2, 0.6, count)
    images = np.stack([n < np.quantile(n, p) for n, p in zip(noise, porosity, strict=True)])
    return TrainingRocks(images, 10 ** (4 * images.mean((1, 2, 3))[:, None] - [2.0, 2.0, 2.0]))


TRAIN, VALIDATION = rocks(0), rocks(1, 5)


def train(kind: str, made: dict[str, Trained], folder: Path, **options: Any) -> Trained:
    changed = dataclasses.replace(SHORT[kind], **options.pop("training", {}))
    if kind == "sr":
        return train_super_resolution(TRAIN, VALIDATION, SR, changed, folder=folder, **options)  # type: ignore[arg-type]
    if kind == "surrogate":
        return train_surrogate(TRAIN, VALIDATION, SURROGATE, changed, folder=folder, **options)  # type: ignore[arg-type]
    bundles = made["sr"].bundle, [made["surrogate"].bundle]
    return fine_tune(*bundles, TRAIN, VALIDATION, changed, folder=folder, **options)  # type: ignore[arg-type]


def weights(folder: str | Path) -> bytes:
    return (Path(folder) / "models" / "model.safetensors").read_bytes()
