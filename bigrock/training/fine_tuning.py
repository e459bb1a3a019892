"""Tune a super-resolving network so that what it makes has the right permeability in the eyes of a surrogate.

The surrogate f stands still, and the super-resolution s moves: f(s(x)) shall be log10 k. With f frozen,
s can learn patterns that please f and carry no flow; the fidelity term holds s to the voxels, and only
an independent solver tells what was gained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigrock.errors import BundleError, ParameterError
from bigrock.models import (
    Bundle,
    SuperResolutionConfig,
    SurrogateConfig,
    build_super_resolution_net,
    save_bundle,
)
from bigrock.models.inference import arithmetic
from bigrock.models.memory_layout import channels_last
from bigrock.models.predicting import coarse_factor
from bigrock.training.bundle_folder import claimed_folder, fit_bundle
from bigrock.training.loop import training_device
from bigrock.training.progress import TrainingProgressLike
from bigrock.training.regression import r_squared
from bigrock.training.rock_samples import FlowPairs
from bigrock.training.rock_settings import FineTuning
from bigrock.training.rocks import TrainingRocks, check_divides
from bigrock.training.trained import Trained, training_facts

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

__all__ = ["fine_tune"]


def fine_tune(
    super_resolution: Bundle,
    surrogates: Sequence[Bundle],
    rocks: TrainingRocks,
    validation: TrainingRocks,
    training: FineTuning | None = None,
    *,
    folder: str | Path,
    provenance: Mapping[str, Any] | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: TrainingProgressLike = None,
) -> Trained:
    """Train the super-resolution on, so that frozen surrogates tell the right permeability from its images.

    The loss is ``flow · MSE(standardised log10 k) + fidelity · MSE(voxels)``, the first one averaged over all
    members of all surrogates. The weights with the least loss on the validation rocks are kept. Bitwise the
    same on a CPU for the same input, settings, seed and number of threads, also after an interruption.

    Parameters
    ----------
    super_resolution : Bundle
        What is tuned; unchanged, a new bundle is made.
    surrogates : sequence of Bundle
        What it shall please; not changed. None is needed for ``flow=0``.
    rocks, validation : TrainingRocks
        Fine images with permeabilities.
    training : FineTuning, optional
        How, and how much the voxels count.
    folder : str or Path
        The bundle is written here, with ``training`` as in `train_super_resolution`.
    provenance : mapping, optional
        JSON: which rocks. What was tuned, and by which surrogates, is added.
    resume : bool
        Go on where an interrupted training of the same input and settings stopped; False refuses one.
    overwrite : bool
        Begin anew, and replace what the folder holds.
    progress : callable, bool or None
        Takes `TrainingProgress` events; True for a bar, None for a bar where there is a terminal.

    Returns
    -------
    Trained

    Raises
    ------
    BundleError
        If a bundle is for another task, or a surrogate is one of coarse images.
    ParameterError
        If images do not fit the scale or the surrogates, or no permeability is known and positive.
    ResumeError
        If the folder holds a training of other input or settings.
    VolumeExistsError
        If the folder is a file, or holds a model without its training, or other files.

    References
    ----------
    The permeability paper, Scientific Reports, 2024; `bigrock.workflows.permeability` says what of it is built.

    Examples
    --------
    >>> FineTuning(flow=0).fidelity  # the control: as many epochs, voxels only
    10.0
    """
    training = training or FineTuning()
    config = _check(super_resolution, surrogates, rocks, validation, training)
    place = claimed_folder(folder, resume=resume, overwrite=overwrite)
    _refuse_own(place, [super_resolution, *surrogates])
    device = training_device(training.device)
    net = channels_last(build_super_resolution_net(config))
    net.load_state_dict(super_resolution.network().state_dict())
    loss = PermeabilityLoss(surrogates, config.scale, training, device)
    judge = _Judge(validation, config.scale, training, loss, device)
    tuned = {"super-resolution": super_resolution.digest, "surrogates": [each.digest for each in surrogates]}
    fitted = fit_bundle(
        net,
        FlowPairs(rocks, rocks.targets(), config.scale, training),
        loss,
        judge,
        training,
        folder=place,
        identity={**tuned, "rocks": [each.digest() for each in (rocks, validation)]},
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )
    judged = judge(net.to(device), 0.0)
    said = training_facts(training, fitted, judged) | {"rocks": len(rocks)}
    bundle = save_bundle(
        place,
        net.to("cpu"),
        config,
        voxel_size=super_resolution.voxel_size,
        provenance={**(provenance or {}), "tuned": tuned},
        training=said,
    )
    return Trained(bundle, fitted.history, fitted.seconds, judged)


class PermeabilityLoss:
    """Loss of images and their labels as `FlowPairs` makes them; the surrogates have no gradients of their own.

    Parameters
    ----------
    surrogates : sequence of Bundle
        Frozen.
    scale : int
        Of the super-resolution.
    training : FineTuning
        Weights of the two parts, and what the surrogates see.
    device : torch.device
        Where to compute.
    """

    def __init__(
        self, surrogates: Sequence[Bundle], scale: int, training: FineTuning, device: torch.device
    ) -> None:
        self.scale, self.training, self.device = scale, training, device.type
        self.seen: list[tuple[nn.Module, SurrogateConfig]] = []
        if training.flow:
            self.seen = [(b.network(str(device)), b.expect(SurrogateConfig)) for b in surrogates]

    def __call__(self, made: Tensor, label: Tensor) -> Tensor:
        fine, log10_k = FlowPairs.parts(label, made)
        total = self.training.fidelity * (made - fine).square().mean()
        told = self.told(made, fine, log10_k)
        for found, wanted in told:
            total = total + self.training.flow / len(told) * (found - wanted).square().mean()
        return total

    def told(self, made: Tensor, fine: Tensor, log10_k: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return for each surrogate what its members tell, and what they should, both standardised."""
        found = []
        shown = self._shown(made, fine) if self.seen else made
        for net, config in self.seen:
            with arithmetic("bf16" if self.training.precision == "bf16" else "float32", self.device):
                told = net(shown)
            found.append((told.float(), (log10_k - config.log10_k_mean) / config.log10_k_std))
        return found

    def _shown(self, made: Tensor, fine: Tensor) -> Tensor:
        from bigrock.models.surrogate_net import binarized, of_fractions

        if self.training.sees == "fraction":
            return of_fractions(made, fine, self.scale)
        return binarized(made) if self.training.sees == "mask" else made.clamp(0, 1)


