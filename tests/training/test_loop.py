"""A training repeats bit for bit, also when it is interrupted, and keeps its best weights."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from bigrock.errors import BackendError, ResumeError, TrainingError
from bigrock.training import History, LoopConfig, TrainingProgress, fit
from bigrock.training.history import learning_rate
from bigrock.training.progress import reporter

CONFIG = LoopConfig(max_epochs=6, steps_per_epoch=3, batch=2, learning_rate=0.01, device="cpu", threads=1)


class Points:
    """Noisy points of a plane; point i follows from i."""

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        x = torch.randn(4, generator=torch.Generator().manual_seed(index))
        return {"image": x, "label": x.sum(0, keepdim=True)}


class StopHereError(Exception):
    """Stands for a machine that is switched off."""


def network() -> nn.Module:
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.ReLU(), nn.Linear(8, 1))


def by_loss(net: nn.Module, train_loss: float) -> Mapping[str, float]:
    return {"score": -train_loss}


def same(one: nn.Module, two: nn.Module) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    )


def trained(folder: Path, config: LoopConfig = CONFIG, **options: object) -> nn.Module:
    net = network()
    fit(net, Points(), nn.functional.mse_loss, by_loss, config, folder=folder, **options)  # type: ignore[arg-type]
    return net


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(tmp_path: Path) -> None:
    one = trained(tmp_path / "1")
    torch.rand(3)
    assert same(one, trained(tmp_path / "2"))
    assert same(one, trained(tmp_path / "3", dataclasses.replace(CONFIG, workers=1)))
    assert not same(one, trained(tmp_path / "4", dataclasses.replace(CONFIG, seed=1)))


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize("epoch", [1, 4])
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path: Path, schedule: str, epoch: int) -> None:
    config = dataclasses.replace(CONFIG, schedule=schedule, patience=6)  # type: ignore[arg-type]
    whole = trained(tmp_path / "whole", config)

    def stop(event: TrainingProgress) -> None:
        if event.epoch == epoch:
            raise StopHereError

    with pytest.raises(StopHereError):
        trained(tmp_path / "cut", config, progress=stop)
    events: list[TrainingProgress] = []
    assert same(whole, trained(tmp_path / "cut", config, progress=events.append))
    histories = [json.loads((tmp_path / name / "history.json").read_text()) for name in ("whole", "cut")]
    assert events[0].epoch == epoch + 1
    for one, two in zip(*(h["epochs"] for h in histories), strict=True):
        assert one | {"seconds": 0} == two | {"seconds": 0}


def test_an_interruption_within_an_epoch_repeats_that_epoch(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")

    class Broken(Points):
        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            if index == 2 * 3 * 2 + 3:
                raise StopHereError
            return super().__getitem__(index)

    net = network()
    with pytest.raises(StopHereError):
        fit(net, Broken(), nn.functional.mse_loss, by_loss, CONFIG, folder=tmp_path / "cut")
    assert same(whole, trained(tmp_path / "cut"))


def test_a_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    one = trained(tmp_path)
    events: list[TrainingProgress] = []
    assert same(one, trained(tmp_path, progress=events.append))
    assert events == []
    assert same(one, trained(tmp_path, progress=events.append, resume=False))
    assert len(events) == CONFIG.max_epochs


def test_the_weights_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    states, ranks = [], iter([0.1, 0.5, 0.9, 0.3, 0.2, 0.9])

    def score(net: nn.Module, train_loss: float) -> Mapping[str, float]:
        assert not net.training
        states.append(copy.deepcopy(net.state_dict()))
        return {"score": next(ranks)}

    net = network()
    fitted = fit(net, Points(), nn.functional.mse_loss, score, CONFIG, folder=tmp_path)
    assert fitted.history.best_epoch == 3
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), states[2].values(), strict=True))
    assert not net.training


def test_training_stops_when_nothing_gets_better(tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, patience=2)
    fitted = fit(
        network(), Points(), nn.functional.mse_loss, lambda net, loss: {"score": 0.0}, config, folder=tmp_path
    )
    assert fitted.epochs == 3


def test_the_time_budget_ends_the_training(tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, time_budget_s=1e-6)
    assert fit(network(), Points(), nn.functional.mse_loss, by_loss, config, folder=tmp_path).epochs == 1


def test_everything_that_is_promised_is_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trained(tmp_path)
    assert (tmp_path / "learning_curves.png").read_bytes()[:4] == b"\x89PNG"
    history = json.loads((tmp_path / "history.json").read_text())
    assert [epoch["epoch"] for epoch in history["epochs"]] == [1, 2, 3, 4, 5, 6]
    assert not list(tmp_path.glob("*.new"))
    logs = EventAccumulator(str(tmp_path / "logs")).Reload()
    assert [event.value for event in logs.Scalars("loss")] == pytest.approx(
        [epoch["loss"] for epoch in history["epochs"]]
    )


def test_a_folder_of_other_settings_or_data_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, identity={"data": "one"})
    with pytest.raises(ResumeError, match=r"learning_rate=0\.01"):
        trained(tmp_path, dataclasses.replace(CONFIG, learning_rate=0.02), identity={"data": "one"})
    with pytest.raises(ResumeError, match="data=one"):
        trained(tmp_path, identity={"data": "two"})
    with pytest.raises(ResumeError, match="a training with other data: its"):
        trained(tmp_path, identity={"data": 64 * "f"})
    trained(tmp_path, dataclasses.replace(CONFIG, workers=1), identity={"data": "one"})


def test_a_loss_that_is_no_number_stops_the_training_and_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    def loss(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return nn.functional.mse_loss(found, wanted) * (float("nan") if len(calls) == 5 else 1.0)

    calls: list[int] = []
    with pytest.raises(TrainingError, match=r"loss of epoch 2 is nan.*learning_rate=0\.01"):
        fit(network(), Points(), loss, by_loss, CONFIG, folder=tmp_path)
    assert same(trained(tmp_path), trained(tmp_path / "whole"))


def test_the_threads_and_the_seed_of_the_caller_stay(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    config = dataclasses.replace(CONFIG, threads=2, max_epochs=1)
    net = nn.Linear(4, 1, bias=False)
    torch.manual_seed(3)
    fitted = fit(net, Points(), nn.functional.mse_loss, by_loss, config, folder=tmp_path)
    assert fitted.threads == 2
    assert torch.get_num_threads() == before
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="torch finds no GPU"):
        trained(tmp_path, dataclasses.replace(CONFIG, device="cuda"))


def test_half_precision_is_not_offered_on_a_cpu(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="'mixed' was asked for on a CPU"):
        trained(tmp_path, dataclasses.replace(CONFIG, precision="mixed"))


def test_a_damaged_checkpoint_is_an_error_that_names_it(tmp_path: Path) -> None:
    trained(tmp_path, dataclasses.replace(CONFIG, max_epochs=1))
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ResumeError, match=r"checkpoint\.pt cannot be read"):
        trained(tmp_path, dataclasses.replace(CONFIG, max_epochs=1))


@pytest.mark.gpu
# MONAI makes its scaler by a name that torch has moved.
@pytest.mark.filterwarnings("ignore:.*GradScaler.*:FutureWarning")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_trains_in_half_precision_and_resumes(tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, device="cuda")
    fitted = fit(network(), Points(), nn.functional.mse_loss, by_loss, config, folder=tmp_path)
    assert fitted.epochs == 6
    assert fitted.device == "cuda"


def test_the_learning_rate_warms_up_and_falls() -> None:
    config = LoopConfig(learning_rate=1.0)
    rates = [learning_rate(config, done / 100, []) for done in range(101)]
    top = rates.index(max(rates))
    assert 3 <= top <= 6
    assert rates[0] == pytest.approx(0.05)
    assert all(a >= b for a, b in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(0.01)


def test_the_learning_rate_is_halved_at_every_plateau() -> None:
    config = LoopConfig(learning_rate=1.0, schedule="plateau", patience=6)
    assert learning_rate(config, 0.5, [1.0, 0.9]) == 1.0
    assert learning_rate(config, 0.5, [1.0, 0.9, 0.9]) == 0.5
    assert learning_rate(config, 0.5, [1.0, 0.9, 0.9, 0.9, 0.9]) == 0.25
    assert learning_rate(config, 0.5, [1.0, 0.9, 0.9, 1.1, 1.0]) == 0.5


def test_a_history_without_epochs_has_no_best_one() -> None:
    assert History().best_epoch == 0
    assert History().seconds == 0.0


def test_the_bar_is_drawn_on_the_terminal_with_loss_score_and_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with reporter(True, "shale", 4, 1) as report:
        report(TrainingProgress(2, 4, 0.5, 0.75, 0.8, 30.0, 65.0))
    drawn = capsys.readouterr().err
    assert "loss 0.500" in drawn
    assert "(best 0.800)" in drawn
    assert "left 1:05" in drawn
