"""Slices as the network is given them, read one at a time: standardised, with their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigrock.engine.kernel import Chain, Kernel, stages_of
from bigrock.engine.reducing import fit, reduce
from bigrock.geometry import Block, Region
from bigrock.kernels import Standardize
from bigrock.kernels.standardize import SliceMoments
from bigrock.models import SegmentationConfig
from bigrock.volumes import Source

__all__ = ["SliceReader"]


@dataclass(frozen=True, eq=False)
class SliceReader:
    """Reads slices as `bigrock.models.segmentation_kernel` would give them to the network, bit by bit.

    Attributes
    ----------
    stack : Source
        Grey levels.
    neighbours : int
        Slices on each side that belong to a slice; beyond the first and the last one, that is repeated.
    standardize : Standardize or None
        Fitted.

    Examples
    --------
    >>> import bigrock
    >>> stack = bigrock.ArraySource(np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    >>> config = SegmentationConfig({"dark": 0, "bright": 1}, neighbours=1)
    >>> image = SliceReader.of(stack, config).read(0)
    >>> image.shape, bool((image[0] == image[1]).all())
    ((3, 4, 4), True)
    """

    stack: Source
    neighbours: int
    standardize: Standardize | None

    @classmethod
    def of(cls, stack: Source, config: SegmentationConfig, **how: Any) -> SliceReader:
        """Return a reader of a stack, after one read of it that finds NaN and infinity as well.

        Parameters
        ----------
        stack : Source
            Grey levels.
        config : SegmentationConfig
            Neighbours, and what is standardised.
        **how
            For `bigrock.reduce`: executor, ram, progress.
        """
        if config.standardize == "none":
            if np.dtype(stack.dtype).kind == "f":
                reduce(stack, [SliceMoments()], title="check", **how)
            return cls(stack, config.neighbours, None)
        fitted = fit(Standardize(config.standardize), stack, **how)
        assert isinstance(fitted, Standardize)
        return cls(stack, config.neighbours, fitted)

    def read(self, z: int) -> npt.NDArray[np.float32]:
        """Return a slice with its neighbours: float32, (1 + 2·neighbours, y, x)."""
        depth, y, x = self.stack.shape
        low, high = max(0, z - self.neighbours), min(depth, z + self.neighbours + 1)
        region = Region((low, 0, 0), (high, y, x))
        array = self.stack.read(region)
        if self.standardize is None:
            image = array.astype(np.float32)
        else:
            image = self.standardize(array, Block(0, region, region, self.stack.shape))
        around = (self.neighbours - (z - low), self.neighbours + 1 - (high - z))
        return np.pad(image, (around, (0, 0), (0, 0)), mode="edge")

    def completed(self, kernel: Kernel) -> Kernel:
        """Return a segmentation kernel with the moments that this reader found: one read less."""
        stages = stages_of(kernel)
        if self.standardize is None or not isinstance(stages[0], Standardize):
            return kernel
        return Chain((self.standardize, *stages[1:]))
