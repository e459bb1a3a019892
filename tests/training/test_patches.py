"""Patches show rare classes, keep what nobody annotated, and follow from their number alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from bigrock.errors import NonFiniteError, ParameterError, PhaseError
from bigrock.training import Augmentation, TrainingConfig, TrainingSlice
from bigrock.training.patches import Patches
from bigrock.training.slices import check_slices, digest_of

CLASSES = {"matrix": 0, "organic": 1, "pore": 2}
PLAIN = TrainingConfig(patch=16, augmentation=Augmentation.none(), max_epochs=20, steps_per_epoch=10)


def ground(seed: int = 0, shape: tuple[int, int] = (60, 70), channels: int = 1) -> TrainingSlice:
    """A slice whose image tells the class: 10 times the label, in every channel one more; with a rare class."""
    rng = np.random.default_rng(seed)
    label = (rng.random(shape) < 0.3).astype(np.uint8)
    label[7, 11] = 2
    label[:, -6:] = 255
    image = np.stack([10.0 * label + channel for channel in range(channels)]).astype(np.float32)
    return TrainingSlice(image, label, str(seed))


def classes_of(patches: Patches, count: int) -> np.ndarray:
    """The share of the patches on which each class is."""
    seen = [np.bincount(patches[i]["label"].numpy().ravel(), minlength=256) > 0 for i in range(count)]
    return np.mean(seen, axis=0)


def test_a_class_of_one_pixel_in_thousands_is_on_as_many_patches_as_is_asked() -> None:
    many = classes_of(Patches([ground(), ground(1)], dataclasses.replace(PLAIN, balance=1.0)), 300)
    few = classes_of(Patches([ground(), ground(1)], dataclasses.replace(PLAIN, balance=0.0)), 300)
    assert many[2] > 0.33
    assert few[2] < 0.2


def test_every_class_is_drawn_with_the_stated_chance() -> None:
    patches = Patches([ground()], dataclasses.replace(PLAIN, patch=1, balance=1.0))
    drawn = np.bincount([int(patches[i]["label"]) for i in range(900)], minlength=3)
    assert drawn == pytest.approx([300, 300, 300], abs=60)


def test_pixels_are_drawn_by_their_share_where_nothing_is_balanced() -> None:
    own, other = ground(), ground(3, (20, 20))
    patches = Patches([own, other], dataclasses.replace(PLAIN, patch=1, balance=0.0))
    numbers = [patches.place(np.random.default_rng((0, i)))[0] for i in range(1000)]
    annotated = [(s.label != 255).sum() for s in (own, other)]
    assert np.mean(numbers) == pytest.approx(annotated[1] / sum(annotated), abs=0.03)


def test_unannotated_pixels_are_never_the_reason_for_a_patch() -> None:
    label = np.full((40, 40), 255, np.uint8)
    label[3, 4], label[30, 31] = 0, 1
    alone = TrainingSlice(np.zeros((40, 40)), label)
    patches = Patches([alone], dataclasses.replace(PLAIN, patch=1))
    assert {int(patches[i]["label"]) for i in range(100)} == {0, 1}


def test_image_and_label_stay_together_through_flips_and_turns() -> None:
    vary = dataclasses.replace(Augmentation.none(), flip=0.5, rotate90=0.5)
    patches = Patches([ground(channels=3)], dataclasses.replace(PLAIN, augmentation=vary))
    plain = Patches([ground(channels=3)], PLAIN)
    differ = 0
    for i in range(40):
        image, label = patches[i]["image"].numpy(), patches[i]["label"].numpy()
        for channel in range(3):
            assert (image[channel] == 10.0 * label[0] + channel).all()
        differ += not np.array_equal(label, plain[i]["label"].numpy())
    assert differ > 20


def test_free_turns_and_warps_choose_labels_and_mix_grey_levels() -> None:
    vary = dataclasses.replace(Augmentation.none(), warp=1.0, rotate_degrees=30.0, elastic_pixels=2.0)
    smooth = TrainingSlice(np.arange(4900.0).reshape(70, 70), (np.indices((70, 70))[0] > 35).astype(np.uint8))
    patches = Patches([smooth], dataclasses.replace(PLAIN, augmentation=vary))
    turned = 0
    for i in range(20):
        label, image = patches[i]["label"].numpy()[0], patches[i]["image"].numpy()[0]
        assert set(np.unique(label).tolist()) <= {0, 1, 255}
        rows = image // 70
        inside = label != 255
        # The label is that of the row which the grey level tells, but for half a pixel of rounding.
        sure = inside & (np.abs(rows - 35) > 2)
        assert ((rows > 35)[sure] == (label == 1)[sure]).all()
        turned += abs(np.gradient(image, axis=1).mean() - 1) > 1
    assert turned > 10


def test_beyond_the_edge_of_a_slice_nothing_is_annotated() -> None:
    small = TrainingSlice(np.ones((10, 12)), np.ones((10, 12), np.uint8))
    label = Patches([small], PLAIN)[0]["label"].numpy()
    assert (label != 255).sum() == 120
    assert (label == 255).sum() == 16 * 16 - 120


def test_grey_levels_are_varied_within_what_is_stated() -> None:
    flat = TrainingSlice(np.full((40, 40), 2.0), np.zeros((40, 40), np.uint8))
    vary = dataclasses.replace(Augmentation.none(), contrast=0.1, brightness=0.2)
    patches = Patches([flat], dataclasses.replace(PLAIN, augmentation=vary))
    means = np.array([float(patches[i]["image"].mean()) for i in range(60)])
    assert np.abs(means - 2.0).max() <= 2 * 0.1 + 0.2 + 1e-6
    assert means.std() > 0.05


def test_a_patch_follows_from_the_seed_and_its_number_alone() -> None:
    config = TrainingConfig(patch=16, seed=4)
    one, two = Patches([ground()], config), Patches([ground()], config)
    for _ in range(3):
        one[5]
    for i in (7, 3, 7):
        for key in ("image", "label"):
            assert torch.equal(one[i][key], two[i][key])
    other = Patches([ground()], dataclasses.replace(config, seed=5))
    assert not torch.equal(one[7]["image"], other[7]["image"])


def test_monai_keeps_track_of_metadata_afterwards_as_before() -> None:
    from monai.data.meta_obj import get_track_meta

    before = get_track_meta()
    Patches([ground()], PLAIN)[0]
    assert get_track_meta() == before


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda label: np.full_like(label, 255), ParameterError, "holds no annotated pixel"),
        (lambda label: np.where(label == 2, 0, label), PhaseError, "is annotated as pore"),
        (
            lambda label: np.where(label == 2, 7, label),
            PhaseError,
            "labels \\[7\\], which are not in the class table",
        ),
    ],
)
def test_slices_that_cannot_be_learnt_from_are_refused(change: object, error: type, said: str) -> None:
    item = ground()
    changed = TrainingSlice(item.image, change(item.label))  # type: ignore[operator]
    with pytest.raises(error, match=said):
        check_slices([changed], CLASSES, 1, role="training", every=True)


def test_channels_and_numbers_of_slices_are_checked() -> None:
    with pytest.raises(ParameterError, match="has 1 channels, and the network is given 3"):
        check_slices([ground()], CLASSES, 3, role="training", every=True)
    with pytest.raises(ParameterError, match="no validation slices"):
        check_slices([], CLASSES, 1, role="validation", every=False)
    with pytest.raises(ParameterError, match="nothing can be learnt"):
        Patches([TrainingSlice(np.zeros((4, 4)), np.full((4, 4), 255))], PLAIN)


def test_slices_of_wrong_shape_type_or_value_are_refused() -> None:
    with pytest.raises(ParameterError, match="would get the classes of others"):
        TrainingSlice(np.zeros((4, 4)), np.zeros((4, 5), np.uint8))
    with pytest.raises(ParameterError, match="label of float64"):
        TrainingSlice(np.zeros((4, 4)), np.zeros((4, 4)))
    with pytest.raises(ParameterError, match="labels from -1"):
        TrainingSlice(np.zeros((4, 4)), np.full((4, 4), -1))
    with pytest.raises(NonFiniteError, match="slice 12 holds NaN"):
        TrainingSlice(np.full((4, 4), np.nan), np.zeros((4, 4), np.uint8), "12")


def test_the_digest_tells_images_and_labels() -> None:
    one, two = ground(), ground(1)
    assert digest_of([one]) == digest_of([ground()])
    assert len({digest_of([one]), digest_of([two]), digest_of([TrainingSlice(one.image, two.label)])}) == 3


def test_settings_that_are_not_possible_are_refused() -> None:
    for wrong in ({"patch": 0}, {"balance": 2.0}, {"learning_rate": 0.0}, {"stop_on": "test"}, {"batch": 0}):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            TrainingConfig(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"flip=1\.5"):
        Augmentation(flip=1.5)
    with pytest.raises(ParameterError, match="dice_weight"):
        TrainingConfig(dice_weight=0.0, cross_entropy_weight=0.0)
