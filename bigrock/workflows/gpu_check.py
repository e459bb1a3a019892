"""Does the GPU compute what the CPU does: kernels and numbers, computed on both and compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.geometry import BlockGrid, Region, Shape
from bigrock.kernels.backend import Backend, namespace, resolve, to_device, to_host
from bigrock.volumes import ArraySource

__all__ = ["GpuCheck", "Twin", "gpu_check"]


@dataclass(frozen=True, slots=True)
class Twin:
    """One kernel or number, computed on both.

    Attributes
    ----------
    kernel : str
        Its name.
    error : str or None
        Why it did not run on the GPU.
    differing : int
        Voxels or numbers that are not bitwise the same.
    largest_difference : float
        Of any of them; a mask differs by 1.
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
        """Whether the GPU gave the same: masks and counts bitwise, floats within 1e-5."""
        return self.error is None and self.largest_difference <= 1e-5

    @property
    def told(self) -> str:
        """The finding, for people."""
        if self.error is not None:
            return f"did not run: {self.error}"
        same = "the same bytes" if not self.differing else f"{self.differing} differ"
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

    try:
        backend = resolve("gpu")
    except BackendError as error:
        return GpuCheck(False, "", str(error))
    from bigrock.datasets import Sandstone

    grey = Sandstone(shape, dtype="uint8").read(Region.whole(shape))
    twins = tuple(_twin(name, compute, image, backend) for name, compute, image in _checks(grey))
    return GpuCheck(True, backend.device, backend.reason, twins)


Check = tuple[str, Callable[[Any], Any], npt.NDArray[Any]]


def _checks(grey: npt.NDArray[np.uint8]) -> Iterator[Check]:
    """Yield name, function and input of what is computed on both."""
    from bigrock import kernels

    yield from _kernel_checks(grey)
    pores = grey <= kernels.grey_histogram(grey).otsu()
    sizes = (1, 2, 4, 8)
    yield "histogram", kernels.grey_histogram, grey
    yield "median", partial(kernels.median, radius=1), grey
    yield "gaussian", partial(kernels.gaussian, sigma=1.0), grey
    yield "differential box counts", partial(kernels.differential_box_count, sizes=sizes[1:]), grey
    yield "lacunarity, grey", partial(kernels.lacunarity, sizes=sizes[:3]), grey
    yield "lacunarity", partial(kernels.lacunarity, sizes=sizes[:3]), pores
    yield "box counts", partial(kernels.box_count, sizes=sizes), pores
    yield "box counts, interface", partial(kernels.box_count, sizes=sizes[1:], kind="interface"), pores
    yield "configurations", kernels.configuration_counts, pores
    yield "two-point correlation", partial(kernels.two_point_correlation, max_lag=5), pores
    yield "chords", kernels.chord_lengths, pores
    yield "distance", kernels.distance, pores
    yield "thickness", kernels.local_thickness, pores
    yield "opening", partial(kernels.binary_opening, radius=2), pores
    yield "labels", partial(kernels.label, connectivity=26), pores
    yield "small components", partial(kernels.remove_small_components, min_voxels=20), pores
    yield "holes", kernels.fill_holes, pores
    yield "permeability", _permeability, pores[:, :32, :32]


def _kernel_checks(grey: npt.NDArray[np.uint8]) -> Iterator[Check]:
    from bigrock.kernels import GlobalOtsu, LocalOtsu, Standardize

    block = BlockGrid(grey.shape, grey.shape)[0]
    deep = grey.astype(np.uint16) * 257
    for name, kernel, image in (
        ("standardize", Standardize(), grey),
        ("standardize, float32", Standardize(), grey.astype(np.float32)),
        ("global-otsu", GlobalOtsu(), grey),
        ("local-otsu radius=15", LocalOtsu(radius=15), grey),
        ("local-otsu radius=15 stride=4", LocalOtsu(radius=15, stride=4), grey),
        ("local-otsu radius=7 ndim=3", LocalOtsu(radius=7, ndim=3), grey),
        ("local-otsu radius=15 min_contrast=0.4, uint16", LocalOtsu(radius=15, min_contrast=0.4), deep),
    ):
        fitted = kernel.fit(ArraySource(image), progress=False)
        yield name, partial(fitted, block=block), image


def _permeability(pores: Any) -> list[float]:
    """Return permeabilities in voxels squared to four digits, solved where the array is."""
    from bigrock.flow.domain import stokes_domain
    from bigrock.flow.stokes import flow_through

    xp = None if isinstance(pores, np.ndarray) else namespace(pores)
    mask = to_host(pores)
    domains = [stokes_domain(np.ascontiguousarray(np.moveaxis(mask, axis, 0)), "sealed") for axis in range(3)]
    return [float(f"{flow_through(d, 1e-4, 500, xp).permeability:.4g}") for d in domains if d is not None]


def _twin(name: str, compute: Callable[[Any], Any], image: npt.NDArray[Any], backend: Backend) -> Twin:
    times, results = [], []
    try:
        for moved in (False, True):
            for _ in range(2):  # The first run compiles.
                start = time.perf_counter()
                found = _arrays(compute(to_device(image, backend) if moved else image))
                seconds = time.perf_counter() - start
            times.append(seconds)
            results.append(found)
        differing, largest = _difference(*results)
    except Exception as error:
        # Drivers and compilers raise classes of their own; whatever it is, it is the finding.
        return Twin(name, f"{type(error).__name__}: {error}")
    return Twin(name, None, differing, largest, *times)


def _arrays(result: Any) -> list[npt.NDArray[Any]]:
    """Return every number of a result, however it is wrapped, in the memory of the CPU."""
    if is_dataclass(result):
        result = [getattr(result, field.name) for field in fields(result)]
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [array for part in result for array in _arrays(part)]
    return [] if result is None or isinstance(result, str) else [to_host(result)]


def _difference(ours: list[npt.NDArray[Any]], theirs: list[npt.NDArray[Any]]) -> tuple[int, float]:
    """Return how many numbers differ, and the largest difference; NaN equals NaN."""
    differing, largest = 0, 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ValueError(
                f"{a.dtype} of shape {a.shape} on the CPU, {b.dtype} of shape {b.shape} on the GPU"
            )
        other = (a != b) & ~((a != a) & (b != b))
        differing += int(np.count_nonzero(other))
        distance = np.abs(a[other].astype(np.float64) - b[other].astype(np.float64))
        largest = max(largest, float(distance.max(initial=0)))
    return differing, largest
