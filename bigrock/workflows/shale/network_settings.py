"""Settings of the network of the shale workflows, and of its training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from bigrock.models import CPU_FEATURES, SegmentationConfig
from bigrock.training import Augmentation, TrainingConfig
from bigrock.workflows.settings import Section

__all__ = ["NetworkSettings", "TrainingSettings"]


def _training(value: Any) -> TrainingConfig:
    """Return how to train, from what a file says of it."""
    if isinstance(value, TrainingConfig):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not allowed, it must be a section such as max_epochs: 60.")
    given = dict(value)
    _refuse_unknown(given, TrainingConfig)
    varied = given.get("augmentation")
    if isinstance(varied, Mapping):
        _refuse_unknown(varied, Augmentation)
        given["augmentation"] = Augmentation(**varied)
    try:
        return TrainingConfig(**given)
    except TypeError as error:
        raise ValueError(f"{value!r} is not allowed ({error}).") from error


def _refuse_unknown(given: Mapping[str, Any], kind: type[Any]) -> None:
    known = [field.name for field in dataclasses.fields(kind)]
    for name in given:
        if name not in known:
            raise ValueError(
                f"{name!r} would be ignored, there is no such key. Use some of: {', '.join(known)}."
            )


TrainingSettings = Annotated[Any, PlainValidator(_training)]
"""A `bigrock.training.TrainingConfig`, or what a file says of it."""


class NetworkSettings(Section):
    """What the network is made of; see `bigrock.models.SegmentationConfig`.

    Attributes
    ----------
    neighbours : int
        2.5-D: slices on each side that are given as further channels.
    features : tuple of int
        Channels at each level.
    architecture : {"dynunet", "basicunet"}
        Which of MONAI's U-Nets.
    norm : {"batch", "none"}
        Normalisation that leaves no seams.
    standardize : {"slice", "volume", "none"}
        What is brought to mean 0 and deviation 1.

    Examples
    --------
    >>> NetworkSettings(neighbours=1).made({"solid": 0, "pore": 1}).channels
    3
    """

    neighbours: int = Field(default=0, ge=0)
    features: Annotated[tuple[int, ...], Field(strict=False)] = CPU_FEATURES
    architecture: Literal["dynunet", "basicunet"] = "dynunet"
    norm: Literal["batch", "none"] = "batch"
    standardize: Literal["slice", "volume", "none"] = "slice"

    def made(self, classes: Mapping[str, int]) -> SegmentationConfig:
        """Return the configuration of a network for these classes."""
        return SegmentationConfig(classes, **self.model_dump())
