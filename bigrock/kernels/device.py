"""Compute on a GPU: a block goes to the device once, for a whole chain or for many reductions.

``ToGpu() | kernel | ToHost()`` runs the kernel, or each stage of a chain, on the device.
``reduce(volume, reductions, through=ToGpu())`` gives every reduction the block where it then is.
The device is looked up where the block runs: on a cluster, each worker uses its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.geometry import Block
from bigrock.kernels.backend import resolve, to_device, to_host

__all__ = ["ToGpu", "ToHost", "on_backend"]


@dataclass(frozen=True)
class ToGpu(Kernel):
    """The same voxels in the memory of the GPU, for the stages and reductions that follow.

    Raises
    ------
    BackendError
        Where a block runs, if there is no GPU that can be used.

    Examples
    --------
    >>> from bigrock.kernels import Standardize
    >>> (ToGpu() | Standardize() | ToHost()).halo
    (0, 0, 0)
    """

    def __call__(self, array: npt.NDArray[Any], block: Block) -> Any:
        """Return the core as an array of cupy."""
        return to_device(array[block.trim], resolve("gpu"))


@dataclass(frozen=True)
class ToHost(Kernel):
    """The same voxels in the memory of the CPU; what are there already stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from bigrock.geometry import BlockGrid
    >>> ToHost()(np.zeros((1, 1, 2)), BlockGrid((1, 1, 2), (1, 1, 2))[0]).shape
    (1, 1, 2)
    """

    def __call__(self, array: Any, block: Block) -> npt.NDArray[Any]:
        """Return the core as an array of numpy."""
        return to_host(array[block.trim])


def on_backend(kernel: Kernel, backend: str = "auto") -> Kernel:
    """Return the kernel for a backend: itself on the CPU, between two copies for the GPU.

    Parameters
    ----------
    kernel : Kernel
        One kernel, or a chain, whose blocks then go to the device once. What it must be fitted to
        is then reduced on the device too.
    backend : {"auto", "cpu", "gpu"}
        "auto" takes a usable GPU where there is one.

    Raises
    ------
    BackendError
        If "gpu" is asked for and cannot be used.

    Examples
    --------
    >>> from bigrock.kernels import Threshold
    >>> on_backend(Threshold(100), "cpu")
    Threshold(value=100, pore='dark')
    """
    return kernel if resolve(backend).name == "cpu" else ToGpu() | kernel | ToHost()
