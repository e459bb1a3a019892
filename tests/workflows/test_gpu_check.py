"""The comparison of CPU and GPU, with arrays of array_api_strict in place of those of a GPU."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest

from bigrock.errors import BackendError
from bigrock.kernels.backend import Backend
from bigrock.workflows import gpu_check as module
from bigrock.workflows.gpu_check import GpuCheck, gpu_check

BACKEND = Backend("gpu", "fake", "asked for")
IMAGE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def fake_gpu(monkeypatch):
    monkeypatch.setattr(module, "resolve", lambda name: BACKEND)
    monkeypatch.setattr(module, "to_device", lambda array, backend: strict.asarray(array))
    # The array operations of a flow add up at places, which the standard does not know.
    monkeypatch.setattr(module, "namespace", lambda array: np)


def test_every_check_gives_the_same_on_any_array_module(fake_gpu):
    found = gpu_check((6, 24, 26))
    assert found.usable
    assert {twin.kernel: twin.error for twin in found.twins if twin.error} == {}
    assert [twin.kernel for twin in found.twins if twin.differing] == []
    assert found.passed
    assert found.to_dict()["passed"]


def test_without_a_gpu_the_reason_is_given(monkeypatch):
    def refuse(name):
        raise BackendError("there is no CUDA device")

    monkeypatch.setattr(module, "resolve", refuse)
    assert gpu_check() == GpuCheck(False, "", "there is no CUDA device")


def on(module_of_array, cpu, gpu):
    """Return a function that gives something else on the device."""
    return lambda array: gpu if isinstance(array, module_of_array) else cpu


def test_a_difference_is_counted_and_measured(fake_gpu):
    wrong = IMAGE.copy()
    wrong[0, 0, :3] += 7
    device = type(strict.asarray(IMAGE))
    twin = module._twin("planted", on(device, IMAGE, wrong), IMAGE, BACKEND)
    assert (twin.differing, twin.largest_difference, twin.passed) == (3, 7.0, False)
    assert twin.told.startswith("3 differ (largest difference 7)")
    results = ({"n": 1, "x": (2.0, np.nan)}, {"n": 1, "x": (2.0 + 1e-9, np.nan)})
    twin = module._twin("nested", on(device, *results), IMAGE, BACKEND)
    assert (twin.differing, twin.passed) == (1, True)


def test_a_result_of_another_kind_and_an_exception_are_findings(fake_gpu):
    device = type(strict.asarray(IMAGE))
    twin = module._twin("planted", on(device, IMAGE, IMAGE.astype(np.uint16)), IMAGE, BACKEND)
    assert not twin.passed
    assert "uint8 of shape (2, 3, 4) on the CPU, uint16" in twin.told

    def fail(array):
        raise RuntimeError("out of registers")

    assert module._twin("planted", fail, IMAGE, BACKEND).told == "did not run: RuntimeError: out of registers"
