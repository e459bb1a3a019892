"""Networks of rocks learn, repeat bit for bit, are kept as bundles, and refuse what they cannot learn."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bigrock.errors import BackendError, BundleError, ParameterError, ResumeError, VolumeExistsError
from bigrock.kernels import low_resolution, pores_of_fractions
from bigrock.models import (
    SuperResolutionConfig,
    SurrogateConfig,
    load_bundle,
    predict_permeability,
    supports_bf16,
)
from bigrock.training import (
    FineTuning,
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
from bigrock.training.fine_tuning import PermeabilityLoss
from bigrock.training.rock_samples import coarse_of

EDGE = 16
HOW: dict[str, Any] = {"device": "cpu", "threads": 1, "batch": 4}
SR = SuperResolutionConfig(scale=2, features=8, blocks=1)
SURROGATE = SurrogateConfig(EDGE, architecture="conv3d", features=(4, 8), head=8)
SHORT = {
    "sr": SuperResolutionTraining(max_epochs=2, steps_per_epoch=3, **HOW),
    "surrogate": SurrogateTraining(max_epochs=2, steps_per_epoch=3, **HOW),
    "tune": FineTuning(max_epochs=2, steps_per_epoch=3, **HOW),
}


def rocks(seed: int, count: int = 12) -> TrainingRocks:
    """Blobs, with a permeability that follows from their porosity and from the axis."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.standard_normal((count, EDGE, EDGE, EDGE)), (0, 1.2, 1.2, 1.2), mode="wrap")
    porosity = rng.uniform(0.2, 0.6, count)
    images = np.stack([n < np.quantile(n, p) for n, p in zip(noise, porosity, strict=True)])
    return TrainingRocks(images, 10 ** (4 * images.mean((1, 2, 3))[:, None] - [2.0, 2.0, 2.0]))


