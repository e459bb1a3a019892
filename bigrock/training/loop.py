"""The training loop: MONAI's engine with checkpoints, resume, early stopping and a history.

It knows neither slices nor classes: samples come from a dataset by their number, and a function
scores the network after every epoch. Every choice (learning rate, when to stop) is a function of the
history, so that a training that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bigrock.errors import BackendError
from bigrock.models.inference import arithmetic
from bigrock.training.checkpoints import read_checkpoint
from bigrock.training.history import History
from bigrock.training.progress import TrainingProgressLike, reporter
from bigrock.training.running import CHECKPOINT, Samples, Score, TrainingRun
from bigrock.training.settings import LoopConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

__all__ = ["Fitted", "fit", "training_device"]


@dataclass(frozen=True)
class Fitted:
    """What `fit` did.

    Attributes
    ----------
    history : History
        Every epoch.
    seconds : float
        Wall time of training.
    threads : int
        Of torch, on which the bits of the weights depend.
    device : str
        Where it was trained.

    Examples
    --------
    >>> Fitted(History(), 0.0, 1, "cpu").epochs
    0
    """

    history: History
    seconds: float
    threads: int
    device: str

    @property
    def epochs(self) -> int:
        """Epochs that were trained."""
        return len(self.history.epochs)


def fit(
    net: nn.Module,
    samples: Samples,
    loss: Callable[[Tensor, Tensor], Tensor],
    score: Score,
    config: LoopConfig,
    *,
    folder: str | Path,
    identity: Mapping[str, Any] | None = None,
    resume: bool = True,
    progress: TrainingProgressLike = None,
) -> Fitted:
    """Train `net` in place and leave it with the weights of its best epoch, in evaluation mode, on the CPU.

    Writes ``checkpoint.pt`` after every epoch, ``history.json``, ``learning_curves.png`` and
    TensorBoard's ``logs`` into `folder`. Bitwise the same on a CPU for the same settings, seed and
    number of threads, also if it was interrupted and resumed (unless there is a time budget).

    Parameters
    ----------
    net : torch.nn.Module
        With its first weights.
    samples : Samples
        A dataset whose samples follow from their number alone.
    loss : callable
        Of output and label.
    score : callable
        Of the network, in evaluation mode, and the training loss; see `Score`.
    config : LoopConfig
        How long, how fast, on what.
    folder : str or Path
        Made where it is missing.
    identity : mapping, optional
        JSON that tells data and network: resuming with another one is an error.
    resume : bool
        Go on from the checkpoint in the folder, if there is one; False begins anew.
    progress : callable, bool or None
        Takes `TrainingProgress` events; True for a bar, None for a bar where there is a terminal.

    Returns
    -------
    Fitted

    Raises
    ------
    ResumeError
        If the folder holds a training with other settings or data.
    TrainingError
        If the loss becomes NaN or infinite.
    BackendError
        If a GPU is asked for and there is none, or mixed precision on a CPU, or bf16 where there is none.

    Examples
    --------
    >>> import tempfile, torch
    >>> class Line:
    ...     def __getitem__(self, index):
    ...         x = torch.tensor([index % 7 / 7])
    ...         return {"image": x, "label": 3 * x + 1}
    >>> config = LoopConfig(max_epochs=2, steps_per_epoch=5, batch=2, device="cpu")
    >>> by_loss = lambda net, train_loss: {"score": -train_loss}
    >>> net = torch.nn.Linear(1, 1)
    >>> fit(net, Line(), torch.nn.functional.mse_loss, by_loss, config, folder=tempfile.mkdtemp()).epochs
    2
    """
    import torch

    device = training_device(config.device)
    if config.precision == "mixed" and device.type == "cpu":
        raise BackendError(
            "precision='mixed' was asked for on a CPU, where it is not offered. Use precision='auto'."
        )
    if config.precision == "bf16":
        arithmetic("bf16", device.type)
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    known = {**config.identity(), "device": device.type, **(identity or {})}
    state = read_checkpoint(root / CHECKPOINT, known) if resume else None
    with _repeatable(config, device):
        run = TrainingRun(net.to(device), loss, score, config, root, known, device, state)
        if not run.finished:
            with reporter(progress, root.name, config.max_epochs, len(run.history.epochs)) as report:
                run.train(samples, report)
        threads = torch.get_num_threads()
    net.load_state_dict(run.best)
    net.to("cpu").eval()
    return Fitted(run.history, run.history.seconds, threads, str(device))


def training_device(name: str) -> torch.device:
    """Return the device of a name; "auto" is a GPU where there is one."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise BackendError(f"device={name!r} was asked for, and torch finds no GPU. Use device='cpu'.")
    return device


@contextmanager
def _repeatable(config: LoopConfig, device: torch.device) -> Iterator[None]:
    """Give torch the seed, the threads and the algorithms that repeat, and afterwards what it had before."""
    import torch

    before = torch.get_num_threads(), torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        try:
            torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
            if config.threads is not None:
                torch.set_num_threads(config.threads)
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before[1:]
