"""Does the GPU compute what the CPU does: kernels run on both, and compared voxel by voxel."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bigrock.engine.kernel import Kernel
from bigrock.geometry import BlockGrid, Region, Shape
from bigrock.volumes import ArraySource

__all__ = ["GpuCheck", "Twin", "gpu_check"]


@dataclass(frozen=True, slots=True)
class Twin:
    """One kernel, run on both.

    Attributes
    ----------
    kernel : str
        Its name.
    error : str or None
        Why it did not run on the GPU.
    differing : int
        Voxels that are not bitwise the same.
    largest_difference : float
        Of any voxel; a mask differs by 1.
    cpu_s, gpu_s : float
        Seconds of one run; that on the GPU includes both copies and not the first compilation.
    """

    kernel: str
    error: str | None
    differing: int = 0
    largest_difference: float = 0.0
    cpu_s: float = 0.0
    gpu_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the GPU gave the same: masks bitwise, floats within 1e-5."""
        return self.error is None and self.largest_difference <= 1e-5

    @property
    def told(self) -> str:
        """The finding, for people."""
        if self.error is not None:
            return f"did not run: {self.error}"
        same = "the same bytes" if not self.differing else f"{self.differing} voxels differ"
        return f"{same} (largest difference {self.largest_difference:.2g}); {self.gpu_s:.3f} s, CPU {self.cpu_s:.3f} s"


@dataclass(frozen=True, slots=True)
class GpuCheck:
    """What `gpu_check` found.

    Attributes
    ----------
    usable : bool
        Whether a kernel can be compiled and run.
    device, reason : str
        Which GPU, or why there is none.
    twins : tuple of Twin
        The comparisons.
    """

    usable: bool
    device: str
    reason: str
    twins: tuple[Twin, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there is a GPU and every kernel gave the same on it."""
        return self.usable and all(twin.passed for twin in self.twins)

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as JSON."""
        return {**asdict(self), "passed": self.passed}


def gpu_check(shape: Shape = (8, 256, 256)) -> GpuCheck:
    """Return whether there is a usable GPU here, and whether it computes the same as the CPU.

    Parameters
    ----------
    shape : tuple of int
        Of the made-up sandstone that is computed, z, y, x.

    Returns
    -------
    GpuCheck

    Examples
    --------
    >>> isinstance(gpu_check().usable, bool)
    True
    """
    from bigrock.errors import BackendError
    from bigrock.kernels import GlobalOtsu, LocalOtsu, Standardize
    from bigrock.kernels.backend import resolve

    try:
        backend = resolve("gpu")
    except BackendError as error:
        return GpuCheck(False, "", str(error))
    from bigrock.datasets import Sandstone

    scan = ArraySource(Sandstone(shape, dtype="uint8").read(Region.whole(shape)))
    kernels: Mapping[str, Kernel] = {
        "standardize": Standardize(),
        "global-otsu": GlobalOtsu(),
        "local-otsu radius=15": LocalOtsu(radius=15),
        "local-otsu radius=7 ndim=3": LocalOtsu(radius=7, ndim=3),
    }
    twins = tuple(_twin(name, kernel.fit(scan, progress=False), scan) for name, kernel in kernels.items())
    return GpuCheck(True, backend.device, backend.reason, twins)


def _twin(name: str, kernel: Kernel, scan: ArraySource) -> Twin:
    from bigrock.kernels.device import on_backend

    block = BlockGrid(scan.shape, scan.shape)[0]
    array = scan.read(block.read)
    on_gpu = on_backend(kernel, "gpu")
    times, results = [], []
    try:
        for runner in (kernel, on_gpu):
            runner(array, block)
            start = time.perf_counter()
            results.append(runner(array, block))
            times.append(time.perf_counter() - start)
    except Exception as error:
        # Drivers and compilers raise classes of their own; whatever it is, it is the finding.
        return Twin(name, f"{type(error).__name__}: {error}")
    ours, theirs = results
    difference = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    return Twin(name, None, int(np.count_nonzero(ours != theirs)), float(difference.max(initial=0)), *times)
