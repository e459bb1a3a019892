"""Kernels of grey levels refuse masks and labels before anything is read or written."""

from __future__ import annotations

import numpy as np
import pytest
from toy_kernels import Copied

import bigrock
from bigrock.engine import plan, reduce, run
from bigrock.engine.kernel import Kernel
from bigrock.engine.kinds import check_kinds
from bigrock.errors import PhaseError
from bigrock.kernels import GlobalOtsu, GreyHistogram, LocalOtsu, SelectClass, Standardize, Threshold
from bigrock.kernels.device import ToGpu, ToHost
from bigrock.volumes import ArraySource, Facts

SHAPE = (4, 6, 8)
OF_GREY = [
    Threshold(0.5),
    GlobalOtsu(),
    LocalOtsu(radius=2),
    Standardize(),
    Standardize() | LocalOtsu(radius=2),
    ToGpu() | Standardize() | GlobalOtsu() | ToHost(),
]


class Unread(ArraySource):
    """A source that must not be read."""

    def read(self, region):
        raise AssertionError("read before it was refused")


def unread(kind, dtype):
    return Unread(np.zeros(SHAPE, dtype), kind=kind)


def passes(place):
    return {
        "plan": lambda kernel, source: plan(kernel, source),
        "run": lambda kernel, source: run(kernel, source, place, executor="serial"),
        "fit": lambda kernel, source: kernel.fit(source),
        "reduce": lambda kernel, source: reduce(source, [GreyHistogram()], through=kernel),
        "measure": lambda kernel, source: bigrock.measure(source, "porosity", through=kernel),
    }


@pytest.mark.parametrize("name", ["plan", "run", "fit", "reduce", "measure"])
@pytest.mark.parametrize("kernel", OF_GREY, ids=str)
@pytest.mark.parametrize(
    ("kind", "dtype", "message"),
    [
        ("mask", "bool", "takes grey levels, and the volume is a mask: .* pore and solid would be exchanged"),
        ("mask", "uint8", "measure the mask as it is"),
        ("grey", "bool", "the volume is a mask"),
        ("labels", "uint8", "the volume is a label volume: .* SelectClass"),
    ],
)
def test_a_kernel_of_grey_levels_refuses_other_volumes_unread(tmp_path, name, kernel, kind, dtype, message):
    with pytest.raises(PhaseError, match=message):
        passes(tmp_path / "out.zarr")[name](kernel, unread(kind, dtype))
    assert not (tmp_path / "out.zarr").exists()


@pytest.mark.parametrize("name", ["plan", "run", "fit", "reduce", "measure"])
def test_a_later_stage_refuses_what_an_earlier_one_makes(tmp_path, name):
    chain = Standardize() | GlobalOtsu() | Threshold(0.5)
    with pytest.raises(PhaseError, match="Threshold takes grey levels, and what GlobalOtsu makes is a mask"):
        passes(tmp_path / "out.zarr")[name](chain, unread("grey", "uint8"))
    assert not chain.accepts("grey")


@pytest.mark.parametrize("kernel", [SelectClass(1), Copied()], ids=str)
@pytest.mark.parametrize("kind", ["grey", "mask", "labels"])
def test_other_kernels_take_every_kind(tmp_path, kernel, kind):
    voxels = np.random.default_rng(0).integers(0, 2, SHAPE).astype(np.uint8)
    out = run(kernel, ArraySource(voxels, kind=kind), tmp_path / "out.zarr", executor="serial")
    np.testing.assert_array_equal(out[:], voxels)


@pytest.mark.parametrize("kernel", OF_GREY, ids=str)
def test_grey_levels_are_taken(kernel):
    assert kernel.accepts("grey")
    check_kinds(kernel, Facts(SHAPE, np.dtype("u2")))


def test_a_kernel_of_labels_says_so():
    class Classes(Kernel):
        def accepts(self, kind):
            return kind == "labels"

        def __call__(self, array, block):
            return array[block.trim]

    with pytest.raises(PhaseError, match="Classes takes labels, and the volume is grey levels"):
        check_kinds(Classes(), Facts(SHAPE, np.dtype("u1")))
