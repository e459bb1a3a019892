"""The way to the GPU and back, with arrays of array_api_strict in place of those of a GPU."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest

from bigrock.engine import reduce, run
from bigrock.engine.kinds import check_kinds
from bigrock.errors import BackendError, PhaseError
from bigrock.geometry import BlockGrid
from bigrock.kernels import GlobalOtsu, GreyHistogram, LocalOtsu, Standardize, Threshold
from bigrock.kernels.backend import Backend, _Probe
from bigrock.kernels.device import ToGpu, ToHost, on_backend
from bigrock.kernels.standardize import SliceMoments
from bigrock.volumes import ArraySource, Facts


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which copies were made, in order, between the CPU and the strict arrays that stand for a GPU."""
    made: list[str] = []

    def sent(array: np.ndarray, backend: Backend):
        made.append(backend.name)
        return strict.asarray(np.ascontiguousarray(array))

    def fetched(array) -> np.ndarray:
        assert not isinstance(array, np.ndarray), "a stage has fetched the block from the device"
        made.append("host")
        return np.asarray(array)

    monkeypatch.setattr("bigrock.kernels.device.resolve", lambda name: Backend("gpu", "fake", "asked for"))
    monkeypatch.setattr("bigrock.kernels.device.to_device", sent)
    monkeypatch.setattr("bigrock.kernels.device.to_host", fetched)
    return made


def scan(shape=(8, 20, 24)) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.where(rng.random(shape) < 0.3, rng.normal(900, 90, shape), rng.normal(2500, 90, shape)).astype(
        "u2"
    )


def test_the_cpu_runs_the_kernel_itself() -> None:
    kernel = Threshold(100)
    assert on_backend(kernel, "cpu") is kernel


def test_asking_for_a_gpu_that_cannot_be_used_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bigrock.kernels.backend._probe_gpu", lambda: _Probe(False, "", "there is no CUDA device")
    )
    with pytest.raises(BackendError, match="there is no CUDA device"):
        on_backend(Threshold(100), "gpu")
    assert on_backend(Threshold(100), "auto") == Threshold(100)
    block = BlockGrid((1, 1, 1), (1, 1, 1))[0]
    with pytest.raises(BackendError, match="there is no CUDA device"):
        ToGpu()(np.zeros((1, 1, 1)), block)


@pytest.mark.parametrize(
    "kernel",
    [LocalOtsu(3), Standardize() | GlobalOtsu(), Standardize() | LocalOtsu(3, min_contrast=0.3)],
    ids=str,
)
def test_a_block_goes_to_the_device_and_back_once_for_a_chain(moves, kernel) -> None:
    image = scan()
    kernel = kernel.fit(ArraySource(image))
    block = BlockGrid(image.shape, (4, 12, 12), kernel.halo)[3]
    part = image[block.read.slices]
    found = on_backend(kernel, "gpu")(part, block)
    np.testing.assert_array_equal(found, kernel(part, block))
    assert moves == ["gpu", "host"]


def test_a_pass_on_the_device_writes_what_one_on_the_cpu_writes(moves, tmp_path) -> None:
    image = scan((8, 70, 66))
    kernel = LocalOtsu(radius=2, min_contrast=0.3)
    options = {"executor": "serial", "block": (8, 64, 64)}
    expected = run(kernel, ArraySource(image), tmp_path / "cpu.zarr", **options)
    found = run(on_backend(kernel, "gpu"), ArraySource(image), tmp_path / "gpu.zarr", **options)
    np.testing.assert_array_equal(found[:], expected[:])
    assert moves.count("gpu") > moves.count("host") == 4


def test_a_block_goes_to_the_device_once_for_all_reductions(moves) -> None:
    source, reductions = ArraySource(scan()), [GreyHistogram(), SliceMoments()]
    options = {"executor": "serial", "block": (4, 20, 24)}
    histogram, moments = reduce(source, reductions, through=ToGpu(), **options)
    assert moves == ["gpu", "gpu"]
    expected, expected_moments = reduce(source, reductions, **options)
    assert histogram.to_dict() == expected.to_dict()
    np.testing.assert_array_equal(moments.std, expected_moments.std)


def test_a_refusal_names_the_kernel_and_not_the_way_to_the_device(moves) -> None:
    labels = Facts((4, 4, 4), np.dtype("u1"), kind="labels")
    with pytest.raises(PhaseError, match=r"^Threshold takes grey levels, and the volume is a label volume"):
        check_kinds(on_backend(Threshold(5), "gpu"), labels)
    with pytest.raises(
        PhaseError, match=r"^Threshold takes grey levels, and what GlobalOtsu makes is a mask"
    ):
        check_kinds(on_backend(GlobalOtsu() | Threshold(5), "gpu"), Facts((4, 4, 4), np.dtype("u1")))


def test_the_way_to_the_device_and_back_changes_nothing() -> None:
    for kernel in (ToGpu(), ToHost()):
        assert (kernel.halo, kernel.scale, kernel.output_dtype(np.dtype("u2"))) == (
            (0, 0, 0),
            1,
            np.dtype("u2"),
        )
        assert {kind: kernel.output_kind(kind) for kind in ("grey", "mask", "labels")} == {
            kind: kind for kind in ("grey", "mask", "labels")
        }