class _Judge:
    """Scores a network by the loss of the validation rocks."""

    def __init__(
        self,
        rocks: TrainingRocks,
        scale: int,
        training: FineTuning,
        loss: PermeabilityLoss,
        device: torch.device,
    ) -> None:
        self.known = rocks.targets()
        self.pairs, self.loss, self.device = FlowPairs(rocks, self.known, scale, training), loss, device

    def __call__(self, net: nn.Module, train_loss: float) -> dict[str, float]:
        import torch

        losses, squares, told = [], [], []
        precision = "bf16" if self.loss.training.precision == "bf16" else "float32"
        for number in range(len(self.known)):
            sample = self.pairs.pair(None, number, number)
            image, label = (sample[name][None].to(self.device) for name in ("image", "label"))
            with torch.inference_mode(), arithmetic(precision, self.device.type):
                made = net(image).float()
            with torch.inference_mode():
                fine, log10_k = FlowPairs.parts(label, made)
                losses.append(float(self.loss(made, label)))
                squares.append(float((made.clamp(0, 1) - fine).square().mean()))
                pairs = zip(self.loss.told(made, fine, log10_k), self.loss.seen, strict=True)
                told.append([_log10_k(*pair) for pair in pairs])
        numbers = {"score": -float(np.mean(losses)), "validation loss": float(np.mean(losses))}
        numbers["psnr"] = float(-10 * np.log10(np.maximum(squares, 1e-10)).mean())
        if told[0]:
            numbers["r2 surrogate"] = r_squared(self.known.log10_k, np.mean(told, axis=1))
        return numbers


def _log10_k(told: tuple[Tensor, Tensor], seen: tuple[nn.Module, SurrogateConfig]) -> float:
    return seen[1].log10_k_mean + seen[1].log10_k_std * float(told[0].mean())


def _refuse_own(place: Path, given: Sequence[Bundle]) -> None:
    for bundle in given:
        if Path(bundle.folder).resolve() == place.resolve():
            raise ParameterError(
                f"folder={str(place)!r} is that of a given model, which would be lost. Choose another folder."
            )


def _check(
    super_resolution: Bundle,
    surrogates: Sequence[Bundle],
    rocks: TrainingRocks,
    validation: TrainingRocks,
    training: FineTuning,
) -> SuperResolutionConfig:
    """Refuse what cannot be trained, before anything is."""
    config = super_resolution.expect(SuperResolutionConfig)
    if training.flow and not surrogates:
        raise ParameterError(
            f"flow={training.flow} with no surrogate: nothing tells the permeability. Give one, or flow=0."
        )
    for part in (rocks, validation):
        check_divides(part.shape, config.scale)
        if len(set(part.shape)) > 1:
            raise ParameterError(
                f"rocks of {part.shape} voxels are no cubes: flow along any axis is learnt from cubes. Crop them to "
                f"{min(part.shape)}."
            )
        for surrogate in surrogates:
            seen = surrogate.expect(SurrogateConfig)
            if coarse_factor(surrogate) != 1:
                raise BundleError(
                    f"{surrogate.folder} is a network of images {coarse_factor(surrogate)} times coarser, to tell "
                    "permeability without super-resolution: of fine images it knows nothing. Give a surrogate that was "
                    "trained on fine ones."
                )
            if seen.edge != part.shape[0]:
                raise ParameterError(
                    f"the surrogate {surrogate.folder} takes images of {seen.edge} voxels along each axis, and the "
                    f"rocks have {part.shape[0]}. Give rocks of {seen.edge}, or another surrogate."
                )
    return config
