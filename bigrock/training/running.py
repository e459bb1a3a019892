"""The epochs of a training: steps by MONAI's engine, then score, checkpoint, history, curves and logs."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bigrock.errors import TrainingError
from bigrock.models.inference import arithmetic
from bigrock.training.checkpoints import write_checkpoint
from bigrock.training.curves import learning_curves
from bigrock.training.history import History, learning_rate
from bigrock.training.progress import TrainingProgress
from bigrock.training.settings import LoopConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

__all__ = ["Samples", "Score", "TrainingRun"]

CHECKPOINT, HISTORY, CURVES, LOGS = "checkpoint.pt", "history.json", "learning_curves.png", "logs"
_DRAWN_EVERY = 10
_SILENT = logging.Logger("bigrock.training", logging.CRITICAL + 1)
"""What stops a training is raised; ignite's line in the log beside it would only repeat it."""


class Samples(Protocol):
    """Sample i is ``{"image": Tensor, "label": Tensor}`` and follows from i alone."""

    def __getitem__(self, index: int, /) -> Mapping[str, Tensor]:
        """Return sample `index`, from 0 to steps x batch - 1."""
        ...


Score = Callable[["nn.Module", float], Mapping[str, float]]
"""Takes the network and the training loss of the epoch; gives numbers, "score" (higher is better) among them."""


