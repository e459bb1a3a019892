"""How large the permeability demo is, and how its networks are trained: minutes on two cores, or seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bigrock.geometry import Shape
from bigrock.models import SuperResolutionConfig, SurrogateConfig, supports_bf16
from bigrock.training import FineTuning, SuperResolutionTraining, SurrogateTraining

__all__ = ["DemoSettings"]

CORE_BEDS = (("pack", 0.32), ("blobs", 0.25), ("two-scale", 0.3), ("layers", 0.28))
"""Families and porosities of the beds of the core that is mapped, along z."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Rocks, networks and trainings of the demo.

    Examples
    --------
    >>> DemoSettings.quick(0).core
    (32, 16, 16)
    """

    rocks: int
    edge: int
    factor: int
    core: Shape
    super_resolution: SuperResolutionConfig
    super_resolution_training: SuperResolutionTraining
    surrogate: SurrogateConfig
    surrogate_training: SurrogateTraining
    holdout: SurrogateConfig
    holdout_training: SurrogateTraining
    direct: SurrogateConfig
    direct_training: SurrogateTraining
    tuning: FineTuning

    @classmethod
    def full(cls, seed: int) -> DemoSettings:
        """Return the demo at reduced size: 16³ to 64³, under half an hour of training in one thread."""
        how: dict[str, Any] = {"seed": seed, "device": "cpu", "threads": 1}
        fast = {**how, "precision": "bf16" if supports_bf16() else "float32"}
        return cls(
            rocks=600,
            edge=64,
            factor=4,
            core=(256, 128, 128),
            super_resolution=SuperResolutionConfig(scale=4),
            super_resolution_training=SuperResolutionTraining(max_epochs=20, **fast),
            surrogate=SurrogateConfig(64, architecture="darcy", features=(8, 16), head=32),
            surrogate_training=SurrogateTraining(max_epochs=24, **fast),
            holdout=SurrogateConfig(64, views="shared", features=(8, 16, 32)),
            holdout_training=SurrogateTraining(max_epochs=14, batch=8, **fast),
            direct=SurrogateConfig(16, architecture="conv3d", features=(16, 32, 48)),
            direct_training=SurrogateTraining(max_epochs=30, soft=0.0, **how),
            tuning=FineTuning(max_epochs=8, schedule="cosine", sees="fraction", **fast),
        )

    @classmethod
    def quick(cls, seed: int) -> DemoSettings:
        """Return the demo in a minute: hardly any training, to see the files; nothing is reached."""
        how: dict[str, Any] = {
            "seed": seed,
            "device": "cpu",
            "threads": 1,
            "max_epochs": 2,
            "steps_per_epoch": 3,
            "batch": 2,
        }
        small = SurrogateTraining(**how)
        return cls(
            rocks=30,
            edge=16,
            factor=4,
            core=(32, 16, 16),
            super_resolution=SuperResolutionConfig(scale=4, features=8, blocks=1),
            super_resolution_training=SuperResolutionTraining(**how),
            surrogate=SurrogateConfig(16, architecture="darcy", features=(4, 8), head=8, members=2),
            surrogate_training=small,
            holdout=SurrogateConfig(16, architecture="conv3d", features=(4, 8), head=8),
            holdout_training=small,
            direct=SurrogateConfig(4, architecture="conv3d", features=(4,), head=8),
            direct_training=small,
            tuning=FineTuning(sees="fraction", **how),
        )
