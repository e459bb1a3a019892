"""Every setting of a training run; the defaults are those for minutes on two cores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bigrock.errors import ParameterError

__all__ = ["Augmentation", "LoopConfig", "TrainingConfig", "check", "choice"]


def check(allowed: bool, name: str, value: Any, wanted: str) -> None:
    """Raise `ParameterError` with the value and what is wanted, unless it is allowed."""
    if not allowed:
        raise ParameterError(f"{name}={value} cannot be trained with. Give {wanted}.")


def choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise `ParameterError` with the choices, unless the value is one of them."""
    if value not in allowed:
        raise ParameterError(f"{name}={value!r} is not known. Use one of {', '.join(map(repr, allowed))}.")


@dataclass(frozen=True)
class LoopConfig:
    """How a network is trained, whatever it computes.

    Parameters
    ----------
    max_epochs, steps_per_epoch, batch : int
        Optimiser steps in all are the product of the first two; each sees `batch` samples.
    learning_rate, weight_decay : float
        Of the optimiser.
    schedule : {"cosine", "plateau", "constant"}
        After a twentieth of warm-up, the learning rate falls to a hundredth along a cosine; or is
        halved each time that a third of `patience` passed without a better score; or stays.
    patience : int
        Epochs without a better score after which training stops.
    seed : int
        Of weights, samples and whatever else is random.
    precision : {"auto", "float32", "mixed", "bf16"}
        Mixed (half precision with loss scaling) works on a GPU; "auto" is mixed there, else float32. bf16
        works where `bigrock.models.supports_bf16` says so; on such a CPU convolutions in three dimensions are
        trained about 3 times faster.
    device : str
        For `torch.device`; "auto" is a GPU where there is one.
    threads : int, optional
        Threads of torch on a CPU; None leaves it as it is. Results are bitwise the same for the same number.
    workers : int
        Processes that make samples; 0 makes them in this one. Does not change what is made.
    time_budget_s : float, optional
        Seconds of wall time after which training ends; the schedule shortens itself to it, so results
        then depend on how fast the machine is.
    optimizer : {"adamw", "adam"}
        Which one.
    gradient_clip : float, optional
        Largest norm of the gradient of a step; None leaves it as it is.

    Raises
    ------
    ParameterError
        If a value is not possible.

    Examples
    --------
    >>> LoopConfig(max_epochs=2, steps_per_epoch=10).steps
    20
    """

    max_epochs: int = 60
    steps_per_epoch: int = 40
    batch: int = 6
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    patience: int = 25
    seed: int = 0
    precision: Literal["auto", "float32", "mixed", "bf16"] = "auto"
    device: str = "auto"
    threads: int | None = None
    workers: int = 0
    time_budget_s: float | None = None
    optimizer: Literal["adamw", "adam"] = "adamw"
    gradient_clip: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_epochs", "steps_per_epoch", "batch", "patience"):
            check(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        check(self.learning_rate > 0, "learning_rate", self.learning_rate, "a positive number such as 0.003")
        check(self.weight_decay >= 0, "weight_decay", self.weight_decay, "0 or more")
        check(self.seed >= 0, "seed", self.seed, "0 or more")
        check(self.workers >= 0, "workers", self.workers, "0 or more")
        check(self.threads is None or self.threads >= 1, "threads", self.threads, "1 or more, or None")
        allowed = self.time_budget_s is None or self.time_budget_s > 0
        check(allowed, "time_budget_s", self.time_budget_s, "seconds, or None")
        choice("schedule", self.schedule, ("cosine", "plateau", "constant"))
        choice("precision", self.precision, ("auto", "float32", "mixed", "bf16"))
        choice("optimizer", self.optimizer, ("adamw", "adam"))
        allowed = self.gradient_clip is None or self.gradient_clip > 0
        check(allowed, "gradient_clip", self.gradient_clip, "a positive number, or None")

    @property
    def steps(self) -> int:
        """Optimiser steps if nothing ends the training early."""
        return self.max_epochs * self.steps_per_epoch

    def identity(self) -> dict[str, Any]:
        """Return the settings that decide the weights: all but where and how fast they are computed."""
        settings = dataclasses.asdict(self)
        for name in ("device", "threads", "workers"):
            del settings[name]
        return settings


@dataclass(frozen=True)
class Augmentation:
    """How patches are varied, so that few slices show a network many; every field 0 leaves them as they are.

    Parameters
    ----------
    flip : float
        Probability of mirroring, along each axis.
    rotate90 : float
        Probability of a turn by 90, 180 or 270 degrees.
    warp : float
        Probability of a free rotation and an elastic warp.
    rotate_degrees : float
        Largest free rotation.
    elastic_pixels : float
        Displacements of the elastic warp, in pixels; one every 24 pixels, smoothly joined.
    contrast, brightness : float
        Largest relative change of the contrast, largest shift in standard deviations of the slice.
    noise : float
        Largest standard deviation of added noise, in standard deviations of the slice.
    blur : float
        Probability of a slight blur (up to 0.7 pixels).

    Raises
    ------
    ParameterError
        If a probability is not between 0 and 1, or a strength is negative.

    Examples
    --------
    >>> Augmentation.none().flip
    0.0
    """

    flip: float = 0.5
    rotate90: float = 0.5
    warp: float = 0.25
    rotate_degrees: float = 30.0
    elastic_pixels: float = 2.0
    contrast: float = 0.1
    brightness: float = 0.1
    noise: float = 0.05
    blur: float = 0.1

    def __post_init__(self) -> None:
        for name in ("flip", "rotate90", "warp", "blur"):
            check(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a probability, 0 to 1")
        for name in ("rotate_degrees", "elastic_pixels", "contrast", "brightness", "noise"):
            check(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")

    @classmethod
    def none(cls) -> Augmentation:
        """Return the augmentation that changes nothing."""
        return cls(**dict.fromkeys((f.name for f in dataclasses.fields(cls)), 0.0))


@dataclass(frozen=True)
class TrainingConfig(LoopConfig):
    """How a segmenting network is trained on annotated slices: `LoopConfig`, and what follows.

    Parameters
    ----------
    patch : int
        Extent of the square patches in pixels; a multiple of the network's stride.
    balance : float
        Share of the patches that lie on a pixel of a class drawn with equal chances, so that rare
        classes are seen; the others lie on any annotated pixel.
    class_weights : dict of str to float, optional
        Weight of each class in the cross entropy; a missing class weighs 1. None weighs all alike.
    dice_weight, cross_entropy_weight : float
        Parts of the loss.
    augmentation : Augmentation
        How patches are varied.
    match_shares : bool
        After training, add to the logit of each class what brings its share on the annotated slices
        (training and validation) to that of the labels: on balanced patches a network learns other shares.
    stop_on : {"validation", "paper"}
        What decides when to stop and which weights are kept: the mean IoU of the validation slices;
        or the sum of training and test loss, as the paper has it. The second one leaks the test
        slices into the choice of the weights: their scores are then no test any more.

    Raises
    ------
    ParameterError
        If a value is not possible.

    Examples
    --------
    >>> TrainingConfig(patch=64, max_epochs=5).patch
    64
    """

    max_epochs: int = 40
    patch: int = 96
    balance: float = 0.5
    class_weights: Mapping[str, float] | None = field(default=None, hash=False)
    dice_weight: float = 1.0
    cross_entropy_weight: float = 1.0
    augmentation: Augmentation = Augmentation()
    match_shares: bool = True
    stop_on: Literal["validation", "paper"] = "validation"

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self.patch >= 1, "patch", self.patch, "a number of pixels such as 96")
        check(0 <= self.balance <= 1, "balance", self.balance, "a share, 0 to 1")
        weights = (self.dice_weight, self.cross_entropy_weight)
        check(
            min(weights) >= 0 and sum(weights) > 0,
            "dice_weight, cross_entropy_weight",
            weights,
            "0 or more, not both 0",
        )
        for name, weight in (self.class_weights or {}).items():
            check(weight > 0, f"class_weights[{name!r}]", weight, "a positive number")
        choice("stop_on", self.stop_on, ("validation", "paper"))
