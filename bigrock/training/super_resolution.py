"""From images of rocks to a bundle that super-resolves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigrock.errors import ParameterError
from bigrock.models import SuperResolutionConfig, build_super_resolution_net, save_bundle
from bigrock.models.inference import arithmetic
from bigrock.models.memory_layout import channels_last
from bigrock.training.bundle_folder import claimed_folder, fit_bundle
from bigrock.training.loop import training_device
from bigrock.training.progress import TrainingProgressLike
from bigrock.training.rock_samples import FinePatches, coarse_of
from bigrock.training.rock_settings import SuperResolutionTraining
from bigrock.training.rocks import TrainingRocks, check_divides
from bigrock.training.trained import Trained, json_of, training_facts
from bigrock.volumes.source import Voxel

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["train_super_resolution"]


def train_super_resolution(
    rocks: TrainingRocks,
    validation: TrainingRocks,
    config: SuperResolutionConfig | None = None,
    training: SuperResolutionTraining | None = None,
    *,
    folder: str | Path,
    voxel_size: Voxel | None = None,
    provenance: Mapping[str, Any] | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: TrainingProgressLike = None,
) -> Trained:
    """Train a super-resolving network on images of rocks and write it to a folder as a bundle.

    Coarse images are made of the fine ones as training goes. The weights with the highest PSNR on the
    validation rocks are kept. Bitwise the same on a CPU for the same rocks, settings, seed and number of
    threads, also after an interruption.

    Parameters
    ----------
    rocks, validation : TrainingRocks
        Fine images to learn from, and to choose the weights by; permeabilities are not looked at.
    config : SuperResolutionConfig, optional
        Scale and network.
    training : SuperResolutionTraining, optional
        How it is trained.
    folder : str or Path
        The bundle is written here; ``training`` inside of it holds checkpoint, history, learning curves and
        TensorBoard's logs.
    voxel_size : tuple of float, optional
        Metres z, y, x of the coarse images.
    provenance : mapping, optional
        JSON: which rocks.
    resume : bool
        Go on where an interrupted training of the same rocks and settings stopped; False refuses one.
    overwrite : bool
        Begin anew, and replace what the folder holds.
    progress : callable, bool or None
        Takes `TrainingProgress` events; True for a bar, None for a bar where there is a terminal.

    Returns
    -------
    Trained

    Raises
    ------
    ParameterError
        If images do not divide by the scale, or are smaller than the patch.
    ResumeError
        If the folder holds a training of other rocks or settings.
    VolumeExistsError
        If the folder is a file, or holds a model without its training, or other files.

    Examples
    --------
    >>> import tempfile
    >>> rocks = TrainingRocks(np.random.default_rng(0).random((2, 8, 8, 8)) < 0.5)
    >>> config = SuperResolutionConfig(scale=2, features=8, blocks=1)
    >>> short = SuperResolutionTraining(max_epochs=1, steps_per_epoch=2, batch=1, device="cpu")
    >>> train_super_resolution(rocks, rocks, config, short, folder=tempfile.mkdtemp()).epochs
    1
    """
    import torch

    config, training = config or SuperResolutionConfig(), training or SuperResolutionTraining()
    _check(rocks, validation, config, training)
    place = claimed_folder(folder, resume=resume, overwrite=overwrite)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        net = channels_last(build_super_resolution_net(config))
    judge = Fidelity(validation, config.scale, training)
    fitted = fit_bundle(
        net,
        FinePatches(rocks, config.scale, training),
        torch.nn.functional.l1_loss if training.loss == "l1" else torch.nn.functional.mse_loss,
        judge,
        training,
        folder=place,
        identity={"network": json_of(config), "rocks": [each.digest() for each in (rocks, validation)]},
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )
    judged = judge.scores(net, "cpu")
    said = training_facts(training, fitted, judged) | {"rocks": len(rocks)}
    bundle = save_bundle(place, net, config, voxel_size=voxel_size, provenance=provenance, training=said)
    return Trained(bundle, fitted.history, fitted.seconds, judged)


class Fidelity:
    """Scores a network by the PSNR of the validation rocks.

    Parameters
    ----------
    rocks : TrainingRocks
        Fine images.
    scale : int
        Of the network.
    training : SuperResolutionTraining
        Batch, coarsening, precision.
    """

    def __init__(self, rocks: TrainingRocks, scale: int, training: SuperResolutionTraining) -> None:
        self.rocks, self.training = rocks, training
        self.device = training_device(training.device)
        options = training.coarsening.options
        self.coarse = [coarse_of(np.asarray(rocks.images[i]), scale, i, options) for i in range(len(rocks))]

    def __call__(self, net: nn.Module, train_loss: float) -> dict[str, float]:
        found = self.scores(net, self.device)
        return {"score": found["psnr"], "validation loss": found["mse"]}

    def scores(self, net: nn.Module, device: Any) -> dict[str, float]:
        """Return the mean squared error and the mean PSNR of whole rocks."""
        import torch

        errors: list[float] = []
        precision = "bf16" if self.training.precision == "bf16" else "float32"
        for number, coarse in enumerate(self.coarse):
            fine = torch.from_numpy(np.asarray(self.rocks.images[number], np.float32))
            with torch.inference_mode(), arithmetic(precision, torch.device(device).type):
                made: Tensor = net(coarse[None].to(device))[0, 0]
            errors.append(float((made.float().clamp(0, 1).cpu() - fine).square().mean()))
        return {
            "mse": float(np.mean(errors)),
            "psnr": float(-10 * np.log10(np.maximum(errors, 1e-10)).mean()),
        }


def _check(
    rocks: TrainingRocks,
    validation: TrainingRocks,
    config: SuperResolutionConfig,
    training: SuperResolutionTraining,
) -> None:
    """Refuse what cannot be trained, before anything is."""
    for part in (rocks, validation):
        check_divides(part.shape, config.scale)
    patch = training.patch
    if patch is not None and (patch % config.scale or patch > min(rocks.shape)):
        most = min(rocks.shape) // config.scale * config.scale
        raise ParameterError(
            f"patch={patch} is no multiple of the scale {config.scale}, or larger than the rocks of {rocks.shape}. Use "
            f"{max(8, min(most, round(patch / config.scale) * config.scale))}, or None."
        )