class TrainingRun:
    """One training between two interruptions: its network, its optimiser, its history.

    Parameters as those of `bigrock.training.fit`; `state` is what a checkpoint holds.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: Callable[[Tensor, Tensor], Tensor],
        score: Score,
        config: LoopConfig,
        root: Path,
        identity: Mapping[str, Any],
        device: torch.device,
        state: Mapping[str, Any] | None,
    ) -> None:
        import torch

        self.net, self.loss, self.score, self.config = net, loss, score, config
        self.root, self.identity, self.device = root, identity, device
        kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
        self.optimizer = kind(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
        self.history = History()
        self.best = copy.deepcopy(net.state_dict())
        self.scaler: Mapping[str, Any] | None = None
        if state is not None:
            net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.history, self.best, self.scaler = History(state["history"]), state["best"], state["scaler"]
        self.begun = time.monotonic() - self.history.seconds
        self.losses: list[Tensor] = []

    @property
    def seconds(self) -> float:
        """Wall time of training so far, of earlier runs as well."""
        return time.monotonic() - self.begun

    @property
    def finished(self) -> bool:
        """Whether there is a reason to stop: all epochs, no better score for long, or the time."""
        budget = self.config.time_budget_s
        return (
            len(self.history.epochs) >= self.config.max_epochs
            or (bool(self.history.epochs) and self.history.since_best >= self.config.patience)
            or (budget is not None and self.history.seconds >= budget)
        )

    def done(self, iteration: int) -> float:
        """Return which share of the training is done before a step."""
        budget = self.config.time_budget_s
        return max(iteration / self.config.steps, self.seconds / budget if budget else 0.0)

    def train(self, samples: Samples, report: Callable[[TrainingProgress], None]) -> None:
        """Train from the epoch after the last one until there is a reason to stop."""
        from ignite.engine import Events
        from torch.utils.tensorboard import SummaryWriter

        trainer = self._engine(samples)
        already = len(self.history.epochs)
        trainer.state.epoch, trainer.state.iteration = already, already * self.config.steps_per_epoch
        with SummaryWriter(str(self.root / LOGS), purge_step=already + 1) as writer:

            def completed(engine: Any) -> None:
                report(self._end_epoch(engine.scaler))
                for name, value in self.history.epochs[-1].items():
                    if name != "epoch" and value is not None:
                        writer.add_scalar(name, value, engine.state.epoch)
                if self.finished:
                    engine.terminate()

            trainer.add_event_handler(Events.EPOCH_COMPLETED, completed)
            trainer.run()

    def _engine(self, samples: Samples) -> Any:
        """Return MONAI's trainer with this run's learning rate and seeds."""
        import torch
        from ignite.engine import Events
        from monai.engines.trainer import SupervisedTrainer
        from monai.engines.utils import IterationEvents
        from torch.utils.data import DataLoader

        config, already = self.config, len(self.history.epochs)
        loader: Any = DataLoader(
            samples,  # type: ignore[arg-type]
            batch_size=config.batch,
            # One pass over all epochs that are left, so that workers never wait for the end of one.
            sampler=range(already * config.steps_per_epoch * config.batch, config.steps * config.batch),
            num_workers=config.workers,
            generator=torch.Generator().manual_seed(config.seed),
            pin_memory=self.device.type == "cuda",
        )
        mixed = self.device.type == "cuda" and config.precision in ("auto", "mixed")
        trainer = SupervisedTrainer(
            device=self.device,
            max_epochs=config.max_epochs,
            train_data_loader=loader,
            network=self.net,
            optimizer=self.optimizer,
            loss_function=self.loss,
            epoch_length=config.steps_per_epoch,
            inferer=self._forward,  # type: ignore[arg-type]
            decollate=False,
            amp=mixed,
        )
        trainer.logger = _SILENT
        if config.gradient_clip is not None:
            trainer.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self._clip)
        for event, handler in (
            (Events.STARTED, self._restore_scaler),
            (Events.EPOCH_STARTED, self._start_epoch),
            (Events.ITERATION_STARTED, self._set_learning_rate),
            (Events.ITERATION_COMPLETED, self._keep_loss),
        ):
            trainer.add_event_handler(event, handler)
        return trainer

    def _forward(self, images: Tensor, net: nn.Module) -> Tensor:
        """Return the network's output; losses are computed in float32 in any case."""
        if self.config.precision != "bf16":
            made: Tensor = net(images)
            return made
        with arithmetic("bf16", self.device.type):
            made = net(images)
        return made.float()

    def _clip(self, engine: Any) -> None:
        import torch

        if engine.scaler is not None:
            engine.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), float(self.config.gradient_clip or 0))

    def _restore_scaler(self, engine: Any) -> None:
        if engine.scaler is not None and self.scaler is not None:
            engine.scaler.load_state_dict(self.scaler)

    def _start_epoch(self, engine: Any) -> None:
        import torch

        # What the network itself draws (dropout) is then the same after an interruption.
        torch.manual_seed(self.config.seed * 1_000_003 + engine.state.epoch)
        self.losses = []

    def _set_learning_rate(self, engine: Any) -> None:
        scores = self.history.column("score")
        rate = learning_rate(self.config, self.done(engine.state.iteration - 1), scores)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _keep_loss(self, engine: Any) -> None:
        # Not as a number yet: that would make the CPU wait for the GPU at every step.
        self.losses.append(engine.state.output["loss"].detach())

    def _end_epoch(self, scaler: Any) -> TrainingProgress:
        """Score the network, keep it if it is the best, write everything."""
        import torch

        epoch, loss = len(self.history.epochs) + 1, float(torch.stack(self.losses).mean())
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of epoch {epoch} is {loss}: the weights are lost, and the checkpoint of epoch {epoch - 1} "
                f"stands. Lower learning_rate={self.config.learning_rate}, or use precision='float32'."
            )
        numbers = {name: float(value) for name, value in self.score(self.net.eval(), loss).items()}
        rate = float(self.optimizer.param_groups[0]["lr"])
        own = {"epoch": epoch, "loss": loss, "learning_rate": rate, "seconds": self.seconds}
        self.history.epochs.append(own | numbers)
        if self.history.best_epoch == epoch:
            self.best = copy.deepcopy(self.net.state_dict())
        self._write(scaler)
        return self._event(epoch, loss)

    def _write(self, scaler: Any) -> None:
        state = {
            "net": self.net.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
            "history": self.history.epochs,
        }
        write_checkpoint(self.root / CHECKPOINT, state, self.identity)
        self.history.write(self.root / HISTORY)
        if self.finished or len(self.history.epochs) % _DRAWN_EVERY == 0:
            learning_curves(self.history, self.root / CURVES)

    def _event(self, epoch: int, loss: float) -> TrainingProgress:
        best, last = self.history.epochs[self.history.best_epoch - 1], self.history.epochs[-1]
        done = self.done(epoch * self.config.steps_per_epoch)
        left = self.seconds * (1 - done) / max(done, 1e-9)
        return TrainingProgress(
            epoch, self.config.max_epochs, loss, last["score"], best["score"], self.seconds, max(0.0, left)
        )
