"""Run any kernel on the backend that is asked for: blocks go to the device once for a whole chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.engine.reduction import Reduction
from bigrock.geometry import Block, Shape
from bigrock.kernels.backend import resolve, to_device, to_host
from bigrock.volumes.source import Facts, Kind, Source

__all__ = ["OnGpu", "on_backend"]


@dataclass(frozen=True)
class OnGpu(Kernel):
    """A kernel whose blocks are copied to the GPU, computed there, and copied back.

    The device is looked up where the block runs: on a cluster, each worker uses its own.
    """

    kernel: Kernel

    @property
    def halo(self) -> Shape:
        """Halo of the kernel."""
        return self.kernel.halo

    @property
    def scale(self) -> int:
        """Scale of the kernel."""
        return self.kernel.scale

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Output type of the kernel."""
        return self.kernel.output_dtype(dtype)

    def output_kind(self, kind: Kind) -> Kind:
        """Output kind of the kernel."""
        return self.kernel.output_kind(kind)

    def accepts(self, kind: Kind) -> bool:
        """Whether the kernel accepts it."""
        return self.kernel.accepts(kind)

    def fitting(self, facts: Facts) -> Reduction | None:
        """Reduction that the kernel needs."""
        return self.kernel.fitting(facts)

    def fitted(self, result: Any) -> OnGpu:
        """The kernel, completed."""
        return OnGpu(self.kernel.fitted(result))

    def given(self, source: Source) -> OnGpu:
        """The kernel, with its source."""
        return OnGpu(self.kernel.given(source))

    def __call__(self, array: npt.NDArray[Any], block: Block) -> npt.NDArray[Any]:
        """Return the kernel's result for the core, in the memory of the CPU."""
        return to_host(self.kernel(to_device(array, resolve("gpu")), block))


def on_backend(kernel: Kernel, backend: str = "auto") -> Kernel:
    """Return the kernel for a backend: itself on the CPU, wrapped for the GPU.

    Parameters
    ----------
    kernel : Kernel
        One kernel, fitted; or a fitted chain, whose blocks then go to the device once.
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
    return kernel if resolve(backend).name == "cpu" else OnGpu(kernel)
