"""From images of rocks and their permeabilities to a bundle that tells permeability from an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bigrock.errors import ParameterError
from bigrock.models import Domain, SurrogateConfig, build_surrogate_net, save_bundle
from bigrock.models.inference import arithmetic
from bigrock.training.bundle_folder import claimed_folder, fit_bundle
from bigrock.training.loop import training_device
from bigrock.training.progress import TrainingProgressLike
from bigrock.training.regression import regression_scores
from bigrock.training.rock_samples import FlowImages, softened
from bigrock.training.rock_settings import SurrogateTraining
from bigrock.training.rocks import Targets, TrainingRocks
from bigrock.training.trained import Trained, json_of, training_facts
from bigrock.volumes.source import Voxel

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["train_surrogate"]

_BATCH = 16


def train_surrogate(
    rocks: TrainingRocks,
    validation: TrainingRocks,
    config: SurrogateConfig | None = None,
    training: SurrogateTraining | None = None,
    *,
    folder: str | Path,
    voxel_size: Voxel | None = None,
    provenance: Mapping[str, Any] | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: TrainingProgressLike = None,
) -> Trained:
    """Train a surrogate of the flow solver and write it to a folder as a bundle.

    It learns log10 k along every axis that is labelled; values that are not there, or 0 (rocks that do not
    percolate), are left out and counted in the bundle. The weights with the highest r² on the validation
    rocks are kept. With `coarse_rocks` it is the regressor that bypasses super-resolution, and its bundle
    says so (``coarse_factor``): it takes the place of no surrogate of fine images. Bitwise the same
    on a CPU for the same rocks, settings, seed and number of threads, also after an interruption.

    Parameters
    ----------
    rocks, validation : TrainingRocks
        To learn from, and to choose the weights by.
    config : SurrogateConfig, optional
        Network; its mean, deviation, error and domain are replaced by those of the rocks. None: the paper's
        branches for the edge of the rocks.
    training : SurrogateTraining, optional
        How it is trained.
    folder : str or Path
        The bundle is written here; ``training`` inside of it holds checkpoint, history, learning curves and
        TensorBoard's logs.
    voxel_size : tuple of float, optional
        Metres z, y, x of the images.
    provenance : mapping, optional
        JSON: which rocks, who labelled them.
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
        If no permeability is known and positive, all are alike, or images have another edge.
    ResumeError
        If the folder holds a training of other rocks or settings.
    VolumeExistsError
        If the folder is a file, or holds a model without its training, or other files.

    Examples
    --------
    >>> import tempfile
    >>> images = np.random.default_rng(0).random((2, 8, 8, 8)) < 0.5
    >>> rocks = TrainingRocks(images, [1.0, 10.0])
    >>> config = SurrogateConfig(8, features=(4,), head=4)
    >>> short = SurrogateTraining(max_epochs=1, steps_per_epoch=2, batch=2, device="cpu")
    >>> made = train_surrogate(rocks, rocks, config, short, folder=tempfile.mkdtemp())
    >>> made.bundle.config.log10_k_mean
    0.5
    """
    import torch

    config, training = config or SurrogateConfig(rocks.shape[0]), training or SurrogateTraining()
    known = rocks.targets()
    config = _standardised(config, rocks, validation, known)
    place = claimed_folder(folder, resume=resume, overwrite=overwrite)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        net = build_surrogate_net(config)
    judge = FlowScores(validation, config, training)
    fitted = fit_bundle(
        net,
        FlowImages(rocks, known, (config.log10_k_mean, config.log10_k_std), training),
        _each_member,
        judge,
        training,
        folder=place,
        identity={"network": json_of(config), "rocks": [each.digest() for each in (rocks, validation)]},
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )
    judged = judge.scores(net, "cpu")
    domain = Domain.of(_seen(rocks, known, training))
    config = dataclasses.replace(config, log10_rmse=judged["rmse_log10"], domain=domain)
    said = training_facts(training, fitted, judged)
    said |= {"rocks": len(rocks), "targets": len(known), "left_out": known.left_out}
    said["coarse_factor"] = rocks.coarse_factor
    bundle = save_bundle(place, net, config, voxel_size=voxel_size, provenance=provenance, training=said)
    return Trained(bundle, fitted.history, fitted.seconds, judged)


def _each_member(made: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean squared error of every member by itself: their mean would not make them differ."""
    return (made - wanted).square().mean()


