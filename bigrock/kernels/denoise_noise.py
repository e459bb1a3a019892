"""How noisy a scan is: the standard deviation of its noise, from one read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.reduction import Reduction
from bigrock.errors import ParameterError
from bigrock.geometry import Block, BlockGrid, Region, Shape
from bigrock.kernels.backend import to_host
from bigrock.kernels.exact_sums import single_precision
from bigrock.kernels.histogram import GreyHistogram
from bigrock.volumes.source import Facts

__all__ = ["NoiseLevel", "noise_level"]

Array = npt.NDArray[Any]

# The median of |N(0, 1)|, and the root of the sum of squares of the weights below.
_MEDIAN_OF_NORMAL = 0.6744897501960817
_GAIN = 6.0


def noise_level(image: Array) -> float:
    """Return the standard deviation of the noise of an image, in grey levels.

    Takes the differences of each voxel to the eight around it in its slice, weighted so that ramps
    and straight edges along the axes cancel (Immerkær 1996), and of these the median of the absolute values, so
    that grains and pores hardly count. Where nothing varies (padding around a round core, saturation)
    is left out. Noise whose neighbours are alike, as after smoothing, is estimated too low. One pass;
    bitwise the same as `NoiseLevel` over any blocks; the median is found within 2**-7 of its value.

    Parameters
    ----------
    image : ndarray of bool, integer or float, (y, x) or (z, y, x)
        Grey values.

    Returns
    -------
    float
        Grey levels; 0 where no voxel differs from those around it.

    Raises
    ------
    ParameterError
        If slices are smaller than 3 × 3.
    NonFiniteError
        If a voxel is NaN, infinite or beyond the range of float32.

    References
    ----------
    J. Immerkær, Fast noise variance estimation, Computer Vision and Image Understanding 64 (1996).

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(100, 5, (200, 200))
    >>> round(noise_level(image))
    5
    """
    host = to_host(image)
    volume = host if host.ndim == 3 else host[None]
    counting, facts = NoiseLevel(), Facts(volume.shape, volume.dtype)
    return counting.finish(counting.block(volume, BlockGrid(volume.shape, volume.shape)[0]), facts)


@dataclass(frozen=True)
class NoiseLevel(Reduction):
    """The `noise_level` of a volume, from any blocks in any order, bitwise as from one.

    Examples
    --------
    >>> NoiseLevel().halo
    (0, 1, 1)
    """

    @property
    def halo(self) -> Shape:
        """The voxels around each in its slice."""
        return (0, 1, 1)

    def scratch_bytes(self, dtype: np.dtype[Any]) -> float:
        """A few arrays of float32."""
        return 20.0

    def state_bytes(self, facts: Facts) -> float:
        """Bytes of a histogram of float32."""
        return GreyHistogram().state_bytes(_float_facts(facts))

    def block(self, array: Array, block: Block) -> Any:
        """Return the histogram of the absolute differences in the core; the border has none."""
        (z0, y0, x0), (z1, y1, x1), (_, height, width) = block.core.start, block.core.stop, block.volume
        inner = Region((z0, max(y0, 1), max(x0, 1)), (z1, min(y1, height - 1), min(x1, width - 1)))
        found = np.empty(0, np.float32)
        if min(inner.shape) > 0:
            around = inner.grow((0, 1, 1), block.volume).within(block.read)
            # Along x, then y: the weights are the product of (1, -2, 1) with itself.
            values = single_precision(array[around])
            rows = values[:, :, :-2] - 2 * values[:, :, 1:-1] + values[:, :, 2:]
            found = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
            found = found[found != 0]
        line = found.reshape(1, 1, -1)
        region = Region.whole((1, 1, max(1, line.size)))
        return GreyHistogram().block(line, Block(block.id, region, region, region.shape))

    def combine(self, a: Any, b: Any) -> Any:
        """Return the histogram of both parts."""
        return GreyHistogram().combine(a, b)

    def finish(self, state: Any, facts: Facts) -> float:
        """Return the standard deviation of the noise."""
        if min(facts.shape[1:]) < 3:
            raise ParameterError(
                f"slices of {facts.shape[1:]} voxels have none with neighbours on all sides: their noise cannot be "
                "estimated. Give sigma."
            )
        if not state.table[:, 0].any():
            return 0.0
        histogram = GreyHistogram().finish(state, _float_facts(facts))
        return histogram.quantile(0.5) / (_MEDIAN_OF_NORMAL * _GAIN)


def _float_facts(facts: Facts) -> Facts:
    return Facts(facts.shape, np.dtype(np.float32))
