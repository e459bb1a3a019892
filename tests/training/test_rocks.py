"""Rocks to train on: what is refused, what is left out, what a network is shown of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bigrock.errors import ParameterError
from bigrock.training import (
    FineTuning,
    SuperResolutionTraining,
    SurrogateTraining,
    TrainingRocks,
    coarse_rocks,
    rocks_of,
)
from bigrock.training import rocks as rocks_module
from bigrock.training.dihedral import along_flow, any_turn
from bigrock.training.rock_samples import FinePatches, FlowImages, FlowPairs, coarse_of, softened
from bigrock.training.rock_settings import Coarsening

IMAGES = np.random.default_rng(0).random((4, 8, 8, 8)) < 0.4
K = np.array([[1.0, np.nan, 10.0], [0.0, 2.0, 3.0], [100.0, 0.0, np.nan], [5.0, 6.0, 7.0]])


def test_what_is_not_labelled_or_does_not_percolate_is_left_out_and_counted() -> None:
    found = TrainingRocks(IMAGES, K).targets()
    assert found.rock.tolist() == [0, 0, 1, 1, 2, 3, 3, 3]
    assert found.axis.tolist() == [0, 2, 1, 2, 0, 0, 1, 2]
    np.testing.assert_allclose(10**found.log10_k, [1, 10, 2, 3, 100, 5, 6, 7])
    assert found.left_out == {"not labelled": 2, "not percolating": 2}


def test_a_single_permeability_is_along_z() -> None:
    found = TrainingRocks(IMAGES, [1, 2, 3, np.nan]).targets()
    assert found.axis.tolist() == [0, 0, 0]
    assert found.left_out["not labelled"] == 9


def test_a_mask_chooses_rocks_of_a_set() -> None:
    stored = SimpleNamespace(path="rocks.zarr", edge=8, k_voxel2=K, take=lambda numbers: IMAGES[numbers])
    wanted = np.array([False, True, False, True])
    found = rocks_of(stored, wanted)
    np.testing.assert_array_equal(found.images, IMAGES[wanted])
    np.testing.assert_array_equal(found.k_voxel2, K[wanted])


@pytest.mark.parametrize(
    ("images", "k", "message"),
    [
        (IMAGES[:0], None, "no rocks"),
        (IMAGES[0], None, "z, y, x"),
        (np.where(IMAGES, np.nan, 0.5), None, "images hold values from nan"),
        (255 * IMAGES.astype(np.uint8), None, "images hold values from 0 to 255"),
        (IMAGES, [1.0], r"4 rocks and permeabilities of shape \(1,\)"),
        (IMAGES, [1, -1.0, 1, 1], "permeability of rock 1 is -1, and 1 in all are negative or infinite"),
        (IMAGES, [1, 1, np.inf, -2.0], "permeability of rock 2 is inf, and 2 in all"),
        (IMAGES, np.where(K == 10, -np.inf, K), "permeability of rock 0 along x is -inf"),
    ],
)
def test_rocks_that_cannot_be_learnt_from_are_refused(
    images: np.ndarray, k: list[float] | None, message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        TrainingRocks(images, k)


def test_targets_need_a_permeability() -> None:
    with pytest.raises(ParameterError, match="no permeabilities"):
        TrainingRocks(IMAGES).targets()
    with pytest.raises(ParameterError, match="none of 4 rocks"):
        TrainingRocks(IMAGES, [0, 0, np.nan, 0]).targets()


def test_the_flow_axis_comes_first() -> None:
    image = np.zeros((1, 4, 4, 4), bool)
    image[0, :, :, 0] = True
    targets = TrainingRocks(image, [[np.nan, np.nan, 1.0]]).targets()
    assert targets.image(image, 0)[0].all()


def test_rocks_of_a_stored_set_keep_the_order_and_are_read_late_where_they_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = SimpleNamespace(
        path="rocks.zarr", edge=8, k_voxel2=K, take=lambda n: IMAGES[n], image=lambda i: IMAGES[i]
    )
    held = rocks_of(stored, [3, 1])
    monkeypatch.setattr(rocks_module, "_HELD_BYTES", 100)
    late = rocks_of(stored, [3, 1])
    for rocks in (held, late):
        np.testing.assert_array_equal(rocks.images[0], IMAGES[3])
        np.testing.assert_array_equal(rocks.k_voxel2, K[[3, 1]])
    assert held.digest() != late.digest() == rocks_of(stored, np.array([3, 1])).digest()
    assert rocks_of(stored, [1, 3]).digest() != late.digest()


def test_another_voxel_or_label_is_another_digest() -> None:
    other = IMAGES.copy()
    other[1, 2, 3, 4] ^= True
    digests = {TrainingRocks(i, k).digest() for i in (IMAGES, other) for k in (None, K, K + 1)}
    assert len(digests) == 6


def test_coarse_rocks_have_pore_fractions_and_coarse_voxels() -> None:
    coarse = coarse_rocks(TrainingRocks(IMAGES, K), 2)
    np.testing.assert_allclose(coarse.images[1][1, 2, 3], IMAGES[1, 2:4, 4:6, 6:8].mean())
    np.testing.assert_allclose(coarse.k_voxel2, K / 4)
    assert (coarse.coarse_factor, coarse_rocks(coarse, 2).coarse_factor) == (2, 4)
    # Trainings that began before there was the factor go on.
    assert coarse.digest() == TrainingRocks(coarse.images, coarse.k_voxel2).digest()
    with pytest.raises(ParameterError, match=r"\(8, 8, 8\) voxels do not divide by the scale 3.*\(6, 6, 6\)"):
        coarse_rocks(TrainingRocks(IMAGES), 3)


def test_low_resolution_is_torchs_mean_pooling() -> None:
    fine = torch.from_numpy(IMAGES[0].astype(np.float32))[None]
    pooled = torch.nn.functional.avg_pool3d(fine, 4)
    torch.testing.assert_close(coarse_of(IMAGES[0], 4, 0, Coarsening().options), pooled)


def test_turns_along_the_flow_are_the_sixteen_that_keep_it() -> None:
    image = np.arange(24).reshape(2, 3, 4)
    rng = np.random.default_rng(0)
    seen = {(v.shape, v.tobytes()) for v in (along_flow(rng, image) for _ in range(500))}
    assert len(seen) == 16
    assert {shape[0] for shape, _ in seen} == {2}
    assert len({any_turn(rng, image).tobytes() + bytes(str(image.shape), "ascii") for _ in range(9)}) > 1
    cube = np.arange(27).reshape(3, 3, 3)
    assert len({any_turn(rng, cube).tobytes() for _ in range(2000)}) == 48


def test_a_sample_follows_from_its_number_and_every_rock_is_shown_once_per_pass() -> None:
    rocks = TrainingRocks(IMAGES * np.arange(1, 5)[:, None, None, None] / 8, K)
    one, two = (FinePatches(rocks, 2, SuperResolutionTraining(patch=8, seed=3)) for _ in range(2))
    ahead = two[7]["label"]
    shown = [float(one[i]["label"].max()) for i in range(8)]
    torch.testing.assert_close(one[7]["label"], ahead)
    assert sorted(shown[:4]) == sorted(shown[4:]) == [1 / 8, 2 / 8, 3 / 8, 4 / 8]
    assert shown[:4] != shown[4:]


@pytest.mark.parametrize("patch", [None, 8])
def test_coarse_and_fine_are_the_same_place(patch: int | None) -> None:
    rocks = TrainingRocks(np.random.default_rng(1).random((2, 16, 16, 16)) < 0.5)
    for number in range(4):
        sample = FinePatches(rocks, 4, SuperResolutionTraining(patch=patch))[number]
        torch.testing.assert_close(torch.nn.functional.avg_pool3d(sample["label"], 4), sample["image"])
        assert sample["label"].shape == (1, *(3 * [patch or 16]))


def test_images_of_the_flow_go_with_their_standardised_label() -> None:
    rocks = TrainingRocks(IMAGES, [1.0, 10.0, 100.0, 1000.0])
    samples = FlowImages(rocks, rocks.targets(), (1.5, 0.5), SurrogateTraining(soft=0))
    for number in range(8):
        sample = samples[number]
        rock = round(float(sample["label"]) * 0.5 + 1.5)
        assert float(sample["image"].mean()) == pytest.approx(IMAGES[rock].mean())
        assert set(sample["image"].unique().tolist()) == {0, 1}


def test_soft_images_keep_their_porosity() -> None:
    rng = np.random.default_rng(2)
    for image in IMAGES:
        soft = softened(rng, image)
        assert soft.mean() == pytest.approx(image.mean(), abs=0.03)
        assert 0 <= soft.min() < soft.max() <= 1
        assert len(np.unique(soft)) > 2
    odd = np.ones((3, 5, 7), bool)
    assert softened(rng, odd) is odd


def test_pairs_hold_the_fine_image_and_log10_k() -> None:
    rocks = TrainingRocks(IMAGES, K)
    pairs = FlowPairs(rocks, rocks.targets(), 4, FineTuning())
    sample = pairs.pair(None, 1, 0)
    fine, log10_k = FlowPairs.parts(sample["label"][None], torch.zeros(1, 1, 8, 8, 8))
    np.testing.assert_array_equal(fine[0, 0].numpy(), np.moveaxis(IMAGES[0], 2, 0))
    assert float(log10_k) == pytest.approx(1.0)
    torch.testing.assert_close(torch.nn.functional.avg_pool3d(fine, 4)[0], sample["image"])
    drawn = pairs[0]["label"], pairs[0]["label"]
    torch.testing.assert_close(*drawn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SuperResolutionTraining(loss="psnr"), "Use one of 'mse', 'l1'"),
        (lambda: SuperResolutionTraining(patch=4), "8 voxels or more"),
        (lambda: SurrogateTraining(soft=2.0), "a share"),
        (lambda: FineTuning(fidelity=0, flow=0), "not both 0"),
        (lambda: FineTuning(fidelity=-1), "0 or more"),
        (lambda: Coarsening("median"), "'mean', 'nearest', 'trilinear', 'blur'"),
        (lambda: Coarsening(noise=-0.1), "0 or more"),
        (lambda: FineTuning(optimizer="sgd"), "'adamw', 'adam'"),
        (lambda: FineTuning(gradient_clip=0.0), "a positive number, or None"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()  # type: ignore[operator]
