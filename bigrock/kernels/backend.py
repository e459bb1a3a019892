"""Where kernels compute: on the CPU with numpy, or on a GPU with cupy.

cupy imports without a driver and finds devices that it cannot compile for, so a GPU counts as
usable only when a small kernel has been compiled and has given the right number.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from bigrock.errors import BackendError, ParameterError

__all__ = ["Backend", "dtype_of", "namespace", "resolve", "to_device", "to_host"]

_NAMES = ("auto", "cpu", "gpu")
_VARIABLE = "BIGROCK_BACKEND"
_SMOKE = 'extern "C" __global__ void smoke(int* sum) { atomicAdd(sum, (int)threadIdx.x); }'
_THREADS = 32


@dataclass(frozen=True, slots=True)
class Backend:
    """A device and the array module that computes on it; made by `resolve`.

    Attributes
    ----------
    name : {"cpu", "gpu"}
        What computes.
    device : str
        The device, for people.
    reason : str
        Why this one was taken.

    Examples
    --------
    >>> resolve("cpu").xp.__name__
    'numpy'
    """

    name: Literal["cpu", "gpu"]
    device: str
    reason: str

    @property
    def xp(self) -> Any:
        """The array module: `numpy` or `cupy`. Looked up, not stored, so that a backend pickles."""
        if self.name == "cpu":
            return np
        import cupy

        return cupy


@dataclass(frozen=True, slots=True)
class _Probe:
    usable: bool
    device: str
    reason: str


def resolve(name: str | None = None) -> Backend:
    """Return the backend of that name, proven to work.

    The first question about a GPU costs the import of cupy and one small compilation, up to a
    second; the answer is kept for the process.

    Parameters
    ----------
    name : {"auto", "cpu", "gpu"}, optional
        "auto" takes a GPU where one is usable and never fails; "gpu" insists on it. Without a
        name, the environment variable BIGROCK_BACKEND decides, and "auto" where that is not set.

    Returns
    -------
    Backend
        The device, and in `reason` why it was taken.

    Raises
    ------
    BackendError
        If "gpu" is asked for and cannot be used; the message says why.
    ParameterError
        If the name is none of the three.

    Examples
    --------
    >>> resolve("cpu").reason
    'asked for'
    """
    origin = "backend"
    if name is None:
        name, origin = os.environ.get(_VARIABLE) or "auto", f"environment variable {_VARIABLE}"
    if name not in _NAMES:
        raise ParameterError(f"{origin} {name!r} is not known. Use one of: {', '.join(_NAMES)}.")
    if name == "cpu":
        return Backend("cpu", _cpu(), "asked for")
    probe = _probe_gpu()
    if probe.usable:
        return Backend("gpu", probe.device, "asked for" if name == "gpu" else probe.reason)
    if name == "gpu":
        raise BackendError(
            f"{origin} 'gpu' cannot be used: {probe.reason}. Install the GPU packages with "
            "`pip install 'bigrock[gpu]'` on a machine with an NVIDIA driver, or use backend='cpu'."
        )
    return Backend("cpu", _cpu(), f"no usable GPU: {probe.reason}")


def namespace(array: Any) -> Any:
    """Return the module whose functions take `array`: `numpy`, `cupy`, or what the array names itself.

    Never imports cupy: an array of cupy has done so already. Any other array of the Python array
    API standard is asked for its module; what is no array is left to numpy.

    Examples
    --------
    >>> namespace(np.zeros(3)).__name__
    'numpy'
    """
    if isinstance(array, np.ndarray):
        return np
    if _is_cupy(array):
        import cupy

        return cupy
    return array.__array_namespace__() if hasattr(array, "__array_namespace__") else np


def dtype_of(array: Any) -> np.dtype[Any]:
    """Return the data type of the elements as numpy's, whatever module the array is of.

    Examples
    --------
    >>> dtype_of(np.zeros(3, np.uint8))
    dtype('uint8')
    """
    dtype = array.dtype
    return dtype if isinstance(dtype, np.dtype) else np.dtype(str(dtype).rpartition(".")[2])


def to_device(array: Any, backend: Backend) -> Any:
    """Return the array where `backend` computes; the same object where it is there already.

    Parameters
    ----------
    array : ndarray
        Of numpy or cupy.
    backend : Backend
        From `resolve`.

    Returns
    -------
    ndarray
        Of ``backend.xp``, same values and dtype.

    Examples
    --------
    >>> image = np.zeros(3)
    >>> to_device(image, resolve("cpu")) is image
    True
    """
    return to_host(array) if backend.name == "cpu" else backend.xp.asarray(array)


def to_host(array: Any) -> npt.NDArray[Any]:
    """Return the array in the memory of the CPU; the same object where it is there already.

    Examples
    --------
    >>> to_host(np.zeros(3)).shape
    (3,)
    """
    return cast("npt.NDArray[Any]", array.get()) if _is_cupy(array) else np.asarray(array)


def _is_cupy(array: Any) -> bool:
    return type(array).__module__.partition(".")[0] == "cupy"


def _cpu() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"CPU, {cores} cores"


@functools.cache
def _probe_gpu() -> _Probe:
    """Return whether a GPU computes, and why not; never raises.

    Drivers, device runtimes and compilers fail with their own classes, some of which only exist
    once cupy is loaded, hence the broad handlers: what went wrong is kept as the reason.
    """
    try:
        import cupy
    except Exception as error:
        return _Probe(False, "", f"cupy is not installed or does not load ({error})")
    try:
        count = int(cupy.cuda.runtime.getDeviceCount())
    except Exception as error:
        return _Probe(False, "", f"there is no CUDA driver or device ({error})")
    if count < 1:
        return _Probe(False, "", "there is no CUDA device")
    try:
        return _smoke_test(cupy)
    except Exception as error:
        return _Probe(
            False,
            "",
            "a CUDA device is there, but a kernel cannot be compiled or run on it "
            f"({type(error).__name__}: {error})",
        )


def _smoke_test(cupy: Any) -> _Probe:
    total = cupy.zeros(1, cupy.int32)
    cupy.RawKernel(_SMOKE, "smoke")((1,), (_THREADS,), (total,))
    found, expected = int(total[0]), _THREADS * (_THREADS - 1) // 2
    if found != expected:
        return _Probe(False, "", f"the CUDA device computes {found} where {expected} is right")
    facts = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.runtime.getDevice())
    gib = facts["totalGlobalMem"] / 2**30
    device = f"{facts['name'].decode()}, compute capability {facts['major']}.{facts['minor']}, {gib:.0f} GiB"
    return _Probe(True, device, "a GPU is usable")