def _standardised(
    config: SurrogateConfig, rocks: TrainingRocks, validation: TrainingRocks, known: Targets
) -> SurrogateConfig:
    """Return the configuration with mean and deviation of the targets; refuse what cannot be learnt."""
    if rocks.coarse_factor != validation.coarse_factor:
        raise ParameterError(
            f"rocks {rocks.coarse_factor} times coarser, and validation rocks {validation.coarse_factor} times: they "
            "are no images of one kind. Make both by `coarse_rocks` with the same factor."
        )
    for part in (rocks, validation):
        if set(part.shape) != {config.edge}:
            raise ParameterError(
                f"rocks of {part.shape} voxels, and the surrogate is one of {config.edge} along each axis: flow along "
                f"any axis is learnt from cubes. Crop the rocks, or use edge={min(part.shape)}."
            )
    deviation = float(known.log10_k.std())
    if not deviation > 1e-6:
        raise ParameterError(
            f"all {len(known)} permeabilities are alike: nothing can be told apart. Give rocks that differ."
        )
    if len(np.unique(validation.targets().log10_k)) < 2:
        raise ParameterError(
            f"{len(validation)} validation rocks have fewer than two permeabilities that differ: r², by which the "
            "weights are chosen, would be no number. Give more of them."
        )
    mean = float(known.log10_k.mean())
    return dataclasses.replace(config, log10_k_mean=mean, log10_k_std=deviation, log10_rmse=None, domain=None)


def _seen(rocks: TrainingRocks, known: Targets, training: SurrogateTraining) -> Iterator[npt.NDArray[Any]]:
    """Yield what the network was shown of each target: the image, and a soft one where there were such."""
    rng = np.random.default_rng((training.seed, 2))
    for number in range(len(known)):
        image = known.image(rocks.images, number)
        yield image
        if training.soft:
            yield softened(rng, image)


class FlowScores:
    """Scores a surrogate by the log10 k of the validation rocks.

    Parameters
    ----------
    rocks : TrainingRocks
        Labelled.
    config : SurrogateConfig
        With mean and deviation of log10 k.
    training : SurrogateTraining
        Device and precision.
    """

    def __init__(self, rocks: TrainingRocks, config: SurrogateConfig, training: SurrogateTraining) -> None:
        self.rocks, self.known, self.config = rocks, rocks.targets(), config
        self.precision = "bf16" if training.precision == "bf16" else "float32"
        self.device = training_device(training.device)

    def __call__(self, net: nn.Module, train_loss: float) -> dict[str, float]:
        found = self.scores(net, self.device)
        standardised = found["rmse_log10"] / self.config.log10_k_std
        return {"score": found["r2"], "rmse log10": found["rmse_log10"], "validation loss": standardised**2}

    def scores(self, net: nn.Module, device: Any) -> dict[str, Any]:
        """Return `regression_scores` of the mean over members."""
        import torch

        found = []
        for start in range(0, len(self.known), _BATCH):
            numbers = range(start, min(start + _BATCH, len(self.known)))
            images = np.stack([self.known.image(self.rocks.images, n) for n in numbers]).astype(np.float32)
            with torch.inference_mode(), arithmetic(self.precision, torch.device(device).type):
                made = net(torch.from_numpy(images)[:, None].to(device))
            found.append(made.float().mean(1).cpu().numpy())
        log10_k = self.config.log10_k_mean + self.config.log10_k_std * np.concatenate(found)
        return regression_scores(10**self.known.log10_k, 10 ** log10_k.astype(np.float64))
