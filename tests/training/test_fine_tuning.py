"""Tuning a super-resolution through frozen surrogates: its loss, what the surrogates see, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import EDGE, HOW, SHORT, SURROGATE, TRAIN, VALIDATION, train, weights

from bigrock.errors import BundleError, ParameterError
from bigrock.kernels import low_resolution, pores_of_fractions
from bigrock.models import (
    SurrogateConfig,
)
from bigrock.training import (
    FineTuning,
    SurrogateTraining,
    Trained,
    TrainingRocks,
    fine_tune,
    train_surrogate,
)
from bigrock.training.fine_tuning import PermeabilityLoss


def test_tuning_does_not_replace_what_it_is_given(made: dict[str, Trained]) -> None:
    for name in ("sr", "surrogate"):
        with pytest.raises(ParameterError, match="that of a given model"):
            train("tune", made, Path(made[name].bundle.folder), overwrite=True)


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
