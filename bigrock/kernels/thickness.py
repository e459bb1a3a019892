"""Local thickness: the diameter of the largest ball that fits into the phase and covers a voxel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Kernel
from bigrock.errors import NotFittedError, PhaseError
from bigrock.geometry import Block, Region, Shape
from bigrock.kernels.backend import namespace
from bigrock.kernels.distances_largest import LargestDistance, without_outside
from bigrock.kernels.distances_metric import Metric
from bigrock.kernels.field_of_view import FieldOfView
from bigrock.kernels.packed_rows import mask_volume
from bigrock.kernels.thickness_painting import check_largest, classes_of
from bigrock.volumes.source import Facts, Kind, Voxel

__all__ = ["LocalThickness", "local_thickness", "thickness_diameters"]

Array = npt.NDArray[Any]


def local_thickness(
    mask: Any, *, voxel_size: float | Sequence[float] | None = None
) -> tuple[Any, npt.NDArray[np.float64]]:
    r"""Return the class of each voxel by the largest ball that covers it, and the diameter of every class.

    .. math:: k(v) = \max \{ k \in \mathbb{N} : \exists u,\ d(u) \ge k,\ |u - v| < k \}

    with d the `distance` to the background and lengths in units of the smallest voxel edge: the
    balls have whole radii and are open. Ball centres are voxels of the image. Exact: voxel for voxel
    what ``porespy.filters.local_thickness`` (3.2) gives for all integer radii. Costs 10 to 100 ns
    per voxel, growing with the cube of the largest radius.

    Parameters
    ----------
    mask : ndarray of bool
        Two- or three-dimensional; True is the phase.
    voxel_size : float or sequence of float, optional
        Edge of a voxel, or edges along z, y, x; diameters have the same unit. In voxels otherwise.

    Returns
    -------
    classes : ndarray of uint16
        Radius of the ball in units of the smallest edge; 0 outside of the phase.
    diameters : ndarray of float64
        ``diameters[classes]`` is the thickness as a length.

    Raises
    ------
    ParameterError
        If the mask is not bool, or holds no background: no ball would be the largest.

    References
    ----------
    .. [1] Hildebrand T., Rüegsegger P., "A new method for the model-independent assessment of
       thickness in three-dimensional images", Journal of Microscopy 185(1), 1997.

    Examples
    --------
    >>> classes, diameters = local_thickness(np.array([[False, True, True, True, False, True, False]]))
    >>> diameters[classes].tolist()
    [[0.0, 4.0, 4.0, 4.0, 0.0, 2.0, 0.0]]
    """
    metric = Metric.of(voxel_size, mask.ndim)
    volume = mask_volume(mask)
    if namespace(mask) is not np:
        from bigrock.kernels.arrays.thickness import thickness_classes

        classes = thickness_classes(mask, metric)
        largest = int(namespace(classes).max(classes))
    else:
        whole = Region.whole(volume.shape)
        classes = classes_of(np.ascontiguousarray(volume), whole, whole, metric, None).reshape(mask.shape)
        largest = int(classes.max())
    return classes, thickness_diameters(largest, voxel_size)


def thickness_diameters(
    largest: float, voxel_size: float | Sequence[float] | None = None
) -> npt.NDArray[np.float64]:
    """Return the diameter of every class of local thickness up to the largest.

    Parameters
    ----------
    largest : float
        Largest class.
    voxel_size : float or sequence of float, optional
        As it was given to `local_thickness` or `LocalThickness`.

    Returns
    -------
    ndarray of float64
        Twice the radius; 0 for class 0.

    Examples
    --------
    >>> thickness_diameters(2, 5e-6).tolist()
    [0.0, 1e-05, 2e-05]
    """
    ndim = len(voxel_size) if isinstance(voxel_size, Sequence) else 3
    return 2 * Metric.of(voxel_size, ndim).unit * np.arange(int(largest) + 1, dtype=np.float64)


@dataclass(frozen=True)
class LocalThickness(Kernel):
    """Local thickness as `local_thickness`, out of core: uint16 classes. Exact; bitwise that of the whole.

    A ball that covers a voxel may have its centre the largest radius away, and the nearest
    background as far again: blocks read twice the largest distance around them. That is found by
    one read beforehand.

    Parameters
    ----------
    voxel_size : tuple of float, optional
        Edges of a voxel, z, y, x; only their ratios count. `thickness_diameters` turns classes
        into lengths.
    largest : float, optional
        No distance in the volume is larger (units of the smallest edge); set by ``fit``.

    Raises
    ------
    ParameterError
        If there is no background, or a radius exceeds the 65535 classes.

    Examples
    --------
    >>> import bigrock
    >>> from bigrock.volumes import ArraySource
    >>> slit = ArraySource(np.array([[[False, True, True, True, False]]]))
    >>> bigrock.run(LocalThickness(), slit, "memory://thickness-example.zarr", progress=False)[:].tolist()
    [[[0, 2, 2, 2, 0]]]
    """

    voxel_size: Voxel | None = None
    largest: float | None = None

    def __post_init__(self) -> None:
        Metric.of(self.voxel_size)
        if self.largest is not None:
            check_largest(self.largest)

    def fitting(self, facts: Facts) -> LargestDistance | None:
        """Return the reduction that finds the largest distance, or None where it is known."""
        return LargestDistance(self.voxel_size) if self.largest is None else None

    def fitted(self, result: float) -> LocalThickness:
        """Return the kernel that knows the largest distance."""
        return replace(self, largest=result)

    @property
    def halo(self) -> Shape:
        """Twice the largest radius; of an unfitted kernel, twice the margin of its fit."""
        z, y, x = self._reach
        return 2 * z, 2 * y, 2 * x

    @property
    def _reach(self) -> Shape:
        return Metric.of(self.voxel_size).reach(32 if self.largest is None else math.floor(self.largest))

    def output_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Classes."""
        return np.dtype(np.uint16)

    def output_kind(self, kind: Kind) -> Kind:
        """Numbers, not a mask."""
        return "grey"

    def accepts(self, kind: Kind) -> bool:
        """Masks only."""
        return kind == "mask"

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """Squares at two stages, their roots, and the classes of the core before they are cut out."""
        return 8.0 if Metric.of(self.voxel_size).whole else 20.0

    def __call__(self, array: Array, block: Block) -> npt.NDArray[np.uint16]:
        """Return the classes of the core."""
        if array.dtype.kind != "b":
            raise PhaseError(
                f"thickness needs a mask, not {array.dtype}. Threshold first, or select a class."
            )
        if self.largest is None:
            raise NotFittedError(
                "LocalThickness does not know the largest distance of the volume: balls from beyond the block would "
                "be missed. Call kernel.fit(volume) first, or let bigrock.run do it."
            )
        return self.classes_of_block(array, block, None)

    def classes_of_block(
        self, mask: Array, block: Block, field: FieldOfView | None
    ) -> npt.NDArray[np.uint16]:
        """Return the classes of the core; what is outside of a field of view is no background."""
        assert self.largest is not None
        centres = block.core.grow(self._reach, block.volume)
        seen = centres.grow(self._reach, block.volume)
        outside = None if field is None else ~np.broadcast_to(field.inside(centres), centres.shape)
        return classes_of(
            without_outside(mask[seen.within(block.read)], field, seen),
            centres.relative_to(seen),
            block.core.relative_to(centres),
            Metric.of(self.voxel_size),
            (math.floor(self.largest) + 1) ** 2,
            outside,
        )
