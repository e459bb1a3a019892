"""Scores of a network on whole slices, by MONAI's evaluator and in the windows that segmentation uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from bigrock.models.receptive import receptive_field
from bigrock.models.tiling import Tiling
from bigrock.training.metrics import Counts, confusion_matrix
from bigrock.training.slices import TrainingSlice

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Evaluated", "evaluate", "whole_logits"]


class Evaluated(NamedTuple):
    """Scores of each slice.

    Attributes
    ----------
    confusion : list of ndarray of uint64
        True classes along rows.
    losses : list of float
        Of each slice.
    """

    confusion: list[Counts]
    losses: list[float]


def evaluate(
    net: nn.Module,
    slices: Sequence[TrainingSlice],
    classes: int,
    loss: Callable[[Tensor, Tensor], Tensor],
    device: Any = "cpu",
) -> Evaluated:
    """Return confusion matrix and loss of every slice; exact, no matter how large the slices are.

    Parameters
    ----------
    net : torch.nn.Module
        On `device`. Left in evaluation mode.
    slices : sequence of TrainingSlice
        Whole slices; what is not annotated is not scored.
    classes : int
        Number of classes.
    loss : callable
        Of logits and labels.
    device : str or torch.device
        Where the network is.

    Returns
    -------
    Evaluated
    """
    import torch
    from ignite.engine import Events
    from monai.engines.evaluator import SupervisedEvaluator
    from torch.utils.data import DataLoader

    data: Any = [
        {"image": torch.from_numpy(s.image), "label": torch.from_numpy(s.label[None])} for s in slices
    ]
    found, windows = Evaluated([], []), cast("Any", _Windows(net))
    evaluator = SupervisedEvaluator(
        device=torch.device(device),
        val_data_loader=DataLoader(data, batch_size=1),
        network=net,
        inferer=windows,
        decollate=False,
    )

    def keep(engine: Any) -> None:
        logits, label = engine.state.output["pred"], engine.state.output["label"]
        predicted = logits.argmax(1).cpu().numpy()
        found.confusion.append(confusion_matrix(label[:, 0].cpu().numpy(), predicted, classes))
        found.losses.append(float(loss(logits, label)))

    evaluator.add_event_handler(Events.ITERATION_COMPLETED, keep)
    evaluator.run()
    return found


def whole_logits(
    net: nn.Module, slices: Sequence[TrainingSlice], device: Any = "cpu"
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the logits of each slice, (classes, y, x), in the windows that segmentation uses.

    Parameters
    ----------
    net : torch.nn.Module
        On `device`, in evaluation mode.
    slices : sequence of TrainingSlice
        Whole slices.
    device : str or torch.device
        Where the network is.
    """
    import torch

    windows = _Windows(net)
    for item in slices:
        with torch.inference_mode():
            made = windows(torch.from_numpy(item.image[None]).to(device), net)
        yield made[0].cpu().numpy()


class _Windows:
    """Runs a network over a slice of any extent, window by window."""

    def __init__(self, net: nn.Module) -> None:
        self.field = receptive_field(net)

    def __call__(self, images: Tensor, net: nn.Module, *args: Any, **kwargs: Any) -> Tensor:
        import torch

        extent = tuple(images.shape[2:])
        spans = [(0, n) for n in extent]

        def run(window: Any, part: tuple[slice, ...]) -> Any:
            made = net(torch.from_numpy(window).to(images.device))
            return made[(..., *part)].float().cpu().numpy()

        tiling = Tiling(extent, self.field.halo, self.field.stride)
        made = tiling.run(run, np.asarray(images.cpu(), np.float32), spans, spans)
        return torch.from_numpy(made).to(images.device)
