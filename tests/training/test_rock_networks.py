"""Networks of rocks learn, repeat bit for bit, are kept as bundles, and refuse what they cannot learn."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import EDGE, HOW, SHORT, SR, SURROGATE, TRAIN, VALIDATION, train, weights

from bigrock.errors import BackendError, BundleError, ParameterError, ResumeError, VolumeExistsError
from bigrock.models import (
    SurrogateConfig,
    load_bundle,
    predict_permeability,
    supports_bf16,
)
from bigrock.training import (
    SuperResolutionTraining,
    SurrogateTraining,
    Trained,
    TrainingProgress,
    TrainingRocks,
    coarse_rocks,
    fine_tune,
    r_squared,
    train_super_resolution,
    train_surrogate,
)
from bigrock.training.rock_samples import coarse_of


@pytest.mark.parametrize("kind", ["sr", "surrogate", "tune"])
def test_the_same_settings_give_the_same_bits_also_after_an_interruption(
    tmp_path: Path, made: dict[str, Trained], kind: str
) -> None:
    whole = train(kind, made, tmp_path / "whole")

    def stop(event: TrainingProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(kind, made, tmp_path / "cut", progress=stop)
    resumed = train(kind, made, tmp_path / "cut")
    assert weights(tmp_path / "whole") == weights(tmp_path / "cut")
    assert resumed.bundle.digest == whole.bundle.digest
    other = train(kind, made, tmp_path / "other", training={"seed": 1})
    assert other.bundle.digest != whole.bundle.digest
    with pytest.raises(ResumeError, match=r"learning_rate.*overwrite=True \(--overwrite\)"):
        train(kind, made, tmp_path / "cut", training={"learning_rate": 0.5})
    with pytest.raises(VolumeExistsError, match="such a training already"):
        train(kind, made, tmp_path / "cut", resume=False)
    assert weights(tmp_path / "whole") == weights(tmp_path / "cut")
    anew = train(kind, made, tmp_path / "cut", training={"seed": 1}, overwrite=True)
    assert anew.bundle.digest == other.bundle.digest


@pytest.mark.parametrize("kind", ["sr", "surrogate", "tune"])
def test_what_a_folder_holds_is_replaced_only_when_that_is_asked(
    tmp_path: Path, made: dict[str, Trained], kind: str
) -> None:
    model, other, file = (tmp_path / name for name in ("model", "map", "m.npy"))
    shutil.copytree(made["sr"].bundle.folder, model)
    shutil.rmtree(model / "training")
    other.mkdir()
    (other / "map.json").write_text("{}")
    np.save(file, np.zeros(3))
    held = weights(model)
    for place, words in (
        (model, "holds a model without its training"),
        (other, "holds other files"),
        (file, "is a file. Choose another folder"),
        (file / "sr", "m.npy is a file"),
    ):
        with pytest.raises(VolumeExistsError, match=words):
            train(kind, made, place)
    assert weights(model) == held
    done = train(kind, made, model, overwrite=True)
    assert load_bundle(model).digest == done.bundle.digest
    # Interrupted before the end of its first epoch.
    (tmp_path / "begun" / "training" / "logs").mkdir(parents=True)
    assert train(kind, made, tmp_path / "begun").bundle.digest == done.bundle.digest


def test_a_super_resolution_becomes_better_than_interpolation(tmp_path: Path) -> None:
    training = SuperResolutionTraining(max_epochs=6, steps_per_epoch=20, learning_rate=5e-3, **HOW)
    done = train_super_resolution(TRAIN, VALIDATION, SR, training, folder=tmp_path, voxel_size=(1e-6,) * 3)
    smooth = []
    for image in VALIDATION.images:
        coarse = coarse_of(image, 2, 0, training.coarsening.options)
        made = torch.nn.functional.interpolate(coarse[None], scale_factor=2, mode="trilinear")[0, 0]
        smooth.append(-10 * np.log10(float(((made.numpy() - image) ** 2).mean())))
    assert done.validation["psnr"] > np.mean(smooth) + 1
    bundle = load_bundle(tmp_path)
    assert bundle.voxel_size == (1e-6, 1e-6, 1e-6)
    assert bundle.training["rocks"] == 12
    assert bundle.training["settings"]["coarsening"]["method"] == "mean"
    assert done.validation["psnr"] == pytest.approx(max(done.history.column("score")), rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"members": 2}, {"binarize": True}, {"architecture": "views"}])
def test_a_surrogate_learns_and_predicts_as_its_bundle_says(tmp_path: Path, options: dict[str, Any]) -> None:
    training = SurrogateTraining(max_epochs=10, steps_per_epoch=15, learning_rate=1e-2, **HOW)
    config = dataclasses.replace(SURROGATE, **options)
    done = train_surrogate(TRAIN, VALIDATION, config, training, folder=tmp_path)
    assert done.validation["r2"] > 0.8
    bundle = load_bundle(tmp_path)
    found = predict_permeability(bundle, np.asarray(VALIDATION.images), voxel_size="1 um", axis="all")
    again = r_squared(np.log10(VALIDATION.k_voxel2).ravel(), np.log10(found.k_voxel2).ravel())
    assert again == pytest.approx(done.validation["r2"], abs=1e-4)
    known = bundle.config
    assert isinstance(known, SurrogateConfig)
    assert known.log10_k_mean == pytest.approx(np.log10(TRAIN.k_voxel2).mean())
    assert known.log10_rmse == pytest.approx(done.validation["rmse_log10"])
    assert known.domain is not None
    assert all(known.domain.holds(image) for image in TRAIN.images)
    assert not known.domain.holds(np.zeros((EDGE, EDGE, EDGE)))


def test_members_are_trained_each_by_itself(tmp_path: Path) -> None:
    """The loss of two members is the mean of theirs, not that of their mean."""
    from bigrock.training.surrogate import _each_member

    made, wanted = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.0]])
    assert float(_each_member(made, wanted)) == 1.0


def test_the_bypass_learns_from_coarse_images(tmp_path: Path) -> None:
    coarse = coarse_rocks(TRAIN, 2), coarse_rocks(VALIDATION, 2)
    config = SurrogateConfig(EDGE // 2, architecture="conv3d", features=(4, 8), head=8)
    training = SurrogateTraining(max_epochs=8, steps_per_epoch=10, learning_rate=1e-2, soft=0, **HOW)
    done = train_surrogate(*coarse, config, training, folder=tmp_path)
    assert done.validation["r2"] > 0.6
    assert load_bundle(tmp_path).training["coarse_factor"] == 2
    with pytest.raises(ParameterError, match="2 times coarser, and validation rocks 1 times"):
        train_surrogate(coarse[0], VALIDATION, config, training, folder=tmp_path)


def test_what_does_not_fit_is_refused_before_anything_is_trained(
    tmp_path: Path, made: dict[str, Trained]
) -> None:
    odd = TrainingRocks(np.ones((2, 15, 15, 15), bool), [1.0, 2.0])
    long = TrainingRocks(np.ones((2, 8, 16, 16), bool), [1.0, 2.0])
    small = TrainingRocks(np.ones((2, 8, 8, 8), bool), [1.0, 2.0])
    alike = TrainingRocks(TRAIN.images, np.ones(12))
    bundles = made["sr"].bundle, [made["surrogate"].bundle]
    fixed = train_surrogate(
        small,
        small,
        dataclasses.replace(SURROGATE, edge=8),
        dataclasses.replace(SHORT["surrogate"], max_epochs=1),
        folder=tmp_path / "fixed",  # type: ignore[arg-type]
    )
    folder = tmp_path / "no"
    with pytest.raises(ParameterError, match="do not divide by the scale 2"):
        train_super_resolution(odd, odd, SR, folder=folder)
    with pytest.raises(ParameterError, match=r"patch=9.*Use 8"):
        train_super_resolution(TRAIN, VALIDATION, SR, SuperResolutionTraining(patch=9), folder=folder)
    with pytest.raises(ParameterError, match=r"rocks of \(8, 16, 16\)"):
        train_surrogate(long, long, SURROGATE, folder=folder)
    with pytest.raises(ParameterError, match="edge=8"):
        train_surrogate(small, small, SURROGATE, folder=folder)
    with pytest.raises(ParameterError, match="alike"):
        train_surrogate(alike, VALIDATION, SURROGATE, folder=folder)
    with pytest.raises(ParameterError, match="fewer than two permeabilities"):
        train_surrogate(TRAIN, alike, SURROGATE, folder=folder)
    with pytest.raises(ParameterError, match="no cubes"):
        fine_tune(*bundles, long, long, folder=folder)
    with pytest.raises(ParameterError, match="takes images of 8 voxels"):
        fine_tune(bundles[0], [fixed.bundle], TRAIN, VALIDATION, folder=folder)
    with pytest.raises(BundleError, match="one for super-resolution is needed"):
        fine_tune(bundles[1][0], bundles[1], TRAIN, VALIDATION, folder=folder)
    with pytest.raises(BundleError, match="one for permeability is needed"):
        fine_tune(bundles[0], [bundles[0]], TRAIN, VALIDATION, folder=folder)
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["sr", "surrogate", "tune"])
def test_bf16_trains_where_the_processor_has_it(tmp_path: Path, made: dict[str, Trained], kind: str) -> None:
    if not supports_bf16():
        with pytest.raises(BackendError, match="bf16"):
            train(kind, made, tmp_path, training={"precision": "bf16"})
        return
    one = train(kind, made, tmp_path / "1", training={"precision": "bf16"})
    two = train(kind, made, tmp_path / "2", training={"precision": "bf16"})
    assert one.bundle.digest == two.bundle.digest
    exact = train(kind, made, tmp_path / "3")
    assert one.history.epochs[-1]["loss"] == pytest.approx(exact.history.epochs[-1]["loss"], rel=0.05)


def test_a_clipped_gradient_has_its_norm(tmp_path: Path) -> None:
    """Steps of plain Adam do not show the norm, so the gradient itself is looked at."""
    from bigrock.training.running import TrainingRun

    net = torch.nn.Linear(3, 1)
    config = dataclasses.replace(SHORT["sr"], gradient_clip=0.25)
    run = TrainingRun(
        net,
        torch.nn.functional.mse_loss,
        lambda net, loss: {},
        config,
        tmp_path,
        {},
        torch.device("cpu"),
        None,
    )
    (100 * net(torch.ones(2, 3)).sum()).backward()
    run._clip(type("Engine", (), {"scaler": None}))
    norm = torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]).norm()
    assert float(norm) == pytest.approx(0.25, rel=1e-4)
