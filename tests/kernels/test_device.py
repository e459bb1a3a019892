from __future__ import annotations

import numpy as np
import pytest

from bigrock.errors import BackendError
from bigrock.geometry import BlockGrid
from bigrock.kernels import GlobalOtsu, LocalOtsu, Threshold, grey_histogram
from bigrock.kernels.backend import Backend, _Probe
from bigrock.kernels.device import OnGpu, on_backend


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


def test_a_block_goes_to_the_device_and_back_once_for_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[str] = []

    def sent(array: np.ndarray, backend: Backend) -> np.ndarray:
        moves.append(backend.name)
        return array

    def fetched(array: np.ndarray) -> np.ndarray:
        moves.append("host")
        return array

    monkeypatch.setattr("bigrock.kernels.device.resolve", lambda name: Backend("gpu", "fake", "asked for"))
    monkeypatch.setattr("bigrock.kernels.device.to_device", sent)
    monkeypatch.setattr("bigrock.kernels.device.to_host", fetched)
    image = np.random.default_rng(0).integers(0, 255, (8, 20, 20)).astype(np.uint8)
    block = BlockGrid(image.shape, image.shape)[0]
    kernel = on_backend(LocalOtsu(3), "gpu")
    assert isinstance(kernel, OnGpu)
    assert np.array_equal(kernel(image, block), LocalOtsu(3)(image, block))
    assert moves == ["gpu", "host"]


def test_a_wrapped_kernel_declares_and_fits_what_the_kernel_does() -> None:
    wrapped, kernel = OnGpu(GlobalOtsu()), GlobalOtsu()
    histogram = grey_histogram(np.array([3, 4, 90], np.uint8))
    assert (wrapped.halo, wrapped.scale) == (kernel.halo, kernel.scale)
    assert wrapped.output_dtype(np.dtype("u1")) == np.dtype(bool)
    assert wrapped.output_kind("grey") == "mask"
    assert (wrapped.accepts("grey"), wrapped.accepts("mask")) == (True, False)
    assert not OnGpu(GlobalOtsu() | GlobalOtsu()).accepts("grey")
    assert wrapped.fitted(histogram).kernel == kernel.fitted(histogram)
