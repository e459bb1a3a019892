"""Which voxels are pore: from the mask, the class table or the caller, and never guessed."""

from __future__ import annotations

import numpy as np
import pytest

from bigrock.engine.reduction import Reduction
from bigrock.errors import PhaseError
from bigrock.geometry import BlockGrid
from bigrock.measures.phase import OfPhase, Phase, find_phase
from bigrock.measures.porosity import PoreCount
from bigrock.measures.profiles import AxisCounts
from bigrock.volumes import Facts

CLASSES = {"pore": 0, "quartz": 1, "organic pore": 5}


def facts(kind: str, classes=None, dtype="uint8") -> Facts:
    return Facts((4, 4, 4), np.dtype(dtype), kind=kind, classes=classes or {})


LABELS = np.array([0, 1, 5, 7, 0], np.uint8)


@pytest.mark.parametrize(
    ("pore", "expected"),
    [
        (None, [True, False, False, False, True]),
        ("quartz", [False, True, False, False, False]),
        (5, [False, False, True, False, False]),
        (np.uint8(0), [True, False, False, False, True]),
        (["pore", 5], [True, False, True, False, True]),
        (("pore", "quartz", "organic pore"), [True, True, True, False, True]),
    ],
)
def test_classes_are_chosen_by_name_or_value(pore, expected):
    assert find_phase(facts("labels", CLASSES), pore).select(LABELS).tolist() == expected


@pytest.mark.parametrize("pore", [None, True, 1, "pore", np.int64(1)])
def test_true_of_a_mask_is_pore(pore):
    phase = find_phase(facts("mask", dtype="bool"), pore)
    mask = np.array([True, False])
    assert phase.select(mask) is mask
    assert phase.select(np.array([0, 255, 1], np.uint8)).tolist() == [False, True, True]


@pytest.mark.parametrize("pore", [False, 0, "solid"])
def test_false_of_a_mask_is_the_solid(pore):
    phase = find_phase(facts("mask", dtype="bool"), pore)
    assert phase.select(np.array([True, False])).tolist() == [False, True]
    assert phase.select(np.array([0, 255], np.uint8)).tolist() == [True, False]


def test_a_grey_volume_is_not_thresholded_by_guess():
    with pytest.raises(PhaseError, match=r"grey levels\. Threshold it first"):
        find_phase(facts("grey"))
    assert find_phase(facts("grey"), 0).values == (0,)


def test_a_label_volume_without_a_pore_class_asks_for_one_and_lists_the_classes():
    with pytest.raises(PhaseError, match=r"'quartz' = 1, 'clay' = 2 and no class is named 'pore'"):
        find_phase(facts("labels", {"quartz": 1, "clay": 2}))
    with pytest.raises(PhaseError, match="has no class table"):
        find_phase(facts("labels"))


@pytest.mark.parametrize("pore", ["Pore", "clay", 9, True, ["pore", 9]])
def test_an_unknown_class_is_refused_with_the_class_table(pore):
    with pytest.raises(PhaseError, match="'pore' = 0, 'quartz' = 1, 'organic pore' = 5"):
        find_phase(facts("labels", CLASSES), pore)


@pytest.mark.parametrize("pore", [2, "quartz", [1]])
def test_a_mask_has_no_other_values(pore):
    with pytest.raises(PhaseError, match="True or False"):
        find_phase(facts("mask"), pore)


def test_no_class_at_all_is_refused():
    with pytest.raises(PhaseError, match="names no class"):
        find_phase(facts("labels", CLASSES), [])


def test_a_volume_without_class_table_takes_any_value():
    assert find_phase(facts("labels"), 7).values == (7,)


def test_the_description_names_class_and_value():
    assert (
        find_phase(facts("labels", CLASSES), ["pore", 5]).name
        == "class 'pore' = 0 and class 'organic pore' = 5"
    )
    assert find_phase(facts("grey"), 3).name == "value 3"


class Neighbours(Reduction):
    """Counts pairs of pore voxels along x that the block owns by their left member; needs a halo."""

    @property
    def halo(self):
        return (0, 0, 1)

    def block(self, array, block):
        trim = block.trim
        pairs = array[..., :-1] & array[..., 1:]
        return int(np.count_nonzero(pairs[trim[0], trim[1], trim[2].start : trim[2].stop]))

    def combine(self, a, b):
        return a + b


def test_reductions_of_a_phase_are_given_the_mask_with_their_own_halo():
    labels = np.random.default_rng(0).integers(0, 3, (5, 7, 11)).astype(np.uint8)
    joint = OfPhase(Phase("value 2", (2,), mask=False), (PoreCount(), Neighbours(), AxisCounts()))
    assert joint.halo == (0, 0, 1)
    state = None
    for block in BlockGrid(labels.shape, (2, 3, 4), joint.halo):
        part = joint.block(labels[block.read.slices], block)
        state = part if state is None else joint.combine(state, part)
    count, pairs, (z, _, x) = joint.finish(state, Facts(labels.shape, labels.dtype, kind="labels"))
    mask = labels == 2
    assert count == mask.sum()
    assert pairs == (mask[..., :-1] & mask[..., 1:]).sum()
    np.testing.assert_array_equal(z, mask.sum(axis=(1, 2)))
    np.testing.assert_array_equal(x, mask.sum(axis=(0, 1)))


def test_the_memory_of_the_mask_is_counted():
    plain = OfPhase(Phase("True", (1,), mask=True), (PoreCount(),))
    chosen = OfPhase(Phase("0 and 1", (0, 1), mask=False), (PoreCount(),))
    assert plain.scratch_bytes(np.dtype(bool)) == 0
    assert chosen.scratch_bytes(np.dtype(np.uint8)) == 2
    assert OfPhase(chosen.phase, (AxisCounts(),)).state_bytes(facts("labels")) == 8 * 12