TRAIN, VALIDATION = rocks(0), rocks(1, 5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    folder = tmp_path_factory.mktemp("made")
    return {
        "sr": train_super_resolution(TRAIN, VALIDATION, SR, SHORT["sr"], folder=folder / "sr"),  # type: ignore[arg-type]
        "surrogate": train_surrogate(
            TRAIN,
            VALIDATION,
            SURROGATE,
            SHORT["surrogate"],  # type: ignore[arg-type]
            folder=folder / "surrogate",
        ),
    }


def train(kind: str, made: dict[str, Trained], folder: Path, **options: Any) -> Trained:
    changed = dataclasses.replace(SHORT[kind], **options.pop("training", {}))
    if kind == "sr":
        return train_super_resolution(TRAIN, VALIDATION, SR, changed, folder=folder, **options)  # type: ignore[arg-type]
    if kind == "surrogate":
        return train_surrogate(TRAIN, VALIDATION, SURROGATE, changed, folder=folder, **options)  # type: ignore[arg-type]
    bundles = made["sr"].bundle, [made["surrogate"].bundle]
    return fine_tune(*bundles, TRAIN, VALIDATION, changed, folder=folder, **options)  # type: ignore[arg-type]


def weights(folder: str | Path) -> bytes:
    return (Path(folder) / "models" / "model.safetensors").read_bytes()


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


def test_tuning_does_not_replace_what_it_is_given(made: dict[str, Trained]) -> None:
    for name in ("sr", "surrogate"):
        with pytest.raises(ParameterError, match="that of a given model"):
            train("tune", made, Path(made[name].bundle.folder), overwrite=True)


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


def test_a_network_of_coarse_images_guides_no_tuning(tmp_path: Path, made: dict[str, Trained]) -> None:
    coarse = TrainingRocks(TRAIN.images, TRAIN.k_voxel2, coarse_factor=4)
    how = dataclasses.replace(SHORT["surrogate"], max_epochs=1)
    bypass = train_surrogate(coarse, coarse, SURROGATE, how, folder=tmp_path / "bypass").bundle  # type: ignore[arg-type]
    with pytest.raises(BundleError, match="images 4 times coarser"):
        fine_tune(made["sr"].bundle, [bypass], TRAIN, VALIDATION, folder=tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_fine_tuning_moves_the_super_resolution_towards_the_surrogate_and_leaves_that_as_it_is(
    tmp_path: Path, made: dict[str, Trained]
) -> None:
    learnt = SurrogateTraining(max_epochs=10, steps_per_epoch=15, learning_rate=1e-2, **HOW)
    surrogate = train_surrogate(TRAIN, VALIDATION, SURROGATE, learnt, folder=tmp_path / "surrogate").bundle
    plain = made["sr"].bundle
    before = [weights(bundle.folder) for bundle in (plain, surrogate)]
    frozen = {name: value.clone() for name, value in surrogate.network().state_dict().items()}
    training = FineTuning(max_epochs=4, steps_per_epoch=10, learning_rate=2e-3, fidelity=0, **HOW)
    hardly = dataclasses.replace(training, max_epochs=1, steps_per_epoch=1, learning_rate=1e-12)
    first, done = (
        fine_tune(plain, [surrogate], TRAIN, VALIDATION, how, folder=tmp_path / name)
        for name, how in (("first", hardly), ("tuned", training))
    )
    # What remains is the error of the surrogate itself.
    assert done.validation["validation loss"] < 0.95 * first.validation["validation loss"]
    assert done.validation["r2 surrogate"] > first.validation["r2 surrogate"]
    assert [weights(bundle.folder) for bundle in (plain, surrogate)] == before
    for name, value in surrogate.network().state_dict().items():
        torch.testing.assert_close(value, frozen[name], rtol=0, atol=0)
    expected = {"super-resolution": plain.digest, "surrogates": [surrogate.digest]}
    assert done.bundle.provenance["tuned"] == expected
    assert {"r2 surrogate", "psnr", "score"} <= done.validation.keys()


def test_the_loss_is_permeability_and_voxels_as_weighted(made: dict[str, Trained]) -> None:
    bundle = made["surrogate"].bundle
    config = bundle.config
    assert isinstance(config, SurrogateConfig)
    image = torch.rand(2, 1, EDGE, EDGE, EDGE)
    fine, log10_k = torch.rand_like(image), torch.tensor([[0.3], [-0.2]])
    label = torch.cat([fine.flatten(1), log10_k], dim=1)
    told = config.log10_k_mean + config.log10_k_std * bundle.network()(image)
    flow = (((told - log10_k) / config.log10_k_std) ** 2).mean()
    voxels = ((image - fine) ** 2).mean()
    for weights_ in ((10.0, 1.0), (0.0, 1.0), (3.0, 0.5)):
        training = FineTuning(fidelity=weights_[0], flow=weights_[1])
        found = PermeabilityLoss([bundle, bundle], 2, training, torch.device("cpu"))(image, label)
        torch.testing.assert_close(found, weights_[0] * voxels + weights_[1] * flow)
    control = PermeabilityLoss([bundle], 2, FineTuning(flow=0), torch.device("cpu"))(image, label)
    torch.testing.assert_close(control, 10 * voxels)


def test_surrogates_are_shown_the_masks_that_a_solver_is_given(made: dict[str, Trained]) -> None:
    bundle, cpu = made["surrogate"].bundle, torch.device("cpu")
    image, fine = torch.rand(2, 1, EDGE, EDGE, EDGE), (torch.rand(2, 1, EDGE, EDGE, EDGE) < 0.4).float()
    label = torch.cat([fine.flatten(1), torch.tensor([[0.3], [-0.2]])], dim=1)
    of_grey = PermeabilityLoss([bundle], 2, FineTuning(fidelity=0), cpu)
    kept = [
        pores_of_fractions(made_, low_resolution(true, factor=2))
        for made_, true in zip(image[:, 0].numpy(), fine[:, 0].numpy(), strict=True)
    ]
    for sees, mask in (("mask", image > 0.5), ("fraction", torch.from_numpy(np.stack(kept))[:, None])):
        of_mask = PermeabilityLoss([bundle], 2, FineTuning(fidelity=0, sees=sees), cpu)  # type: ignore[arg-type]
        moved = image.clone().requires_grad_()
        found = of_mask(moved, label)
        torch.testing.assert_close(found, of_grey(mask.float(), label))
        found.backward()
        assert moved.grad is not None
        assert moved.grad.abs().max() > 0
    with pytest.raises(ParameterError, match="Use one of 'grey', 'mask', 'fraction'"):
        FineTuning(sees="soft")  # type: ignore[arg-type]


def test_the_control_needs_no_surrogate(tmp_path: Path, made: dict[str, Trained]) -> None:
    control = dataclasses.replace(SHORT["tune"], flow=0.0)
    done = fine_tune(made["sr"].bundle, [], TRAIN, VALIDATION, control, folder=tmp_path)  # type: ignore[arg-type]
    assert "r2 surrogate" not in done.validation
    with pytest.raises(ParameterError, match="no surrogate"):
        fine_tune(made["sr"].bundle, [], TRAIN, VALIDATION, folder=tmp_path / "no")
    assert not (tmp_path / "no").exists()


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
