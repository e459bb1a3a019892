"""The networks of the permeability demo: trained one after the other, each where an earlier call left it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigrock.datasets import RockSet
from bigrock.datasets.rock_set_split import RockSplit
from bigrock.models import Bundle, SurrogateConfig
from bigrock.training import (
    FineTuning,
    Trained,
    coarse_rocks,
    fine_tune,
    rocks_of,
    train_super_resolution,
    train_surrogate,
)
from bigrock.workflows.permeability.demo_settings import DemoSettings
from bigrock.workflows.permeability.network_settings import SplitSettings

__all__ = ["DemoNetworks", "train_demo_networks"]


@dataclass(frozen=True)
class DemoNetworks:
    """Every network of the demo, by what it is for; and how long each was trained, seconds.

    Attributes
    ----------
    plain, tuned, paper, control : Bundle
        Super-resolution as trained on voxels; tuned on permeability as the surrogate tells it from masks that
        keep pore fractions, held to the voxels; from grey images, with no regard to voxels (the paper's mode);
        and trained on for as many epochs on voxels alone.
    surrogate, holdout, direct : Bundle
        The network that guides the tuning; one of another kind that it never sees; one that sees the
        coarse image.
    seconds : dict
        Name to seconds.
    """

    plain: Bundle
    tuned: Bundle
    paper: Bundle
    control: Bundle
    surrogate: Bundle
    holdout: Bundle
    direct: Bundle
    seconds: dict[str, float]

    @property
    def architectures(self) -> dict[str, str]:
        """What kind of network each of those is that tell permeability."""
        told = {}
        for name, bundle in (
            ("surrogate", self.surrogate),
            ("hold-out", self.holdout),
            ("direct", self.direct),
        ):
            config = bundle.expect(SurrogateConfig)
            views = f", {config.views}" if config.architecture == "views" else ""
            told[name] = config.architecture + views
        return told


def train_demo_networks(
    rocks: RockSet, parts: RockSplit, settings: DemoSettings, folder: Path, seed: int, progress: Any = None
) -> DemoNetworks:
    """Return the networks, trained on one part of the rocks and chosen by another.

    Parameters
    ----------
    rocks : RockSet
        Labelled.
    parts : RockSplit
        Its parts.
    settings : DemoSettings
        Networks and trainings.
    folder : Path
        One bundle in each of its folders.
    seed : int
        Of the split.
    progress : bool, optional
        Bars.
    """
    learnt, held = rocks_of(rocks, parts.train), rocks_of(rocks, parts.validation)
    factor, voxel = settings.factor, rocks.voxel_size
    coarser = (voxel[0] * factor,) * 3
    origin = {"rocks": rocks.path, "split": SplitSettings(seed=seed).model_dump(mode="json")}
    done: dict[str, Trained] = {}

    def train(name: str, function: Callable[..., Trained], *given: Any, **more: Any) -> Bundle:
        done[name] = function(*given, folder=folder / name, progress=progress, provenance=origin, **more)
        return done[name].bundle

    plain = train(
        "super-resolution", train_super_resolution, learnt, held,
        settings.super_resolution, settings.super_resolution_training, voxel_size=coarser,
    )  # fmt: skip
    surrogate, holdout = (
        train(name, train_surrogate, learnt, held, config, training, voxel_size=voxel)
        for name, config, training in (
            ("surrogate", settings.surrogate, settings.surrogate_training),
            ("hold-out", settings.holdout, settings.holdout_training),
        )
    )
    coarse = [coarse_rocks(each, factor) for each in (learnt, held)]
    direct = train(
        "direct", train_surrogate, *coarse, settings.direct, settings.direct_training, voxel_size=coarser
    )
    ways: dict[str, FineTuning] = {
        "fine-tuned": settings.tuning,
        "paper": dataclasses.replace(settings.tuning, sees="grey", fidelity=0.0),
        "voxels-only": dataclasses.replace(settings.tuning, flow=0.0),
    }
    tuned, paper, control = (
        train(name, fine_tune, plain, [surrogate], learnt, held, way) for name, way in ways.items()
    )
    seconds = {name: round(trained.seconds, 3) for name, trained in done.items()}
    return DemoNetworks(plain, tuned, paper, control, surrogate, holdout, direct, seconds)
