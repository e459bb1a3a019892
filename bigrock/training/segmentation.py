"""From annotated slices to a bundle that segments the stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigrock.errors import ParameterError, PhaseError
from bigrock.models import SegmentationConfig, build_segmentation_net, save_bundle
from bigrock.training.loop import Fitted, fit, training_device
from bigrock.training.losses import SegmentationLoss
from bigrock.training.metrics import scores
from bigrock.training.patches import Patches
from bigrock.training.progress import TrainingProgressLike
from bigrock.training.settings import TrainingConfig
from bigrock.training.shares import match_shares
from bigrock.training.slices import TrainingSlice, check_slices, class_counts, digest_of
from bigrock.training.trained import Trained, json_of, training_facts
from bigrock.training.validation import evaluate
from bigrock.volumes.source import Voxel

if TYPE_CHECKING:
    from torch import nn

__all__ = ["train_segmentation"]


def train_segmentation(
    slices: Sequence[TrainingSlice],
    validation: Sequence[TrainingSlice],
    config: SegmentationConfig,
    training: TrainingConfig | None = None,
    *,
    folder: str | Path,
    test: Sequence[TrainingSlice] = (),
    voxel_size: Voxel | None = None,
    provenance: Mapping[str, Any] | None = None,
    resume: bool = True,
    progress: TrainingProgressLike = None,
) -> Trained:
    """Train a network on annotated slices and write it to a folder as a bundle.

    All slices are checked before anything is trained or written. Bitwise the same on a CPU for the
    same slices, settings, seed and number of threads, also after an interruption.

    Parameters
    ----------
    slices, validation : sequence of TrainingSlice
        To learn from, and to choose the weights by. Every class must be annotated in `slices`.
    config : SegmentationConfig
        Classes and network.
    training : TrainingConfig, optional
        How it is trained.
    folder : str or Path
        The bundle is written here; ``training`` inside of it holds checkpoint, history, learning curves and
        TensorBoard's logs.
    test : sequence of TrainingSlice
        For ``stop_on="paper"`` alone.
    voxel_size : tuple of float, optional
        Metres z, y, x of the scan.
    provenance : mapping, optional
        JSON: which scan, which slices.
    resume : bool
        Go on where an interrupted training of the same slices and settings stopped.
    progress : callable, bool or None
        Takes `TrainingProgress` events; True for a bar, None for a bar where there is a terminal.

    Returns
    -------
    Trained

    Raises
    ------
    ParameterError
        If there are no slices, or shapes do not fit, or a slice holds no annotated pixel.
    PhaseError
        If a class is annotated nowhere, or a label is no class.
    ResumeError
        If the folder holds a training of other slices or settings.

    Examples
    --------
    >>> import tempfile
    >>> label = np.tile(np.repeat(np.uint8([0, 1]), 8), (32, 2))
    >>> stripes = [TrainingSlice(label.astype(np.float32), label)]
    >>> config = SegmentationConfig({"dark": 0, "bright": 1}, features=(4, 4, 8))
    >>> short = TrainingConfig(max_epochs=1, steps_per_epoch=2, batch=1, patch=16, device="cpu")
    >>> train_segmentation(stripes, stripes, config, short, folder=tempfile.mkdtemp()).epochs
    1
    """
    import torch

    training = training or TrainingConfig()
    _check(slices, validation, test, config, training)
    device = training_device(training.device)
    loss = SegmentationLoss.of(config.classes, training)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        # oneDNN and cuDNN compute channels-last images faster.
        net: Any = build_segmentation_net(config)
        net.to(memory_format=torch.channels_last)

    judge = _Judge(config.classes, validation, test if training.stop_on == "paper" else (), loss, device)
    work = Path(folder) / "training"
    identity = {
        "network": json_of(config),
        "slices": [digest_of(each) for each in (slices, validation, test)],
    }
    fitted = fit(
        net,
        Patches(slices, training),
        loss,
        judge,
        training,
        folder=work,
        identity=identity,
        resume=resume,
        progress=progress,
    )
    offsets = (
        match_shares(net, [*slices, *validation], len(config.classes)) if training.match_shares else None
    )
    judged = scores(
        np.sum(evaluate(net, validation, len(config.classes), loss).confusion, axis=0), config.classes
    )
    said = {**_provenance(training, fitted, judged, slices, config.classes), "offsets": offsets}
    bundle = save_bundle(folder, net, config, voxel_size=voxel_size, provenance=provenance, training=said)
    return Trained(bundle, fitted.history, fitted.seconds, judged)


class _Judge:
    """Scores a network on the validation slices; by the paper's rule where it is given test slices."""

    def __init__(
        self,
        classes: Mapping[str, int],
        validation: Sequence[TrainingSlice],
        test: Sequence[TrainingSlice],
        loss: SegmentationLoss,
        device: Any,
    ) -> None:
        self.classes, self.validation, self.test, self.loss, self.device = (
            classes,
            validation,
            test,
            loss,
            device,
        )

    def __call__(self, net: nn.Module, train_loss: float) -> dict[str, float]:
        found = evaluate(net, self.validation, len(self.classes), self.loss, self.device)
        judged = scores(np.sum(found.confusion, axis=0), self.classes)
        numbers = {f"iou {name}": value for name, value in judged["iou"].items() if value is not None}
        numbers |= {"score": judged["mean_iou"], "validation loss": float(np.mean(found.losses))}
        if self.test:
            tested = evaluate(net, self.test, len(self.classes), self.loss, self.device).losses
            numbers |= {"test loss": float(np.mean(tested))}
            numbers["score"] = -(train_loss + numbers["test loss"])
        return numbers


def _check(
    slices: Sequence[TrainingSlice],
    validation: Sequence[TrainingSlice],
    test: Sequence[TrainingSlice],
    config: SegmentationConfig,
    training: TrainingConfig,
) -> None:
    """Refuse what cannot be trained, before anything is."""
    check_slices(slices, config.classes, config.channels, role="training", every=True)
    check_slices(validation, config.classes, config.channels, role="validation", every=False)
    if test:
        check_slices(test, config.classes, config.channels, role="test", every=False)
    if training.stop_on == "paper" and not test:
        raise ParameterError(
            "stop_on='paper' stops on the loss of training and test slices, and there are no test slices. Give "
            "`test`, or use stop_on='validation'."
        )
    if training.patch % config.stride:
        raise ParameterError(
            f"patch={training.patch} is no multiple of {config.stride}, on which the network of {len(config.features)} "
            f"levels stands. Use {max(1, round(training.patch / config.stride)) * config.stride}."
        )
    unknown = sorted(set(training.class_weights or ()) - set(config.classes))
    if unknown:
        raise PhaseError(
            f"class_weights names {', '.join(unknown)}, and the classes are {', '.join(config.classes)}. Use these."
        )


def _provenance(
    training: TrainingConfig,
    fitted: Fitted,
    judged: Mapping[str, Any],
    slices: Sequence[TrainingSlice],
    classes: Mapping[str, int],
) -> dict[str, Any]:
    """Return what the bundle says of its training."""
    counts = class_counts(slices)
    return training_facts(training, fitted, judged) | {
        "slices": [item.name for item in slices],
        "annotated": {name: int(counts[value]) for name, value in classes.items()},
    }
