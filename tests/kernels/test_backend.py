"""The switch between numpy and cupy, with cupy replaced by modules that fail as the real one does."""

from __future__ import annotations

import importlib
import pickle
import re
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from bigrock import kernels
from bigrock.errors import BackendError, ParameterError
from bigrock.kernels import backend
from bigrock.kernels.backend import namespace, resolve, to_device, to_host


class CupyArray:
    """Stands for `cupy.ndarray`: known by the module of its class."""

    __module__ = "cupy"

    def __init__(self, host):
        self.host = host

    def get(self):
        return self.host

    def __getitem__(self, index):
        return self.host[index]


def fake_cupy(*, devices=1, result=496, driver_error=None, compile_error=None) -> ModuleType:
    cupy = ModuleType("cupy")

    def get_device_count():
        if driver_error:
            raise driver_error
        return devices

    def raw_kernel(source, name):
        assert name in source
        if compile_error:
            raise compile_error

        def launch(grid, threads, arguments):
            arguments[0].host[0] = result

        return launch

    cupy.int32 = np.int32
    cupy.zeros = lambda shape, dtype: CupyArray(np.zeros(shape, dtype))
    cupy.asarray = lambda array: array if isinstance(array, CupyArray) else CupyArray(array)
    cupy.RawKernel = raw_kernel
    properties = {"name": b"Toy 1", "major": 9, "minor": 0, "totalGlobalMem": 80 * 2**30}
    cupy.cuda = SimpleNamespace(
        runtime=SimpleNamespace(
            getDeviceCount=get_device_count,
            getDevice=lambda: 0,
            getDeviceProperties=lambda device: properties,
        )
    )
    return cupy


@pytest.fixture(autouse=True)
def _fresh_probe(monkeypatch):
    monkeypatch.delenv("BIGROCK_BACKEND", raising=False)
    backend._probe_gpu.cache_clear()
    yield
    backend._probe_gpu.cache_clear()


@pytest.fixture
def install(monkeypatch):
    return lambda module: monkeypatch.setitem(sys.modules, "cupy", module)


FAILURES = {
    "not installed": (None, "cupy is not installed"),
    "no driver": (fake_cupy(driver_error=RuntimeError("cudaErrorInsufficientDriver")), "no CUDA driver"),
    "no device": (fake_cupy(devices=0), "there is no CUDA device"),
    "no compiler": (fake_cupy(compile_error=OSError("libnvrtc.so")), "cannot be compiled or run.*libnvrtc"),
    "wrong number": (fake_cupy(result=495), "computes 495 where 496 is right"),
}


@pytest.mark.parametrize(("module", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_gpu_that_cannot_be_used_is_refused_with_the_reason_and_the_remedy(install, module, reason):
    install(module)
    with pytest.raises(BackendError, match=rf"(?s){reason}.*pip install 'bigrock\[gpu\]'.*backend='cpu'"):
        resolve("gpu")


@pytest.mark.parametrize(("module", "reason"), FAILURES.values(), ids=FAILURES)
def test_auto_takes_the_cpu_and_says_why(install, module, reason):
    install(module)
    chosen = resolve("auto")
    assert (chosen.name, chosen.xp) == ("cpu", np)
    assert re.search(reason, chosen.reason)


def test_a_gpu_that_computes_is_taken_by_auto_and_by_name(install):
    module = fake_cupy()
    install(module)
    for name in ("auto", "gpu"):
        chosen = resolve(name)
        assert (chosen.name, chosen.xp) == ("gpu", module)
        assert chosen.device == "Toy 1, compute capability 9.0, 80 GiB"


def test_the_question_is_asked_once(install):
    install(None)
    assert resolve("auto").name == "cpu"
    install(fake_cupy())
    assert resolve("auto").name == "cpu"


def test_the_cpu_never_looks_for_a_gpu(install):
    install(fake_cupy(driver_error=RuntimeError("must not be asked")))
    assert resolve("cpu").reason == "asked for"
    assert backend._probe_gpu.cache_info().currsize == 0


def test_the_environment_decides_where_no_name_is_given(monkeypatch, install):
    install(None)
    assert resolve().name == "cpu"
    monkeypatch.setenv("BIGROCK_BACKEND", "gpu")
    with pytest.raises(BackendError, match="environment variable BIGROCK_BACKEND 'gpu'"):
        resolve()
    assert resolve("auto").name == "cpu"


def test_an_unknown_name_is_refused(monkeypatch):
    with pytest.raises(ParameterError, match=r"'tpu' is not known. Use one of: auto, cpu, gpu"):
        resolve("tpu")
    monkeypatch.setenv("BIGROCK_BACKEND", "fast")
    with pytest.raises(ParameterError, match="BIGROCK_BACKEND 'fast'"):
        resolve()


def test_arrays_move_to_the_device_and_back(install):
    module = fake_cupy()
    install(module)
    image = np.arange(6)
    on_device = to_device(image, resolve("gpu"))
    assert namespace(on_device) is module
    assert to_host(on_device) is image
    assert to_device(on_device, resolve("cpu")) is image


def test_host_arrays_stay_where_they_are():
    image = np.arange(6)
    assert namespace(image) is np
    assert to_host(image) is image
    assert to_device(image, resolve("cpu")) is image


def test_a_backend_pickles():
    chosen = resolve("cpu")
    assert pickle.loads(pickle.dumps(chosen)) == chosen


def test_importing_the_kernels_loads_neither_numba_nor_scipy_nor_skimage():
    # Where cupy is installed zarr imports it, so it is not in this list.
    code = (
        "import sys, bigrock.kernels, bigrock.kernels.histogram, bigrock.kernels.threshold\n"
        "heavy = {'numba', 'scipy', 'skimage', 'torch', 'dask'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_exported_kernel_can_be_had():
    module = importlib.import_module("bigrock.kernels.standardize")

    assert set(kernels.__all__) <= set(dir(kernels))
    assert callable(kernels.standardize)
    assert kernels.standardize is module.standardize
    assert kernels.Histogram is kernels.grey_histogram(np.zeros(1, np.uint8)).__class__
    with pytest.raises(AttributeError, match="nothing"):
        _ = kernels.nothing


def test_any_other_array_of_the_standard_names_its_own_module():
    import array_api_strict

    image = array_api_strict.asarray(np.arange(6, dtype=np.uint16))
    assert namespace(image) is array_api_strict
    assert backend.dtype_of(image) == np.dtype(np.uint16)
    assert backend.dtype_of(array_api_strict.asarray([True])) == np.dtype(bool)
    assert namespace([1, 2]) is np
    np.testing.assert_array_equal(to_host(image), np.arange(6))
